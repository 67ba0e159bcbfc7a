"""The search for originals in everything that a run leaves: extracts, the built database with its
materialized views and schema texts, and the records that the asset metadata is made from.
"""

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from ..anonymizers import build_mask, parameters_of
from ..anonymizers.base import Kind
from ..artifacts import DIGITS, content_digest, digest_of_file
from ..databases.port import Database, ElementCodec
from ..model.catalog import Catalog, Column
from ..model.decision import ColumnPlan
from ..model.digest import digest_of
from ..model.known import Search, known_original
from ..model.marks import json_leaves, leaves_of
from ..model.plan import Plan, TablePlan
from ..model.survivors import Coverage, Digests, Survivor, kept_digest
from . import blocks, originals
from .golden import golden_files
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
SEARCHED = 1
"""The version of the search: another one finds other things, and searches everything again."""

SHORTEST_NUMBER = 9
"""A number with fewer digits is not searched: it would meet phone numbers by chance."""

_WORDFUL = r"[A-Za-z&&[^eETZ]]|[^\x00-\x7f]|[\"{\[]"
"""What a value of a wordless kind must hold to carry text after all."""
_NOT_DIGITS = r"[-+.:,\s]"

_LITERAL = re.compile(r"'((?:[^']|'')*)'|--([^\n]*)|/\*(.*?)\*/|\$(\w*)\$(.*?)\$\4\$", re.DOTALL)


@dataclass(frozen=True)
class _Place:
    """A column as the search sees it; ``excuse`` says why a text that is found there may be, names
    of fewer than ``shortest`` words are passed over, and ``explain`` tells whether a text that was
    found is the fake of another original, which only by chance equals somebody's.
    """

    name: str
    kind: Kind
    codec: ElementCodec | None = None
    vocabulary: frozenset[str] = frozenset()
    excuse: Callable[[str], str | None] = field(default=lambda _text: None)
    shortest: int = 1
    unique: bool = False
    explain: Callable[[str], bool] = field(default=lambda _text: False)


class LeakSearch:
    """Searches places for the originals of every anonymized column and keeps the account.

    ``clean`` is what earlier searches found clean, by table, and is kept up to date: a table that
    is ``unchanged`` since, as are all originals, is not searched again.
    """

    def __init__(
        self,
        cycle: Cycle,
        plan: Plan,
        clean: dict[str, Any] | None = None,
        unchanged: Container[str] = (),
    ) -> None:
        self._clean = clean if clean is not None else {}
        self._unchanged = unchanged
        self._universe: dict[str, str] = {}
        self.coverage = Coverage()
        self.uncovered: list[str] = []
        self._cycle = cycle
        self._plan = plan
        self._counts: dict[tuple[str, str, str], int] = {}
        self._excused = set(cycle.config.verify.coincidences)
        self._kept: dict[str, frozenset[int]] = {}
        self._kinds: set[str] = set()
        known: dict[tuple[str, str], Digests] = {}
        for name, table in sorted(plan.tables.items()):
            known |= self._originals(name, table)
        self._search = Search(cycle.key, known, self._kinds)
        self._known = {f"{table}.{column}": found for (table, column), found in known.items()}
        masked = [item for table in plan.tables.values() for item in table.masked]
        self._words: frozenset[str] = frozenset().union(*map(_vocabulary, masked))
        self._golden_files = golden_files(cycle.project)
        self._sought = digest_of([SEARCHED, cycle.key.id, self._universe, sorted(self._excused)])

    @property
    def survivors(self) -> list[Survivor]:
        """What was found so far."""
        return [Survivor(*place, count) for place, count in sorted(self._counts.items())]

    def _originals(self, name: str, table: TablePlan) -> dict[tuple[str, str], Digests]:
        searchable = {
            item.column.name
            for item in table.masked
            if any(case.definition.searchable for case in item.masks)
        }
        if not table.rows:
            return {}
        kept = originals.read(self._cycle.project.records, name, self._cycle.key)
        if kept is None or not searchable <= set(kept):
            if searchable:
                self.uncovered.append(f"{name}: the digests of its originals are missing or stale")
            return {}
        for column, found in kept.items():
            self._kept[f"{name}.{column}"] = found.excused
            self._kinds.update(found.kinds)
            self._universe[f"{name}.{column}"] = found.content
            if found.unsearchable:
                reason = "an original too short or too common to search"
                self.coverage.skip(reason, found.unsearchable)
        return {(name, column): found.digests for column, found in kept.items()}

    # --- places ---------------------------------------------------------------------------------

    def rows(self, catalog: Catalog, database: Database) -> None:
        """Search every extract on disk, and every table of the database that was built from them,
        generated columns included. A table that is its extract, byte for byte, is searched with it.
        """
        total = self.coverage
        with ThreadPoolExecutor(1) as pool:
            for name, table in sorted(self._plan.tables.items()):
                self.coverage, found = Coverage(), len(self._counts)
                content = self._content(table)
                if name in self._unchanged and self._clean.get(name, {}).get("content") == content:
                    self.coverage = Coverage(**self._clean[name]["coverage"])
                else:
                    same = pool.submit(self._is_extract, table, database)
                    self._search_table(catalog, name, database, same)
                    self._clean.pop(name, None)
                    if len(self._counts) == found:
                        entry = {"content": content, "coverage": asdict(self.coverage)}
                        self._clean[name] = entry
                total.add(self.coverage)
        self.coverage = total

    def _content(self, table: TablePlan) -> str:
        """Return what the result of searching a table depends on: its rows, and all originals."""
        name = table.table.id
        manifest = self._cycle.extracts.manifest(name)
        golden = self._golden_files.get(name)
        rules = [(item.column.name, item.digest) for item in table.columns]
        return digest_of(
            [
                self._sought,
                rules,
                manifest.digest if manifest is not None else "",
                digest_of_file(golden) if golden is not None else "",
            ]
        )

    def _search_table(
        self, catalog: Catalog, name: str, database: Database, same: "Future[bool]"
    ) -> None:
        table, before = self._plan.tables[name], dict(self._counts)
        if table.rows:
            self._extract(table, database)
        if not same.result():
            self._table(catalog, name, database, table.table.columns)
            return
        # What was found in the extract is in the database as well.
        self.coverage.compare("database", self.coverage.by_place.get("extracts", 0))
        for place, count in self._counts.items():
            self._counts[place] = 2 * count - before.get(place, 0)
        generated = [column for column in table.table.columns if column.generated]
        self._table(catalog, name, database, generated)

    def _is_extract(self, table: TablePlan, database: Database) -> bool:
        """Tell whether a table of the database holds what its extract holds, and nothing else."""
        name = table.table.id
        manifest = self._cycle.extracts.manifest(name)
        if manifest is None or name in self._golden_files:
            return False
        content = content_digest(manifest.columns)
        for block in database.read(table.table, [item.column for item in table.columns]):
            content.update(block)
        return content.hexdigest()[:DIGITS] == manifest.digest

    def _extract(self, table: TablePlan, database: Database) -> None:
        places = [self._place(table, item, database, frozenset()) for item in table.columns]
        source = self._cycle.extracts.read(table.table.id)
        self.coverage.rows += self._blocks("extracts", source, places)
        self.coverage.tables += 1
        self.coverage.columns += len(places)

    def _table(
        self, catalog: Catalog, name: str, database: Database, columns: Sequence[Column]
    ) -> None:
        table = self._plan.tables[name]
        if not columns:
            return
        planned = {item.column.name: item for item in table.columns}
        golden = self._golden(catalog, name)
        places = []
        for column in columns:
            if column.name in planned:
                by_hand = golden.get(column.name, frozenset())
                place = self._place(table, planned[column.name], database, by_hand)
            else:
                place = self._generated(name, column, database, golden)
            places.append(place)
        source = database.read(table.table, columns)
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
        explain = self._explained(where, item)
        unique = table.table.facts(item.column).unique
        return _Place(where, item.column.kind, codec, words, excuse, unique=unique, explain=explain)

    def _explained(self, where: str, item: ColumnPlan) -> Callable[[str], bool]:
        """Return how to tell that a text of a column is the fake of one of the column's originals.

        A permutation on few numbers gives some people what is somebody else's.
        """
        known = self._known.get(where)
        if known is None or len(item.chain) > 1 or not item.definition.reversible:
            return lambda _text: False
        key = self._cycle.key.within(item.domain)
        forth, back = (
            build_mask(item.rule, item.options, item.facts, each) for each in (key, key.reversed())
        )

        def explained(text: str) -> bool:
            try:
                original = back(text) or ""
                fake = forth(original)
            except ValueError:
                return False
            return fake == text and known_original(self._cycle.key, known, original, item.rule)

        return explained

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
        if place.codec is None:
            column = self._unsuspicious(where, place, column)
        for value, count in column.value_counts().iter_rows():
            texts = _leaves(blocks.unescape(value), place)
            self._texts(where, place, ((text, count) for text in texts))

    def _unsuspicious(self, where: str, place: _Place, column: pl.Series) -> pl.Series:
        """Search plain values at once; return the values that must be looked at one by one."""
        different = column if place.unique else column.unique()
        suspect = different.str.contains("\\", literal=True)
        suspect |= self._search.suspects(different)
        if not suspect.any():
            self.coverage.compare(where, len(column))
            return column.clear()
        left = column.filter(
            suspect if place.unique else column.is_in(different.filter(suspect).implode())
        )
        self.coverage.compare(where, len(column) - len(left))
        return left

    def _texts(self, where: str, place: _Place, texts: Iterable[tuple[str, int]]) -> None:
        """Search texts, each as often as it is there."""
        coverage = self.coverage
        for text, count in texts:
            reason = _wordless(place.kind, text) or place.excuse(text)
            if reason is not None:
                coverage.skip(reason, count)
                continue
            coverage.compare(where, count)
            owners = self._search.hits(text, place.vocabulary, shortest=place.shortest)
            if owners and (place.name in self._excused or place.explain(text)):
                coverage.coincidences += count * len(owners)
                continue
            for owner in owners:
                found = (*owner, place.name)
                self._counts[found] = self._counts.get(found, 0) + count


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
