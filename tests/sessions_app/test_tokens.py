"""Bearer tokens: which are good, and the many ways in which one is not."""

import base64
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as live_settings
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import RefreshToken

from sessions_app import learners, tokens
from sessions_app.models import ErasedAccount, Learner, LearnerCode, Student, User
from sessions_app.refusals import Refused
from tests.cast import PASSWORD
from tests.learners import LENA, PROJECT, SECRET, as_student, save, supabase_token, with_token

pytestmark = pytest.mark.django_db

DOOR = "/api/sessions/history"


def segment(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": str(LENA), "aud": "authenticated", "iss": PROJECT, "exp": int(time.time()) + 60} | more


def signed_by_hand(header: Any, body: Any, secret: str = SECRET) -> str:
    """A token of any header and claims with a good signature, as no library would make it."""
    import hashlib
    import hmac

    signed = f"{segment(header)}.{segment(body)}"
    return f"{signed}.{segment(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


GOOD_HEADER = {"alg": "HS256", "typ": "JWT"}
BAD: dict[str, Any] = {
    "another secret": lambda: supabase_token(secret="another secret with more than 32 characters"),
    "another audience": lambda: supabase_token(aud="anon"),
    "no audience": lambda: supabase_token(aud=None),
    "another issuer": lambda: supabase_token(iss="https://evil.example.org/"),
    "no issuer": lambda: supabase_token(iss=None),
    "no expiry": lambda: supabase_token(exp=None),
    "no subject": lambda: supabase_token(None),
    "an empty subject": lambda: supabase_token(""),
    "a subject that is a number": lambda: signed_by_hand(GOOD_HEADER, claims(sub=5)),
    "a subject with NUL": lambda: supabase_token("a\x00b"),
    "half a surrogate pair": lambda: signed_by_hand(GOOD_HEADER, claims(sub="\ud800")),
    "a long subject": lambda: supabase_token("x" * 256),
    "from tomorrow on": lambda: supabase_token(nbf=int(time.time()) + 86_400),
    "issued tomorrow": lambda: supabase_token(iat=int(time.time()) + 86_400),
    "expires at infinity": lambda: signed_by_hand(GOOD_HEADER, claims(exp=float("inf"))),
    "expires in words": lambda: signed_by_hand(GOOD_HEADER, claims(exp="tomorrow")),
    "HS512": lambda: supabase_token(algorithm="HS512", secret=SECRET * 2),
    "alg none": lambda: f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(claims())}.",
    "alg None": lambda: f"{segment({'alg': 'None'})}.{segment(claims())}.",
    "alg none, signed": lambda: signed_by_hand({"alg": "none"}, claims()),
    "no alg": lambda: signed_by_hand({"typ": "JWT"}, claims()),
    "alg is a list": lambda: signed_by_hand({"alg": ["HS256"]}, claims()),
    "a critical extension": lambda: signed_by_hand({**GOOD_HEADER, "crit": ["b64"], "b64": False}, claims()),
    "claims that are a list": lambda: signed_by_hand(GOOD_HEADER, [claims()]),
    "claims that are no JSON": lambda: signed_by_hand(GOOD_HEADER, b"{"),
    "nested claims": lambda: signed_by_hand(GOOD_HEADER, b"[" * 4000),
    "a nested header": lambda: signed_by_hand(b"[" * 4000, claims()),
    "a header that is no base64": lambda: "!!!.!!!.!!!",
    "two parts": lambda: "a.b",
    "no signature": lambda: supabase_token().rpartition(".")[0] + ".",
    "not a token": lambda: "token",
    "nothing": lambda: "",
    "too long": lambda: supabase_token(more="x" * 9000),
    "not ASCII": lambda: "é.é.é",
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_a_401_in_the_one_shape_and_makes_nobody(lena: Client, case: str):
    answer = with_token(BAD[case]()).get(DOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert not Learner.objects.exists()


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dTpw", "Token x", "bearer"])
def test_without_a_token_the_door_is_shut(db: None, header: str):
    answer = Client(headers={"Authorization": header}).get(DOOR)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in {"not_authenticated", "token_invalid"}


def test_a_session_of_the_browser_opens_nothing_here(client: Client, alice: User):
    client.force_login(alice)
    assert client.get(DOOR).status_code == 401


def test_a_token_that_has_expired_says_so(lena: Client):
    answer = with_token(supabase_token(exp=int(time.time()) - 60)).get(DOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_expired")


def test_clocks_may_differ_by_some_seconds(lena: Client):
    assert with_token(supabase_token(exp=int(time.time()) - 5)).get(DOOR).status_code == 200
    assert with_token(supabase_token(iat=int(time.time()) + 5)).get(DOOR).status_code == 200


def test_without_a_secret_no_token_of_supabases_is_taken(lena: Client, settings: Any):
    settings.SUPABASE_JWT_SECRET = ""
    assert lena.get(DOOR).status_code == 401


def test_where_an_issuer_is_set_no_other_is_taken(lena: Client, settings: Any):
    settings.SUPABASE_JWT_ISSUER = "https://auth.example.org/"
    assert lena.get(DOOR).status_code == 401
    assert with_token(supabase_token(iss="https://auth.example.org/")).get(DOOR).status_code == 200


def test_one_who_knows_supabases_secret_cannot_sign_for_us(lena: Client, alice: User):
    forged = supabase_token(
        str(alice.pk), iss=live_settings.TOKENS_OF_OURS, aud=live_settings.TOKENS_OF_OURS, kind="user",
        token_type="access", jti="x", stamp=tokens.user_stamp(alice.password),
    )  # fmt: skip
    assert with_token(forged).get(DOOR).status_code == 401


def token(client: Client, username: str = "alice", password: str = PASSWORD, **more: str) -> Any:
    return client.post(
        "/api/token/", {"username": username, "password": password} | more, content_type="application/json"
    )


def refreshed(client: Client, refresh: str) -> Any:
    return client.post("/api/token/refresh/", {"refresh": refresh}, content_type="application/json")


def test_a_user_gets_tokens_by_name_and_password(client: Client, alice: User):
    answer = token(client)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert save(with_token(answer.json()["access"])).status_code == 201
    again = refreshed(client, answer.json()["refresh"]).json()
    assert (again["expires_in"], with_token(again["access"]).get(DOOR).status_code) == (1800, 200)


def test_our_tokens_say_for_whom_and_of_whom_they_are(alice: User):
    said = jwt.decode(tokens.token_give(alice).access, options={"verify_signature": False})
    assert (said["iss"], said["aud"], said["sub"], said["kind"]) == ("lyceum", "lyceum", str(alice.pk), "user")
    assert alice.username not in json.dumps(said)


def test_our_tokens_are_not_signed_with_the_secret_key(alice: User, settings: Any):
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(tokens.token_give(alice).access, settings.SECRET_KEY, algorithms=["HS256"], audience="lyceum")


def test_a_wrong_password_is_a_401(client: Client, alice: User):
    answer = token(client, password="wrong")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong_password")


def test_wrong_passwords_lock_out_here_and_at_the_sign_in_alike(client: Client, alice: User):
    answers = [token(client, username=name, password="wrong") for name in ("alice", "Alice", "ALICE", "alice", "alice")]
    locked = token(client)
    assert {answer.status_code for answer in answers[:4]} == {401}
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "locked_out")
    assert 0 < int(locked["Retry-After"]) <= 600
    assert client.post("/accounts/login/", {"username": "alice", "password": PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    "body",
    [{"username": "alice"}, {"username": 5, "password": "x"}, {"username": "a", "password": "b", "otp": "1"}],
    ids=["no password", "a number", "too much"],
)
def test_a_request_for_tokens_is_checked(client: Client, body: dict[str, Any], db: None):
    assert client.post("/api/token/", body, content_type="application/json").status_code == 400


def test_who_is_inactive_gets_no_token(client: Client, alice: User):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert token(client).status_code == 401


def gone(alice: User, what: str) -> None:
    if what == "deleted":
        alice.classes.clear()
        alice.delete()
    elif what == "inactive":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    else:
        alice.set_password("another long enough passphrase")
        alice.save()


@pytest.mark.parametrize("what", ["deleted", "inactive", "password changed"])
def test_the_tokens_of_a_user_end_with_them(client: Client, alice: User, what: str):
    pair = tokens.token_give(alice)
    gone(alice, what)
    answer = with_token(pair.access).get(DOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_gone")
    again = refreshed(client, pair.refresh)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "account_gone")


def test_a_refresh_token_opens_no_door_and_an_access_token_gives_none(client: Client, alice: User):
    pair = tokens.token_give(alice)
    assert with_token(pair.refresh).get(DOOR).status_code == 401
    for wrong in (pair.access, supabase_token(), "x", "a.b.c"):
        again = refreshed(client, wrong)
        assert (again.status_code, again.json()["error"]["code"]) == (401, "token_invalid")


def test_an_expired_refresh_token_says_so(client: Client, alice: User):
    old = RefreshToken()
    old.set_exp(lifetime=-timedelta(minutes=1))
    again = refreshed(client, str(old))
    assert again.json()["error"]["code"] == "token_expired"


def by_code(client: Client, code: str) -> Any:
    return client.post("/api/token/code/", {"code": code}, content_type="application/json")


def test_a_student_gets_tokens_by_a_code_of_the_teachers_once(client: Client, sam: Student, alice: User):
    code = learners.code_give(sam, by=alice)
    answer = by_code(client, f" {code[:4].lower()} {code[4:]}")
    assert answer.status_code == 200
    assert save(with_token(answer.json()["access"])).status_code == 201
    assert Learner.objects.get(student=sam).results.count() == 1
    assert (by_code(client, code).status_code, by_code(client, code).json()["error"]["code"]) == (404, "code_not_good")


def test_a_code_is_not_kept(sam: Student, alice: User):
    code = learners.code_give(sam, by=alice)
    assert code not in LearnerCode.objects.get().code


def test_a_newer_code_makes_the_older_worthless(client: Client, sam: Student, alice: User):
    older, newer = learners.code_give(sam, by=alice), learners.code_give(sam, by=alice)
    assert [by_code(client, code).status_code for code in (older, newer)] == [404, 200]


def test_a_code_is_good_for_a_day(client: Client, sam: Student, alice: User):
    code = learners.code_give(sam, by=alice)
    LearnerCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert by_code(client, code).status_code == 404


def test_a_code_of_a_student_who_has_left_is_worth_nothing(client: Client, sam: Student, alice: User):
    code = learners.code_give(sam, by=alice)
    Student.objects.filter(pk=sam.pk).update(archived_at=timezone.now())
    assert by_code(client, code).status_code == 404


def test_codes_cannot_be_guessed_at_will(client: Client, sam: Student, alice: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sessions_app.join_codes.FAILURES_ALLOWED", 3)
    code = learners.code_give(sam, by=alice)
    assert [by_code(client, "WRONG234").status_code for _ in range(4)] == [404, 404, 404, 429]
    assert by_code(client, code).json()["error"]["code"] == "too_many_guesses"


def test_a_students_tokens_can_be_taken_back(client: Client, sam: Student):
    pair = tokens.token_give(learners.learner_of(sam))
    assert refreshed(client, pair.refresh).status_code == 200
    Learner.objects.filter(student=sam).update(version=2)
    assert with_token(pair.access).get(DOOR).json()["error"]["code"] == "account_gone"
    again = refreshed(client, pair.refresh)
    assert again.json()["error"]["code"] == "account_gone"


def test_a_token_of_an_account_whose_data_was_deleted_opens_nothing(lena: Client):
    ErasedAccount.objects.create(account=learners.account_hash(PROJECT, str(LENA)))
    answer = lena.get(DOOR)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_gone")
    assert not Learner.objects.exists()


def link(client: Client, code: str) -> Any:
    return client.post("/api/me/link", {"code": code}, content_type="application/json")


def test_an_account_becomes_that_of_a_student_and_of_no_other(lena: Client, sam: Student, tia: Student, alice: User):
    save(lena)
    assert link(lena, learners.code_give(sam, by=alice)).status_code == 204
    assert Learner.objects.get(student=sam).pk == LENA
    code = learners.code_give(tia, by=alice)
    assert link(lena, code).json()["error"]["code"] == "linked_already"
    assert by_code(Client(), code).status_code == 200  # the code was not used up


def test_a_learner_of_ours_is_not_linked_anew(sam: Student, tia: Student, alice: User):
    answer = link(as_student(sam), learners.code_give(tia, by=alice))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "linked_already")


def test_a_wrong_code_links_nothing(lena: Client):
    assert link(lena, "WRONG234").json()["error"]["code"] == "code_not_good"


def test_the_user_of_a_token_is_found_and_a_learner_is_no_user(alice: User, sam: Student):
    read = tokens.token_read(tokens.token_give(alice).access)
    assert learners.user_of(read) == alice
    with pytest.raises(Refused, match="token_invalid"):
        learners.user_of(tokens.token_read(tokens.token_give(learners.learner_of(sam)).access))


def test_tokens_are_asked_for_only_so_often(client: Client, db: None, monkeypatch: pytest.MonkeyPatch):
    from sessions_app.api.bearer import AddressThrottle
    from sessions_app.throttling import Rate

    monkeypatch.setattr(AddressThrottle, "rate", Rate("token", requests=1, seconds=3600))
    assert [by_code(client, "x").status_code for _ in range(2)] == [404, 429]
