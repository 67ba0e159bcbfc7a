"""Copies of a template for one test process, made ahead and dropped by a thread of its own."""

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pytest loads the plugin for every run, of which most want no database
    from ..databases.port import Copier
    from ..upkeep.temporary import Template, TemporaryDatabase


class Clones:
    """Hands out copies of a template; ``ahead`` of them wait ready once the first was asked for.

    Everything that was handed out or is ready is dropped by :meth:`close`, but what was kept.
    """

    def __init__(self, template: "Template", ahead: int) -> None:
        self.template = template
        self._ahead = max(ahead, 1)
        self._ready: deque[TemporaryDatabase] = deque()
        self._used: deque[TemporaryDatabase] = deque()
        self._failure: BaseException | None = None
        self._change = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def take(self) -> "TemporaryDatabase":
        """Return a copy that nobody has used.

        Raises:
            DbCycleError: it cannot be made.
        """
        with self._change:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="dbcycle", daemon=True)
                self._thread.start()
            while not self._ready and self._failure is None:
                self._change.wait()
            if not self._ready and self._failure is not None:
                raise self._failure
            copy = self._ready.popleft()
            self._change.notify_all()
            return copy

    def give_back(self, copy: "TemporaryDatabase") -> None:
        """Let a copy be dropped, in the background."""
        copy.close()
        with self._change:
            self._used.append(copy)
            self._change.notify_all()

    def keep(self, copy: "TemporaryDatabase") -> str:
        """Leave a copy where it is for a person; return how to open it."""
        return self.template.keep(copy)

    def close(self) -> None:
        """Drop what is left, and end the thread."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            with self.template.server.copier(self.template.name) as copier:
                while self._step(copier):
                    pass
        except BaseException as error:  # noqa: BLE001 - the test that waits is told
            with self._change:
                self._failure = error
                self._change.notify_all()

    def _step(self, copier: "Copier") -> bool:
        """Do one thing; tell whether there may be more to do."""
        with self._change:
            while not (self._closing or self._used or len(self._ready) < self._ahead):
                self._change.wait()
            if self._closing:
                self._used.extend(self._ready)
                self._ready.clear()
            # A test that waits for a copy comes before one that is done with its own.
            making = not self._closing and (not self._ready or not self._used)
            done = None if making else (self._used.popleft() if self._used else None)
        if making:
            copy = self.template.copy_by(copier)
            with self._change:
                self._ready.append(copy)
                self._change.notify_all()
        elif done is not None:
            copier.drop(done.name)
        return making or done is not None or not self._closing
