"""Cron lines: five fields, each a list of numbers, names, ranges and steps."""

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, DAYS),
)
_PART = re.compile(r"(?:(?P<all>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?")


def cron_fault(line: str) -> str | None:
    """Return why a line is not a cron line of five fields, or None if it is."""
    fields = line.split()
    if len(fields) != len(FIELDS):
        return "is not a cron line of five fields, as in `0 2 * * *`"
    for text, (name, low, high, words) in zip(fields, FIELDS, strict=True):
        if not all(_fits(part, low, high, words) for part in text.split(",")):
            return f"is not a cron line: its {name} must lie in {low}-{high}"
    return None


def _fits(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None or match["step"] in {"0", "00"}:
        return False
    if match["all"]:
        return True
    first = _number(match["low"], low, words)
    last = first if match["high"] is None else _number(match["high"], low, words)
    return first is not None and last is not None and low <= first <= last <= high


def _number(word: str, low: int, words: tuple[str, ...]) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word)
    return words.index(word.lower()) + low if word.lower() in words else None
