import doctest

import pytest

from analytics_app.mirror import objects
from analytics_app.qualitative import cues, engines, phrases, relating, results, text


@pytest.mark.parametrize("module", [cues, engines, objects, phrases, relating, results, text], ids=lambda m: m.__name__)
def test_the_examples_in_the_documentation_hold(module) -> None:
    found = doctest.testmod(module)
    assert found.attempted and not found.failed
