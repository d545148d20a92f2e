"""Every field of every model says whether it is personal, so that erasure, exports and the mirror know."""

import pytest
from django.apps import apps
from django.db import models

OURS = [
    model
    for app in ("sessions_app", "analytics_app")
    for model in apps.get_app_config(app).get_models(include_auto_created=True)
    if not model._meta.proxy
]

LINKS = {
    "SchoolClass_teachers": {"schoolclass": False, "user": True},
    "Study_schools": {"study": False, "school": False},
    "Study_researchers": {"study": False, "user": True},
    "User_groups": {"user": True, "group": False},
    "User_user_permissions": {"user": True, "permission": False},
}
"""The tables behind plain many-to-many fields, which have no class to declare in."""


def declared(model: type[models.Model]) -> dict[str, bool]:
    """Each declared field's name, and whether it is personal."""
    if model._meta.auto_created:
        return LINKS.get(model.__name__, {})
    personal, other = (getattr(model, name, ()) for name in ("PERSONAL", "NOT_PERSONAL"))
    return dict.fromkeys(other, False) | dict.fromkeys(personal, True)


def fields(model: type[models.Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_field_says_whether_it_is_personal(model: type[models.Model]):
    assert fields(model) - set(declared(model)) - {"id"} == set()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_what_is_declared_exists_and_is_declared_once(model: type[models.Model]):
    names = [name for kind in ("PERSONAL", "NOT_PERSONAL") for name in getattr(model, kind, ())]
    assert set(declared(model)) <= fields(model) | {"pk"}
    assert len(names) == len(set(names))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_whatever_points_at_a_person_is_personal(model: type[models.Model]):
    people = {"Student", "StudentSession", "User"}
    pointing = {f.name for f in model._meta.concrete_fields if f.is_relation and f.related_model.__name__ in people}
    version_of_a_person = {"pgh_obj"} if model.__name__ == "UserVersion" else set()
    assert {name for name in pointing - version_of_a_person if not declared(model).get(name)} == set()
