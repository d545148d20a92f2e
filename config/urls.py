"""Every address of the product, one line each. A route without a row in the access matrix fails the suite."""

from django.contrib import admin
from django.urls import include, path

from sessions_app.views import account

urlpatterns = [
    path("", include("sessions_app.urls")),
    path("", include("analytics_app.urls")),
    path("admin/login/", account.data_management_sign_in),
    path("admin/", admin.site.urls),
]
