"""The data management: every kind of rows, for the administrators of a school or of the whole installation."""

from sessions_app.admin import classes, people, reading, sessions, study, timeline, watch

__all__ = ["classes", "people", "reading", "sessions", "study", "timeline", "watch"]
