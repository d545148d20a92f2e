"""The data management: every kind of rows, for the administrators of a school or of the whole installation."""

from sessions_app.admin import (
    classes,
    coding,
    material,
    people,
    practice,
    reading,
    records,
    sessions,
    study,
    timeline,
    watch,
)

__all__ = [
    "classes",
    "coding",
    "material",
    "people",
    "practice",
    "reading",
    "records",
    "sessions",
    "study",
    "timeline",
    "watch",
]
