"""Cutting names into words: camelCase, snake_case, joined words, prefixes and abbreviations."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from .lexicon import phrases
from .nouns import CATALOGUE, FLAGS, NEUTRAL, ORGANISATIONS, PERSONS, QUALIFIERS, RECORDS, THINGS
from .shorthand import SHORTHAND, UNMISTAKABLE, abbreviations

_SHORTEST_PART = 3
_SHORTEST_JOINED = 6
_MOST_PARTS = 5
_PREFIX_SHARE = 0.6
_FEWEST_COLUMNS = 4
_LONGEST_PHRASE = 4


def plain(text: str) -> str:
    """Return a text in lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ı", "i"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@functools.cache
def _vocabulary() -> frozenset[str]:
    words = {word for phrase in phrases() for word in phrase}
    words |= QUALIFIERS | PERSONS | ORGANISATIONS | THINGS | RECORDS | CATALOGUE | NEUTRAL | FLAGS
    words |= set(abbreviations())
    return frozenset(words)


@functools.cache
def _parts(word: str) -> tuple[str, ...]:  # noqa: PLR0911 - a table of cases
    """Return the known words that a joined word is made of, or the word."""
    if word in _vocabulary() or len(word) < _SHORTEST_JOINED:
        return (word,)
    if word.endswith("s") and word[:-1] in _vocabulary():
        return (word[:-1],)
    # German spelt without umlauts, and its short numbers: `staatsangehoerigkeit`, `handynr`.
    flat = word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    if flat in _vocabulary():
        return (flat,)
    if word.endswith("nr") and word[:-2] in _vocabulary():
        return (word[:-2], "number")
    if word.endswith(("id", "pw")) and word[:-2] in _vocabulary():
        return (word[:-2], word[-2:])
    if word.endswith("ip") and (base := _split(word[:-2], _MOST_PARTS)):
        return (*base, "ip")
    return _split(word, _MOST_PARTS) or _around(word)


def _around(word: str) -> tuple[str, ...]:
    """Return a word as an unmistakable one and the rest, or as it is: `emailpro`, `altphone`."""
    for known in UNMISTAKABLE:
        if word.startswith(known):
            return (known, word[len(known) :])
        if word.endswith(known):
            return (word[: -len(known)], known)
    return (word,)


def _split(word: str, most: int) -> tuple[str, ...] | None:
    for known in (word, word.removesuffix("s")):
        if len(word) >= _SHORTEST_PART and known in _vocabulary():
            return (known,)
    if most == 1:
        return None
    for end in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
        head = word[:end]
        base = head[:-1] if head.endswith("s") and head not in _vocabulary() else head
        if base in _vocabulary() and (rest := _split(word[end:], most - 1)):
            return (base, *rest)
    return None


def raw_words(name: str) -> tuple[str, ...]:
    """Return the words of a name as they stand, lower case and without accents and digits."""
    name = re.sub(r"Do([BD])(?![a-z])", lambda m: f"Do{m.group(1).lower()}", name)
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[^\W\d_]+", plain(spaced).casefold()))


@functools.cache
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name, joined words apart and abbreviations written out; at least one,
    whatever the name is made of.
    """
    found: list[str] = []
    for raw in raw_words(name):
        for part in _parts(raw):
            found += abbreviations().get(part, [part])
    while len(found) > 1 and found[0] in SHORTHAND:
        del found[0]
    return tuple(word for word in found if word not in SHORTHAND) or tuple(found) or ("unnamed",)


@functools.cache
def singular(word: str) -> str:
    """Return an English plural's singular, other words as they are."""
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def any_of(words: Iterable[str], kinds: frozenset[str]) -> bool:
    """Tell whether one of the words, or its singular, is of a kind."""
    return any(
        word in kinds or singular(word) in kinds or word.removesuffix("es") in kinds
        for word in words
    )


def ending(word: str, known: frozenset[str]) -> str:
    """Return the longest known ending of a word that is not known itself, or the word."""
    for start in range(1, len(word) - _SHORTEST_PART):
        if word[start:] in known or singular(word[start:]) in known:
            return word[start:]
    return word


def affixes(names: Iterable[str]) -> frozenset[str]:
    """Return the words that most columns of a table begin or end with: they say nothing."""
    cut = [words for name in names if len(words := raw_words(name)) > 1]
    total = sum(1 for _ in cut)
    if total < _FEWEST_COLUMNS:
        return frozenset()
    first, last = Counter(w[0] for w in cut), Counter(w[-1] for w in cut)
    return frozenset(
        word
        for tally in (first, last)
        for word, times in tally.items()
        if times >= _PREFIX_SHARE * total and word not in NEUTRAL
    )


def matches(words: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Return the known phrases in some words as (start, end, class), left to right."""
    known = phrases()
    found: list[tuple[int, int, str]] = []
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST_PHRASE), start, -1):
            phrase = words[start:end]
            klass = known.get(phrase) or known.get((*phrase[:-1], singular(phrase[-1])))
            if klass:
                found.append((start, end, klass))
                start = end
                break
        else:
            start += 1
    return found
