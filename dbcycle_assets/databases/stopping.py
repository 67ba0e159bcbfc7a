"""A stop that a user or a scheduler asks for ends work where it may end, and nowhere in between.

An exception out of a signal handler appears between any two instructions: within a destructor it is
printed and lost, and behind a lock that was just taken it leaves everybody waiting. So the work has
a thread of its own, the main thread only listens, and the work looks at points: before each piece,
and wherever it waits for a server, a program or another thread.
"""

import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import Cancelled

GRACE = 30.0
"""Seconds that the work has to end after a stop: what is not ours to interrupt may take longer."""
TWICE = 1.0
"""Seconds between two stops that are two; sooner, a wrapper passes on what the terminal sent."""
_LOOK = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_ONCE = b"""dbcycle: stopped at once; the published test database is whole
  \xe2\x86\x92 run `dbcycle refresh` again: it clears what was begun, and goes on
"""

_T = TypeVar("_T")


@dataclass
class _Stop:
    """Whether a stop was asked for, since when, and the programs that it has to end."""

    since: float | None = None
    programs: set["subprocess.Popen[bytes]"] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


_now: _Stop | None = None


def asked() -> bool:
    """Tell whether a stop was asked for."""
    return _now is not None and _now.since is not None


def due() -> bool:
    """Tell whether work must end here: not while an error is handled, since that tidies up."""
    return asked() and sys.exc_info()[0] is None


def point() -> None:
    """End the work here if a stop was asked for.

    Raises:
        KeyboardInterrupt: it was.
    """
    if due():
        raise KeyboardInterrupt


@contextmanager
def ending(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a program of ours at a stop, while the block waits for it."""
    stop = _now
    if stop is None:
        yield
        return
    with stop.lock:
        stop.programs.add(process)
    try:
        point()
        yield
    finally:
        with stop.lock:
            stop.programs.discard(process)


def run(words: Sequence[str], **named: Any) -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end, as ``subprocess.run`` does; a stop ends it.

    Raises:
        KeyboardInterrupt: a stop was asked for.
        OSError: it cannot be started.
    """
    with subprocess.Popen(words, **named) as process:
        try:
            with ending(process):
                out, told = process.communicate()
        except BaseException:
            process.kill()
            raise
    point()
    return subprocess.CompletedProcess(words, process.returncode, out, told)


def stoppable(work: Callable[[], _T]) -> _T:
    """Do work in a thread of its own; a stop ends it at its next point, a second one at once.

    Raises:
        KeyboardInterrupt: a stop was asked for, and the work ended at a point.
        Cancelled: a stop was asked for when everything was done.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    stop, done = _Stop(), _Done[_T]()
    run_by = contextvars.copy_context().run
    thread = threading.Thread(target=run_by, args=(done.by, work), name="dbcycle", daemon=True)
    with _heeding(stop):
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK)
            if stop.since is not None:
                _end_programs(stop)
                if time.monotonic() - stop.since > GRACE:
                    _end_at_once(stop)
    result = done.result()
    if stop.since is not None:
        raise Cancelled(
            "stopped when everything was done; what was made is in place",
            remedy="run `dbcycle refresh` again: it tells what is published",
        )
    return result


@contextmanager
def _heeding(stop: _Stop) -> Iterator[None]:
    """Let signals only set a mark while the block runs; what is ignored stays so, but SIGTERM."""
    global _now  # noqa: PLW0603 - signals are the process's, and so is what they ask for

    def heard(_number: int, _frame: object) -> None:
        if stop.since is None:
            stop.since = time.monotonic()
        elif time.monotonic() - stop.since > TWICE:
            _end_at_once(stop)

    # Programs inherit what is ignored, and one that ignores SIGTERM can only be killed.
    former = {
        n: h
        for n in _SIGNALS
        if (h := signal.getsignal(n)) is not signal.SIG_IGN or n == signal.SIGTERM
    }
    _now = stop
    try:
        for number in former:
            signal.signal(number, heard)
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        _now = None


class _Done(list[Callable[[], _T]]):
    """What a thread returned or raised."""

    def by(self, work: Callable[[], _T]) -> None:
        try:
            made = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            found = error

            def again() -> _T:
                raise found

            self.append(again)
        else:
            self.append(lambda: made)

    def result(self) -> _T:
        return self[0]()


def _end_programs(stop: _Stop) -> None:
    with stop.lock:
        for process in stop.programs:
            with suppress(OSError):
                process.terminate()


def _end_at_once(stop: _Stop) -> None:
    for process in list(stop.programs):
        with suppress(OSError):
            process.kill()
    os.write(2, _AT_ONCE)
    os._exit(Cancelled.exit_code)
