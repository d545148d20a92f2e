"""Primary keys made in Python, so that Postgres 15 serves too, and the mark that says which fields are personal."""

import uuid

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
