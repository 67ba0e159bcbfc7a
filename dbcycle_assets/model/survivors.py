"""Finding what should be gone: keyed digests of originals, and the search for them in output.

An original is kept only as keyed digests of its *marks*. Output text is taken apart into the same
marks, whatever its type, and every mark is looked up. Mask and search share no list of types.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from ..anonymizers.base import Key, Mask
from . import mark_columns, marks
from .marks import LONGEST_PHRASE, WORD, mark_digest, words

PENDING = 1 << 21
"""How many digests are gathered before they are sorted and what is double is left out."""
_SINGLE = 1 << 17
"""How many digests of single values are gathered before they join the others."""

Digests = np.ndarray
"""Digests of marks: uint64, sorted, each once."""


class Runs(Protocol):
    """Where digests go that are too many for memory: each run is sorted, and has each once."""

    def add(self, run: Digests) -> None:
        """Put a run away."""

    def all(self) -> list[Digests]:
        """Return the runs; what is not looked at takes no memory."""


class Originals:
    """The keyed digests of one column's originals, eight bytes each; with ``runs`` in bounded
    memory, however many they are.
    """

    def __init__(self, key: Key, runs: Runs | None = None) -> None:
        self._key = key
        self._runs = runs
        self._found: list[Digests] = []
        self._pending = 0
        self._single: set[int] = set()
        self.kept: set[int] = set()
        self.values = 0
        self.unsearchable = 0
        self.kinds: set[str] = set()

    def add(self, value: str, rule: str) -> None:
        """Take in one original value of a column with that rule."""
        self.values += 1
        found = marks.marks_of_original(value, rule)
        self.unsearchable += not found
        for mark in found:
            self.kinds.add(mark[0])
            self._single.add(mark_digest(self._key, mark))
            if mark[0] == "w":
                self.kinds.add("f")
                self._single.add(mark_digest(self._key, "f" + mark[1:].split(" ", 1)[0]))
        if len(self._single) > _SINGLE:
            self._gather(_array(self._single))
            self._single.clear()

    def add_many(self, values: pl.Series, rule: str) -> None:
        """Take in many different originals: plain ones as columns, each text inside all others by
        itself.
        """
        found, read, unsearchable = mark_columns.marks_of_originals(values, rule)
        for value in values.filter(~read):
            for leaf in marks.leaves_of(value):
                self.add(leaf, rule)
        self.values += int(read.sum())
        self.unsearchable += unsearchable
        for kind, texts in found:
            if len(texts):
                self.kinds.add(kind)
                self._gather(mark_columns.mark_digests(self._key, kind, texts))

    def take(self, digests: Digests, kinds: Iterable[str]) -> None:
        """Take in the digests of marks of these kinds, which were made of other rows."""
        self._gather(digests)
        self.kinds.update(kinds)

    def _gather(self, digests: Digests) -> None:
        self._found.append(digests)
        self._pending += len(digests)
        if self._pending > PENDING:
            self._found = [sorted_once(self._found)]
            self._pending = 0
            if self._runs is not None and len(self._found[0]) > PENDING >> 1:
                self._runs.add(self._found.pop())

    def parts(self) -> Iterator[Digests]:
        """Yield the digests of all marks so far, in order and each once, some at a time."""
        runs = [*(self._runs.all() if self._runs is not None else ())]
        runs.append(sorted_once([*self._found, _array(self._single)]))
        pieces = max(1, -(-sum(map(len, runs)) // PENDING))
        edges = [(number << 64) // pieces for number in range(1, pieces)]
        cuts = [np.searchsorted(run, np.array(edges, dtype=np.uint64)) for run in runs]
        for piece in range(pieces):
            yield sorted_once(
                [
                    run[cut[piece - 1] if piece else 0 : cut[piece] if edges[piece:] else None]
                    for run, cut in zip(runs, cuts, strict=True)
                ]
            )

    @property
    def digests(self) -> Digests:
        """The digests of all marks so far."""
        return np.concatenate(list(self.parts()))

    def keep(self, value: str) -> None:
        """Take in a value that a condition of the column's rule keeps."""
        self.kept.add(kept_digest(self._key, value))


def _array(numbers: Collection[int]) -> Digests:
    return np.fromiter(numbers, dtype=np.uint64, count=len(numbers))


def sorted_once(arrays: Sequence[Digests]) -> Digests:
    """Return the numbers of some arrays as one, sorted and each once."""
    found = np.concatenate(arrays)
    found.sort()
    return found[np.concatenate([[True], found[1:] != found[:-1]])] if len(found) else found


def kept_digest(key: Key, value: str) -> int:
    """Return the 64 bits under which a value that a condition keeps is known."""
    return mark_digest(key, "k" + " ".join(words(value)))


@dataclass
class Coverage:
    """What a search looked at; ``leaves`` are single texts: values, array elements, JSON leaves."""

    tables: int = 0
    columns: int = 0
    rows: int = 0
    leaves_compared: int = 0
    leaves_skipped: int = 0
    skipped_reasons: dict[str, int] = field(default_factory=dict)
    coincidences: int = 0
    by_place: dict[str, int] = field(default_factory=dict)
    """Leaves compared in extracts, database, schema and records."""

    def compare(self, place: str, leaves: int) -> None:
        """Count leaves that were searched."""
        self.leaves_compared += leaves
        self.by_place[place] = self.by_place.get(place, 0) + leaves

    def add(self, other: "Coverage") -> None:
        """Add what another search looked at."""
        self.tables += other.tables
        self.columns += other.columns
        self.rows += other.rows
        self.coincidences += other.coincidences
        for place, leaves in other.by_place.items():
            self.compare(place, leaves)
        for reason, leaves in other.skipped_reasons.items():
            self.skip(reason, leaves)

    def skip(self, reason: str, leaves: int) -> None:
        """Count leaves that carry nothing to search."""
        self.leaves_skipped += leaves
        self.skipped_reasons[reason] = self.skipped_reasons.get(reason, 0) + leaves


@dataclass(frozen=True)
class Survivor:
    """An original of ``table.column`` found in ``found_in`` (``table.column``) ``count`` times."""

    table: str
    column: str
    found_in: str
    count: int


class Names:
    """Replaces known names in a text, each by what it becomes in the column it comes from."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._masks: dict[int, Mask] = {}

    def add(self, digests: Digests, mask: Mask) -> None:
        """Know the originals of a column, as digests, and the mask of that column."""
        for digest in digests.tolist():
            self._masks.setdefault(digest, mask)

    def replace(self, text: str) -> str:
        """Return the text with every known name replaced; the longest one counts."""
        found = list(WORD.finditer(text))
        folded = [" ".join(words(match.group())) for match in found]
        made: list[str] = []
        at = done = 0
        while at < len(found):
            length, mask = self._longest(folded, at)
            if mask is None:
                at += 1
                continue
            start, end = found[at].start(), found[at + length - 1].end()
            made += [text[done:start], mask(text[start:end]) or ""]
            done = end
            at += length
        return "".join([*made, text[done:]])

    def _longest(self, folded: Sequence[str], at: int) -> tuple[int, Mask | None]:
        if mark_digest(self._key, "f" + folded[at]) in self._masks:
            for length in range(min(LONGEST_PHRASE, len(folded) - at), 0, -1):
                phrase = "w" + " ".join(folded[at : at + length])
                if (mask := self._masks.get(mark_digest(self._key, phrase))) is not None:
                    return length, mask
        return 1, None
