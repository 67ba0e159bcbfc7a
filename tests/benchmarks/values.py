"""Invented values for labelled columns: they follow the label's class, never the detector.

Half of the names are Faker's, whose dictionary the detector reads as well; the other half are
written here by hand. Every column has its own habits: formats, blanks, strangers among its values.
"""

import functools
import hashlib
import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faker import Faker

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.model.catalog import Column

from .words import (
    CODES,
    FIRST,
    IMPERSONAL,
    LABELS,
    LAST,
    MENTIONS,
    PERSONAL,
    PLACES,
    PRODUCTS,
    STREETS,
)

_LOCALES = {
    "en": ("en_US", "en_GB"),
    "de": ("de_DE", "de_AT"),
    "fr": ("fr_FR", "fr_CH"),
    "es": ("es_ES", "es_MX"),
    "pt": ("pt_BR", "pt_PT"),
    "it": ("it_IT",),
    "nl": ("nl_NL",),
    "pl": ("pl_PL",),
    "sv": ("sv_SE",),
    "tr": ("tr_TR",),
}
_DRAWN = 60
_SHORT = 12
_LONG = 500
_SENTENCE = 60
NOISE = (0.0, 0.0, 0.05, 0.15, 0.25)
"""The share of values in a column that are strangers there."""
STRANGERS = ("n/a", "-", "?", "unknown", "TEST", "see file", "0", "x")


@dataclass(frozen=True)
class Draw:
    """What one column's values are drawn with."""

    chance: random.Random
    fake: Faker
    language: str

    def one(self, of: Sequence[str]) -> str:
        return self.chance.choice(of)

    def digits(self, count: int) -> str:
        return "".join(self.chance.choices(string.digits, k=count))

    def characters(self, count: int, of: str = string.ascii_letters + string.digits) -> str:
        return "".join(self.chance.choices(of, k=count))


def values(
    place: Sequence[str], klass: str | None, column: Column, languages: Sequence[str]
) -> list[str]:
    """Return distinct values of a column; ``klass`` None is drawn from impersonal classes."""
    seed = int.from_bytes(hashlib.sha256("\0".join(place).encode()).digest()[:8], "big")
    chance = random.Random(seed)  # noqa: S311 - no secret
    language = chance.choice([lang for lang in languages if lang in _LOCALES] or ["en"])
    fake = Faker(list(_LOCALES[language]))
    fake.seed_instance(seed)
    draw = Draw(chance, fake, language)
    if column.kind not in {Kind.TEXT, Kind.JSON}:
        return []
    if column.kind is Kind.JSON:
        return _documents(draw, klass)
    if klass == "free text" and 0 < (column.max_length or _LONG) < _SENTENCE:
        klass = "remark"
    if klass is None:
        klass = _impersonal(draw, column)
    make = _habit(klass, draw)
    noise = chance.choice(NOISE) if klass not in {"code", "flag"} else 0.0
    drawn = [chance.choice(STRANGERS) if chance.random() < noise else make() for _ in range(_DRAWN)]
    length = column.max_length or 10_000
    return sorted({value[:length] for value in drawn if value}, key=hash_of)


def hash_of(value: str) -> bytes:
    """Return a key that puts values in no telling order."""
    return hashlib.sha256(value.encode()).digest()


def _impersonal(draw: Draw, column: Column) -> str:
    """Choose what a text column without a label holds, by its length alone."""
    length = column.max_length or (_LONG if "text" in column.type.lower() else 100)
    if length <= _SHORT:
        return draw.one(("code", "code", "flag", "number", "reference"))
    if length >= _LONG:
        return draw.one(("sentence",) * 5 + ("settings", "html", "path"))
    return draw.one(
        ("label", "label", "code", "company", "product", "place", "path", "key", "reference")
    )


def _documents(draw: Draw, klass: str | None) -> list[str]:
    if klass is None:
        return [f'{{"{draw.one(CODES)}": {n}, "size": "{draw.one(CODES)}"}}' for n in range(20)]
    return [
        f'{{"name": "{_full(draw)()}", "mail": "{draw.fake.ascii_email()}", "n": {n}}}'
        for n in range(20)
    ]


def _habit(klass: str, draw: Draw) -> Callable[[], str]:
    """Return the maker of one column's values: one habit of the class."""
    return draw.chance.choice(_HABITS[klass](draw))


def _first(draw: Draw) -> str:
    return draw.fake.first_name() if draw.chance.random() < 1 / 2 else draw.one(FIRST)


def _last(draw: Draw) -> str:
    return draw.fake.last_name() if draw.chance.random() < 1 / 2 else draw.one(LAST)


def _full(draw: Draw) -> Callable[[], str]:
    return draw.chance.choice(
        [
            lambda: f"{_first(draw)} {_last(draw)}",
            lambda: f"{_last(draw)}, {_first(draw)}",
            lambda: f"{_first(draw)} {draw.one(string.ascii_uppercase)}. {_last(draw)}",
            f"{draw.one(('Dr.', 'Mrs', 'Frau', 'Mr.', ''))} {_first(draw)} {_last(draw)}".strip,
            f"{_first(draw)} {_last(draw)}".upper,
        ]
    )


def _username(draw: Draw) -> list[Callable[[], str]]:
    return [
        lambda: f"{_first(draw)[0]}{_last(draw)}".lower().replace(" ", ""),
        lambda: f"{_first(draw)}.{_last(draw)}".lower().replace(" ", ""),
        lambda: f"{draw.one(PRODUCTS).split()[0].lower()}_{draw.digits(3)}",
        lambda: _last(draw)[:3].upper() + draw.digits(2),
        draw.fake.user_name,
    ]


def _email(draw: Draw) -> str:
    return draw.chance.choice([draw.fake.ascii_email, draw.fake.company_email])()


def _phone(draw: Draw) -> list[Callable[[], str]]:
    return [
        draw.fake.phone_number,
        lambda: f"0{draw.digits(3)} {draw.digits(7)}",
        lambda: f"+{draw.chance.randint(1, 99)}{draw.digits(10)}",
        lambda: draw.digits(draw.chance.choice([9, 10, 11])),
        lambda: f"({draw.digits(3)}) {draw.digits(3)}-{draw.digits(4)}",
    ]


def _address(draw: Draw) -> list[Callable[[], str]]:
    return [
        draw.fake.street_address,
        lambda: f"{draw.one(STREETS)} {draw.chance.randint(1, 180)}",
        lambda: f"{draw.chance.randint(1, 999)} {draw.one(STREETS)}",
        lambda: (
            f"{draw.one(STREETS)} {draw.chance.randint(1, 99)}, {draw.fake.postcode()} {draw.fake.city()}"
        ),
    ]


def _secret(draw: Draw) -> list[Callable[[], str]]:
    hexes = "0123456789abcdef"
    return [
        lambda: f"$2b$12${draw.characters(53)}",
        lambda: draw.characters(64, hexes),
        lambda: draw.characters(32, hexes),
        lambda: draw.characters(40),
        lambda: f"eyJ{draw.characters(20)}.{draw.characters(40)}.{draw.characters(43)}",
    ]


def _identifier(draw: Draw) -> list[Callable[[], str]]:
    return [
        lambda: draw.digits(draw.chance.choice([8, 9, 11])),
        lambda: f"{draw.digits(3)}-{draw.digits(2)}-{draw.digits(4)}",
        lambda: draw.characters(2, string.ascii_uppercase) + draw.digits(7),
        draw.fake.ssn,
    ]


def _account(draw: Draw) -> list[Callable[[], str]]:
    return [
        draw.fake.iban,
        draw.fake.credit_card_number,
        lambda: draw.digits(10),
        lambda: "**** " + draw.digits(4),
    ]


def _born(draw: Draw) -> list[Callable[[], str]]:
    return [
        lambda: draw.fake.date_of_birth(maximum_age=95).isoformat(),
        lambda: draw.fake.date_of_birth(maximum_age=95).strftime("%d.%m.%Y"),
        lambda: draw.fake.date_of_birth(maximum_age=95).strftime("%m/%d/%Y"),
    ]


def _prose(draw: Draw) -> list[Callable[[], str]]:
    """Return writers that name somebody never, now and then, or often."""

    def writer(rate: float) -> Callable[[], str]:
        def write() -> str:
            count = draw.chance.randint(1, 3)
            text = " ".join(draw.one(_in(PERSONAL, draw)) for _ in range(count))
            if draw.chance.random() < rate:
                mention = draw.one(_in(MENTIONS, draw)).format(
                    first=_first(draw),
                    last=_last(draw),
                    phone=_phone(draw)[0](),
                    email=_email(draw),
                )
                text = f"{text} {mention}"
            return f"{text} {draw.chance.randint(1, 30)}."

        return write

    return [writer(rate) for rate in (0.0, 0.15, 0.35, 0.7)]


def _in(of: dict[str, tuple[str, ...]], draw: Draw) -> tuple[str, ...]:
    return of.get(draw.language, of["en"])


def _sentence(draw: Draw) -> Callable[[], str]:
    return lambda: (
        f"{draw.one(PRODUCTS)}: {draw.one(_in(IMPERSONAL, draw))} {draw.chance.randint(1, 900)}."
    )


def _company(draw: Draw) -> list[Callable[[], str]]:
    return [
        draw.fake.company,
        f"{_last(draw)} {draw.one(('Ltd', 'GmbH', '& Co', 'Group', 'SA', 'Bros', ''))}".strip,
        lambda: f"{draw.one(PLACES)} {draw.one(LABELS)}",
    ]


_HABITS: dict[str, Callable[[Draw], list[Callable[[], str]]]] = {
    "email": lambda draw: [lambda: _email(draw)],
    "phone": _phone,
    "secret": _secret,
    "first name": lambda draw: [lambda: _first(draw)],
    "last name": lambda draw: [lambda: _last(draw), lambda: _last(draw).upper()],
    "person name": lambda draw: [_full(draw)],
    "username": _username,
    "address": _address,
    "postal code": lambda draw: [draw.fake.postcode],
    "city": lambda draw: [draw.fake.city, lambda: draw.one(PLACES)],
    "state": lambda draw: [
        lambda: draw.one(PLACES),
        lambda: draw.characters(2, string.ascii_uppercase),
    ],
    "location": lambda draw: [
        lambda: f"{draw.chance.uniform(-60, 60):.6f}",
        lambda: f"{draw.chance.uniform(-60, 60):.5f},{draw.chance.uniform(-90, 90):.5f}",
    ],
    "network": lambda draw: [draw.fake.ipv4, draw.fake.ipv6, draw.fake.ipv4_private],
    "device": lambda draw: [draw.fake.user_agent],
    "identifier": _identifier,
    "account": _account,
    "birth date": _born,
    "demographic": lambda draw: [
        lambda: draw.one(("m", "f", "x")),
        lambda: draw.one(("married", "single", "divorced", "widowed")),
        lambda: draw.one(("German", "French", "Turkish", "Indian", "Irish", "Peruvian", "Thai")),
    ],
    "health": lambda draw: [
        lambda: draw.one(("A+", "A-", "B+", "B-", "AB+", "0+", "0-")),
        lambda: f"{draw.one('EJIKM')}{draw.digits(2)}.{draw.digits(1)}",
        lambda: draw.one(("asthma", "penicillin", "nut allergy", "type 2 diabetes", "migraine")),
    ],
    "income": lambda draw: [lambda: f"{draw.chance.randint(1200, 9900)}.00"],
    "free text": _prose,
    "remark": lambda draw: [
        lambda: f"{draw.one(LABELS)} {draw.digits(4)} {_last(draw)}",
        lambda: f"{_first(draw)} {draw.one(LABELS).lower()}",
        lambda: f"{draw.one(LABELS)} {draw.digits(5)}",
    ],
    "image": lambda draw: [
        lambda: f"uploads/{draw.characters(16, string.hexdigits)}.jpg",
        lambda: f"{_last(draw).lower()}_{draw.digits(4)}.png",
    ],
    "document": lambda draw: [
        lambda: f'{{"name": "{_full(draw)()}", "mail": "{_email(draw)}"}}',
        lambda: f'a:2:{{s:4:"name";s:9:"{_full(draw)()}";s:4:"size";i:{draw.digits(2)};}}',
        lambda: f"files/{draw.characters(12, string.hexdigits)}.pdf",
    ],
    "url": lambda draw: [draw.fake.url, lambda: f"www.{_last(draw).lower()}.example"],
    "code": lambda draw: [
        functools.partial(draw.one, draw.chance.sample(CODES, 8)),
        lambda: f"{draw.one(string.ascii_uppercase)}{draw.digits(1)}",
    ],
    "flag": lambda draw: [lambda: draw.one("YN"), lambda: draw.one("01")],
    "number": lambda draw: [lambda: draw.digits(draw.chance.randint(1, 5))],
    "reference": lambda draw: [
        lambda: f"{draw.characters(3, string.ascii_uppercase)}-{draw.digits(5)}",
        lambda: draw.digits(8),
    ],
    "label": lambda draw: [
        lambda: draw.one(LABELS),
        lambda: f"{draw.one(LABELS)} {draw.chance.randint(1, 60)}",
        lambda: f"{draw.one(LABELS)} {draw.one(LABELS).lower()}",
    ],
    "product": lambda draw: [lambda: draw.one(PRODUCTS)],
    "company": _company,
    "place": lambda draw: [lambda: draw.one(PLACES), draw.fake.city, draw.fake.country],
    "path": lambda draw: [
        lambda: (
            f"/{draw.one(CODES)}/{draw.one(LABELS).lower().replace(' ', '-')}.{draw.one(('html', 'pdf', 'php'))}"
        ),
    ],
    "key": lambda draw: [
        draw.fake.uuid4,
        lambda: draw.characters(32, "0123456789abcdef"),
        lambda: draw.characters(10),
    ],
    "settings": lambda draw: [
        lambda: f'{{"{draw.one(CODES)}": "{draw.one(CODES)}", "n": {draw.digits(2)}}}',
        lambda: f"{draw.one(CODES)}={draw.digits(2)};{draw.one(CODES)}=on",
    ],
    "html": lambda draw: [
        lambda: (
            f"<p>{draw.one(_in(IMPERSONAL, draw))} <b>{draw.one(LABELS)}</b> {draw.digits(3)}</p>"
        ),
    ],
    "sentence": lambda draw: [_sentence(draw)],
    "date": lambda draw: [lambda: draw.fake.date_this_decade().isoformat()],
}
