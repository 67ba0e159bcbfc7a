"""Who did what to which database, with which result: a line in a file and a row in the database."""

import json
import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..config import credentials
from ..databases.migrating import Holder
from ..databases.port import Database
from ..errors import Cancelled, DbCycleError
from .target import Target

FILE = "audit.jsonl"


def actor() -> str:
    """Return who runs this, as ``user@host``."""
    return f"{user()}@{socket.gethostname()}"


def user() -> str:
    """Return the name of the operating system's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        return str(os.getuid())


def me() -> Holder:
    """Return this process as the holder of a lock."""
    return Holder(os.getpid(), socket.gethostname(), user(), now())


def is_dead(holder: Holder) -> bool:
    """Tell whether a lock's process is surely gone: it ran on this machine and no longer does."""
    if holder.host != socket.gethostname() or not holder.pid:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def now() -> str:
    """Return this moment, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class Line:
    """One line of the log, while its action runs; ``facts`` are names and numbers, no values."""

    action: str
    database: str
    environment: str
    who: str = ""
    at: str = ""
    result: str = ""
    seconds: float = 0.0
    facts: dict[str, object] = field(default_factory=dict)


@contextmanager
def audited(state: Path, line: Line, database: Database | None = None) -> Iterator[Line]:
    """Write down, however the block ends, what it did.

    The row in the database is left out where the database refuses it: the file always has it.
    """
    started = time.monotonic()
    line.who, line.at = actor(), now()
    try:
        yield line
        line.result = line.result or "done"
    except BaseException as error:
        line.result = _result(error)
        raise
    finally:
        line.seconds = round(time.monotonic() - started, 3)
        document = json.loads(credentials.redact(json.dumps(asdict(line), default=str)))
        _append(state / FILE, document)
        if database is not None:
            with suppress(DbCycleError):
                database.migrations().audit(document)


@contextmanager
def recorded(target: Target, database: Database | None, action: str) -> Iterator[Line]:
    """Write down what the block does to a target; see :func:`audited`."""
    line = Line(action, f"{target.server!r} {target.name}", target.environment)
    with audited(target.project.state, line, database):
        yield line


@contextmanager
def refusals(target: Target, database: Database | None, action: str) -> Iterator[None]:
    """Write down only that the block refused an action."""
    try:
        yield
    except DbCycleError:
        with recorded(target, database, action):
            raise


def _result(error: BaseException) -> str:
    if isinstance(error, DbCycleError):
        return f"{type(error).__name__}: {error.what.splitlines()[0]}"
    return Cancelled.__name__ if isinstance(error, KeyboardInterrupt) else type(error).__name__


def _append(path: Path, document: object) -> None:
    """Add one line in one write, so that two processes do not mix theirs."""
    with suppress(OSError):  # a read-only checkout: the database has the row
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, json.dumps(document, sort_keys=True).encode() + b"\n")
        finally:
            os.close(handle)


def read_log(state: Path) -> list[dict[str, object]]:
    """Return the log of a project, the oldest line first; a line that was cut off is left out."""
    found = []
    with suppress(FileNotFoundError):
        for text in (state / FILE).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(text))
    return found
