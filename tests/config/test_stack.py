"""The life cycle of the embedded servers, with real processes that come, go and are killed."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest

from config.local import locks, record, stack
from config.local.postgres import Postgres, database_url
from tests.config.conftest import Client, eventually, remove_aside, run, runs

Start = Callable[..., Client]

pytestmark = pytest.mark.xdist_group("stack")  # one home, one worker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for the file, as making a cluster takes longest."""
    home = tmp_path_factory.mktemp("stack")
    yield home
    remove_aside(home)


def postgres_pid(home: Path) -> int:
    return int(record.read(home)["postgres_pid"])


def keeper_of(home: Path, name: str) -> psutil.Process:
    return next(p for p in psutil.process_iter(["cmdline"]) if (p.info["cmdline"] or [])[-2:] == [name, str(home)])


def test_three_that_start_at_once_share_one_server(home: Path, clients: Start) -> None:
    racing = [clients() for _ in range(3)]
    assert all(client.is_in() for client in racing)
    data = str((home / "postgres-18").resolve())
    assert [p.pid for p in psutil.process_iter(["cmdline"]) if data in (p.info["cmdline"] or [])] == [
        postgres_pid(home)
    ]


def test_the_last_one_out_returns_when_the_server_has_stopped(home: Path, clients: Start) -> None:
    first, last = clients(), clients()
    assert first.is_in()
    assert last.is_in()
    pid = postgres_pid(home)
    first.leave()
    assert Postgres(home).is_ready()
    last.leave()
    assert not runs(pid)
    assert record.read(home) == {}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_process_that_is_killed_counts_as_out(home: Path, clients: Start, how: signal.Signals) -> None:
    client = clients()
    assert client.is_in()
    pid = postgres_pid(home)
    client.process.send_signal(how)
    assert eventually(lambda: not runs(pid))


def test_a_killed_server_comes_back_with_everything_committed(home: Path, clients: Start) -> None:
    assert clients().is_in()
    killed = postgres_pid(home)
    with psycopg.connect(database_url(home)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: record.read(home).get("postgres_pid", killed) != killed and Postgres(home).is_ready())
    with psycopg.connect(database_url(home)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]
        connection.execute("DROP TABLE kept")


def test_a_server_may_be_killed_as_often_as_one_likes(home: Path, clients: Start) -> None:
    assert clients().is_in()
    for _ in range(4):
        killed = postgres_pid(home)
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: postgres_pid(home) != killed)  # noqa: B023  asked before the next round
    assert eventually(lambda: Postgres(home).is_ready())


def test_a_killed_keeper_is_replaced_by_the_next_process(home: Path, clients: Start) -> None:
    assert clients().is_in()
    orphan = postgres_pid(home)
    keeper_of(home, "postgres").kill()
    assert eventually(lambda: not locks.is_held_alone(home, "postgres.keeper"))
    assert clients().is_in()
    assert not runs(orphan)
    assert runs(postgres_pid(home))


def test_a_pid_file_that_names_somebody_else_s_process_is_forgotten(home: Path, clients: Start) -> None:
    before = clients()
    assert before.is_in()
    before.leave()
    data = (home / "postgres-18").resolve()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    assert clients().is_in()
    assert postgres_pid(home) != os.getpid()


def test_the_database_is_made_again_when_it_is_missing(home: Path, clients: Start) -> None:
    assert clients().is_in()
    with psycopg.connect(database_url(home).replace("/lyceum?", "/postgres?"), autocommit=True) as connection:
        connection.execute("DROP DATABASE lyceum WITH (FORCE)")
    assert clients().is_in()
    with psycopg.connect(database_url(home)) as connection:
        assert connection.info.dbname == "lyceum"


def test_the_server_is_as_durable_as_a_real_one(home: Path, clients: Start) -> None:
    assert clients().is_in()
    with psycopg.connect(database_url(home)) as connection:
        shown = {name: connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit", "jit")}
    assert shown == {"fsync": ("on",), "synchronous_commit": ("on",), "jit": ("off",)}


def test_nobody_reaches_the_server_but_through_a_closed_directory(home: Path, clients: Start) -> None:
    assert clients().is_in()
    with psycopg.connect(database_url(home)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        directory = Path(connection.info.host)
    assert directory.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_root_s_data_lies_aside_when_the_home_is_closed(home: Path, clients: Start) -> None:
    assert clients().is_in()
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "postgres-18").is_symlink()
    assert not (home / "postgres-18").resolve().is_relative_to(home)


def test_a_fresh_aws_is_known_by_its_generation(home: Path, clients: Start) -> None:
    assert clients(aws=True).is_in()
    before = record.read(home)
    s3 = boto3.client("s3", endpoint_url=str(before["aws_endpoint"]))
    s3.create_bucket(Bucket="forgotten")
    os.kill(int(before["aws_pid"]), signal.SIGKILL)
    assert eventually(lambda: record.read(home).get("aws_generation", "") not in {"", before["aws_generation"]})
    assert s3.list_buckets()["Buckets"] == []
    assert record.read(home)["aws_endpoint"] == before["aws_endpoint"]


def test_a_child_reaches_the_aws_of_its_parent_past_a_proxy(home: Path) -> None:
    child = (
        "import boto3; from config.local import stack; stack.ensure();"
        "print(stack.aws_generation(), boto3.client('s3').list_buckets()['Buckets'], flush=True)"
    )
    parent = f"{child}; import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    ended = run(home, "-c", parent, HTTP_PROXY="http://192.0.2.1:9", NO_PROXY="intranet.example")
    by_parent, by_child = ended.stdout.splitlines()
    assert by_parent == by_child
    assert by_parent.endswith(" []")


def test_an_aws_without_a_keeper_ends(home: Path, clients: Start) -> None:
    assert clients(aws=True).is_in()
    pid = int(record.read(home)["aws_pid"])
    keeper_of(home, "aws").kill()
    assert eventually(lambda: not runs(pid))
    record.change(home, {"aws_endpoint": None, "aws_pid": None, "aws_generation": None})


def test_a_server_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    scripts = {"postgres": "echo 'postgres (PostgreSQL) 18.6'", "initdb": "echo 'no space left'; exit 1"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for program, script in scripts.items():
            (Path(folder) / program).write_text(f"#!/bin/sh\n{script}\n")
            (Path(folder) / program).chmod(0o755)
        ended = run(tmp_path / "home", "manage.py", "migrate", LYCEUM_POSTGRES_BIN=folder)
    remove_aside(tmp_path / "home")
    assert ended.returncode == 1
    assert ended.stderr.startswith("lyceum: The embedded postgres did not start: initdb failed: no space left")
    assert ended.stderr.count("\n") == 1


def test_programs_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    ended = run(tmp_path / "home", "manage.py", "migrate", LYCEUM_POSTGRES_BIN=str(tmp_path))
    assert ended.returncode == 1
    assert f"LYCEUM_POSTGRES_BIN names {tmp_path}, which holds no program `postgres`." in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_importing_the_settings_starts_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path / "home", "-c", "import config.settings")
    assert ended.returncode == 0, ended.stderr
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"secret-key"}


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("", []),
        ("help", []),
        ("--version", []),
        ("migrate --help", []),
        ("check --deploy", []),
        ("collectstatic --noinput", []),
        ("check --database default", [True]),
        ("migrate", [False]),
        ("rollup_hourly --all", [True]),
    ],
)
def test_a_command_starts_what_it_needs(command: str, started: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[bool] = []
    monkeypatch.setattr(stack, "ensure", lambda *, aws=True: starts.append(aws))
    stack.ensure_for_command(["manage.py", *command.split()])
    assert starts == started
