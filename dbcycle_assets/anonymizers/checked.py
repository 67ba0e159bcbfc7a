"""Numbers with check digits: valid ones become other valid ones in the same grouping."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pydantic

from .base import Key, Parameters
from .permutation import Codes, blank, walk

Change = Callable[[str], str]
Complete = Callable[[str], str | None]


def _codes(key: Key, domain: str) -> Change:
    return Codes(key, domain)


@dataclass(frozen=True)
class Scheme:
    """How the numbers of one kind are built.

    ``shape`` is what a number looks like without its punctuation, in capitals; ``payload`` is its
    part without check digits, and ``complete`` gives the number of a payload, or ``None`` if there
    is none; ``permute`` makes the permutation of payloads.
    """

    name: str
    shape: re.Pattern[str]
    payload: Change
    complete: Complete
    permute: Callable[[Key, str], Change] = _codes

    def valid(self, number: str) -> bool:
        """Say whether a number is one of these, check digits included."""
        if self.shape.fullmatch(number) is None:
            return False
        try:
            return self.complete(self.payload(number)) == number
        except ValueError:  # a month 13 inside it
            return False

    def changed(self, key: Key) -> Change:
        """Return the keyed permutation of the valid numbers."""
        permute = self.permute(key, self.name)

        def change(number: str) -> str:
            made = walk(permute, self.payload(number), lambda text: self.complete(text) is not None)
            return self.complete(made) or made

        return change


def ending(name: str, shape: str, check: Callable[[str], str | None], width: int = 1) -> Scheme:
    """Return a scheme whose last ``width`` characters check the others."""

    def complete(payload: str) -> str | None:
        found = check(payload)
        return None if found is None else payload + found

    return Scheme(name, re.compile(shape), lambda number: number[:-width], complete)


def around(scheme: Scheme, first: int, last: int | None = None) -> Scheme:
    """Return a scheme that permutes only the payload's characters from ``first`` to ``last``."""

    def permute(key: Key, domain: str) -> Change:
        codes = Codes(key, domain)
        return lambda text: text[:first] + codes(text[first:last]) + (text[last:] if last else "")

    return dataclasses.replace(scheme, permute=permute)


class Checked(Parameters):
    """The parameters of a rule for numbers with check digits."""

    invalid: Literal["refuse", "permute"] = pydantic.Field(
        default="refuse",
        description="what to do with a number whose check digits are wrong: `refuse` stops, "
        "`permute` makes another wrong number of the same shape",
    )


def compact(value: str) -> str:
    """Return the letters and digits of a number, in capitals."""
    return "".join(char for char in value.upper() if char.isalnum())


def regrouped(made: str, value: str) -> str:
    """Return a number with the punctuation and the case of another one of the same length."""
    fresh = iter(made)
    return "".join(
        (next(fresh).lower() if char.islower() else next(fresh)) if char.isalnum() else char
        for char in value
    )


def masked(
    key: Key, domain: str, invalid: str, valid: Callable[[str], bool], change: Change
) -> Change:
    """Return the mask of numbers in any grouping; ``change`` maps a compact valid number.

    A wrong number becomes another wrong one, so that no two numbers meet.
    """
    codes = Codes(key, f"{domain} invalid")

    def mask(value: str) -> str:
        number = compact(value)
        if not number:
            return blank(value)
        if valid(number):
            return regrouped(change(number), value)
        if invalid == "refuse":
            message = "its check digits are wrong, or it is no such number"
            raise ValueError(message)
        return regrouped(walk(codes, number, lambda text: not valid(text)), value)

    return mask
