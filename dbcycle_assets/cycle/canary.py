"""Canaries: synthetic people planted in the restored copy, and the search for them afterwards.

They measure the pipeline rather than the config: whatever reaches an artefact, a log line or the
published database is found there, because nobody else has these names.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..anonymizers import build_mask
from ..anonymizers.base import Key, Kind
from ..databases.port import Database
from ..model.catalog import Catalog, Column, Table
from ..model.decision import ColumnPlan
from ..model.detect import Proposal, propose
from ..model.marks import leaves_of
from ..model.plan import Plan
from . import blocks
from .plan import current_plan, require_catalog
from .session import Cycle

SYLLABLES = ("zyq", "xov", "wuj", "qiv", "jyx", "vuz", "kyw", "xaj", "zuv", "qox")
BLOCK = 1 << 20
NAMING = frozenset({"email", "phone", "first_name", "last_name", "full_name", "username"})
"""Proposals that make a kept column worth a canary."""

RAW = ("restored", "migrated")
"""The databases that may hold raw rows."""

SURE = 0.7
SHORTEST = 6
"""A column with less room cannot hold anything that is nobody else's."""

_DIGITS = re.compile(rb"\d(?:[ ().+/-]{0,2}\d){8,14}")


@dataclass(frozen=True)
class Person:
    """One synthetic person; every part of it is nobody else's."""

    first: str
    last: str
    email: str
    phone: str

    @property
    def full(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"

    @property
    def prose(self) -> str:
        """A sentence about the person."""
        return f"{self.full} (reach at {self.email} or {self.phone}) called again."

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What gives the person away, folded; digits alone for the number."""
        digits = "".join(filter(str.isdigit, self.phone))
        return tuple(
            part.casefold().encode() for part in (self.first, self.last, self.email, digits)
        )


@dataclass
class Planted:
    """What was planted and what could not be; ``places`` are ``table.column``."""

    people: list[Person] = field(default_factory=list)
    places: dict[str, Person] = field(default_factory=dict)
    passed_over: dict[str, str] = field(default_factory=dict)


@dataclass
class Sighting:
    """A canary that was seen where it must not be."""

    where: str
    planted_in: str


def hatch(random_source: random.Random) -> Person:
    """Return a new synthetic person."""

    def name() -> str:
        return "".join(random_source.choice(SYLLABLES) for _ in range(4)).capitalize()

    first, last = name(), name()
    phone = "+49 199 " + "".join(str(random_source.randrange(10)) for _ in range(8))
    return Person(first, last, f"{first}.{last}@{name()}.test".lower(), phone)


def plant(cycle: Cycle, random_source: random.Random) -> Planted:
    """Plant a person in one row of every column of the restored database that a rule rewrites, or
    that names people although it is kept or gone later. The rest is passed over, with the reason.
    """
    planted = Planted()
    plan = current_plan(cycle)
    with cycle.server.open(cycle.database("restored")) as database:
        catalog = database.catalog()
        naming = {(p.table, p.column): p.rule for p in propose(catalog, {}) if _naming(p)}
        for name, table in sorted(catalog.tables.items()):
            for column in table.stored_columns:
                place = f"{name}.{column.name}"
                person = hatch(random_source)
                item = _planned(plan, name, column.name)
                rule = naming.get((name, column.name), "") if item is None else item.rule
                reason = _unfit(table, column, item, naming) or _plant(
                    database, table, column, _value(cycle.key, column, item, rule, person)
                )
                if reason is None:
                    planted.people.append(person)
                    planted.places[place] = person
                else:
                    planted.passed_over[place] = reason
    return planted


def _naming(proposal: Proposal) -> bool:
    return proposal.rule in NAMING and proposal.confidence >= SURE


def _planned(plan: Plan, table: str, column: str) -> ColumnPlan | None:
    """Return what a column becomes, or None if it is no more after the migrations."""
    found = plan.tables.get(table)
    columns = found.columns if found is not None else ()
    return next((item for item in columns if item.column.name == column), None)


def _unfit(
    table: Table, column: Column, item: ColumnPlan | None, naming: Mapping[tuple[str, str], str]
) -> str | None:
    """Return why nobody is planted in a column, or None."""
    referring = {name for key in table.foreign_keys for name in key.columns}
    if column.name in {*table.primary_key, *referring}:
        return "a key"
    if (item is None or not item.masked) and (table.id, column.name) not in naming:
        gone = "gone after the migrations" if item is None else "kept"
        return f"{gone}, and its name names nobody"
    return None


def _plant(database: Database, table: Table, column: Column, value: str | None) -> str | None:
    """Put a value into one row; return why that cannot be, or None."""
    if value is None:
        return "its type or its rule reads no such text"
    try:
        with database.sqlalchemy() as connection:
            made = _update(connection, table, column, value)
    except sa.exc.DBAPIError as error:
        return f"the database refuses it ({type(error.orig).__name__})"
    return None if made else "no row to plant in"


def _value(
    key: Key, column: Column, item: ColumnPlan | None, rule: str, person: Person
) -> str | None:
    """Return the person in the text form of a column, or None if no text fits."""
    text = _text(rule, person)
    if column.max_length is not None and len(text) > column.max_length:
        text = person.first[: column.max_length]
    if len(text) < SHORTEST or not _readable(key, item, text):
        return None
    if column.dimensions:
        return f'{{"{text}"}}' if column.kind is Kind.TEXT and column.dimensions == 1 else None
    document = {"name": person.full, "notes": [person.prose], "contact": {"m": person.email}}
    forms = {
        Kind.TEXT: text,
        Kind.JSON: json.dumps(document),
        Kind.BYTES: "\\x" + text.encode().hex(),
        Kind.XML: f"<person mail='{person.email}'>{person.full}</person>",
        Kind.TSVECTOR: f"'{person.first.lower()}':1 '{person.last.lower()}':2",
    }
    return forms.get(column.kind)


def _readable(key: Key, item: ColumnPlan | None, text: str) -> bool:
    """Tell whether a text column's rule can read a text; one that reads its own format cannot."""
    for case in item.masks if item is not None and item.column.kind is Kind.TEXT else ():
        if case.definition.build_row is not None:
            continue
        try:
            build_mask(case.rule, case.options, case.facts, key)(text)
        except (ValueError, ArithmeticError):
            return False
    return True


def _text(rule: str, person: Person) -> str:
    forms = {
        "email": person.email,
        "phone": person.phone,
        "first_name": person.first,
        "last_name": person.last,
        "full_name": person.full,
        "username": person.first.lower() + person.last.lower(),
        "street_address": f"12 {person.last} Street",
        "company": f"{person.last} {person.first} Ltd",
        "url": f"https://{person.last.lower()}.test/{person.first.lower()}",
        "json": json.dumps({"name": person.full, "mail": person.email}),
    }
    return forms.get(rule, person.prose)


def _update(connection: sa.Connection, table: Table, column: Column, value: str) -> int:
    """Set one row's value and return how many rows were set."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    postgres = connection.dialect.name == "postgresql"
    name = f"{quote(table.schema)}.{quote(table.name)}" if postgres else quote(table.name)
    keys = [quote(key) for key in table.primary_key] or ["ctid" if postgres else "rowid"]
    key = f"({', '.join(keys)})" if len(keys) > 1 else keys[0]
    new = f"CAST(:value AS {column.type})" if postgres else ":value"
    bound: Any = value
    if not postgres and column.kind is Kind.BYTES:
        bound = bytes.fromhex(value[2:])
    statement = (
        f"UPDATE {name} SET {quote(column.name)} = {new} WHERE {key} ="
        f" (SELECT {', '.join(keys)} FROM {name} ORDER BY {', '.join(keys)} LIMIT 1)"
    )
    return connection.execute(sa.text(statement.replace("\\:", ":")), {"value": bound}).rowcount


class Watch:
    """Looks for planted people in bytes and texts of any kind, and keeps the account."""

    def __init__(self, planted: Planted) -> None:
        self._owner = {
            mark: place for place, person in planted.places.items() for mark in person.marks
        }
        # One expression for all: the marks are random, so none is a part of another.
        self._pattern = re.compile(b"|".join(sorted(map(re.escape, self._owner))))
        self.sightings: list[Sighting] = []
        self.looked_at: dict[str, int] = {}

    def text(self, where: str, kind: str, text: str) -> None:
        """Look at one text and, if it is binary or JSON in text form, inside it."""
        for part in {text, *leaves_of(text)}:
            self._bytes(where, part.encode("utf-8", "surrogatepass"))
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1

    def file(self, path: Path, name: str) -> None:
        """Look at a file as it lies on disk."""
        before = b""
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                self._bytes(name, before + block)
                before = block[-200:]
        self.looked_at["files"] = self.looked_at.get("files", 0) + 1

    def _bytes(self, where: str, content: bytes) -> None:
        folded = content.lower()
        found = {self._owner[match.group()] for match in self._pattern.finditer(folded)}
        for match in _DIGITS.finditer(folded):
            digits = re.sub(rb"\D", b"", match.group())
            found |= {self._owner[digits]} if digits in self._owner else set()
        for place in sorted(found):
            sighting = Sighting(where, place)
            if sighting not in self.sightings:
                self.sightings.append(sighting)


def watch_databases(cycle: Cycle, watch: Watch) -> None:
    """Look at every value and every text of the schema of each database that holds no raw rows."""
    catalog = require_catalog(cycle)
    for role in ("seeded", "test", "previous", "staging"):
        name = cycle.database(role)
        if not cycle.server.exists(name):
            continue
        with cycle.server.open(name, read_only=True) as database:
            for where, text in _texts(database, catalog):
                watch.text(f"{role} database: {where}", "values", text)


def _texts(database: Database, catalog: Catalog) -> Iterator[tuple[str, str]]:
    yield from database.schema_texts()
    for name, table in sorted(catalog.tables.items()):
        for block in database.read(table, table.columns):
            yield from _fields(name, [column.name for column in table.columns], block)
    for name, columns in database.materialized_columns().items():
        for block in database.read_view(name):
            yield from _fields(name, [column.name for column in columns], block)


def _fields(table: str, columns: list[str], block: bytes) -> Iterator[tuple[str, str]]:
    for line in block.decode().removesuffix("\n").split("\n"):
        for column, value in zip(columns, line.split("\t"), strict=True):
            if value != "\\N":
                yield f"{table}.{column}", blocks.unescape(value)


def watch_files(cycle: Cycle, watch: Watch, folders: Iterable[Path]) -> None:
    """Look at every file of the run but those of the raw databases, and inside the extracts, which
    are compressed.
    """
    raw = tuple(cycle.database(role) for role in RAW)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith(raw):
                watch.file(path, f"file {path.relative_to(folder)}")
    for name, table in sorted(require_catalog(cycle).tables.items()):
        columns = [column.name for column in table.stored_columns]
        if cycle.extracts.manifest(name) is None:
            continue
        for block in cycle.extracts.read(name):
            for where, text in _fields(name, columns, block):
                watch.text(f"extract: {where}", "extracted values", text)
