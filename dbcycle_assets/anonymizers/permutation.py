"""Keyed permutations without fixed points: injective, so that what was unique stays unique."""

import hashlib
import math
import string
from collections.abc import Callable, Sequence

from .base import Key

ROUNDS = 8
REMEMBERED = 12
"""Halves of so many bits have few enough round values to remember them all."""
_SHAPES = 64
"""The shapes whose permutations are remembered, so that a million shapes fill no memory."""
_DRAWN = 128
"""The bits of one keyed number."""


class Permutation:
    """A pseudo-random permutation of ``range(size)`` that maps no number to itself.

    A Feistel network on the next power of four with cycle walking (Black and Rogaway, *Ciphers
    with Arbitrary Finite Domains*, 2002), conjugated with a shift: ``p⁻¹(p(x) + s)`` has no fixed
    point for any ``s`` that ``size`` does not divide.
    """

    def __init__(self, key: Key, domain: str, size: int) -> None:
        self._key = key
        self._domain = f"{domain}/{size}"
        self._size = size
        self._half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._shift = 1 + key.number(self._domain, "shift") % max(1, size - 1)
        self._rounds: dict[int, int] = {}

    def __call__(self, number: int) -> int:
        """Return the image of ``number``, which lies in ``range(size)``."""
        if self._size < 2:  # noqa: PLR2004 - nothing to permute
            return number
        moved = (self._walk(number, forward=True) + self._shift) % self._size
        return self._walk(moved, forward=False)

    def _walk(self, number: int, *, forward: bool) -> int:
        number = self._feistel(number, forward=forward)
        while number >= self._size:
            number = self._feistel(number, forward=forward)
        return number

    def _feistel(self, number: int, *, forward: bool) -> int:
        left, right = number >> self._half, number & self._mask
        for step in range(ROUNDS) if forward else reversed(range(ROUNDS)):
            if forward:
                left, right = right, left ^ self._round(step, right)
            else:
                left, right = right ^ self._round(step, left), left
        return left << self._half | right

    def _round(self, step: int, half: int) -> int:
        if self._half > REMEMBERED:
            return self._drawn(step, half)
        place = step << self._half | half
        found = self._rounds.get(place)
        if found is None:
            found = self._rounds[place] = self._drawn(step, half)
        return found

    def _drawn(self, step: int, half: int) -> int:
        if self._half <= _DRAWN:
            return self._key.number(self._domain, f"{step}:{half}") & self._mask
        # A round that is narrower than the half would leave the rest of a long text as it is.
        seed = self._key.digest(self._domain, f"{step}:{half:x}", 64)
        wide = hashlib.shake_256(seed).digest((self._half + 7) // 8)
        return int.from_bytes(wide, "big") & self._mask


class Mixed:
    """Permutes tuples of numbers, each below a radix of its own, as one number."""

    def __init__(self, key: Key, domain: str, radices: Sequence[int]) -> None:
        self._radices = tuple(radices)
        self._permute = Permutation(key, f"{domain}/{self._radices}", math.prod(self._radices))

    def __call__(self, places: Sequence[int]) -> list[int]:
        """Return other numbers below the same radices; never the same ones."""
        number = 0
        for radix, place in zip(self._radices, places, strict=True):
            number = number * radix + place
        number = self._permute(number)
        made = []
        for radix in reversed(self._radices):
            number, place = divmod(number, radix)
            made.append(place)
        return made[::-1]


class Digits:
    """Permutes strings of digits, each length among itself."""

    def __init__(self, key: Key, domain: str) -> None:
        self._key = key
        self._domain = domain
        self._known: dict[int, Permutation] = {}

    def __call__(self, digits: str) -> str:
        """Return as many digits, never the same ones (an empty string stays empty)."""
        width = len(digits)
        if not width:
            return digits
        found = self._known.get(width)
        if found is None:
            found = self._known[width] = Permutation(self._key, self._domain, 10**width)
        return str(found(int(digits))).zfill(width)


ALPHABETS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)


class Codes:
    """Permutes texts of one shape among themselves: digits, capitals and small letters keep their
    places, and what is neither stays; never the same text.
    """

    def __init__(self, key: Key, domain: str, alphabets: Sequence[str] = ALPHABETS) -> None:
        self._key = key
        self._domain = domain
        self._alphabets = tuple(alphabets)
        self._of = {char: alphabet for alphabet in self._alphabets for char in alphabet}
        self._known: dict[tuple[int, ...], Mixed] = {}

    def __call__(self, text: str) -> str:
        """Return another text of the same shape (a blank one stays).

        Raises:
            ValueError: the text has nothing to permute, or letters and digits of other scripts.
        """
        places = [index for index, char in enumerate(text) if char in self._of]
        if any(char.isalnum() and char not in self._of for char in text):
            message = "a letter or digit that the rule does not know"
            raise ValueError(message)
        if not places:
            return blank(text)
        radices = tuple(len(self._of[text[index]]) for index in places)
        mixed = self._known.get(radices)
        if mixed is None:
            if len(self._known) >= _SHAPES:
                self._known.clear()
            mixed = self._known[radices] = Mixed(self._key, self._domain, radices)
        made = list(text)
        fresh = mixed([self._of[text[index]].index(text[index]) for index in places])
        for index, place in zip(places, fresh, strict=True):
            made[index] = self._of[text[index]][place]
        return "".join(made)


def blank(text: str) -> str:
    """Return a text that holds nothing.

    Raises:
        ValueError: it holds something, which no rule may let through.
    """
    if text.strip():
        message = "nothing that the rule could read"
        raise ValueError(message)
    return text


def walk(permute: Callable[[str], str], text: str, allowed: Callable[[str], bool]) -> str:
    """Return the next allowed text on the cycle of a permutation: injective on allowed texts."""
    made = permute(text)
    while not allowed(made):
        made = permute(made)
    return made
