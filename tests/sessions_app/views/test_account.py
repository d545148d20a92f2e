"""Signing in and out."""

from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sessions_app.models import User
from tests.cast import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def sign_in(client: Client, username: str = "alice", password: str = PASSWORD, **more):
    return client.post(reverse("login"), {"username": username, "password": password} | more)


@pytest.mark.parametrize(("who", "home"), [("alice", "/teach/"), ("rosa", "/research/"), ("ada", "/admin/")])
def test_everybody_has_a_first_page_of_their_own(who: str, home: str, client: Client, request: pytest.FixtureRequest):
    client.force_login(request.getfixturevalue(who))
    assert client.get("/").headers["Location"] == home


def test_whoever_has_not_signed_in_is_sent_to_do_so(client: Client, db: None):
    assert client.get("/").headers["Location"] == "/accounts/login/"


def test_a_sign_in_lasts_as_long_as_the_browser(client: Client, alice: User):
    assert sign_in(client).headers["Location"] == "/"
    assert client.session.get_expire_at_browser_close()


def test_a_sign_in_lasts_a_week_where_that_was_asked_for(client: Client, alice: User):
    sign_in(client, remember="on")
    assert client.session.get_expiry_age() == 7 * 24 * 3600
    assert not client.session.get_expire_at_browser_close()


def test_the_user_name_may_be_capitalised_in_any_way(client: Client, alice: User):
    sign_in(client, username="ALICE")
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_two_user_names_never_differ_in_capitals_alone(alice: User, school):
    with pytest.raises(IntegrityError, match="user_username_any_case"), transaction.atomic():
        make_user("Alice", "teacher", school)


def test_a_wrong_password_says_so_and_keeps_the_name(client: Client, alice: User):
    page = sign_in(client, password="wrong")
    assert page.status_code == 200
    assert b'value="alice"' in page.content
    assert "_auth_user_id" not in client.session


def test_somebody_who_is_not_active_does_not_come_in(client: Client, alice: User):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_only_a_post_signs_out(client: Client, alice: User):
    client.force_login(alice)
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).headers["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_nobody_is_sent_to_another_site_after_signing_in(client: Client, alice: User):
    assert sign_in(client, next="https://elsewhere.example/").headers["Location"] == "/"


def fail_five_times(client: Client, **address: str):
    return [
        client.post(reverse("login"), {"username": name, "password": "wrong"}, **address)
        for name in ("alice", "Alice", "ALICE", "alice", "alice")
    ][-1]


def test_after_five_wrong_passwords_there_is_a_pause_that_says_how_long(client: Client, alice: User):
    page = fail_five_times(client)
    assert (page.status_code, page.headers["Retry-After"]) == (429, "600")
    assert b"10 minutes" in page.content
    assert sign_in(client).status_code == 429


def test_trying_on_during_the_pause_does_not_make_it_longer(client: Client, alice: User):
    fail_five_times(client)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=7))
    assert sign_in(client).headers["Retry-After"] == "180"
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=11))
    assert sign_in(client).status_code == 302


def test_a_pause_is_for_one_name_from_one_address(client: Client, alice: User, bob: User):
    fail_five_times(client)
    assert sign_in(Client(), username="bob").status_code == 302
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302


def test_the_address_is_not_taken_from_a_header(client: Client, alice: User):
    fail_five_times(client, HTTP_X_FORWARDED_FOR="10.0.0.1")
    assert sign_in(Client(HTTP_X_FORWARDED_FOR="10.0.0.2")).status_code == 429


def test_the_data_management_has_no_sign_in_of_its_own(client: Client, db: None):
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1] == ("/accounts/login/?next=/admin/", 302)


@pytest.mark.parametrize("who", ["alice", "rosa"])
def test_the_data_management_is_for_administrators_alone(who: str, client: Client, request: pytest.FixtureRequest):
    client.force_login(request.getfixturevalue(who))
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_password_is_changed_by_whoever_knows_the_old_one(client: Client, alice: User):
    client.force_login(alice)
    new = {"new_password1": "another long phrase", "new_password2": "another long phrase"}
    page = client.post(reverse("password_change"), {"old_password": "wrong"} | new)
    assert (page.status_code, "old_password" in page.context["form"].errors) == (200, True)
    assert client.post(reverse("password_change"), {"old_password": PASSWORD} | new).headers["Location"] == "/"
    alice.refresh_from_db()
    assert alice.check_password("another long phrase")


def test_the_first_administrator_is_made_on_the_command_line(db: None, monkeypatch: pytest.MonkeyPatch, client: Client):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", username="root", email="root@school.example", stdout=StringIO())
    root = User.objects.get(username="root")
    assert (root.role, root.school, root.is_staff, root.is_superuser) == ("administrator", None, True, True)
    sign_in(client, username="root")
    assert client.get("/admin/").status_code == 200


def test_a_second_one_of_the_same_name_is_refused(alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", "--noinput", username="Alice", email="a@school.example", stderr=StringIO())


def test_administrators_alone_are_staff(alice: User, ada: User):
    alice.role, ada.role = User.Role.ADMINISTRATOR, User.Role.TEACHER
    alice.save(update_fields=["role"])
    ada.save(update_fields=["role"])
    assert set(User.objects.filter(is_staff=True)) == {alice}
    with pytest.raises(IntegrityError, match="user_staff_administrates"), transaction.atomic():
        User.objects.filter(pk=ada.pk).update(is_superuser=True)
