"""Looking texts up among the originals of a whole database, one by one or a column at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from ..anonymizers.base import Key
from ..anonymizers.columns import put
from . import mark_columns, marks
from .marks import KINDS, LONGEST_PHRASE, SHORTEST_WHOLE, contacts, mark_digest, words
from .survivors import PENDING, Digests

_MOST_WORDS = 1_000_000


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
            for start in range(0, len(digests), PENDING):
                place = digests[start : start + PENDING] >> self._shift
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
