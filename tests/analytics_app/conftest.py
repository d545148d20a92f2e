"""The tables of the mirror, for every test of what is computed."""

from tests.analytics_app.mirror.conftest import drain, tables

__all__ = ["drain", "tables"]
