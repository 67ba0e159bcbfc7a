"""The invented company behind the dump: who is in it and what they did.

Everything is drawn from ``random.Random(f"{seed}:{topic}")``, one stream a topic, so that the same
seed gives the same rows. People and tuitions are held in memory (they are referred to); lessons and
everything that grows with time are streamed, and a stream can be walked twice with equal results.
"""

import hashlib
import random
import re
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from faker import Faker

FOUNDER = "f0000000-0000-4000-8000-000000000001"
"""The first production user, an admin. The golden records take this id over."""

KNOWN = 12
"""How many accounts have a plain text in the file of known passwords."""

START = datetime(2023, 1, 2, tzinfo=UTC)
END = datetime(2025, 3, 31, tzinfo=UTC)

LOCALES = {
    "en_US": 30, "en_GB": 16, "de_DE": 12, "fr_FR": 8, "es_ES": 8, "pl_PL": 6, "tr_TR": 5,
    "pt_PT": 4, "sv_SE": 3, "ru_RU": 3, "el_GR": 3, "ja_JP": 2,
}  # fmt: skip
COUNTRY = {
    "en_US": ("US", "USD", "+1", "America/Chicago"), "en_GB": ("GB", "GBP", "+44", "Europe/London"),
    "de_DE": ("DE", "EUR", "+49", "Europe/Berlin"), "fr_FR": ("FR", "EUR", "+33", "Europe/Paris"),
    "es_ES": ("ES", "EUR", "+34", "Europe/Madrid"), "pl_PL": ("PL", "PLN", "+48", "Europe/Warsaw"),
    "tr_TR": ("TR", "TRY", "+90", "Europe/Istanbul"), "pt_PT": ("PT", "EUR", "+351", "Europe/Lisbon"),
    "sv_SE": ("SE", "SEK", "+46", "Europe/Stockholm"), "ru_RU": ("RU", "RUB", "+7", "Europe/Moscow"),
    "el_GR": ("GR", "EUR", "+30", "Europe/Athens"), "ja_JP": ("JP", "JPY", "+81", "Asia/Tokyo"),
}  # fmt: skip
SUBJECTS = (
    "Mathematics", "Mathematics", "Mathematics", "Physics", "Chemistry", "Biology", "English",
    "French", "German", "Spanish", "History", "Geography", "Computer Science", "Economics", "Music",
)  # fmt: skip
TAGS = ("billing", "exam", "schedule", "progress", "family", "private", "urgent")
ACTIONS = ("login", "update_profile", "create_log", "void_log", "settle_payment", "change_email")
MAILS = ("mailbox.example", "posteo.example", "gmx.example", "icloud.example", "school.example")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone)", "okhttp/4.12")

# No one may be called like a word that stays in the output: a kept subject is no leak, but a
# surname "French" in the clear beside it could not be told from one. The same goes for the words of
# the golden records and of fake streets and prose, and for names of hex digits only, which random
# UUIDs hold.
_STAYING = {
    word
    for text in (
        *SUBJECTS, *TAGS, *ACTIONS, *(part for row in COUNTRY.values() for part in row),
        "mother father guardian sibling zoom meet teams light dark email sms users bank card cash",
        "active paused ended archived alumni staff normal master low middle high mon tue wed thu",
        "golden admin teacher substitute student newcomer square course lesson note worksheet exercises",
        "street avenue lane example",
        "amet aute elit enim esse illo ipsa ipsam ipsum iste lorem modi nemo nulla sed sit sunt unde vitae",
    )
    for word in re.findall(r"[a-z]+", text.lower())
}  # fmt: skip


_HEX = re.compile(r"[0-9a-f]+")


@dataclass
class Person:
    """One user; ``links`` are the parents of a student."""

    id: str
    role: str
    locale: str
    first: str | None
    last: str | None
    email: str
    username: str | None
    phone: str | None
    password: str
    created: datetime
    links: list["Person"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The whole name, as people quote it."""
        return " ".join(filter(None, (self.first, self.last)))


@dataclass
class Tuition:
    """A running course of one teacher with one or more students."""

    id: str
    teacher: Person
    subject: str
    students: list[Person]
    cost: int
    hour: int
    day: int
    first: datetime
    lessons: int
    status: str
    ends: str


@dataclass
class Lesson:
    """One lesson held; ``corrects`` is the id of the void lesson it replaces."""

    id: str
    tuition: Tuition
    start: datetime
    minutes: int
    status: str
    corrects: str | None
    random: random.Random


class World:
    """The company: ``users`` people, drawn from ``seed``."""

    def __init__(self, users: int, seed: int) -> None:
        self.users = users
        self.seed = seed

    def stream(self, topic: str) -> random.Random:
        """Return a new stream of chance for a topic; the same topic, the same stream."""
        return random.Random(f"{self.seed}:{topic}")

    @cached_property
    def people(self) -> list[Person]:
        """Everybody: 1 % admins, 5 % teachers, 40 % parents, the rest students."""
        chance = self.stream("people")
        admins = max(2, self.users // 100)
        teachers = max(4, self.users // 20)
        parents = max(6, self.users * 2 // 5)
        people = []
        pools = {locale: _names(locale) for locale in LOCALES}
        for number in range(self.users):
            role = (
                "admin"
                if number < admins
                else (
                    "teacher"
                    if number < admins + teachers
                    else ("parent" if number < admins + teachers + parents else "student")
                )
            )
            people.append(self._person(number, role, pools, chance))
        self._families(people, chance)
        return people

    def of_role(self, role: str) -> list[Person]:
        """Everybody of one role."""
        return self._by_role[role]

    @cached_property
    def _by_role(self) -> dict[str, list[Person]]:
        found: dict[str, list[Person]] = {}
        for person in self.people:
            found.setdefault(person.role, []).append(person)
        return found

    def _person(self, number: int, role: str, pools: Any, chance: random.Random) -> Person:
        locale = chance.choices(list(LOCALES), list(LOCALES.values()))[0]
        firsts, lasts = pools[locale]
        first, last = chance.choice(firsts), chance.choice(lasts)
        if chance.random() < 0.02:
            last = f"{last}-{chance.choice(lasts)}"
        ascii_first, ascii_last = ascii_letters(first), ascii_letters(last)
        local = ".".join(filter(None, (ascii_first, ascii_last))) or "tutor"
        mail = chance.choice(MAILS)
        # The number makes the address unique whatever the size; a third looks bare all the same.
        bare = number < len(MAILS) * 40 and chance.random() < 0.33
        email = (
            f"{local}{'' if bare else number}@{mail}" if not bare else f"{local}.x{number}@{mail}"
        )
        created = START + timedelta(minutes=chance.randrange(60 * 24 * 500))
        plain = _plain_text(number)
        salt = f"{chance.getrandbits(32):08x}"
        scheme = "md5" if chance.random() < 0.7 else "sha1"
        digest = hashlib.new(scheme, (salt + plain).encode(), usedforsecurity=False).hexdigest()
        prefix = COUNTRY[locale][2]
        return Person(
            id=FOUNDER if number == 0 else new_uuid(chance),
            role=role,
            locale=locale,
            first=first if number == 0 or chance.random() > 0.01 else None,
            last=last if number == 0 or chance.random() > 0.015 else None,
            email=email.title() if chance.random() < 0.03 else email,
            username=f"{(ascii_first or 'tutor')[:12]}{number}" if chance.random() < 0.6 else None,
            phone=phone_number(prefix, chance) if chance.random() < 0.8 else None,
            password=f"{scheme}${salt}${digest}",
            created=created,
        )

    def _families(self, people: list[Person], chance: random.Random) -> None:
        """Give every student one or two parents of a family; a child has the family's name."""
        parents = [person for person in people if person.role == "parent"]
        for student in (person for person in people if person.role == "student"):
            parent = chance.choice(parents)
            student.links = [parent]
            student.locale = parent.locale
            student.last = parent.last or student.last
            other = chance.choice(parents)
            if other is not parent and chance.random() < 0.35:
                student.links.append(other)

    @cached_property
    def tuitions(self) -> list[Tuition]:
        """The tuitions: a few teachers have most of them."""
        chance = self.stream("tuitions")
        teachers, students = self.of_role("teacher"), self.of_role("student")
        found = []
        for _ in range(max(8, self.users * 2 // 5)):
            # Squaring favours the first teachers: some are booked out, some have no one.
            teacher = teachers[int(chance.random() ** 2 * len(teachers))]
            count = chance.choices((1, 2, 3, 6), (75, 15, 7, 3))[0]
            subject = chance.choice(SUBJECTS)
            first = START + timedelta(days=chance.randrange(600))
            lessons = min(int(chance.expovariate(1 / 4)) + (chance.random() < 0.9), 60)
            ended = chance.random() < 0.3
            ends = first + timedelta(weeks=lessons + 1)
            found.append(
                Tuition(
                    id=new_uuid(chance),
                    teacher=teacher,
                    subject=_typed(subject, chance),
                    students=chance.sample(students, min(count, len(students))),
                    cost=chance.randrange(15, 80) * 100 + chance.choice((0, 0, 50, 99)),
                    hour=chance.choice((8, 9, 14, 15, 15, 16, 16, 16, 17, 17, 18, 19)),
                    day=chance.randrange(6),
                    first=first,
                    lessons=lessons,
                    status="ended" if ended else chance.choice(("active",) * 5 + ("paused",)),
                    ends=ends.isoformat() if ended else "infinity",
                )
            )
        return found

    def favourite_tuitions(self) -> Iterator[tuple[str, str]]:
        """The other half of the foreign-key cycle: each teacher's first tuition, if any."""
        seen = set()
        for tuition in self.tuitions:
            if tuition.teacher.id not in seen:
                seen.add(tuition.teacher.id)
                yield tuition.teacher.id, tuition.id

    def lessons(self) -> Iterator[Lesson]:
        """Every lesson, tuition by tuition; may be walked again with equal results."""
        chance = self.stream("lessons")
        for tuition in self.tuitions:
            for week in range(tuition.lessons):
                start = tuition.first + timedelta(weeks=week, days=tuition.day, hours=tuition.hour)
                minutes = chance.choice((45, 60, 60, 60, 90))
                void = chance.random() < 0.04
                former = new_uuid(chance)
                own = random.Random(chance.getrandbits(64))
                yield Lesson(
                    former, tuition, start, minutes, "VOID" if void else "ACTIVE", None, own
                )
                if void and chance.random() < 0.7:
                    again = random.Random(chance.getrandbits(64))
                    longer = minutes + 15
                    yield Lesson(new_uuid(chance), tuition, start, longer, "ACTIVE", former, again)

    def known_passwords(self) -> Iterator[tuple[str, str]]:
        """E-mail and plain text of the accounts that the protected file knows; one is outdated."""
        for number, person in enumerate(self.people[:KNOWN]):
            outdated = number == KNOWN - 1
            yield person.email.lower(), "outdated-text" if outdated else _plain_text(number)


def _names(locale: str) -> tuple[list[str], list[str]]:
    """Return a locale's first and last names, without those that equal a word that stays."""
    provider = next(
        p
        for p in Faker(locale).get_providers()
        if "person" in p.__provider__  # type: ignore[attr-defined]
    )
    found = []
    for attribute in ("first_names", "last_names"):
        entries = [
            entry
            for name in sorted(dir(provider))  # some locales split by gender
            if name.startswith(attribute) or name.endswith(attribute)
            for entry in getattr(provider, name)
        ]
        names = {
            e if isinstance(e, str) else e[0] if isinstance(e, tuple) else str(e) for e in entries
        }
        found.append(
            sorted(
                n
                for n in names
                if n.strip()
                and not _STAYING & {w.lower() for w in re.findall(r"\w+", n)}
                and not _HEX.fullmatch(n.lower())
            )
        )
    return found[0], found[1]


def _typed(subject: str, chance: random.Random) -> str:
    """A subject as people type it: v0.3 tidies that up."""
    return chance.choices((subject, subject.lower(), f"{subject} "), (90, 6, 4))[0]


def ascii_letters(name: str) -> str:
    """Return a name's letters as they would stand in an address; none of a foreign script."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain.lower())


def phone_number(prefix: str, chance: random.Random) -> str:
    """Return a phone number, now and then in the national form."""
    digits = f"{chance.randrange(10**8, 10**9)}"
    if chance.random() < 0.2:
        return f"0{digits[:3]} / {digits[3:]}"
    return f"{prefix} {digits[:3]} {digits[3:6]} {digits[6:]}"


def _plain_text(number: int) -> str:
    return f"learn-{hashlib.sha256(str(number).encode()).hexdigest()[:8]}"


def new_uuid(chance: random.Random) -> str:
    """Return a version 4 UUID drawn from a stream."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
