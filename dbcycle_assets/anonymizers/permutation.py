"""Keyed permutations without fixed points: injective, so that what was unique stays unique."""

from .base import Key

ROUNDS = 8


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
        return self._key.number(self._domain, f"{step}:{half}") & self._mask


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
