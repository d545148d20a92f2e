"""Every address of the product, one line each. A route without a row in the access matrix fails the suite."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from sessions_app.views import account

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("", include("analytics_app.urls")),
    path("api/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(permission_classes=[AllowAny], template_name="api/docs.html"),
        name="docs",
    ),
    path("admin/login/", account.data_management_sign_in),
    path("admin/", admin.site.urls),
]
