"""The embedded stack: a real Postgres and a local AWS, shared by all processes of one `LYCEUM_HOME`.

`ensure()` is called by whatever needs them: manage.py, the ASGI application, the tests. The first process starts
them, the last one out stops them, and a killed process counts as out. What `DATABASE_URL` or AWS settings replace
is left alone.
"""

import atexit
import os
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from config.env import BadSetting
from config.local import locks, record
from config.local.aws import Moto
from config.local.postgres import Postgres
from config.local.server import Server, Share, StackError

__all__ = ["StackError", "aws_generation", "ensure", "ensure_for_command", "leave"]

# Django's own and our dependencies' commands that read no data.
_NEED_NOTHING = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "startapp",
    "startproject",
    "version",
}
_NEED_NO_AWS = {
    "changepassword",
    "createsuperuser",
    "dbshell",
    "dumpdata",
    "flush",
    "loaddata",
    "makemigrations",
    "migrate",
    "pgtrigger",
    "showmigrations",
    "sqlmigrate",
}

_shares: dict[str, Share] = {}


def ensure(*, aws: bool = True) -> None:
    """Have the embedded servers run until this process ends or calls `leave`; a second call costs nothing.

    With an embedded AWS, the variables that boto3 reads are set in this process' environment. `aws=False` leaves the
    AWS out. Raises `StackError`.
    """
    try:
        from config import checked
    except BadSetting as error:
        raise StackError(str(error)) from None

    home = checked.LYCEUM_HOME
    wanted: list[Server] = []
    if checked.EMBEDDED_POSTGRES:
        wanted.append(Postgres(home))
    if checked.EMBEDDED_AWS and aws:
        wanted.append(Moto(home))
    _join(home, [server for server in wanted if server.name not in _shares])
    if "aws" in _shares:
        _point_boto3(home, checked.AWS_REGION)


def leave() -> None:
    """Give up this process' share. The last one out returns when the servers have stopped."""
    while _shares:
        _shares.popitem()[1].leave()


def ensure_for_command(argv: list[str]) -> None:
    """`ensure()` what the Django command in `argv` needs, which is nothing for help and checks of the code."""
    command = argv[1] if len(argv) > 1 else "help"
    if command.startswith("-") or {"-h", "--help", "--version"} & set(argv):
        return
    if command in _NEED_NOTHING and not (command == "check" and "--database" in argv):
        return
    ensure(aws=command not in _NEED_NO_AWS)


def aws_generation() -> str:
    """Another string after each start of the embedded AWS, which has then forgotten everything; empty if none runs."""
    from config import checked

    return str(record.read(checked.LYCEUM_HOME).get("aws_generation", "")) if checked.EMBEDDED_AWS else ""


def _join(home: Path, servers: list[Server]) -> None:
    if not servers:
        return
    try:
        with locks.locked(home, "start"), ExitStack() as undo:
            taken = [Share(server) for server in servers]
            for share in taken:
                undo.callback(share.leave)
                share.take()
            for share in taken:
                share.wait()
            undo.pop_all()
    except OSError as error:
        raise StackError(f"LYCEUM_HOME cannot be used: {error.strerror} ({error.filename}).") from None
    _shares.update({share.server.name: share for share in taken})


def _point_boto3(home: Path, region: str) -> None:
    os.environ["AWS_ENDPOINT_URL"] = os.environ["LYCEUM_EMBEDDED_AWS"] = str(record.read(home)["aws_endpoint"])
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "embedded"  # noqa: S105  moto asks for any
    os.environ["AWS_DEFAULT_REGION"] = region
    for name in ("no_proxy", "NO_PROXY"):  # a school's proxy knows nothing of our loopback
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(dict.fromkeys([*hosts, urlsplit(os.environ["AWS_ENDPOINT_URL"]).hostname or ""]))


atexit.register(leave)
