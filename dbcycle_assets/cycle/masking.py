"""The masks of one table: applied to blocks of raw rows, with a memory of what they have seen."""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from ..anonymizers import build_mask, build_row_mask, parameters_of
from ..anonymizers.base import Beside, ColumnMask, Key, Reading, Replace, RowMask
from ..anonymizers.columns import put
from ..databases.port import Database, ElementCodec
from ..errors import AnonymizeError
from ..model.decision import ColumnPlan, Condition
from ..model.marks import leaves_of, words
from ..model.plan import TablePlan
from ..model.survivors import Originals, Runs
from . import blocks

CACHE = 200_000
TELLING = 0.1
"""Seconds from which on the time of a column is recorded."""


class _Unfit(Exception):
    """A mask could not read a value; the value stays inside this module."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__()
        self.value = value
        self.reason = reason


@dataclass
class _Case:
    """One case of a column's chain: its mask with a memory, and where what it reads lies."""

    plan: ColumnPlan
    mask: RowMask
    beside: tuple[int, ...] = ()
    masked: tuple[int, ...] = ()
    partial: bool = False
    searchable: bool = True
    at_once: ColumnMask | None = None
    known: dict[tuple[str, tuple[str | None, ...]], str | None] = field(default_factory=dict)


@dataclass
class _Column:
    """One column that some case rewrites, and what was seen of it."""

    index: int
    name: str
    cases: list[_Case]
    leaves: Callable[[str], list[str]]
    originals: Originals
    echoes: int = 0
    seconds: float = 0.0

    @property
    def late(self) -> bool:
        """Whether it reads the anonymized values of other columns."""
        return any(case.masked for case in self.cases)


class Masking:
    """Rewrites the rows of one table as the plan says.

    ``extras`` is what has to be read beside the table's own columns, in this order; ``runs`` makes
    places for digests of originals that are too many for memory.
    """

    def __init__(
        self,
        key: Key,
        database: Database,
        plan: TablePlan,
        people: Replace | None = None,
        runs: Callable[[], Runs | None] = lambda: None,
    ) -> None:
        self._key = key
        self._runs = runs
        self._plan = plan
        self._people = people
        self._names = {item.column.name: index for index, item in enumerate(plan.columns)}
        self.extras: list[Reading] = []
        self._columns = [
            self._column(index, item, database.element_codec(item.column))
            for index, item in enumerate(plan.columns)
            if item.masked
        ]

    @property
    def masked(self) -> int:
        """How many columns are rewritten."""
        return len(self._columns)

    @property
    def originals(self) -> dict[str, Originals]:
        """The digests of the originals of every searchable column."""
        return {
            column.name: column.originals
            for column in self._columns
            if any(case.searchable and case.plan.rule != "keep" for case in column.cases)
        }

    @property
    def echoes(self) -> dict[str, int]:
        """How many different values came through unchanged, by column."""
        return {column.name: column.echoes for column in self._columns if column.echoes}

    @property
    def seconds(self) -> dict[str, float]:
        """How long each column took so far, where that is worth telling."""
        return {
            column.name: round(column.seconds, 2)
            for column in self._columns
            if column.seconds >= TELLING
        }

    def apply(self, frame: pl.DataFrame, before: int) -> pl.DataFrame:
        """Return a block of raw rows (own columns, then extras) as anonymized own columns.

        ``before`` rows were read already; it serves the message of an error.

        Raises:
            AnonymizeError: a value does not fit its rule; names the row, never the value.
        """
        width = len(self._plan.columns)
        done = frame[:, :width]
        for column in sorted(self._columns, key=lambda column: (column.late, column.index)):
            raw, started = frame.to_series(column.index), time.monotonic()
            try:
                changed = self._chain(column, 0, raw, frame, done)
            except _Unfit as unfit:
                row = before + ((raw == blocks.escape(unfit.value)).arg_max() or 0) + 1
                raise AnonymizeError(
                    f"row {row} of the extract: the value does not fit "
                    f"{column.cases[0].plan.rule} ({unfit.reason})",
                    where=f"{self._plan.table.id}.{column.name}",
                    remedy="choose another rule for the column, or repair the value in a migration",
                ) from None
            done = done.with_columns(changed.alias(raw.name))
            column.seconds += time.monotonic() - started
        return done

    def _chain(
        self, column: _Column, at: int, raw: pl.Series, frame: pl.DataFrame, done: pl.DataFrame
    ) -> pl.Series:
        """Return the values of a column under its cases from number ``at`` on."""
        case = column.cases[at]
        if not case.plan.when:
            return self._rewrite(column, case, raw, frame, done)
        holds = self._holds(case.plan.when, frame)
        nothing = pl.Series([None], dtype=pl.String)
        here = self._rewrite(column, case, raw.zip_with(holds, nothing), frame, done)
        rest = self._chain(column, at + 1, raw.zip_with(~holds, nothing), frame, done)
        return here.zip_with(holds, rest)

    def _holds(self, when: tuple[Condition, ...], frame: pl.DataFrame) -> pl.Series:
        holds = pl.Series([True]).new_from_index(0, frame.height)
        for condition in when:
            values = frame.to_series(self._index(condition.beside))
            wanted = [blocks.escape(value) for value in condition.values if value is not None]
            fits = values.is_in(wanted).fill_null(value=False)
            if None in condition.values:
                fits |= values.is_null()
            holds &= ~fits if condition.negated else fits
        return holds

    def _rewrite(
        self,
        column: _Column,
        case: _Case,
        raw: pl.Series,
        frame: pl.DataFrame,
        done: pl.DataFrame,
    ) -> pl.Series:
        if case.plan.rule == "keep":
            for value, _count in blocks.values(raw):
                for leaf in column.leaves(value):
                    column.originals.keep(leaf)
            return raw
        if case.at_once is not None:
            change = functools.partial(_apply_at_once, column, case, case.at_once)
            return blocks.rewrite_at_once(raw, change, unique=case.plan.facts.unique)
        beside = [frame.to_series(index) for index in case.beside]
        beside += [done.to_series(index) for index in case.masked]
        return blocks.rewrite(raw, functools.partial(_apply, column, case), beside)

    def _column(self, index: int, item: ColumnPlan, codec: ElementCodec | None) -> _Column:
        leaves = leaves_of if codec is None else functools.partial(_element_leaves, codec)
        for case in item.chain:
            for condition in case.when:
                self._index(condition.beside)
        try:
            cases = [self._case(case, codec) for case in item.chain]
        except ValueError as error:
            # Built from the config and the catalog alone: its text holds no value of a row.
            raise AnonymizeError(
                str(error),
                where=f"{self._plan.table.id}.{item.column.name}",
                remedy="correct the column's rule in the table's config file",
            ) from None
        return _Column(index, item.column.name, cases, leaves, Originals(self._key, self._runs()))

    def _case(self, plan: ColumnPlan, codec: ElementCodec | None) -> _Case:
        if plan.rule == "keep":
            return _Case(plan, _nothing, searchable=False)
        found = plan.definition
        key = self._key.within(plan.domain)
        parameters = parameters_of(plan.rule, plan.options)
        reads = plan.reads(self._key)
        masked = found.reads_masked(parameters)
        if reads or masked:
            mask = build_row_mask(plan.rule, plan.options, plan.facts, key)
        elif found.people and self._people is not None:
            alone = found.build(parameters, plan.facts, key, people=self._people)  # type: ignore[call-arg]
            mask = _alone(alone)
        else:
            mask = _alone(build_mask(plan.rule, plan.options, plan.facts, key))
        folded = plan.facts.case_insensitive and not found.folds
        simply = not (reads or masked or found.people or folded or codec is not None)
        build = found.build_column if simply else None
        at_once = build(parameters, plan.facts, key) if build is not None else None
        if folded:
            mask = _folded(mask)
        return _Case(
            plan,
            mask if codec is None else functools.partial(_elements, codec, mask),
            tuple(map(self._index, reads)),
            tuple(self._names[name] for name in masked),
            found.partial,
            found.searchable,
            at_once,
        )

    def _index(self, reading: Reading) -> int:
        """Return where in a block something lies; what the table itself has is not read again."""
        if isinstance(reading, Beside) and reading.parent is None and reading.column in self._names:
            return self._names[reading.column]
        if reading not in self.extras:
            self.extras.append(reading)
        return len(self._plan.columns) + self.extras.index(reading)


def _nothing(_value: str, _beside: Sequence[str | None]) -> str | None:
    raise AssertionError


def _alone(mask: Callable[[str], str | None]) -> RowMask:
    return lambda value, _beside: mask(value)


def _folded(mask: RowMask) -> RowMask:
    """Return a mask for a column that takes upper and lower case for the same (citext)."""
    return lambda value, beside: mask(value.casefold(), beside)


def _elements(
    codec: ElementCodec, mask: RowMask, value: str, beside: tuple[str | None, ...]
) -> str:
    return codec.map(value, lambda element: mask(element, beside))


def _element_leaves(codec: ElementCodec, value: str) -> list[str]:
    return [leaf for element in codec.leaves(value) for leaf in leaves_of(element)]


def _apply_at_once(
    column: _Column, case: _Case, at_once: ColumnMask, values: pl.Series
) -> pl.Series:
    """Mask different values: those that are usual ones together, all others one by one."""
    made, holds = at_once(values)
    every = holds.all()
    done, fakes = (values, made) if every else (values.filter(holds), made.filter(holds))
    if case.searchable:
        column.originals.add_many(done, case.plan.rule)
        if not case.partial and (same := done.eq_missing(fakes)).any():
            echoed = done.filter(same)
            column.echoes += sum(any(map(words, column.leaves(value))) for value in echoed)
    if every:
        return made
    rest = pl.Series([_apply(column, case, v, ()) for v in values.filter(~holds)], dtype=pl.String)
    return put(made, ~holds, rest)


def _apply(column: _Column, case: _Case, value: str, beside: tuple[str | None, ...]) -> str | None:
    place = (value, beside)
    try:
        return case.known[place]
    except KeyError:
        pass
    try:
        result = case.mask(value, beside)
    except Exception as error:  # noqa: BLE001 - a mask's own words may hold the value
        raise _Unfit(value, type(error).__name__) from None
    if case.searchable:
        leaves = column.leaves(value)
        for leaf in leaves:
            column.originals.add(leaf, case.plan.rule)
        column.echoes += result == value and not case.partial and any(map(words, leaves))
    if len(case.known) >= CACHE:
        case.known.clear()
    case.known[place] = result
    return result
