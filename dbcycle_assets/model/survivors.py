"""Finding what should be gone: keyed digests of originals, and the search for them in output.

An original is kept only as a keyed digest of a *mark*: an e-mail address, the digits of a phone
number, a name or phrase of up to six words, or a whole value. Output text is taken apart into the
same marks, whatever its type, and every mark is looked up. Mask and search share no list of types.
"""

import itertools
import json
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..anonymizers.base import Key, Mask

NAMES = frozenset({"first_name", "last_name", "full_name", "username"})
"""Rules whose originals are searched word for word, single words included."""

PHRASES = frozenset({"street_address", "company"})
"""Rules whose originals are searched as phrases of two words or more."""

LONGEST_PHRASE = 6
SHORTEST_WHOLE = 8
_SHORTEST_NAME = 3
_MOST_WORDS = 1_000_000
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile(r"[0-9a-z]+")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:{}\[\]]+@[^\s@<>\"'(),;:{}\[\]]+\.[^\s@<>\"'(),;:{}\[\].]+")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().\-/]{5,20}\d(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PHONE_DIGITS = range(7, 16)
_DIGITS_ENOUGH = re.compile(r"\d(?:\D*\d){6}")


def words(text: str) -> list[str]:
    """Return the words of a text, folded so that case and compatibility forms do not matter."""
    if text.isascii():  # most texts are, and they are their own compatibility form
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _contacts(text: str) -> Iterator[str]:
    """Yield the marks of e-mail addresses and phone numbers found anywhere in a text."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield "@" + match.group().casefold().strip(".")
    if _DIGITS_ENOUGH.search(text) is None:
        return
    for match in _PHONE.finditer(_DATE.sub(" ", text)):
        digits = "".join(filter(str.isdigit, match.group()))
        if len(digits) in _PHONE_DIGITS:
            yield "#" + digits


def _named(word: str) -> bool:
    return not word.isdigit() and (len(word) >= _SHORTEST_NAME or not word.isascii())


def marks_of_original(value: str, rule: str) -> set[str]:
    """Return the marks by which an original of a rule would be recognised; may be empty."""
    marks = set(_contacts(value))
    if rule == "scrub" or (marks and rule in {"email", "phone"}):
        return marks
    parts = words(value)
    phrase = " ".join(parts)
    whole = len(phrase) >= SHORTEST_WHOLE
    if rule in NAMES and len(parts) <= LONGEST_PHRASE:
        if len(parts) > 1 or (parts and _named(parts[0])):
            marks.add("w" + phrase)
    elif rule in PHRASES and 1 < len(parts) <= LONGEST_PHRASE and whole:
        marks.add("w" + phrase)
    elif whole and (len(parts) > 2 or any(map(str.isdigit, phrase))):  # noqa: PLR2004
        marks.add("t" + phrase)
    return marks


class Originals:
    """The keyed digests of one column's originals, eight bytes each."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self.digests: set[bytes] = set()
        self.kept: set[bytes] = set()
        self.values = 0
        self.unsearchable = 0

    def add(self, value: str, rule: str) -> None:
        """Take in one original value of a column with that rule."""
        self.values += 1
        marks = marks_of_original(value, rule)
        if not marks:
            self.unsearchable += 1
        for mark in marks:
            self.digests.add(mark_digest(self._key, mark))
            if mark[0] == "w":
                self.digests.add(mark_digest(self._key, "f" + mark[1:].split(" ", 1)[0]))

    def keep(self, value: str) -> None:
        """Take in a value that a condition of the column's rule keeps."""
        self.kept.add(kept_digest(self._key, value))


def kept_digest(key: Key, value: str) -> bytes:
    """Return the eight bytes under which a value that a condition keeps is known."""
    return mark_digest(key, "k" + " ".join(words(value)))


def mark_digest(key: Key, mark: str) -> bytes:
    """Return the eight bytes under which a mark is kept."""
    return key.digest("survivor", mark, 8)


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


class Search:
    """Looks texts up among the originals of the whole database."""

    def __init__(self, key: Key, originals: Mapping[tuple[str, str], Iterable[bytes]]) -> None:
        self._key = key
        self._columns = list(originals)
        self._owner: dict[bytes, int] = {}
        for index, digests in enumerate(originals.values()):
            for digest in digests:
                self._owner.setdefault(digest, index)
        self._starts = _Starts(key, self._owner)

    def __len__(self) -> int:
        return len(self._owner)

    def hits(
        self, text: str, vocabulary: frozenset[str] = frozenset(), *, shortest: int = 1
    ) -> set[tuple[str, str]]:
        """Return the (table, column) of every original found in one text.

        Marks made only of words of ``vocabulary`` are left out: the mask emits them whatever it
        reads. Names of fewer words than ``shortest`` are not looked for.
        """
        found = self._found(text, vocabulary, shortest)
        return {self._columns[self._owner[digest]] for digest in found}

    def _found(self, text: str, vocabulary: frozenset[str], shortest: int) -> Iterator[bytes]:
        for mark in _contacts(text):
            yield from self._known(mark)
        parts, starts = words(text), self._starts
        for start in [index for index, word in enumerate(parts) if starts[word]]:
            for end in range(start + shortest, min(len(parts), start + LONGEST_PHRASE) + 1):
                phrase = parts[start:end]
                if not vocabulary.issuperset(phrase):
                    yield from self._known("w" + " ".join(phrase))
        phrase_of_all = " ".join(parts)
        if len(phrase_of_all) >= SHORTEST_WHOLE and not vocabulary.issuperset(parts):
            yield from self._known("t" + phrase_of_all)

    def _known(self, mark: str) -> Iterator[bytes]:
        if (digest := mark_digest(self._key, mark)) in self._owner:
            yield digest


class _Starts(dict[str, bool]):
    """Whether a word begins a known name: each word is hashed once, while there is room."""

    def __init__(self, key: Key, known: Container[bytes]) -> None:
        super().__init__()
        self._key = key
        self._digests = known

    def __missing__(self, word: str) -> bool:
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = self[word] = mark_digest(self._key, "f" + word) in self._digests
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
        self._masks: dict[bytes, Mask] = {}

    def add(self, digests: Iterable[bytes], mask: Mask) -> None:
        """Know the originals of a column, as digests, and the mask of that column."""
        for digest in digests:
            self._masks.setdefault(digest, mask)

    def replace(self, text: str) -> str:
        """Return the text with every known name replaced; the longest one counts."""
        found = list(_WORD.finditer(text))
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
