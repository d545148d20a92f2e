from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsAppConfig(AppConfig):
    name = "analytics_app"
    verbose_name = _("Analytics")
