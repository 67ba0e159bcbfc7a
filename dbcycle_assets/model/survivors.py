"""Finding what should be gone: keyed digests of originals, and the search for them in output.

An original is kept only as keyed digests of its *marks*. Output text is taken apart into the same
marks, whatever its type, and every mark is looked up. Mask and search share no list of types.
"""

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from ..anonymizers.base import Key, Mask
from ..anonymizers.columns import put
from . import mark_columns, marks
from .marks import KINDS, LONGEST_PHRASE, SHORTEST_WHOLE, WORD, contacts, mark_digest, words

_MOST_WORDS = 1_000_000
_PENDING = 1 << 21
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
        """Take in many different originals: plain ones as columns, all others one by one."""
        found, read, unsearchable = mark_columns.marks_of_originals(values, rule)
        for value in values.filter(~read):
            self.add(value, rule)
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
        if self._pending > _PENDING:
            self._found = [sorted_once(self._found)]
            self._pending = 0
            if self._runs is not None and len(self._found[0]) > _PENDING >> 1:
                self._runs.add(self._found.pop())

    def parts(self) -> Iterator[Digests]:
        """Yield the digests of all marks so far, in order and each once, some at a time."""
        runs = [*(self._runs.all() if self._runs is not None else ())]
        runs.append(sorted_once([*self._found, _array(self._single)]))
        pieces = max(1, -(-sum(map(len, runs)) // _PENDING))
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


class Known:
    """The digests of many columns: which numbers are among them, and whose."""

    def __init__(self, columns: Sequence[Digests]) -> None:
        self._columns = [digests for digests in columns if len(digests)]
        self._places = [place for place, digests in enumerate(columns) if len(digests)]
        total = sum(map(len, self._columns))
        # One bit for each value of the first bits: few other numbers fall on one that is set.
        self._shift = np.uint64(64 - max(16, (total << 4).bit_length()))
        self._bits = np.zeros((1 << int(64 - self._shift)) >> 3, dtype=np.uint8)
        for digests in self._columns:
            for start in range(0, len(digests), _PENDING):
                place = digests[start : start + _PENDING] >> self._shift
                bit = (1 << (place & np.uint64(7))).astype(np.uint8)
                np.bitwise_or.at(self._bits, place >> np.uint64(3), bit)

    def __len__(self) -> int:
        return sum(map(len, self._columns))

    def among(self, numbers: np.ndarray) -> np.ndarray:
        """Tell which numbers are among the digests."""
        place = numbers >> self._shift
        found = (self._bits[place >> np.uint64(3)] >> (place & np.uint64(7)).astype(np.uint8)) & 1
        found = found.astype(bool)
        if found.any():
            few = numbers[found]
            found[found] = np.logical_or.reduce([_within(few, each) for each in self._columns])
        return np.asarray(found)

    def owner(self, number: int) -> int | None:
        """Return the first column that has a number, or None."""
        place = number >> int(self._shift)
        if not self._bits[place >> 3] >> (place & 7) & 1:
            return None
        one = np.array([number], dtype=np.uint64)
        for place, digests in zip(self._places, self._columns, strict=True):
            if _within(one, digests)[0]:
                return place
        return None


def _within(numbers: np.ndarray, digests: Digests) -> np.ndarray:
    """Tell which numbers are among sorted ones."""
    at = np.searchsorted(digests, numbers)
    return np.asarray(digests[np.minimum(at, len(digests) - 1)] == numbers)


def known_original(key: Key, digests: Digests, value: str, rule: str) -> bool:
    """Tell whether a value is one of the originals of a column with that rule."""
    found = [mark_digest(key, mark) for mark in marks.marks_of_original(value, rule)]
    return bool(found) and bool(_within(np.array(found, dtype=np.uint64), digests).all())


class Search:
    """Looks texts up among the originals of the whole database."""

    def __init__(
        self,
        key: Key,
        originals: Mapping[tuple[str, str], Digests],
        kinds: Iterable[str] = KINDS,
    ) -> None:
        self._key = key
        self._columns = list(originals)
        self._known = Known(list(originals.values()))
        self._kinds = frozenset(kinds)
        self._starts = _Starts(key, self._known)

    def __len__(self) -> int:
        return len(self._known)

    def hits(
        self, text: str, vocabulary: frozenset[str] = frozenset(), *, shortest: int = 1
    ) -> set[tuple[str, str]]:
        """Return the (table, column) of every original found in one text.

        Marks made only of words of ``vocabulary`` are left out: the mask emits them whatever it
        reads. Names of fewer words than ``shortest`` are not looked for.
        """
        return {self._columns[owner] for owner in self._found(text, vocabulary, shortest)}

    def suspects(self, values: pl.Series) -> pl.Series:
        """Tell for which of many different texts :meth:`hits` must look: for all others it would
        find nothing.
        """
        suspect = ~mark_columns.plain(values)
        if "@" in self._kinds:
            suspect |= values.str.contains("@", literal=True) & ~self._free_of_addresses(values)
        if "#" in self._kinds:
            digits, whole, likely = mark_columns.numbers(values)
            suspect = self._or_known(suspect | (likely & ~whole), "#", digits, whole)
        if not self._kinds & {"f", "t"}:
            return suspect
        phrase = mark_columns.phrases(values)
        if "f" in self._kinds:
            suspect |= self._begun(phrase)
        if "t" in self._kinds:
            long = phrase.str.len_bytes() >= SHORTEST_WHOLE
            suspect = self._or_known(suspect, "t", phrase.filter(long), long)
        return suspect

    def _free_of_addresses(self, values: pl.Series) -> pl.Series:
        """Tell which values are one address and nothing else, and no original."""
        mark, whole = mark_columns.addresses(values)
        known = self._or_known(whole & False, "@", mark, whole)
        return whole & ~known

    def _begun(self, phrase: pl.Series) -> pl.Series:
        """Tell which phrases have a word that begins a known name."""
        split = phrase.str.split(" ")
        begins = self._known.among(mark_columns.mark_digests(self._key, "f", split.explode()))
        found = np.zeros(len(phrase), dtype=bool)
        if begins.any():
            rows = np.repeat(np.arange(len(phrase)), split.list.len().to_numpy())
            found[rows[begins]] = True
        return pl.Series(found)

    def _are_known(self, kind: str, texts: pl.Series) -> pl.Series:
        return pl.Series(self._known.among(mark_columns.mark_digests(self._key, kind, texts)))

    def _or_known(
        self, suspect: pl.Series, kind: str, texts: pl.Series, rows: pl.Series
    ) -> pl.Series:
        """Return ``suspect``, and of ``rows`` those whose mark of that kind is known."""
        if texts.is_empty() or kind not in self._kinds:
            return suspect
        known = self._are_known(kind, texts)
        return put(suspect, rows, suspect.filter(rows) | known)

    def _found(self, text: str, vocabulary: frozenset[str], shortest: int) -> Iterator[int]:
        for mark in contacts(text):
            yield from self._owner(mark)
        parts, starts = words(text), self._starts
        for start in [index for index, word in enumerate(parts) if starts[word]]:
            for end in range(start + shortest, min(len(parts), start + LONGEST_PHRASE) + 1):
                phrase = parts[start:end]
                if not vocabulary.issuperset(phrase):
                    yield from self._owner("w" + " ".join(phrase))
        phrase_of_all = " ".join(parts)
        if len(phrase_of_all) >= SHORTEST_WHOLE and not vocabulary.issuperset(parts):
            yield from self._owner("t" + phrase_of_all)

    def _owner(self, mark: str) -> Iterator[int]:
        if (owner := self._known.owner(mark_digest(self._key, mark))) is not None:
            yield owner


class _Starts(dict[str, bool]):
    """Whether a word begins a known name: each word is hashed once, while there is room."""

    def __init__(self, key: Key, known: Known) -> None:
        super().__init__()
        self._key = key
        self._known = known

    def __missing__(self, word: str) -> bool:
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = self._known.owner(mark_digest(self._key, "f" + word)) is not None
        self[word] = found
        return found


def json_leaves(document: object) -> Iterator[str]:
    """Yield every string and number of a JSON document, and its keys of more than a word."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if len(words(str(key))) > 1:
                yield str(key)
            yield from json_leaves(value)
    elif isinstance(document, list):
        yield from itertools.chain.from_iterable(map(json_leaves, document))
    elif isinstance(document, str):
        yield document
    elif document is not None and not isinstance(document, bool):
        yield str(document)


def leaves_of(value: str) -> list[str]:
    """Return the texts inside one value in text form: JSON leaves, decoded bytes, or itself."""
    if value[:2] == "\\x":
        try:
            decoded = bytes.fromhex(value[2:])
        except ValueError:
            return [value]
        # Prose inside binary formats is rare but real; the undecodable rest carries no words.
        return [decoded.decode("utf-8", "ignore")]
    if value[:1] in '{["' and value[-1:] in '}]"':
        try:
            return list(json_leaves(json.loads(value)))
        except (ValueError, RecursionError):
            return [value]
    return [value]


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
