"""Which tests of a parallel run go to one worker: those of a module that is marked with an `xdist_group`.

Such a module has something that is expensive to make and lasts for all its tests. All others go one by one to whichever
worker is free. xdist's own `loadgroup` puts the groups into the names of the tests, which pytest 9.2 does not let it.
"""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parent.parent


class TogetherByModule(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if _is_together(module) else nodeid


@cache
def _is_together(module: str) -> bool:
    return "pytest.mark.xdist_group(" in (ROOT / module).read_text(encoding="utf-8")
