"""The protocol of one database's migrations: history, journal, lock, and how statements run.

Both engines keep the same rows in their own bookkeeping, which no catalog shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import GuardRefused
from ..model.migration import Entry, Mark, Script

if TYPE_CHECKING:  # it takes long to load, and help does not need it
    import sqlalchemy

Change = Callable[[], None]
"""Writes our bookkeeping inside the transaction that it belongs to."""


@dataclass(frozen=True)
class Part:
    """One unit of a script that runs whole: a statement with its COPY data, or all from BEGIN to
    COMMIT. ``outside`` says, if it cannot run in a transaction, what it is.
    """

    texts: tuple[bytes, ...]
    data: tuple[bytes, ...]
    line: int
    column: int
    digest: str
    code: str
    outside: str = ""

    @property
    def sets(self) -> bool:
        """Whether it only sets something in the session, so that every run repeats it."""
        return self.code.split(None, 1)[0].rstrip(";") in {"SET", "RESET", "PRAGMA", "ATTACH"}


@dataclass(frozen=True)
class Fault:
    """Something wrong with a script, found before it runs."""

    what: str
    line: int
    column: int
    remedy: str


@dataclass(frozen=True)
class Holder:
    """Who holds the lock of a database; ``session`` is the server's number of it, 0 for none."""

    pid: int
    host: str
    user: str
    since: str
    session: int = 0
    here: bool = True
    """Whether its process is, as far as can be told, alive."""

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}, since {self.since}"


class Effect(Enum):
    """What a statement did that was cut off."""

    NONE = "none"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Signs:
    """What the live connection tells about the database.

    ``identity`` tells this database from every copy of it; ``production`` are signs of being the
    real one; ``sessions`` counts those of others.
    """

    identity: str
    name: str
    production: tuple[str, ...] = ()
    sessions: int = 0
    read_only: bool = False


class Migrations(Protocol):
    """The migrations of one database."""

    def parts(self, script: Script) -> list[Part]:
        """Take a script apart.

        Raises:
            MigrationError: it cannot be read; with file and line.
        """

    def faults(self, parts: Sequence[Part], *, in_transaction: bool) -> list[Fault]:
        """Return what would fail for certain, found by looking alone."""

    def prepare(self) -> None:
        """Make or complete our bookkeeping; call while holding the lock."""

    def entries(self) -> list[Entry]:
        """Return the history in order of application; writes nothing."""

    def marks(self, key: str) -> list[Mark]:
        """Return the journal of one half-done step, in order; writes nothing."""

    def locked(self, holder: Holder, *, wait: float) -> AbstractContextManager[None]:
        """Hold the database's lock, waiting some seconds for it, and clear away what a killed
        holder left running.

        Raises:
            Locked: somebody else has it still; the message names the holder and since when.
        """

    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""

    def release(self, holder: Holder) -> None:
        """End the session that holds the lock.

        Raises:
            GuardRefused: it cannot be ended from here.
        """

    def blockers(self) -> list[str]:
        """Return the other sessions that hold locks on tables, as far as they can be told."""

    def still_locked(self) -> bool:
        """Tell whether the lock is ours; false when its session was ended."""

    def columns(self) -> dict[str, tuple[str, str]]:
        """Return every column as (table id, name), by a name that outlives renaming where the
        engine has one.
        """

    def session(self, *, patience: float) -> AbstractContextManager[None]:
        """Run a step inside; whatever it sets in the session is set back afterwards. A statement
        waits ``patience`` seconds for a lock; one that blocks nobody meanwhile, much longer.
        """

    def run(self, script: Script, change: Change) -> None:
        """Run a script and write ``change`` in one transaction.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """

    def run_part(self, script: Script, part: Part, change: Change) -> None:
        """Run a part of a script and write ``change`` in one transaction."""

    def run_outside(self, script: Script, part: Part) -> None:
        """Run a part that cannot be in a transaction."""

    def effect(self, part: Part) -> Effect:
        """Compare a part that was cut off with the catalogue; what it left half-made is removed."""

    def python(
        self, change: Callable[[sqlalchemy.Connection], None]
    ) -> AbstractContextManager[sqlalchemy.Connection]:
        """Give a connection inside a transaction, in which ``change`` is written at the end."""

    def write(self, entry: Entry) -> None:
        """Add or replace a row of the history. Joins the transaction that is open."""

    def write_on(self, connection: sqlalchemy.Connection, entry: Entry | None, step: str) -> None:
        """Write (or, without an entry, remove) a row through a Python step's own connection."""

    def remove(self, step: str) -> None:
        """Remove a row of the history. Joins the transaction that is open."""

    def start_mark(self, key: str, mark: Mark) -> None:
        """Add a line to the journal, or finish it. Joins the transaction that is open."""

    def clear_marks(self, key: str) -> None:
        """Remove a step's journal. Joins the transaction that is open."""

    def signs(self) -> Signs:
        """Return what the live connection tells about the database."""

    def claim(self) -> Mapping[str, Any] | None:
        """Return what :meth:`set_claim` wrote into the database, or None.

        Raises:
            GuardRefused: there is more than one, or it cannot be read.
        """

    def set_claim(self, document: Mapping[str, Any]) -> None:
        """Write down, in the database, whose it is and in which environment."""

    def audit(self, document: Mapping[str, Any]) -> None:
        """Add one line to the database's own audit log."""

    def audited(self) -> list[dict[str, Any]]:
        """Return the audit log, the oldest line first; writes nothing."""


def one_claim(documents: Sequence[object], where: str) -> Mapping[str, Any] | None:
    """Return the one claim that a database holds, or None.

    Raises:
        GuardRefused: there is more than one, or it is none that we write.
    """
    if not documents:
        return None
    found = documents[0]
    if (
        len(documents) == 1
        and isinstance(found, Mapping)
        and {"project", "environment"} <= {*found}
    ):
        return found
    raise GuardRefused(
        "what the database says of its project and environment cannot be read, or is said twice",
        where=where,
        remedy=f"if it is yours, say so anew: `dbcycle db claim --confirm {where}`",
    )
