"""The data management of what is computed: the mirror and the rollup."""

from analytics_app.admin import mirror, rollup

__all__ = ["mirror", "rollup"]
