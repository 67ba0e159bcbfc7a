"""What sampled values look like: checksums, shapes, and dictionaries of names."""

import functools
import importlib
import ipaddress
import json
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...anonymizers.vocabulary import known_names
from ..marks import leaves_of
from .names import plain

LOOKED_AT = 500
FIND = 0.6
"""The share of sampled values that must look alike for values to decide."""

_FEWEST_NAMES = 3
_FEWEST_SINGLE_NAMES = 8
_SINGLE_SHARE = 0.8
_SURE_SHARE = 0.25
_USERNAMES = 0.4
_LEAST_STEM = 4
_CARD_LENGTHS = range(13, 20)
_PHONE_DIGITS = range(7, 16)
_LONGEST_NAME = 60
_MOST_WORDS = 5
_LETTER_VALUE = ord("a") - 10

EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_PHONE = re.compile(r"(?=.*[+\s().\-/])\+?[\d(][\d\s().\-/]{5,}\d(?: ?(?:x|ext\.?) ?\d+)?")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_MASKED = re.compile(r"(?:[*xX•]{2,}[ -]?)+\d{2,4}")
_TITLED = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Sr|Sra|Dott|Dhr|Mevr)\.? [^\W\d]\D+")
_SSN = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+", re.IGNORECASE)
_PATH = re.compile(r"/?[\w.-]+(?:/[\w.%-]+)+/?")
_HASH = re.compile(r"\$(?:2[abxy]|argon2\w*|5|6|1|pbkdf2\S*|P|H)\$.+|eyJ[\w-]+\.[\w-]+\.[\w-]*")
_AGENT = re.compile(r"Mozilla/\d|Opera/\d|curl/\d|okhttp/\d")
_GEO = re.compile(r"\(?-?\d{1,2}\.\d{3,}\s*[,;]\s*-?\d{1,3}\.\d{3,}\)?")
_STATUS = re.compile(r"[a-z]+(?:_[a-z]+)*|[A-Z]{1,4}|\d")
"""Words of programs: `in_progress`, `EUR`, `1`."""
_STREET = re.compile(
    r"\d+\w?\s+(?:\w+\.?\s+){1,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|blvd|way|court|ct)\b.*"
    r"|[\w. -]+(?:str\.|straße|strasse|weg|gasse|platz|allee)\s*\d+.*"
    r"|(?:rue|calle|via|rua|avenue|avenida|piazza|ulica|ul\.)\s.+\d+.*",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r".*\b(?:gmbh|ag|kg|ohg|mbh|inc|ltd|llc|llp|corp|plc|co|sarl|s\.?a\.?s?|s\.?r\.?l|s\.?n\.?c"
    r"|s\.?p\.?a"
    r"|b\.?v|n\.?v|lda|ltda|oy|ab|a[/.]?s|e\.?v|group|holding|bros"
    r"|& sons?|and sons|& söhne|e figli|et fils)\.?",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"(?<=\w),? (?:&|and|und|et|y|e|en|i) (?=\w)"
    r"|^[^\W\d_]+-[^\W\d_]+$|\b(?:group|inc|ltd|llc|plc|gmbh|sons)\b",
    re.IGNORECASE,
)
"""Names of firms that are made of last names: `Patel and Brown`, `Shaw-Newman`."""


@dataclass(frozen=True)
class Seen:
    """What most values look like: a class, the share of values that do, and in words what."""

    klass: str
    share: float
    words: str


def luhn(digits: str) -> bool:
    """Tell whether a row of digits ends in its Luhn check digit."""
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return bool(digits) and sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0  # noqa: PLR2004


def iban(value: str) -> bool:
    """Tell whether a value is an IBAN, by ISO 7064 mod 97."""
    packed = value.replace(" ", "").upper()
    if not _IBAN.fullmatch(packed):
        return False
    turned = packed[4:] + packed[:4]
    number = "".join(c if c.isdigit() else str(ord(c.lower()) - _LETTER_VALUE) for c in turned)
    return int(number) % 97 == 1


def card(value: str) -> bool:
    """Tell whether a value is a payment card's number."""
    digits = re.sub(r"[ -]", "", value)
    return (
        digits.isdecimal() and len(digits) in _CARD_LENGTHS and digits[0] in "3456" and luhn(digits)
    )


def ip_address(value: str) -> bool:
    """Tell whether a value is an IPv4 or IPv6 address, perhaps with a prefix length."""
    if value.count(".") != 3 and value.count(":") < 2:  # noqa: PLR2004 - cheap before the parser
        return False
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return True


def user_agent(value: str) -> bool:
    """Tell whether a value is what a browser says of itself."""
    return bool(_AGENT.match(value))


def phone(value: str) -> bool:
    """Tell whether a value is written as phone numbers are, with a plus or separators."""
    if _DATED.search(value) or ip_address(value) or not _PHONE.fullmatch(value):
        return False
    return sum(map(str.isdigit, value)) in _PHONE_DIGITS


_SHAPES: tuple[tuple[str, str, Callable[[str], object]], ...] = (
    ("email", "e-mail addresses", EMAIL.fullmatch),
    ("key", "UUIDs", _UUID.fullmatch),
    ("account", "IBANs with valid check digits", iban),
    ("account", "card numbers with valid check digits", card),
    ("account", "masked card or account numbers", _MASKED.fullmatch),
    ("identifier", "social security numbers", _SSN.fullmatch),
    ("network", "MAC addresses", _MAC.fullmatch),
    ("network", "IP addresses", ip_address),
    ("secret", "password hashes or signed tokens", _HASH.fullmatch),
    ("device", "user agents", _AGENT.match),
    ("url", "URLs", _URL.fullmatch),
    ("time", "dates", _DATED.match),
    ("location", "coordinates", _GEO.fullmatch),
    ("phone", "phone numbers", phone),
    ("address", "street addresses", _STREET.fullmatch),
    ("company", "names of companies", _COMPANY.fullmatch),
)


def shape(values: Sequence[str]) -> Seen | None:
    """Return what most of the values are by their form alone, or None."""
    texts = _texts(values)
    if not texts:
        return None
    for klass, words, test in _SHAPES:
        share = sum(1 for text in texts if test(text)) / len(texts)
        if share >= FIND:
            return Seen(klass, share, words)
    return None


def person(values: Sequence[str]) -> Seen | None:
    """Return which part of a person's name most of the values are, by dictionary, or None."""
    texts = _texts(values)
    if len(texts) < _FEWEST_NAMES:
        return None
    first, last, full, likely = 0, 0, 0, 0
    for text in texts:
        parts = [] if _FIRM.search(text) else _name_parts(text)
        if len(parts) == 1:
            first += parts[0] in known_names("first")
            last += parts[0] in known_names("last")
        elif parts:
            full += _is_full_name(parts) or bool(_TITLED.fullmatch(text))
            likely += _is_likely_name(text, parts)
    if likely >= FIND * len(texts) and full >= _SURE_SHARE * len(texts):
        return Seen("person name", likely / len(texts), "names of persons")
    if full >= FIND * len(texts):
        return Seen("person name", full / len(texts), "names of persons")
    if len(texts) >= _FEWEST_SINGLE_NAMES and max(first, last) >= _SINGLE_SHARE * len(texts):
        klass = "first name" if first >= last else "last name"
        return Seen(klass, max(first, last) / len(texts), f"{klass}s")
    return None


def username(values: Sequence[str]) -> Seen | None:
    """Return whether the values are usernames that are made of names, by dictionary, or None."""
    texts = _texts(values)
    hits = sum(map(_is_username, texts))
    if len(texts) < _FEWEST_SINGLE_NAMES or hits < _USERNAMES * len(texts):
        return None
    return Seen("username", hits / len(texts), "usernames made of names")


def _is_username(text: str) -> bool:
    word = text.casefold()
    if not text or not re.fullmatch(r"[^\W_][\w.-]*", text) or text != word:
        return False
    parts = re.findall(r"[^\W\d_]+", word)
    if len(parts) > 1:
        return _is_full_name(parts)
    stem = "".join(parts)
    glued = len(stem) > _LEAST_STEM and stem[1:] in known_names("last")
    return glued or (stem != word and stem in known_names("first"))


def city(values: Sequence[str]) -> Seen | None:
    """Return whether most of the values are cities that a dictionary knows."""
    texts = _texts(values)
    hits = sum(plain(text).casefold() in _cities() for text in texts)
    if len(texts) < _FEWEST_SINGLE_NAMES or hits < FIND * len(texts):
        return None
    return Seen("city", hits / len(texts), "names of cities")


def holds_email(values: Sequence[str]) -> bool:
    """Tell whether any value, or a text inside it, holds an e-mail address."""
    return any(EMAIL.search(text) for text in _texts(values))


def documents(values: Sequence[str]) -> bool:
    """Tell whether most values are JSON objects or arrays."""
    some = [value for value in values[:50] if value[:1] in "{["]
    if not some or len(some) < FIND * len(values[:50]):
        return False
    try:
        for value in some:
            json.loads(value)
    except ValueError:
        return False
    return True


def contradicts(klass: str, values: Sequence[str]) -> bool:
    """Tell whether the values cannot be of the class that the name promises."""
    texts = [value for value in values[:LOOKED_AT] if value.strip()]
    if len(texts) < _FEWEST_NAMES:
        return False
    test = _IMPOSSIBLE.get(klass)
    return test is not None and sum(map(test, texts)) > (1 - 1 / 4) * len(texts)


def technical(text: str) -> bool:
    """Tell whether a value is an address of a program: a path, a URL, a document."""
    return bool(_PATH.fullmatch(text) or _URL.fullmatch(text)) or text[:1] in "{[<"


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


_IMPOSSIBLE: dict[str, Callable[[str], bool]] = {
    "email": lambda text: "@" not in text,
    "phone": lambda text: _digits(text) < 3,  # noqa: PLR2004 - an extension has three
    "network": lambda text: not (ip_address(text) or _MAC.fullmatch(text)) and len(text) < 16,  # noqa: PLR2004
    "postal code": lambda text: _digits(text) == 0 and len(text) > 8,  # noqa: PLR2004
    "first name": lambda text: _digits(text) > 0 or len(text) > _LONGEST_NAME,
    "last name": lambda text: _digits(text) > 0 or len(text) > _LONGEST_NAME,
    "person name": lambda text: (
        text.isdigit()
        or (_digits(text) > 1 and " " in text)
        or technical(text)
        or bool(_COMPANY.fullmatch(text))
    ),
    "city": lambda text: _digits(text) > 1,
    "birth date": lambda text: _digits(text) == 0,
    "account": lambda text: _digits(text) == 0,
    "identifier": lambda text: _digits(text) == 0 or technical(text),
    "username": lambda text: technical(text) or len(text.split()) > _MOST_WORDS,
    "secret": lambda text: " " in text or len(text) < 4 or technical(text),  # noqa: PLR2004 - a PIN
    "address": lambda text: technical(text) or _STATUS.fullmatch(text) is not None,
    "income": lambda text: _digits(text) == 0,
    "image": lambda text: " " in text or len(text) < 5,  # noqa: PLR2004 - a name and an ending
    "location": lambda text: _digits(text) == 0,
}


def _texts(values: Sequence[str]) -> list[str]:
    return [
        text.strip() for value in values[:LOOKED_AT] for text in leaves_of(value) if text.strip()
    ]


def _name_parts(text: str) -> list[str]:
    if len(text) > _LONGEST_NAME or any(map(str.isdigit, text)):
        return []
    parts = re.findall(r"[^\W\d_]+", text.casefold())
    return parts if len(parts) <= _MOST_WORDS else []


def _is_full_name(parts: Sequence[str]) -> bool:
    first, last = known_names("first"), known_names("last")
    ends = ((parts[0], parts[-1]), (parts[-1], parts[0]))
    return any(one in first and other in last for one, other in ends)


def _is_likely_name(text: str, parts: Sequence[str]) -> bool:
    """Tell whether every word has a capital and one of them is a name that Faker knows."""
    if _TITLED.fullmatch(text):
        return True
    if not all(word[:1].isupper() for word in re.findall(r"[^\W\d_]{3,}", text)):
        return False
    return any(part in known_names("first") or part in known_names("last") for part in parts)


@functools.cache
def _cities() -> frozenset[str]:
    """Return every city that Faker lists, folded; most locales build theirs from parts."""
    folder = importlib.import_module("faker.providers.address").__path__
    found: set[str] = set()
    for entry in pkgutil.iter_modules(folder):
        if not entry.ispkg:
            continue
        provider = importlib.import_module(f"faker.providers.address.{entry.name}").Provider
        for attribute in ("cities", "city_names", "cities_name", "municipalities", "towns"):
            listed = getattr(provider, attribute, ())
            if not isinstance(listed, property):
                found.update(plain(str(name)).casefold() for name in listed)
    return frozenset(found)
