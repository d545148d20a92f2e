import pytest

from config import env
from tests.config.conftest import run


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://somewhere/lyceum", "DATABASE_URL must be a URL that begins with postgres://"),
        ("DATABASE_URL", "postgresql://lyceum@host", "DATABASE_URL must name a database"),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 32 characters."),
        ("SUPABASE_JWT_SECRET", "short", "SUPABASE_JWT_SECRET must have at least 32 characters."),
        ("CORS_ALLOWED_ORIGINS", "app.example.org", "CORS_ALLOWED_ORIGINS must list origins such as https://"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
        ("QUESTIONER", "oracle", "QUESTIONER must be one of bedrock, rules"),
        ("QUESTIONER", "bedrock", "QUESTIONER or SCORER is bedrock, so BEDROCK_MODEL_ID must name the model."),
        ("SCORER", "bedrock", "QUESTIONER or SCORER is bedrock, so BEDROCK_MODEL_ID must name the model."),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_sentence(tmp_path, setting, value, sentence) -> None:
    ended = run(tmp_path, "manage.py", "migrate", **{setting: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"lyceum: {sentence}")
    assert ended.stderr.count("\n") == 1


def test_the_server_says_a_bad_setting_too(tmp_path) -> None:
    ended = run(tmp_path, "-m", "config.server", DEBUG="perhaps")
    assert ended.returncode == 1
    assert ended.stderr == "lyceum: DEBUG must be true or false, not 'perhaps'.\n"


def test_a_home_that_is_a_file_is_one_sentence(tmp_path) -> None:
    file = tmp_path / "file"
    file.touch()
    ended = run(file, "manage.py", "migrate")
    assert ended.stderr == f"lyceum: LYCEUM_HOME must be a directory, and {file} is a file.\n"


def test_an_unset_flag_has_its_default(monkeypatch) -> None:
    monkeypatch.setenv("DEBUG", " ")
    assert env.flag("DEBUG", default=True) is True


@pytest.mark.parametrize(("value", "means"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_a_flag_may_be_said_in_several_ways(monkeypatch, value, means) -> None:
    monkeypatch.setenv("DEBUG", value)
    assert env.flag("DEBUG", default=not means) is means


@pytest.mark.parametrize("value", ["many", "0.5", "11", "nan"])
def test_a_number_out_of_bounds_is_refused(monkeypatch, value) -> None:
    monkeypatch.setenv("CORES", value)
    with pytest.raises(env.BadSetting, match="CORES must be"):
        env.number("CORES", 2, low=1, high=10)


def test_an_address_of_a_database_is_taken_apart(monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://al%40ice:p%2Fw@db.example:5433/ly%20ceum?sslmode=require")
    described = env.database("DATABASE_URL", "")
    assert (described["USER"], described["PASSWORD"], described["NAME"]) == ("al@ice", "p/w", "ly ceum")
    assert (described["HOST"], described["PORT"], described["OPTIONS"]) == (
        "db.example",
        "5433",
        {"sslmode": "require"},
    )


def test_words_are_separated_by_commas(monkeypatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "lyceum.example, ,localhost ")
    assert env.words("ALLOWED_HOSTS") == ["lyceum.example", "localhost"]


@pytest.mark.parametrize(
    "origin",
    ["app.example.org", "https://app.example.org/", "https://a.example.org/x", "ftp://a.example.org", "*", "null",
     "https://user@app.example.org", "https://app.example.org:port", "https://"],
)  # fmt: skip
def test_an_origin_is_a_scheme_a_host_and_nothing_behind_it(monkeypatch, origin: str) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", origin)
    with pytest.raises(env.BadSetting, match="must list origins"):
        env.origins("CORS_ALLOWED_ORIGINS")


def test_origins_are_read_with_and_without_a_port(monkeypatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "https://app.example.org, http://localhost:5173")
    assert env.origins("CORS_ALLOWED_ORIGINS") == ["https://app.example.org", "http://localhost:5173"]
