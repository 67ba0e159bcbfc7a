"""Keyed permutations without fixed points: injective, so that what was unique stays unique."""

import hashlib
import math
import string
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .base import WIDTH, Key

if TYPE_CHECKING:
    import numpy as np

ROUNDS = 8
REMEMBERED = 12
"""Halves of so many bits have few enough round values to remember them all."""
_SHAPES = 64
"""The shapes whose permutations are remembered, so that a million shapes fill no memory."""
_DRAWN = 8 * WIDTH // ROUNDS
"""The bits that one digest has for each round."""
_TABLE = 20
"""Halves of at most so many bits have so few digests that a table of all of them is worth it."""


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
        if key.backward:
            self._shift = size - self._shift
        self._rounds: dict[int, bytes] = {}
        self._table: np.ndarray | None = None

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
        """Return what a round adds: pseudo-random bits that its half and its number decide."""
        if self._half > _DRAWN:
            # A round that is narrower than the half would leave the rest of a long text as it is.
            seed = self._key.digest(self._domain, f"{step}:{half:x}", 64)
            wide = hashlib.shake_256(seed).digest((self._half + 7) // 8)
            return int.from_bytes(wide, "big") & self._mask
        drawn = self._rounds.get(half)
        if drawn is None:
            drawn = self._key.digest(self._domain, str(half), WIDTH)
            if self._half <= REMEMBERED:
                self._rounds[half] = drawn
        size = _DRAWN // 8
        return int.from_bytes(drawn[size * step : size * (step + 1)], "big") & self._mask

    # --- many numbers at once -------------------------------------------------------------------

    def many(self, numbers: "np.ndarray") -> "np.ndarray | None":
        """Return the images of many numbers (uint64), or None where they are too large for that."""
        import numpy as np

        if self._size >= 1 << 62 or self._half > _DRAWN:
            return None
        if self._size < 2:  # noqa: PLR2004 - nothing to permute
            return numbers
        moved = self._walk_many(numbers, forward=True) + np.uint64(self._shift)
        return self._walk_many(moved % np.uint64(self._size), forward=False)

    def _walk_many(self, numbers: "np.ndarray", *, forward: bool) -> "np.ndarray":
        made = self._feistel_many(numbers, forward=forward)
        while (outside := made >= self._size).any():
            made[outside] = self._feistel_many(made[outside], forward=forward)
        return made

    def _feistel_many(self, numbers: "np.ndarray", *, forward: bool) -> "np.ndarray":
        import numpy as np

        left, right = numbers >> np.uint64(self._half), numbers & np.uint64(self._mask)
        for step in range(ROUNDS) if forward else reversed(range(ROUNDS)):
            if forward:
                left, right = right, left ^ self._rounds_many(step, right)
            else:
                left, right = right ^ self._rounds_many(step, left), left
        return left << np.uint64(self._half) | right

    def _rounds_many(self, step: int, halves: "np.ndarray") -> "np.ndarray":
        import numpy as np

        if self._table is None and self._half <= _TABLE and len(halves) << 6 >= 1 << self._half:
            self._table = self._drawn_many(np.arange(1 << self._half, dtype=np.uint64))
        if self._table is not None:
            drawn = np.asarray(self._table[step][halves])
        else:
            different, places = np.unique(halves, return_inverse=True)
            drawn = self._drawn_many(different)[step][places]
        return np.asarray(drawn.astype(np.uint64) & np.uint64(self._mask))

    def _drawn_many(self, halves: "np.ndarray") -> "np.ndarray":
        """Return for each round what it adds to each of the halves, before it is cut to size."""
        import numpy as np
        import polars as pl

        digests = self._key.digests(self._domain, pl.Series(halves).cast(pl.String))
        raw = bytes.fromhex("".join(digests.to_list()))
        return np.frombuffer(raw, dtype=">u4").reshape(-1, ROUNDS).T.astype(np.uint32)


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
        return str(self.of(len(digits))(int(digits))).zfill(len(digits)) if digits else digits

    def of(self, width: int) -> Permutation:
        """Return the permutation of the numbers of so many digits."""
        found = self._known.get(width)
        if found is None:
            found = self._known[width] = Permutation(self._key, self._domain, 10**width)
        return found


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
