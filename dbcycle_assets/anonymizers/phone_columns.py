"""Telephone numbers a column at a time: all of one layout, digits where digits are, together."""

import functools

import numpy as np
import polars as pl

from .base import ColumnMask
from .columns import Made, put
from .permutation import Digits

_WIDEST = 32
_USUAL = rf"^[0-9+() ./-]{{0,{_WIDEST - 1}}}[0-9][+() ./-]*$"
_MOST_DIGITS = 18
_MOST_LAYOUTS = 256
_ZERO, _NINE, _PLUS, _OPEN, _CLOSE, _END = (np.uint8(ord(char)) for char in "09+()\n")
_AREA = 10
"""The digits of a North American number, whose first and fourth are never 0 or 1."""


@functools.cache
def _code_lengths() -> np.ndarray:
    """Return the length of the calling code for each three digits that a number begins with."""
    from .phone import code_of

    return np.array([len(code_of(f"{start:03d}")) for start in range(1000)], dtype=np.int8)


def permuted(permute: Digits, calling_code: str | None) -> ColumnMask:
    """Return the mask of telephone numbers; see ``phone`` for what is kept of each."""

    def column(values: pl.Series) -> Made:
        usual = values.str.contains(_USUAL) & (values.str.len_bytes() <= _WIDEST)
        read = values.filter(usual)
        if read.is_empty():
            return values, usual
        width = int(read.str.len_bytes().max() or 0)  # type: ignore[arg-type]
        padded = read.str.pad_end(width + 1).str.join("").item().encode()
        chars = np.frombuffer(padded, np.uint8).reshape(-1, width + 1).copy()
        chars[:, width] = _END
        known = _change(chars, permute, calling_code)
        lines = pl.Series([chars.tobytes().decode()]).str.strip_suffix("\n").str.split("\n")
        made = lines.explode().str.slice(0, read.str.len_bytes())
        if len(read) == len(values):
            return made, pl.Series(known)
        return put(values, usual, made), put(usual, usual, pl.Series(known))

    return column


def _change(chars: np.ndarray, permute: Digits, calling_code: str | None) -> np.ndarray:
    """Put other digits into a matrix of numbers, a row each; return which rows are done."""
    known = np.zeros(len(chars), dtype=bool)
    digits = (chars >= _ZERO) & (chars <= _NINE)
    packed = np.packbits(digits, axis=1, bitorder="little")
    patterns = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)[:, 0]
    layouts = pl.Series(patterns).unique()
    if len(layouts) > _MOST_LAYOUTS:
        return known
    for layout in layouts.to_list():
        rows = np.flatnonzero(patterns == layout) if len(layouts) > 1 else np.arange(len(chars))
        places = [place for place in range(chars.shape[1]) if layout >> place & 1]
        _change_alike(chars, rows, places, permute, calling_code, known)
    return known


def _change_alike(
    chars: np.ndarray,
    rows: np.ndarray,
    places: list[int],
    permute: Digits,
    calling_code: str | None,
    known: np.ndarray,
) -> None:
    """Change those rows of a matrix whose digits stand at the same places."""
    text = chars[rows]
    digits = text[:, places] - _ZERO
    kept, american = _kept(text, digits, places, calling_code)
    for start in np.unique(kept).tolist():
        size = len(places) - start
        if not 0 < size <= _MOST_DIGITS or start < 0:
            continue
        some = kept == start
        made = _permuted(permute, digits[some][:, start:], american[some])
        if made is not None:
            chars[rows[some][:, None], places[start:]] = made + _ZERO
            known[rows[some]] = True


def _kept(
    text: np.ndarray, digits: np.ndarray, places: list[int], calling_code: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many digits are kept of each number (-1: it is not understood), and which are
    North American.
    """
    count = len(places)
    none = np.zeros(len(text), dtype=bool)

    def digit(index: np.ndarray) -> np.ndarray:
        """Return the digit at an index of each number, 255 where there is none."""
        found = digits[np.arange(len(digits)), np.minimum(index, count - 1)]
        return np.where(index < count, found, 255)

    plus = (text[:, : places[0]] == _PLUS).any(axis=1) if places[0] else none
    double = none
    if count > 2 and places[2] == places[0] + 2:  # noqa: PLR2004 - the zeros and a digit in a row
        double = ~plus & (digits[:, 0] == 0) & (digits[:, 1] == 0) & (digits[:, 2] > 0)
    abroad = plus | double
    start = np.where(double, 2, 0)
    code = [np.minimum(digit(start + place), 9).astype(np.int64) for place in range(3)]
    length = np.where(abroad, _code_lengths()[code[0] * 100 + code[1] * 10 + code[2]], 0)
    kept = np.where(abroad, start + length, 0)
    home = none if calling_code != "1" else ~none
    american = np.where(abroad, (length == 1) & (code[0] == 1), home)
    after = digit(kept + 1)
    trunk = (digit(kept) == 0) & (_in_brackets(text, places, kept) | ((after > 0) & (after <= 9)))  # noqa: PLR2004 - a digit
    own = ~abroad & ~trunk & home & (digits[:, 0] == 1) & (count > _AREA)
    kept = kept + (trunk | own)
    return np.where(abroad & (count <= start + 3), -1, kept), american


def _in_brackets(text: np.ndarray, places: list[int], index: np.ndarray) -> np.ndarray:
    """Tell in which numbers the digit of an index stands alone in brackets."""
    place = np.array([*places, 0])[np.minimum(index, len(places))]
    row = np.arange(len(text))
    before, after = text[row, np.maximum(place - 1, 0)], text[row, place + 1]
    return np.asarray((before == _OPEN) & (after == _CLOSE))


def _permuted(permute: Digits, old: np.ndarray, american: np.ndarray) -> np.ndarray | None:
    """Return other digits, as many in each row, that may stand where the old ones stood."""
    size = old.shape[1]
    permutation = permute.of(size)
    powers = [np.uint64(10**place) for place in range(size - 1, -1, -1)]
    asked = np.zeros(len(old), dtype=np.uint64)
    for place in range(size):
        asked = asked * np.uint64(10) + old[:, place]
    new = permutation.many(asked)
    if new is None:
        return None
    odd = american & (old[:, 0] > 1) & (old[:, 3] > 1) if size == _AREA else american & False
    wrong = np.flatnonzero(_unlikely(new, old[:, 0] == 0, odd, powers))
    while len(wrong):
        again = permutation.many(new[wrong])
        assert again is not None  # noqa: S101 - it did before
        new[wrong] = again
        wrong = wrong[_unlikely(again, old[wrong, 0] == 0, odd[wrong], powers)]
    made = np.empty_like(old)
    for place in range(size - 1, -1, -1):
        rest = new // np.uint64(10)
        made[:, place] = new - rest * np.uint64(10)
        new = rest
    return made


def _unlikely(
    new: np.ndarray, zero: np.ndarray, odd: np.ndarray, powers: list[np.uint64]
) -> np.ndarray:
    """Tell which numbers begin as none like the old one does: with a zero or without, and, where
    that was so, with no 0 or 1 at an area code's ends.
    """
    unlike = (new < powers[0]) != zero
    if not odd.any():
        return np.asarray(unlike)
    fourth = new // powers[3] % np.uint64(10)
    return np.where(odd, (new < powers[0] * np.uint64(2)) | (fourth < 2), unlike)  # noqa: PLR2004
