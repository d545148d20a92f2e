"""`python -m tests.benchmarks [PREFIX]`: run the benchmarks whose names begin with PREFIX, in a home of their own.

Prints a table and writes `build/bench.json`; exit status 1 where a target was missed, 2 where there is no benchmark.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    os.environ.setdefault("LYCEUM_HOME", str(ROOT / ".lyceum" / "bench"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    from config.local import stack

    stack.ensure()
    django.setup()
    from tests.benchmarks.runner import main

    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", ROOT / "build" / "bench.json"))
