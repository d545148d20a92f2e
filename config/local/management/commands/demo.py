"""`demo`: what `make demo` runs. The parent of the web server, the worker and a simulated class."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from config.local import stack
from config.local.sample import history, practice, readings, school, voices
from sessions_app.join_codes import readable
from sessions_app.models import LiveSession

PATIENCE = 90.0  # seconds until the server must answer
GRACE = 20.0  # seconds for a process to end


class Command(BaseCommand):
    help = (
        "Start everything on this machine with a sample school: database, local AWS, worker, web server and a "
        "simulated class. Prints the address and the sign-ins. Ctrl-C or SIGTERM stops all of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the web server (default: 8000)")
        parser.add_argument("--no-class", action="store_true", help="do not run the simulated class")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["port"] <= 65535:
            raise CommandError(f"--port must be between 0 and 65535, not {options['port']}.", returncode=2)
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._told_to_stop = False
        for wanted in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wanted, self._stop_soon)
        note = Path(settings.LYCEUM_HOME) / "demo.json"
        try:
            self._load()
            url = self._start(options["port"], with_class=not options["no_class"])
            self._tell(note, url)
            self._watch()
        except KeyboardInterrupt:
            pass
        finally:
            note.unlink(missing_ok=True)
            self._end()
        self.stdout.write("Stopped.")

    def _stop_soon(self, *_: Any) -> None:
        self._told_to_stop = True
        raise KeyboardInterrupt

    def _load(self) -> None:
        self.stdout.write("Preparing the database …")
        call_command("migrate", verbosity=0)
        self._password = _kept_password(Path(settings.LYCEUM_HOME) / "demo-password")
        sample = school.load(self._password)
        added = history.load(sample, now=timezone.now())
        practice.load(sample, now=timezone.now())
        readings.load(sample, now=timezone.now())
        voices.load(sample.studies.get(name=school.STUDY))
        if added:
            self.stdout.write(f"Sample school loaded, with {added} simulated class periods behind it.")
        call_command("rollup_hourly", verbosity=0)
        call_command("refresh_statistics", verbosity=0)
        connections.close_all()

    def _start(self, port: int, *, with_class: bool) -> str:
        self._children["worker"] = self._child("manage.py", "work")
        web = self._child("-m", "config.server", "--port", str(port), stdout=subprocess.PIPE)
        self._children["web server"] = web
        assert web.stdout is not None
        line = web.stdout.readline()
        url = next((word.rstrip("/") for word in line.split() if word.startswith("http")), "")
        if not url:
            raise CommandError("The web server did not start.", returncode=1)
        self._wait_for(f"{url}/health/ready")
        if with_class:
            self._children["class"] = self._child(
                "manage.py", "simulate", "--url", url, "--students", "24", "--speed", "1", "--minutes", "30", "--again",
                "--seed", str(secrets.randbelow(10_000)), stdout=subprocess.DEVNULL,
            )  # fmt: skip
        return url

    def _child(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A process of ours in a group of its own, so that Ctrl-C reaches it through us, in order."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.ROOT,
            text=True,
            start_new_session=True,
            env=os.environ,
            **options,
        )

    def _wait_for(self, url: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310  an address of ours
                    return
            except (urllib.error.URLError, OSError) as error:
                self._check_children()
                if time.monotonic() > end:
                    raise CommandError(f"The web server is not ready: {error}", returncode=1) from None
                time.sleep(0.2)

    def _tell(self, note: Path, url: str) -> None:
        code = self._join_code()
        sign_ins = [{"role": s.role, "username": s.username, "password": self._password} for s in school.SIGN_INS]
        found = {
            "url": url,
            "database_url": _database_url(),
            "aws_endpoint": os.environ.get("AWS_ENDPOINT_URL", ""),
            "sign_ins": sign_ins,
            "join_code": code,
        }
        partly = note.with_suffix(".new")
        partly.write_text(json.dumps(found, indent=2))
        partly.chmod(0o600)
        partly.replace(note)
        self.stdout.write(f"\nLyceum is running at {url}/\n")
        for sign_in in sign_ins:
            self.stdout.write(f"  {sign_in['role']:<14} {sign_in['username']:<10} {sign_in['password']}")
        if code:
            self.stdout.write(f"  {'student':<14} {url}/join/ with the code {readable(code)}")
        self.stdout.write("Ctrl-C stops it.\n")
        self.stdout.flush()

    def _join_code(self) -> str:
        """The code of the session that the simulated class is in, when there is one."""
        end = time.monotonic() + 30
        while "class" in self._children and time.monotonic() < end:
            open_now = LiveSession.objects.filter(is_simulated=True, status__in=["configured", "started"])
            found = open_now.order_by("-configured_at").first()
            if found is not None:
                connections.close_all()
                return found.join_code
            self._check_children()
            time.sleep(0.2)
        return ""

    def _watch(self) -> None:
        while True:
            self._check_children()
            time.sleep(0.5)

    def _check_children(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise CommandError(f"The {name} ended by itself, with status {child.returncode}.", returncode=1)

    def _end(self) -> None:
        """The class first, then the web server, the worker last: it still mirrors what they wrote."""
        for name in ("class", "web server", "worker"):
            child = self._children.get(name)
            if child is None:
                continue
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        connections.close_all()
        stack.leave()


def _kept_password(path: Path) -> str:
    """One password for the sample accounts of this `LYCEUM_HOME`, made once."""
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write("-".join(secrets.token_hex(3) for _ in range(3)))
    except FileExistsError:
        pass
    return path.read_text().strip()


def _database_url() -> str:
    from config.local import postgres

    return os.environ.get("DATABASE_URL") or postgres.database_url(Path(settings.LYCEUM_HOME))
