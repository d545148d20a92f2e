"""The menu of the data management: its pages by what they are about, those alone that the administrator may open."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from sessions_app.admin.scope import Section

_BETTER_NAMES = {"ProcrastinateJob": _("jobs")}
"""Where another package's name for its rows says nothing to an administrator."""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """unfold's sidebar: a group per section, in the order of `Section`; a page of another package is `COMPUTED`."""
    found: dict[Section, list[dict[str, Any]]] = {section: [] for section in Section}
    for model, page in admin.site._registry.items():
        if page.has_module_permission(request) and page.has_view_permission(request):
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            title = _BETTER_NAMES.get(model.__name__) or str(model._meta.verbose_name_plural)
            item = {"title": capfirst(title), "link": address}
            found[getattr(page, "section", Section.COMPUTED)].append(item)
    return [{"title": section.label, "items": items} for section, items in found.items() if items]
