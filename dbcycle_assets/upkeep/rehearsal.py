"""Rehearsals: steps run for real on a copy that is thrown away, and what they change."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..databases.port import Database, Progress, Stamp
from ..errors import ServerUnavailable
from ..model.catalog import Catalog, Column, Table
from .target import Target


@dataclass(frozen=True)
class Change:
    """One difference between two schemas: ``+``, ``-`` or ``~`` of something by its name."""

    sign: str
    kind: str
    name: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.kind} {self.name}{f' {self.what}' if self.what else ''}"


def changes(before: Catalog, after: Catalog) -> list[Change]:
    """Return what differs, table by table."""
    found: list[Change] = []
    for name in sorted({*before.tables, *after.tables}):
        old, new = before.tables.get(name), after.tables.get(name)
        if old is None:
            found.append(Change("+", "table", name))
        elif new is None:
            found.append(Change("-", "table", name))
        found += _columns(name, old, new) + _objects(name, old, new)
    for kind, olds, news in (
        ("view", before.views, after.views),
        ("materialized view", before.materialized_views, after.materialized_views),
        ("extension", before.extensions, after.extensions),
    ):
        found += [Change("+", kind, each) for each in news if each not in olds]
        found += [Change("-", kind, each) for each in olds if each not in news]
    return found


def _columns(table: str, old: Table | None, new: Table | None) -> list[Change]:
    olds = {column.name: column for column in old.columns} if old else {}
    news = {column.name: column for column in new.columns} if new else {}
    found = []
    for name in [*news, *(name for name in olds if name not in news)]:
        label = f"{table}.{name}"
        was, now = olds.get(name), news.get(name)
        if was is None and now is not None:
            found.append(Change("+", "column", label, _told(now)))
        elif now is None:
            found.append(Change("-", "column", label))
        elif was is not None and _told(was) != _told(now):
            found.append(Change("~", "column", label, f"{_told(was)} → {_told(now)}"))
    return found


def _told(column: Column) -> str:
    words = [column.type]
    words += [] if column.nullable else ["not null"]
    words += ["default"] if column.has_default else []
    words += ["generated"] if column.generated else []
    words += [f"({', '.join(column.labels)})"] if column.labels else []
    return " ".join(words)


def _objects(table: str, old: Table | None, new: Table | None) -> list[Change]:
    """Return the indexes, keys, checks, triggers and policies that came and went."""
    was, now = _named(old), _named(new)
    found = [Change("+", *_label(table, each)) for each in now if each not in was]
    return found + [Change("-", *_label(table, each)) for each in was if each not in now]


def _named(table: Table | None) -> list[tuple[str, str]]:
    if table is None:
        return []
    found = [("index", text) for text in table.extra]
    found += [("check", text) for text in table.checks]
    found += [("unique key", f"({', '.join(key.columns)})") for key in table.unique_keys]
    found += [
        ("foreign key", f"({', '.join(key.columns)}) → {key.parent}") for key in table.foreign_keys
    ]
    if table.primary_key:
        found.append(("primary key", f"({', '.join(table.primary_key)})"))
    return found


def _label(table: str, each: tuple[str, str]) -> tuple[str, str, str]:
    kind, text = each
    return kind, table, text


@contextmanager
def scratch_copy(target: Target, progress: Progress) -> Iterator[tuple[Database, bool]]:
    """Give a copy of the database that is dropped afterwards, and whether it has the rows: while
    others use a PostgreSQL database, only its schema can be copied.
    """
    name = f"{target.name[:40]}_rehearsal_{secrets.token_hex(4)}"
    stamp = Stamp(target.project.name, "rehearsal")
    progress("copying the database for the rehearsal")
    try:
        whole = _copy(target, name, stamp, progress)
        with target.server.open(name) as database:
            yield database, whole
    finally:
        target.server.drop(name, target.project.name)


def _copy(target: Target, name: str, stamp: Stamp, progress: Progress) -> bool:
    try:
        target.server.duplicate(target.name, name, stamp, end_sessions=False)
    except ServerUnavailable:
        target.server.create(name, stamp)
        for section in ("pre-data", "post-data"):
            target.server.copy_schema(target.name, name, section, progress)
        with target.open() as database, target.server.open(name) as copy:
            copy.migrations().prepare()
            for entry in database.migrations().entries():
                copy.migrations().write(entry)
        return False
    return True


def listed(found: Sequence[Change]) -> list[str]:
    """Return changes as lines."""
    return [str(each) for each in found]
