"""Primary keys made in Python, so that Postgres 15 serves too, and the mark that says which fields are personal."""

import uuid
from typing import Any

import uuid_utils.compat
from django.db import models


def uuid7() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): its first 48 bits are milliseconds, so that keys arrive in index order."""
    return uuid_utils.compat.uuid7()


class TimeOrderedModel(models.Model):
    """A row with a UUIDv7 key and the names of its personal fields.

    `PERSONAL` names every field from which a person can be recognised or contacted, or which holds what a person
    said or did; `NOT_PERSONAL` names the others. A field in neither list fails the suite.
    """

    PERSONAL: tuple[str, ...] = ()
    NOT_PERSONAL: tuple[str, ...] = ()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True

    @classmethod
    def personal_fields(cls) -> dict[str, bool | None]:
        """Each concrete field's name with True (personal), False (not) or None (undeclared)."""

        def declared(field: models.Field[Any, Any]) -> bool | None:
            if field.name in cls.PERSONAL:
                return True
            return False if field.name in (*cls.NOT_PERSONAL, "id") else None

        return {field.name: declared(field) for field in cls._meta.concrete_fields}
