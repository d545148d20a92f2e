"""The data management of what is computed: the analyses, the mirror and the rollup."""

from analytics_app.admin import analyses, mirror, rollup

__all__ = ["analyses", "mirror", "rollup"]
