"""The lock of one SQLite database: a lock of the operating system on a file beside it.

It goes with its process, however that ends. What the file says is only who has it.
"""

import fcntl
import json
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from ...errors import DiskUnavailable, GuardRefused, Locked
from ..migrating import Holder


def lock_file(database: Path) -> Path:
    """Return where the lock of a database file lies."""
    return database.with_name(f"{database.name}.dbcycle-lock")


@contextmanager
def locked(database: Path, mine: Holder, wait: float) -> Iterator[None]:
    """Hold the lock of a database file; see the protocol.

    Raises:
        Locked: somebody else has it still; the message names the holder and since when.
        DiskUnavailable: the lock file cannot be written.
    """
    path = lock_file(database)
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise DiskUnavailable(
            f"cannot write: {error.strerror}",
            where=str(path),
            remedy="check the folder's permissions and the free space",
        ) from None
    with file:
        end = time.monotonic() + wait
        while not _taken(file.fileno()):
            if time.monotonic() >= end:
                raise Locked(
                    f"another run holds this database: {_told(path) or 'it has only just started'}",
                    where=str(database),
                    remedy="wait for it to end and run again; the lock goes with its process",
                )
            time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - not a secret
        file.truncate(0)
        file.write(json.dumps(asdict(mine)))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(database: Path) -> Holder | None:
    """Return who holds the lock of a database file, if anybody; changes nothing."""
    path = lock_file(database)
    try:
        with path.open("r", encoding="utf-8") as file:
            if _taken(file.fileno()):
                return None
    except OSError:
        return None
    return _told(path) or Holder(0, socket.gethostname(), "?", "only just now")


def release(found: Holder) -> None:
    """Refuse: a lock that is held belongs to a living process, and goes with it.

    Raises:
        GuardRefused: always.
    """
    raise GuardRefused(
        f"the lock is held by {found}, which is alive",
        remedy=f"let it end, or stop it (`kill {found.pid}`); the lock goes with it",
    )


def _told(path: Path) -> Holder | None:
    with suppress(OSError, ValueError, TypeError):
        known = Holder(**json.loads(path.read_text(encoding="utf-8")))
        if known.host == socket.gethostname():
            with suppress(OSError):
                os.kill(known.pid, 0)
                return known
            return Holder(known.pid, known.host, known.user, known.since, here=False)
        return known
    return None
