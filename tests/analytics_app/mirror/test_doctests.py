"""The examples in the docstrings of the pure modules."""

import doctest
from types import ModuleType

import pytest

from analytics_app.mirror import json_values, keys, schema


@pytest.mark.parametrize("module", [keys, schema, json_values])
def test_the_examples_in_the_docstrings_hold(module: ModuleType):
    failures, tried = doctest.testmod(module)
    assert (failures, tried > 0) == (0, True)
