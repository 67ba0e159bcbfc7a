"""The project's lock: one command or one Dagster run has the project at a time.

The steps of one run may be many processes, and all of them may hold the lock together; whoever is
not of that run is refused. Locks end with the processes that hold them.
"""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..config.state import make_state
from ..errors import Locked
from .files import disk_errors, exclusive


@dataclass
class _Held:
    """The lock as this process holds it: for a run (or for itself alone), and how many times."""

    run: str
    stack: ExitStack
    times: int = 1


_held: dict[Path, _Held] = {}
_mutex = threading.RLock()


@contextmanager
def project_lock(
    state: Path,
    action: str,
    run: str = "",
    also: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[None]:
    """Hold the project for one command, or for one step of a Dagster ``run``.

    The same process may enter again. ``also`` is entered with the lock and left with it.

    Raises:
        Locked: another process, or another run, holds it; the message says who and since when.
    """
    path = state / "lock"
    with _mutex:
        mine = _held.get(path)
        if mine is None:
            with ExitStack() as stack:
                stack.enter_context(_taken(path, action, run))
                stack.enter_context(also())
                mine = _held[path] = _Held(run, stack.pop_all())
        elif mine.run and mine.run != run:
            raise _refusal(path)
        else:
            mine.times += 1
    try:
        yield
    finally:
        with _mutex:
            mine.times -= 1
            # An interrupted step's generator may be closed after the run's own.
            if mine.times <= 0 and _held.get(path) is mine:
                del _held[path]
                mine.stack.close()


@contextmanager
def _taken(path: Path, action: str, run: str) -> Iterator[None]:
    with disk_errors(path):
        make_state(path.parent)
        file = path.open("a+", encoding="utf-8")
    with file:
        # Who holds it is read and written by one process at a time.
        with exclusive(path.with_name("lock.turn")):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not run or _holder(path).get("run") != run:
                    raise _refusal(path) from None
                fcntl.flock(file, fcntl.LOCK_SH)  # the run's other steps hold it so
            else:
                file.truncate(0)
                file.write(json.dumps(_myself(action, run)))
                file.flush()
                if run:
                    fcntl.flock(file, fcntl.LOCK_SH)
        yield
        if not run:
            file.truncate(0)


def _myself(action: str, run: str) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "action": action,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        **({"run": run} if run else {}),
    }


def _holder(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _refusal(path: Path) -> Locked:
    found = "its process has only just started"
    known = _holder(path)
    if {"pid", "host", "action", "since"} <= known.keys():
        found = "{action}, process {pid} on {host}, since {since}".format(**known)
        if known.get("run"):
            found = f"run {str(known['run'])[:8]}, {found}"
    return Locked(
        f"another run holds this project: {found}",
        remedy="wait for it to end, or stop it; the lock goes with its process",
    )
