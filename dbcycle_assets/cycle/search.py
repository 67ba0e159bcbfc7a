"""The search for originals in everything that a run leaves: extracts, the built database with its
materialized views and schema texts, and the records that the asset metadata is made from.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from ..anonymizers import parameters_of
from ..anonymizers.base import Kind
from ..databases.port import Database, ElementCodec
from ..model.catalog import Catalog, Column
from ..model.decision import ColumnPlan
from ..model.plan import Plan, TablePlan
from ..model.survivors import Coverage, Search, Survivor, json_leaves, kept_digest, leaves_of
from . import blocks, originals
from .seed import golden_rows
from .session import Cycle

WORDLESS = {
    Kind.BOOLEAN: "a boolean carries no text",
    Kind.DATE: "a date carries no text",
    Kind.TIMESTAMP: "a timestamp carries no text",
    Kind.TIME: "a time carries no text",
    Kind.INTERVAL: "an interval carries no text",
    Kind.INTEGER: "a number carries no text",
    Kind.NUMERIC: "a number carries no text",
    Kind.FLOAT: "a number carries no text",
    Kind.UUID: "a random identifier carries no text",
    Kind.ENUM: "an enum label is part of the schema",
}
SHORTEST_NUMBER = 9
"""A number with fewer digits is not searched: it would meet phone numbers by chance."""

REMEMBERED = 1 << 27
"""How many characters of values without a finding are remembered at once, of one table."""

_WORDFUL = r"[A-Za-z&&[^eETZ]]|[^\x00-\x7f]|[\"{\[]"
"""What a value of a wordless kind must hold to carry text after all."""
_NOT_DIGITS = r"[-+.:,\s]"

_LITERAL = re.compile(r"'((?:[^']|'')*)'|--([^\n]*)|/\*(.*?)\*/|\$(\w*)\$(.*?)\$\4\$", re.DOTALL)


@dataclass(frozen=True)
class _Place:
    """A column as the search sees it; ``excuse`` says why a text that is found there may be, and
    names of fewer than ``shortest`` words are passed over.
    """

    name: str
    kind: Kind
    codec: ElementCodec | None = None
    vocabulary: frozenset[str] = frozenset()
    excuse: Callable[[str], str | None] = field(default=lambda _text: None)
    shortest: int = 1
    clean: "_Clean" = field(default_factory=lambda: _Clean(0))


class _Clean:
    """The escaped values of one column in which nothing was found, each with its number of leaves.

    Whether a text holds an original depends on the text alone, so an equal one is not searched
    again: not in the next block, and not in the database that was built from the extract.
    """

    def __init__(self, room: int) -> None:
        self.leaves: dict[str, int] = {}
        self._room = room

    def add(self, value: str, leaves: int) -> None:
        """Remember a value if there is room."""
        if len(value) <= self._room:
            self._room -= len(value)
            self.leaves[value] = leaves


class LeakSearch:
    """Searches places for the originals of every anonymized column and keeps the account."""

    def __init__(self, cycle: Cycle, plan: Plan) -> None:
        self.coverage = Coverage()
        self.uncovered: list[str] = []
        self._cycle = cycle
        self._plan = plan
        self._counts: dict[tuple[str, str, str], int] = {}
        self._excused = set(cycle.config.verify.coincidences)
        self._kept: dict[str, frozenset[bytes]] = {}
        known: dict[tuple[str, str], list[bytes]] = {}
        for name, table in sorted(plan.tables.items()):
            known |= self._originals(name, table)
        self._search = Search(cycle.key, known)
        masked = [item for table in plan.tables.values() for item in table.masked]
        self._words: frozenset[str] = frozenset().union(*map(_vocabulary, masked))

    @property
    def survivors(self) -> list[Survivor]:
        """What was found so far."""
        return [Survivor(*place, count) for place, count in sorted(self._counts.items())]

    def _originals(self, name: str, table: TablePlan) -> dict[tuple[str, str], list[bytes]]:
        searchable = {
            item.column.name
            for item in table.masked
            if any(case.definition.searchable for case in item.masks)
        }
        if not table.rows:
            return {}
        kept = originals.read(self._cycle.project.records, name)
        if kept is None or not searchable <= set(kept):
            if searchable:
                self.uncovered.append(f"{name}: the digests of its originals are missing or stale")
            return {}
        for column, found in kept.items():
            self._kept[f"{name}.{column}"] = found.excused
            if found.unsearchable:
                reason = "an original too short or too common to search"
                self.coverage.skip(reason, found.unsearchable)
        return {(name, column): found.digests for column, found in kept.items()}

    # --- places ---------------------------------------------------------------------------------

    def rows(self, catalog: Catalog, database: Database) -> None:
        """Search every extract on disk, and every table of the database that was built from them,
        generated columns included.
        """
        for name, table in sorted(self._plan.tables.items()):
            room = REMEMBERED // max(1, len(table.columns))
            clean = {item.column.name: _Clean(room) for item in table.columns}
            if table.rows:
                self._extract(table, database, clean)
            self._table(catalog, name, database, clean)

    def _extract(self, table: TablePlan, database: Database, clean: Mapping[str, _Clean]) -> None:
        places = [
            self._place(table, item, database, frozenset(), clean[item.column.name])
            for item in table.columns
        ]
        source = self._cycle.extracts.read(table.table.id)
        self.coverage.rows += self._blocks("extracts", source, places)
        self.coverage.tables += 1
        self.coverage.columns += len(places)

    def _table(
        self, catalog: Catalog, name: str, database: Database, clean: Mapping[str, _Clean]
    ) -> None:
        table = self._plan.tables[name]
        planned = {item.column.name: item for item in table.columns}
        golden = self._golden(catalog, name)
        places = []
        for column in table.table.columns:
            if column.name in planned:
                by_hand = golden.get(column.name, frozenset())
                # What was searched without an excuse needs another look where there is one.
                known = _Clean(0) if by_hand else clean[column.name]
                place = self._place(table, planned[column.name], database, by_hand, known)
            else:
                place = self._generated(name, column, database, golden)
            places.append(place)
        source = database.read(table.table, table.table.columns)
        self._blocks("database", source, places)

    def schema(self, database: Database) -> None:
        """Search materialized views, and the comments and literals of the schema."""
        for name, columns in database.materialized_columns().items():
            places = [self._generated(name, column, database, {}) for column in columns]
            self._blocks("database", database.read_view(name), places)
        for where, text in database.schema_texts():
            # A single word of a programmer's comment is a surname by chance too often.
            place = _Place(where, Kind.TEXT, shortest=2)
            for match in _LITERAL.finditer(text):
                literal = next((part for part in match.groups()[:3] if part), match.group(5))
                self._texts("schema", place, [(literal or "", 1)])
            if where.endswith(" comment"):
                self._texts("schema", place, [(text, 1)])

    def records(self) -> None:
        """Search the records of every asset: what its metadata and the report are made from."""
        for asset in self._cycle.nodes():
            record = self._cycle.ledger.get(asset)
            if record is None:
                continue
            facts = {name: value for name, value in record.facts.items() if name != "preview"}
            place = _Place(f"record of {asset}", Kind.TEXT)
            leaves = json_leaves(json.loads(json.dumps(facts, default=str)))
            self._texts("records", place, ((leaf, 1) for leaf in leaves))

    def _place(
        self,
        table: TablePlan,
        item: ColumnPlan,
        database: Database,
        by_hand: frozenset[str],
        clean: _Clean,
    ) -> _Place:
        where = f"{table.table.id}.{item.column.name}"
        words = _vocabulary(item)
        kept, key = self._kept.get(where) or frozenset(), self._cycle.key

        def excuse(text: str) -> str | None:
            if text in by_hand:
                return "written by hand in a golden record"
            if kept and kept_digest(key, text) in kept:
                return "kept by a condition of its rule"
            return None

        codec = database.element_codec(item.column)
        return _Place(where, item.column.kind, codec, words, excuse, clean=clean)

    def _generated(
        self, table: str, column: Column, database: Database, golden: Mapping[str, frozenset[str]]
    ) -> _Place:
        """Return the place of a column that no rule rewrites: what it is made from may have been
        written by hand or kept, whatever column that stood in.
        """
        by_hand: frozenset[str] = frozenset().union(*golden.values())

        def excuse(text: str) -> str | None:
            return "written by hand in a golden record" if text in by_hand else None

        codec = database.element_codec(column)
        return _Place(f"{table}.{column.name}", column.kind, codec, self._words, excuse)

    def _golden(self, catalog: Catalog, name: str) -> dict[str, frozenset[str]]:
        """Return every text that golden records put into each column of a table."""
        found: dict[str, set[str]] = {}
        for row in golden_rows(self._cycle, catalog, name)[0]:
            for column, value in row.items():
                if value is not None:
                    found.setdefault(column, set()).update([value, *leaves_of(value)])
        return {column: frozenset(texts) for column, texts in found.items()}

    # --- texts ----------------------------------------------------------------------------------

    def _blocks(self, where: str, source: Iterable[bytes], places: list[_Place]) -> int:
        rows = 0
        for block in source:
            frame = blocks.parse(block, len(places))
            rows += frame.height
            for index, place in enumerate(places):
                self._column(where, place, frame.to_series(index).drop_nulls())
        return rows

    def _column(self, where: str, place: _Place, column: pl.Series) -> None:
        """Search the values of one column of a block, in copy text."""
        if (reason := WORDLESS.get(place.kind)) is not None and place.codec is None:
            wordful = column.filter(_may_be_wordful(column, place.kind))
            self.coverage.skip(reason, len(column) - len(wordful))
            column = wordful
        known, compared = place.clean.leaves, 0
        for value, count in column.value_counts().iter_rows():
            if (leaves := known.get(value)) is not None:
                compared += leaves * count
                continue
            texts = _leaves(blocks.unescape(value), place)
            if self._texts(where, place, ((text, count) for text in texts)):
                place.clean.add(value, len(texts))
        self.coverage.compare(where, compared)

    def _texts(self, where: str, place: _Place, texts: Iterable[tuple[str, int]]) -> bool:
        """Search texts, each as often as it is there; tell whether all were, without a finding."""
        coverage, clean = self.coverage, True
        for text, count in texts:
            reason = _wordless(place.kind, text) or place.excuse(text)
            if reason is not None:
                coverage.skip(reason, count)
                clean = False
                continue
            coverage.compare(where, count)
            for owner in self._search.hits(text, place.vocabulary, shortest=place.shortest):
                clean = False
                if place.name in self._excused:
                    coverage.coincidences += count
                else:
                    found = (*owner, place.name)
                    self._counts[found] = self._counts.get(found, 0) + count
        return clean


def _vocabulary(item: ColumnPlan) -> frozenset[str]:
    """Return the words that the rules of a column may emit whatever they read."""
    found: frozenset[str] = frozenset()
    for case in item.masks:
        found |= case.definition.vocabulary(parameters_of(case.rule, case.options))
    return found


def _leaves(value: str, place: _Place) -> list[str]:
    if place.codec is None:
        return leaves_of(value)
    return [leaf for element in place.codec.leaves(value) for leaf in leaves_of(element)]


def _may_be_wordful(column: pl.Series, kind: Kind) -> pl.Series:
    """Tell which values of a wordless kind :func:`_wordless` must judge one by one."""
    if kind in {Kind.ENUM, Kind.UUID}:
        return pl.Series([False]).new_from_index(0, len(column))
    digits = (column.str.len_bytes() >= SHORTEST_NUMBER) & ~column.str.contains(_NOT_DIGITS)
    return column.str.contains(_WORDFUL) | digits


def _wordless(kind: Kind, text: str) -> str | None:
    """Return why a value is not searched, judged by type and by the value itself."""
    reason = WORDLESS.get(kind)
    if reason is None or kind in {Kind.ENUM, Kind.UUID}:
        return reason
    if any(char.isalpha() for char in text if char not in "eETZ"):
        return None
    return None if sum(map(str.isdigit, text)) >= SHORTEST_NUMBER and text.isdigit() else reason
