r"""The one protocol behind which the engines live.

A :class:`Server` holds named databases (PostgreSQL databases; SQLite files in a folder). A
:class:`Database` is one open session on one of them. Rows travel as *copy text*: one line a row,
fields separated by a tab, ``\N`` for null, and the escapes of PostgreSQL's COPY text format. Both
engines speak it, so that values are never bent through Python's own types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from ..anonymizers.base import Reading
from ..model.catalog import Catalog, Column, ForeignKey, Table
from .migrating import Migrations

if TYPE_CHECKING:  # both take long to load, and help needs neither
    import sqlalchemy

    from ..model.subset import Kept, Program, Reason

Progress = Callable[[str], None]
"""Told in a few words what is happening; never given a value."""

Row = Mapping[str, str | None]
"""One golden record: column → text form of the value."""


@dataclass(frozen=True)
class Stamp:
    """The positive mark that our own create puts on a database; no stamp, no destruction."""

    project: str
    role: str
    content: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further plain JSON facts: dump digest, head, key id, times."""


@dataclass(frozen=True)
class Fingerprint:
    """The rows of one table as a number of rows and an order-independent digest."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Loaded:
    """What loading one table did.

    ``displaced`` tells, for every extracted row that a golden record displaced through a unique
    key other than the primary key, its old key and the golden record's: (old, new) tuples of the
    primary key's text forms. Rows displaced by an equal primary key need no repair.
    ``fingerprint`` is None where the rows are those of the blocks and no others.
    """

    rows: int
    golden: int
    replaced: int
    displaced: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    fingerprint: Fingerprint | None


@dataclass(frozen=True)
class Restored:
    """What a restore did: rows per table as found, and notes for the user (never values)."""

    rows: Mapping[str, int]
    notes: tuple[str, ...] = ()


Part = tuple[int, int]
"""A part of a table's rows in their order: its number, from 0, and how many parts there are."""

WHOLE: Part = (0, 1)


class Database(Protocol):
    """One session on one database. Methods that write commit, whole or not at all."""

    name: str

    def catalog(self) -> Catalog:
        """Return the tables and keys; our own bookkeeping is left out."""

    def fingerprints(self, tables: Iterable[Table]) -> dict[str, Fingerprint]:
        """Return each table's fingerprint; equal rows in any order give an equal digest."""

    def count(self, table: Table, *, subset: bool = False) -> int:
        """Return the number of rows (partitions included), of the ``subset`` that was drawn here
        if that is asked for.
        """

    def read(
        self,
        table: Table,
        columns: Sequence[Column],
        *,
        beside: Sequence[Reading] = (),
        parents: Mapping[str, Table] = MappingProxyType({}),
        part: Part = WHOLE,
        subset: bool = False,
    ) -> Iterator[bytes]:
        """Yield copy text in blocks of whole lines, ordered by primary key (by all columns
        without one), so that equal content gives equal bytes. What is to be read ``beside`` the
        columns follows them in each line; ``parents`` are the tables that it looks rows up in.
        The parts of a table, one after another, are the whole.
        With ``subset`` only the rows of the subset that was drawn here.

        Raises:
            BadInput: the database refuses a SQL expression; the message names it, and no value.
                Or no subset was drawn.
        """

    def drawing(
        self, program: Program, salts: Mapping[str, str], progress: Progress, *, keep: bool
    ) -> AbstractContextManager[Drawing]:
        """Give what draws a subset, or explains the one that was drawn, in one transaction; what
        was drawn stays if it is to be kept and the block ends well. ``salts`` decide each table's
        draw, in hexadecimal digits.

        Raises:
            BadInput: the database refuses a predicate of the config; the message has no value.
        """

    def materialized_columns(self) -> dict[str, tuple[Column, ...]]:
        """Return the columns of each materialized view by the name for :meth:`read_view`."""

    def read_view(self, name: str) -> Iterator[bytes]:
        """Yield the rows of a materialized view as copy text, in any order."""

    def schema_texts(self) -> Iterator[tuple[str, str]]:
        """Yield (place, text) of everything in the schema that somebody wrote: definitions of
        views, functions, triggers, defaults and checks, and comments (places that end so).
        """

    def sample(self, table: Table, column: Column, limit: int) -> list[str]:
        """Return up to ``limit`` distinct non-null values in text form, for the detector alone."""

    def element_codec(self, column: Column) -> ElementCodec | None:
        """Return how to take an array value apart, or None for a scalar column."""

    def replace_rows(
        self,
        table: Table,
        columns: Sequence[Column],
        blocks: Iterable[bytes],
        golden: Sequence[Row],
        content: str,
    ) -> Loaded:
        """Drop the table's indexes and keys, empty it, load ``blocks``, let ``golden`` win by
        primary key and by every unique key, and record ``content``, all in one transaction.

        Raises:
            GoldenError: a golden record does not fit; the message names its number (from 1).
        """

    def release(self, tables: Iterable[Table]) -> None:
        """Drop the foreign keys of tables and those to them, before their rows are replaced."""

    def note_content(self, table: Table, content: str) -> None:
        """Record another content for a table that was loaded and then changed."""

    def loaded_content(self) -> dict[str, str]:
        """Return what :meth:`replace_rows` recorded, by table id."""

    def repoint(
        self,
        key: ForeignKey,
        displaced: Sequence[tuple[tuple[str, ...], tuple[str, ...]]],
    ) -> int:
        """Let references to displaced rows refer to what displaced them; return how many rows."""

    def orphans(self, key: ForeignKey) -> int:
        """Return how many rows refer to no parent, by anti-join (never by ``convalidated``)."""

    def group_sizes(self, table: Table, columns: Sequence[str], *, nulls: bool) -> dict[int, int]:
        """Return how many groups of rows that agree in ``columns`` there are, by their size.

        With ``nulls`` a null agrees with a null; otherwise rows with any null are left out.
        """

    def set_sequences(self) -> int:
        """Move every sequence and identity past the largest value stored; return how many."""

    def refresh_views(self) -> int:
        """Fill the materialized views in dependency order; return how many."""

    def analyze(self, tables: Iterable[Table]) -> None:
        """Gather statistics of tables, and of those that were loaded since they were gathered."""

    def run_sql(self, script: str, path: Path) -> None:
        """Run one SQL file in one transaction.

        ``-- dbcycle: no-transaction`` on its own line asks for a statement at a time instead.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """

    def run_within(self, connection: sqlalchemy.Connection, script: bytes, path: Path) -> None:
        """Run a SQL file inside the transaction of a connection that :meth:`sqlalchemy` gave.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """

    def inspecting(
        self,
    ) -> AbstractContextManager[tuple[sqlalchemy.Connection, sqlalchemy.MetaData]]:
        """Give a SQLAlchemy connection that only reads, and the catalog's tables as reflected,
        precisely: with whole domains, partition keys and table options. ``info["enums"]`` of the
        metadata has the name, schema and labels of every enum type; ``info["same_type"]`` tells
        whether a model's type fits a column's, or None where only their spelling decides.
        """

    def sqlalchemy(self) -> AbstractContextManager[sqlalchemy.Connection]:
        """Give a Python step a SQLAlchemy connection inside one transaction: committed when the
        block ends well, rolled back when it raises.
        """

    def explain(self, error: BaseException) -> str:
        """Return what a driver's error says, without values; of a foreign key that is violated,
        the table, its columns and the table they refer to; nothing for an error of others.
        """

    def bookkeeping(self, name: str) -> tuple[str | None, str]:
        """Return (schema, table) for a table of our own; neither need exist."""

    def migrations(self) -> Migrations:
        """Return the migrations of this database, the same object every time."""


class Drawing(Protocol):
    """One drawing of a subset."""

    def draw(self, totals: Mapping[str, int] | None = None) -> list[Kept]:
        """Draw it and return what is kept of every table. ``totals`` are the rows of tables that
        have been counted already.

        Raises:
            Findings: nothing would be kept, or rows of other tenants would be.
        """

    def explain(self, table: str, key: Sequence[str]) -> list[Reason]:
        """Return why the row of a primary key is in, that row first and a chosen row last; nothing
        if it is left out.

        Raises:
            BadInput: there is no such table or row, or the table has no primary key.
        """


class ElementCodec(Protocol):
    """Takes an array value apart and puts it together again."""

    def map(self, value: str, mask: Callable[[str], str | None]) -> str:
        """Apply a mask to every non-null element; dimensions and bounds stay as they are."""

    def leaves(self, value: str) -> list[str]:
        """Return every non-null element."""


class Copier(Protocol):
    """Makes copies of one database under names that nobody else uses, and drops them."""

    def make(self, name: str, stamp: Stamp) -> None:
        """Make one copy."""

    def drop(self, name: str) -> None:
        """Drop one that it made, and the sessions on it."""


class Server(Protocol):
    """Where the databases of a project live. Nothing without our stamp is ever dropped."""

    engine: str

    def describe(self) -> str:
        """Return a short name with the version, without a password."""

    def url(self, name: str) -> str:
        """Return a URL of the database with everything needed to connect."""

    def file(self, name: str) -> Path | None:
        """Return the file that is the database, if it is one."""

    def exists(self, name: str) -> bool:
        """Tell whether the database is there."""

    def stamp(self, name: str) -> Stamp | None:
        """Return the database's stamp, or None if it is absent or not ours."""

    def set_stamp(self, name: str, stamp: Stamp) -> None:
        """Replace the stamp of a database that carries one.

        Raises:
            GuardRefused: the database carries no stamp of this project.
        """

    def create(self, name: str, stamp: Stamp) -> None:
        """Create an empty database; one that carries our project's stamp is dropped first.

        Raises:
            GuardRefused: a database of that name exists without our project's stamp.
        """

    def clone(self, source: str, name: str, stamp: Stamp) -> None:
        """Create ``name`` as a copy of ``source``; same guard as :meth:`create`."""

    def seal(self, name: str) -> None:
        """Let nobody connect to a database that is only there to be copied."""

    def copier(self, source: str) -> AbstractContextManager[Copier]:
        """Give what makes many copies of one sealed database, each as fast as the engine can. One
        thread at a time may use it.
        """

    def ensure(self, name: str, stamp: Stamp) -> bool:
        """Create an empty database unless it is there; tell whether it was made now. Of two that
        do so at once, one makes it.
        """

    def duplicate(
        self, source: str, name: str, stamp: Stamp, *, end_sessions: bool, live: bool = False
    ) -> None:
        """Create ``name`` as a copy of any database, ours or not; the guard on ``name`` is that
        of :meth:`create`. With ``live`` it is copied, slowly, while others use it: as it was at
        one moment.

        Raises:
            ServerUnavailable: others are connected to the source, they are not to be ended, and
                nobody asked for a live copy.
        """

    def duplicates(self, role: str) -> list[tuple[str, Stamp]]:
        """Return the databases that carry our stamp with a role, by name. What a killed process
        left half-copied an hour ago is removed.
        """

    def put_back(self, copy: str, name: str) -> None:
        """Let a copy take the place of a database, whoever made that: the caller has asked the
        guards. At every moment ``name`` is the former one or the copy; ``copy`` is used up.
        """

    def drop(self, name: str, project: str) -> None:
        """Drop a stamped database and its sessions; absent is fine; same guard."""

    def switch(self, new: str, live: str, previous: str, project: str) -> None:
        """Make ``new`` the ``live`` database; what was live becomes ``previous``.

        At every moment either the old or the new one answers under ``live``, or, if the process
        dies in between, the next call finishes the switch.
        """

    def open(self, name: str, *, read_only: bool = False) -> AbstractContextManager[Database]:
        """Open a session.

        Raises:
            ServerUnavailable: cannot connect.
        """

    def begin(self, name: str) -> bool:
        """Make an empty database that carries no stamp where its URL asks for that, which SQLite's
        may; tell whether it was made.
        """

    def pool(
        self, name: str, *, size: int, foreign_keys: bool = True, echo: bool = False
    ) -> sqlalchemy.Engine:
        """Return a pool of at most ``size`` sessions for an application, which closes it. That
        foreign keys are enforced (or are not, on SQLite alone) is verified in each new session.
        An error tells which foreign key was violated, or that another program is writing.
        """

    def restore(self, dump: Path, name: str, stamp: Stamp, progress: Progress) -> Restored:
        """Restore a dump into a new database ``name``; nothing is left behind on failure.

        Raises:
            DumpError: with a diagnosis that names the fix.
        """

    def copy_schema(self, source: str, target: str, section: str, progress: Progress) -> None:
        """Build part of ``source``'s schema in ``target``: ``section`` is ``pre-data`` (types,
        functions, tables, views), ``keys`` (the indexes and keys that ``target`` lacks) or
        ``post-data`` (these, triggers and all the rest).
        """

    def shell_command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return the interactive client's command and extra environment (secrets stay there)."""

    def stop(self) -> None:
        """Stop the server if it is one of ours and embedded; otherwise do nothing."""
