"""Plausible texts for a column, by its class and its name: invented people, reserved addresses."""

import re
from collections.abc import Callable
from hashlib import blake2b

from ...anonymizers.vocabulary import PROSE, invented

BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"currency", ("EUR", "USD", "GBP", "CHF")),
    (r"country(_?(code|iso2?))?$", ("FR", "DE", "GB", "ES", "IT")),
    (r"(lang|language|locale)(_?code)?$", ("en", "fr", "de", "es")),
    (r"time_?zone|tz$", ("UTC", "Europe/London", "Europe/Paris")),
    (r"colou?r", ("#4c78a8", "#f58518", "#54a24b", "#b279a2")),
    (r"(mime|content|media)_?type$", ("text/plain", "application/pdf", "image/png")),
    (r"user_?agent", ("Mozilla/5.0 (X11; Linux x86_64)",)),
    (r"version$", ("1.0.0", "1.1.0", "2.0.0")),
    (r"cron|schedule_expression", ("0 2 * * *",)),
)
"""Words that a column of such a name holds, whatever its class."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def number_of(*parts: object) -> int:
    """Return a pseudo-random number below 2**64, the same one for the same parts."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def short(number: int) -> str:
    """Return a number in as few letters and digits as there can be."""
    made = ""
    while True:
        number, digit = divmod(number, 36)
        made = _DIGITS[digit] + made
        if not number:
            return made


def _pick(kind: str, salt: int) -> str:
    pool = invented(kind)
    return pool[salt % len(pool)]


def _sentence(salt: int) -> str:
    words = [PROSE[(salt >> (5 * place)) % len(PROSE)] for place in range(6)]
    return " ".join(words).capitalize() + "."


def _email(salt: int, mark: str) -> str:
    first, last = _pick("first", salt).lower(), _pick("last", salt >> 20).lower()
    return f"{first}.{last}{mark}@example.com"


def _bare_number(mark: str, salt: int, width: int) -> str:
    digits = mark if mark.isdigit() else ""
    return digits.zfill(width) if digits else str(salt % 10**width).zfill(width)


_MAKERS: dict[str, Callable[[int, str], str]] = {
    "email": _email,
    "phone": lambda salt, mark: f"+1202555{_bare_number(mark, salt, 4)}",
    "first name": lambda salt, mark: _pick("first", salt) + mark,
    "last name": lambda salt, mark: _pick("last", salt) + mark,
    "person name": lambda salt, mark: f"{_pick('first', salt)} {_pick('last', salt >> 20)}{mark}",
    "username": lambda salt, mark: _pick("first", salt).lower() + (mark or short(salt % 100)),
    "address": lambda salt, mark: f"{mark or salt % 200 + 1} {_pick('last', salt)} Street",
    "postal code": lambda salt, mark: _bare_number(mark, salt, 5),
    "city": lambda salt, mark: f"{_pick('last', salt)}ton{mark}",
    "company": lambda salt, mark: f"{_pick('last', salt)}{mark and ' '}{mark} Ltd",
    "url": lambda salt, mark: f"https://example.com/{short(salt % 36**6)}{mark}",
    "image": lambda salt, mark: f"https://example.com/{short(salt % 36**6)}{mark}.png",
    "network": lambda salt, _mark: f"192.0.2.{salt % 254 + 1}",
    "secret": lambda salt, mark: f"{salt:016x}{mark}",
    "free text": lambda salt, mark: _sentence(salt) + (mark and f" {mark}"),
    "account": lambda salt, mark: _bare_number(mark, salt, 10),
}


def word(klass: str, table: str, column: str, salt: int, mark: str) -> str:
    """Return a text for a column; ``mark`` makes it differ from all others that have another."""
    for pattern, choices in BY_NAME:
        if re.search(pattern, column, re.IGNORECASE):
            return choices[salt % len(choices)] if not mark else choices[0] + mark
    if re.search(r"hash|digest|token|secret|password", column, re.IGNORECASE):
        klass = "secret"
    if klass in _MAKERS:
        return _MAKERS[klass](salt, mark)
    if re.search(r"(^|_)(code|sku|slug|key|number|no|ref|reference)$", column, re.IGNORECASE):
        return f"{_singular(table)}-{mark or salt % 1000}"
    if re.search(r"name|title|label", column, re.IGNORECASE):
        return f"{_singular(table).replace('_', ' ').capitalize()} {mark or salt % 1000}"
    return f"{column.replace('_', ' ')} {mark or salt % 1000}"


def _singular(table: str) -> str:
    name = table.rpartition(".")[2].strip('"')
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
