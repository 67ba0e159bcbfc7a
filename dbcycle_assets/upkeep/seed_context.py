"""What a seed works with: rows found, inserted and updated, each remembered for a rollback."""

import hashlib
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bcrypt
import sqlalchemy as sa

from ..config import credentials
from ..databases.port import Progress
from ..errors import SeedError, did_you_mean

Values = Mapping[str, Any]


class Lookups:
    """Rows that seeds asked for, remembered for the seeds after them; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, tuple[tuple[str, Any], ...]], Values | None] = {}

    def get(self, table: str, where: Values) -> tuple[bool, Values | None]:
        """Return whether the answer is known, and the answer."""
        with self._lock:
            place = (table, tuple(sorted(where.items())))
            return place in self._rows, self._rows.get(place)

    def put(self, table: str, where: Values, row: Values | None) -> None:
        """Remember an answer."""
        with self._lock:
            self._rows[(table, tuple(sorted(where.items())))] = row

    def forget(self, table: str) -> None:
        """Forget every answer about a table that is being written to."""
        with self._lock:
            self._rows = {place: row for place, row in self._rows.items() if place[0] != table}


_SWALLOWS = re.compile(r"(?i)\s*(insert|update)\s+or\s+ignore\b")


_ENDS = re.compile(
    r"\s*(COMMIT|END|ABORT|BEGIN|START\s+TRANSACTION|PREPARE\s+TRANSACTION"
    r"|ROLLBACK(?!\s+(WORK\s+|TRANSACTION\s+)?TO\b))\b",
    re.IGNORECASE,
)


def swallow_nothing(connection: sa.Connection) -> None:
    """Refuse, on a seed's connection, statements that drop a row without a word, and those that
    end its transaction: what they commit would have no row in the history.
    """

    @sa.event.listens_for(connection, "before_cursor_execute")
    def _look(*seen: Any) -> None:
        if _ENDS.match(str(seen[2])):
            raise SeedError(
                "a seed does not begin or end its own transaction",
                remedy="leave COMMIT and ROLLBACK away: a seed is kept or undone as a whole",
            )
        if _SWALLOWS.match(str(seen[2])):
            raise SeedError(
                "OR IGNORE drops, without a word, also a row that breaks NOT NULL, CHECK or another"
                " unique key",
                remedy="use seed.insert_missing, or write ON CONFLICT (the key's columns) DO "
                "NOTHING: it passes over the row that is there already, and nothing else",
            )


@dataclass
class SeedContext:
    """Handed to every seed: ``connection`` is SQLAlchemy's, inside the seed's own transaction.

    Commit and rollback are the runner's. ``from_version`` is the version that was applied before,
    or None.
    """

    connection: sa.Connection
    environment: str
    name: str
    report: Progress
    lookups: Lookups = field(default_factory=Lookups)
    from_version: str | None = None
    created: list[dict[str, Any]] = field(default_factory=list)
    updated: int = 0
    same: int = 0
    salt: Callable[[], bytes] | None = None
    _tables: dict[str, sa.Table] = field(default_factory=dict)

    def table(self, name: str) -> sa.Table:
        """Return a table as the database describes it; ``schema.name`` names another schema.

        Raises:
            SeedError: there is no such table.
        """
        if name not in self._tables:
            schema, _, bare = name.rpartition(".")
            try:
                with warnings.catch_warnings():
                    # Indexes over expressions cannot be described; nobody asks for them here.
                    warnings.simplefilter("ignore", sa.exc.SAWarning)
                    found = sa.Table(
                        bare, sa.MetaData(), schema=schema or None, autoload_with=self.connection
                    )
            except sa.exc.NoSuchTableError:
                known = sa.inspect(self.connection).get_table_names(schema=schema or None)
                hint = did_you_mean(bare, known)
                raise SeedError(f"there is no table `{name}`{hint}", where=self.name) from None
            self._tables[name] = found
        return self._tables[name]

    def lookup(self, table: str, **where: Any) -> Values | None:
        """Return the one row with these values, or None; answers are remembered for all seeds of
        the run.

        Raises:
            SeedError: more than one row fits.
        """
        known, row = self.lookups.get(table, where)
        if known:
            return row
        found = self.connection.execute(self._select(table, where).limit(2)).mappings().all()
        if len(found) > 1:
            asked = ", ".join(sorted(where))
            raise SeedError(f"more than one row of {table} fits ({asked})", where=self.name)
        row = dict(found[0]) if found else None
        self.lookups.put(table, where, row)
        return row

    def find(self, table: str, **where: Any) -> Values:
        """Return the one row with these values.

        Raises:
            SeedError: none or more than one fits.
        """
        row = self.lookup(table, **where)
        if row is None:
            asked = ", ".join(sorted(where))
            raise SeedError(
                f"no row of {table} fits ({asked})",
                where=self.name,
                remedy="declare the seed that makes it in `depends`",
            )
        return row

    def upsert(self, table: str, row: Values, *, key: Sequence[str] = ()) -> Values:
        """Insert a row, or bring the one with the same key up to it, and return the row as it is.

        ``key`` is the primary key by default; null in a key column is an error.

        Raises:
            SeedError: an unknown table or column, or a key that the row does not have.
        """
        found, names = self._known(table, row, key)
        where = {name: row[name] for name in names}
        held = self.connection.execute(self._select(table, where)).mappings().first()
        self.lookups.forget(table)
        if held is None:
            return self._insert(table, found, row)
        changed = {name: value for name, value in row.items() if _differs(held[name], value)}
        if changed:
            update = found.update().where(self._matches(found, where)).values(changed)
            self.connection.execute(update)
            self.updated += 1
        else:
            self.same += 1
        return {**held, **changed}

    def insert_missing(self, table: str, row: Values, *, key: Sequence[str] = ()) -> Values:
        """Insert a row unless one with the same key is there, which is then left as it is.

        Raises:
            SeedError: as :meth:`upsert`.
        """
        found, names = self._known(table, row, key)
        where = {name: row[name] for name in names}
        held = self.connection.execute(self._select(table, where)).mappings().first()
        if held is not None:
            self.same += 1
            return dict(held)
        self.lookups.forget(table)
        return self._insert(table, found, row)

    def password_hash(self, password: str) -> str:
        """Return the bcrypt hash of a password; the same password gives another hash each time."""
        salt = bcrypt.gensalt(rounds=10) if self.salt is None else self.salt()
        return bcrypt.hashpw(password.encode(), salt).decode()

    def is_password(self, password: str, hashed: str) -> bool:
        """Tell whether a bcrypt hash is that of a password; what is no hash is nobody's."""
        try:
            return bcrypt.checkpw(password.encode(), hashed.encode())
        except ValueError:
            return False

    def secret(self, variable: str) -> str | None:
        """Return what a variable of the environment holds, or None; never tell it anybody."""
        return credentials.seed_secret(variable)

    def _insert(self, name: str, table: sa.Table, row: Values) -> Values:
        done = self.connection.execute(table.insert().values(dict(row)))
        keys = [column.name for column in table.primary_key]
        given = dict(zip(keys, done.inserted_primary_key or (), strict=False))
        where = {key: given.get(key, row.get(key)) for key in keys} or dict(row)
        made = self.connection.execute(self._select(name, where)).mappings().first()
        held = dict(made) if made is not None else dict(row)
        self.created.append(
            {
                "table": name,
                "key": {key: str(value) for key, value in where.items()},
                "digest": row_digest(held),
            }
        )
        return held

    def _known(
        self, name: str, row: Values, key: Sequence[str]
    ) -> tuple[sa.Table, tuple[str, ...]]:
        table = self.table(name)
        columns = [column.name for column in table.columns]
        for column in row:
            if column not in columns:
                hint = did_you_mean(column, columns)
                raise SeedError(f"`{name}` has no column `{column}`{hint}", where=self.name)
        names = tuple(key) or tuple(column.name for column in table.primary_key)
        missing = [column for column in names if row.get(column) is None]
        if missing or not names:
            raise SeedError(
                f"a row of {name} has no {', '.join(missing) or 'key'}",
                where=self.name,
                remedy="give `key` the columns that make a row the same",
            )
        return table, names

    def _select(self, name: str, where: Values) -> sa.Select[Any]:
        table = self.table(name)
        return sa.select(table).where(self._matches(table, where))

    def _matches(self, table: sa.Table, where: Values) -> sa.ColumnElement[bool]:
        columns = [column.name for column in table.columns]
        for name in where:
            if name not in columns:
                hint = did_you_mean(name, columns)
                raise SeedError(f"`{table.name}` has no column `{name}`{hint}", where=self.name)
        return sa.and_(
            sa.true(), *(table.c[name].is_not_distinct_from(value) for name, value in where.items())
        )


def row_digest(row: Values) -> str:
    """Return a digest of a row's values as text, to tell later whether anybody edited it."""
    text = "\x1f".join(f"{name}\x1e{row[name]!s}" for name in sorted(row))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _differs(held: Any, wanted: Any) -> bool:
    return bool(held != wanted) and str(held) != str(wanted)
