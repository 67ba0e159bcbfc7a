"""Numbers, identifiers and bytes."""

import hashlib
import uuid

from .base import ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Digits, Permutation, blank

LIMITS = (32_767, 2_147_483_647, 9_223_372_036_854_775_807)
"""The largest smallint, integer and bigint: no range of the permutation crosses one."""


_WORDLESS = bytes(0x80 | byte & 0x3F for byte in range(256))
"""Only bytes that begin no character of UTF-8: masked bytes can spell nobody's name by chance."""


def _range(number: int, *, negative: bool) -> tuple[int, int]:
    """Return the range (both ends included) inside which a number without its sign is permuted."""
    # Of the negative numbers there is no -0, and every type has one more.
    low = 10 ** (len(str(number)) - 1) if number > 9 else int(negative)  # noqa: PLR2004 - single digits
    high = 10 ** len(str(number)) - 1
    for limit in (limit + negative for limit in LIMITS):
        if low <= limit < high:
            return (low, limit) if number <= limit else (limit + 1, high)
    return low, high


def _integer(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    known: dict[tuple[int, int], Permutation] = {}

    def mask(value: str) -> str:
        number = int(value)
        low, high = _range(abs(number), negative=number < 0)
        permute = known.get((low, high))
        if permute is None:
            permute = known[low, high] = Permutation(key, f"integer{low}", high - low + 1)
        made = low + permute(abs(number) - low)
        return str(-made if number < 0 else made)

    return mask


_LARGEST_FLOATS = (38, 308)
"""The powers of ten beyond which a real or a double precision is infinite (3.4 and 1.79)."""
_SMALLEST_FLOAT = -324
"""The power of ten at which a double precision of less than 2.5 is nothing."""


def _digit_bounds(mantissa: str, power: str, kind: Kind) -> tuple[range, range]:
    """Return what the first and the second digit may be, so that every type still holds it."""
    digits = mantissa.lstrip("-")
    if power and int(power) in _LARGEST_FLOATS:
        return range(1, 2), range(7)
    if power and int(power) <= _SMALLEST_FLOAT:
        return range(3, 10), range(10)
    if kind is Kind.INTEGER and digits.isdigit():
        for limit in LIMITS:
            if len(digits) == len(str(limit)) and int(digits) <= limit + 1:
                return range(1, int(str(limit)[0])), range(10)
    return range(1, 10), range(10)


def _number(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        if not any(char.isdigit() for char in value):  # NaN, Infinity
            return value
        mantissa, exponent, power = value.partition("e")
        first, second = _digit_bounds(mantissa, power, facts.kind)
        stream = key.digest("number", value, 64)
        places = [index for index, char in enumerate(mantissa) if char.isdigit()]
        made = list(mantissa)
        for step, index in enumerate(places):
            if step == 0 and mantissa[index] == "0":
                continue
            choice = (first, second)[step] if step < 2 else range(10)  # noqa: PLR2004
            made[index] = str(choice[stream[step % 64] % len(choice)])
        return "".join(made) + exponent + power

    return mask


def _uuid(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        folded = value.strip().casefold()
        return str(uuid.UUID(bytes=key.digest("uuid", folded), version=4)) if folded else value

    return mask


def _uuid_column(_parameters: Parameters, _facts: Facts, key: Key) -> ColumnMask:
    from . import columns

    return columns.uuids(key)


def _bytes(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        size = len(bytes.fromhex(value.removeprefix("\\x")))
        drawn = hashlib.shake_256(key.digest("bytes", value, 64)).digest(size)
        return "\\x" + drawn.translate(_WORDLESS).hex()

    return mask


def _digits(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    permute = Digits(key, "digits")

    def mask(value: str) -> str:
        found = "".join(char for char in value if char in "0123456789")
        if not found or any(char.isdigit() and char not in "0123456789" for char in value):
            return blank(value)
        fresh = iter(permute(found))
        return "".join(next(fresh) if char in "0123456789" else char for char in value)

    return mask


DEFINITIONS = (
    Definition(
        name="integer",
        summary="Another integer with as many digits; a permutation, so keys stay keys.",
        accepts=frozenset({Kind.INTEGER}),
        build=_integer,
        unique=True,
        version=2,
        searchable=False,
        length_preserving=True,
        format_preserving=True,
        reversible=True,
    ),
    Definition(
        name="number",
        summary="Other digits in the same places.",
        accepts=frozenset({Kind.NUMERIC, Kind.FLOAT, Kind.INTEGER}),
        build=_number,
        version=2,
        searchable=False,
        length_preserving=True,
        format_preserving=True,
    ),
    Definition(
        name="digits",
        summary="A text with other digits in the same places; a permutation.",
        accepts=frozenset({Kind.TEXT}),
        build=_digits,
        unique=True,
        searchable=False,
        length_preserving=True,
        format_preserving=True,
        reversible=True,
    ),
    Definition(
        name="uuid",
        summary="Another version 4 UUID; 122 keyed bits, so unique.",
        accepts=frozenset({Kind.UUID, Kind.TEXT}),
        build=_uuid,
        build_column=_uuid_column,
        unique=True,
        folds=True,
    ),
    Definition(
        name="bytes",
        summary="As many other bytes.",
        accepts=frozenset({Kind.BYTES}),
        build=_bytes,
        length_preserving=True,
    ),
)
