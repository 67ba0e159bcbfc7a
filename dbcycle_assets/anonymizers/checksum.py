"""Check digits of public numbering schemes."""

import string
from collections.abc import Sequence

ELEVEN = 11
_VALUES = {char: value for value, char in enumerate(string.digits + string.ascii_uppercase)}
_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD = dict(zip(_VALUES, (*_ODD_DIGITS, *_ODD_DIGITS, *_ODD_LETTERS), strict=True))
"""The values of characters at odd places of Italian codes (D.M. 23 December 1976)."""


def luhn(digits: str) -> str:
    """Return the digit after which a number passes Luhn's test (ISO/IEC 7812-1)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        doubled = int(char) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def ean(digits: str) -> str:
    """Return the check digit of a GTIN, EAN, UPC or ISBN-13 (weights 3 and 1 from the right)."""
    total = sum(int(char) * (3 - place % 2 * 2) for place, char in enumerate(reversed(digits)))
    return str(-total % 10)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of digits times weights."""
    return sum(int(char) * weight for char, weight in zip(digits, weights, strict=True))


def mod97(text: str) -> int:
    """Return letters and digits, A being 10, modulo 97 (ISO 7064)."""
    return int("".join(str(_VALUES[char]) for char in text)) % 97


def mod11_10(digits: str) -> str:
    """Return the check digit of ISO 7064 MOD 11,10."""
    product = 10
    for char in digits:
        product = ((int(char) + product) % 10 or 10) * 2 % ELEVEN
    return str((ELEVEN - product) % 10)


def italian(text: str) -> str:
    """Return the check letter of an Italian tax code or account (odd and even places differ)."""
    total = sum(
        _ODD[char] if place % 2 == 0 else int(char) if char.isdigit() else ord(char) - ord("A")
        for place, char in enumerate(text)
    )
    return string.ascii_uppercase[total % 26]
