from django.contrib.auth.views import LogoutView
from django.urls import path

from sessions_app.views import account

urlpatterns = [
    path("", account.home, name="home"),
    path("accounts/login/", account.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/password/", account.PasswordChange.as_view(), name="password_change"),
]
