"""The invented company behind the dump: who is in it and what they did.

Everything is drawn from ``random.Random(f"{seed}:{topic}")``, one stream a topic, so that the same
seed gives the same rows. People and tuitions are held in memory (they are referred to); lessons and
everything that grows with time are streamed, and a stream can be walked twice with equal results.
"""

import hashlib
import json
import random
import re
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import prose
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
# surname "French" in the clear beside it could not be told from one.
_STAYING = {
    word
    for text in (
        *SUBJECTS, *TAGS, *ACTIONS, *(part for row in COUNTRY.values() for part in row),
        "mother father guardian zoom meet teams visual audio light dark email sms users bank card",
    )
    for word in re.findall(r"[a-z]+", text.lower())
}  # fmt: skip


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
        ascii_first, ascii_last = _ascii(first), _ascii(last)
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
            id=FOUNDER if number == 0 else _uuid(chance),
            role=role,
            locale=locale,
            first=first if number == 0 or chance.random() > 0.01 else None,
            last=last if number == 0 or chance.random() > 0.015 else None,
            email=email.title() if chance.random() < 0.03 else email,
            username=f"{(ascii_first or 'tutor')[:12]}{number}" if chance.random() < 0.6 else None,
            phone=_phone(prefix, chance) if chance.random() < 0.8 else None,
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
                    id=_uuid(chance),
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
                former = _uuid(chance)
                own = random.Random(chance.getrandbits(64))
                yield Lesson(
                    former, tuition, start, minutes, "VOID" if void else "ACTIVE", None, own
                )
                if void and chance.random() < 0.7:
                    again = random.Random(chance.getrandbits(64))
                    longer = minutes + 15
                    yield Lesson(_uuid(chance), tuition, start, longer, "ACTIVE", former, again)

    def known_passwords(self) -> Iterator[tuple[str, str]]:
        """E-mail and plain text of the accounts that the protected file knows; one is outdated."""
        for number, person in enumerate(self.people[:KNOWN]):
            outdated = number == KNOWN - 1
            yield person.email.lower(), "outdated-text" if outdated else _plain_text(number)


def tables(world: World) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    """Yield each table's name, columns and rows, parents first."""
    for name, (columns, rows) in _TABLES.items():
        yield name, tuple(columns.split()), rows(world, world.stream(name))


def _users(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, person in enumerate(world.people):
        alternate = chance.choices(
            (None, [], [f"{_ascii(person.first or 'x')}.alt{number}@{chance.choice(MAILS)}"]),
            (70, 10, 20),
        )[0]
        settings = {
            "display_name": person.name,
            "theme": chance.choice(("light", "dark")),
            "notifications": {"email": person.email, "sms": person.phone, "weekly": True},
        }
        # Some sign-ins were recorded before the account was: v0.3 repairs that.
        login = person.created + timedelta(days=chance.randrange(-2, 300))
        address = f"{chance.randrange(11, 220)}.{chance.randrange(256)}.{chance.randrange(256)}.7"
        referred = (
            world.people[chance.randrange(number)].id if number and chance.random() < 0.1 else None
        )
        yield (
            person.id, person.email, person.username, person.password, person.role, person.first,
            person.last, person.phone, alternate,
            COUNTRY[person.locale][3] if chance.random() < 0.9 else None,
            _json(settings), referred, chance.random() < 0.93,
            login if chance.random() < 0.8 else None,
            address if chance.random() < 0.8 else None,
            person.created, person.created + timedelta(days=chance.randrange(0, 200)),
        )  # fmt: skip


def _admins(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, person in enumerate(world.of_role("admin")):
        asked = chance.choice(world.people)
        history = [
            {"with": asked.name, "email": asked.email, "phone": asked.phone, "channel": "email"}
        ]
        yield person.id, "normal" if number else "master", _json(history) if number != 1 else None


def _teachers(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for person in world.of_role("teacher"):
        subjects = sorted(set(chance.sample(SUBJECTS, chance.randrange(1, 4))))
        iban = f"{COUNTRY[person.locale][0]}{chance.randrange(10**19, 10**20)}"
        yield (
            person.id, None if chance.random() < 0.1 else f"{chance.randrange(15, 90)}.50",
            chance.choices((subjects, [], None), (90, 5, 5))[0],
            prose.bio(person, chance), iban, None,
        )  # fmt: skip


def _parents(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    addresses = {locale: _addresses(locale) for locale in LOCALES}
    for person in world.of_role("parent"):
        country, currency, prefix, _ = COUNTRY[person.locale]
        street, city = (chance.choice(pool) for pool in addresses[person.locale])
        contact = chance.choice(world.people)
        yield (
            person.id, currency if chance.random() < 0.9 else None,
            f"{street} {chance.randrange(1, 200)}" if chance.random() < 0.9 else None, city,
            f"{chance.randrange(10000, 99999)}", country,
            contact.name if chance.random() < 0.5 else None,
            _phone(prefix, chance) if chance.random() < 0.5 else None,
        )  # fmt: skip


def _students(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    teachers = world.of_role("teacher")
    words = (
        "Active",
        "active",
        "ACTIVE ",
        "enrolled",
        "on hold",
        "Alumni",
        "left",
        "lead",
        "?",
        None,
    )
    for person in world.of_role("student"):
        grade = chance.randrange(1, 14)
        born = date(2023 - grade - 5, chance.randrange(1, 13), chance.randrange(1, 29))
        guardian = person.links[0]
        profile = {
            "guardian": {"name": guardian.name, "email": guardian.email, "phone": guardian.phone},
            "level": chance.choice(("low", "middle", "high")),
            "remarks": prose.remark(person, guardian, chance),
            "siblings": [f"{chance.choice(world.people).first} {person.last}"]
            if chance.random() < 0.2 else [],
        }  # fmt: skip
        wanted = sorted(set(chance.sample(SUBJECTS, 2)))
        liked = [teacher.id for teacher in chance.sample(teachers, chance.randrange(3))]
        yield (
            person.id, born if chance.random() < 0.9 else None, grade if chance.random() < 0.9 else None,
            f"{(guardian.last or 'Central')} Academy" if chance.random() < 0.5 else None,
            chance.choice(words), _json(profile) if chance.random() < 0.6 else None,
            chance.choices((wanted, [], None), (70, 10, 20))[0], liked,
        )  # fmt: skip


def _student_parents(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for student in world.of_role("student"):
        for number, parent in enumerate(student.links):
            relation = chance.choice(("mother", "father", "guardian"))
            yield student.id, parent.id, relation, not number


def _tuitions(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for tuition in world.tuitions:
        titled = f"{tuition.subject.strip()} with {tuition.students[0].name}"
        yield (
            tuition.id, tuition.teacher.id, tuition.subject, titled if chance.random() < 0.8 else None,
            chance.choice((1, 1, 1, 2, 3)), 60, chance.choice((60, 90, 120)), tuition.status,
            tuition.ends, tuition.first, tuition.first + timedelta(days=3),
        )  # fmt: skip


def _enrolments(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for tuition in world.tuitions:
        for student in tuition.students:
            yield tuition.id, student.id, _money(tuition.cost), tuition.first.date()


def _meeting_links(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, tuition in enumerate(world.tuitions):
        if chance.random() < 0.6:
            provider = chance.choice(("zoom", "meet", "teams"))
            host = tuition.teacher
            room = f"{_ascii(host.last or 'room')}-{number}"
            url = f"https://{provider}.example/{room}?pwd={chance.getrandbits(48):012x}"
            code = f"{chance.randrange(10**6):06d}" if chance.random() < 0.7 else None
            yield tuition.id, provider, url, code, host.email


def _logs(world: World, _: random.Random) -> Iterator[tuple[Any, ...]]:
    for lesson in world.lessons():
        chance, tuition = lesson.random, lesson.tuition
        present = [student.email for student in tuition.students if chance.random() < 0.4]
        written = lesson.start + timedelta(minutes=lesson.minutes + chance.randrange(600))
        summary = prose.summary(tuition, chance) if chance.random() < 0.45 else None
        yield (
            lesson.id, tuition.id if chance.random() < 0.97 else None, tuition.teacher.id,
            lesson.start, lesson.start + timedelta(minutes=lesson.minutes), lesson.status,
            "CUSTOM" if chance.random() < 0.15 else "SCHEDULED", summary, present, lesson.corrects,
            written, written,
        )  # fmt: skip


def _charges(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for lesson in world.lessons():
        for student in lesson.tuition.students:
            cost = lesson.tuition.cost * lesson.minutes // 60
            yield _uuid(chance), lesson.id, student.id, student.links[0].id, _money(cost)


def _payments(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    methods = (
        "Bank transfer",
        "bank",
        "wire",
        "CASH",
        "cash ",
        "card",
        "Visa",
        "Credit card",
        None,
        "?",
    )
    for payment in _paid(world):
        number, payment_id, parent, tuition, cents, status, when = payment
        settled = status == "settled" or (status == "failed" and chance.random() < 0.3)
        words = prose.payment(parent, tuition, chance) if chance.random() < 0.35 else None
        yield (
            payment_id, parent.id, tuition.teacher.id, _money(cents),
            COUNTRY[parent.locale][1] if chance.random() < 0.95 else None, status,
            chance.choice(methods), parent.name if chance.random() < 0.7 else None,
            f"{_ascii(parent.last or 'pay')[:12].upper()}-{number:06d}", words,
            when if settled else None,
        )  # fmt: skip


def _paid(world: World) -> Iterator[tuple[int, str, Person, Tuition, int, str, datetime]]:
    chance = world.stream("paid")
    number = 0
    for tuition in world.tuitions:
        for _ in range(-(-tuition.lessons // 4)):
            parent = chance.choice(tuition.students).links[0]
            number += 1
            status = chance.choices(("settled", "pending", "failed"), (85, 10, 5))[0]
            cents = 0 if number == 2 else tuition.cost * chance.randrange(1, 5)
            when = tuition.first + timedelta(days=chance.randrange(7, 200))
            yield number, _uuid(chance), parent, tuition, cents, status, when


def _invoices(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, payment_id, parent, _, cents, status, when in _paid(world):
        if status == "settled" and number % 2 == 0:
            billing = {
                "name": parent.name,
                "email": parent.email,
                "lines": [{"text": f"Lessons for {parent.last}", "cents": cents}],
                "country": COUNTRY[parent.locale][0],
            }
            receipt = f"RECEIPT {parent.name} <{parent.email}>".encode()
            yield (
                1000 + number // 2, parent.id, payment_id if chance.random() < 0.9 else None,
                when.date(), _money(cents), _json(billing), receipt if chance.random() < 0.3 else None,
            )  # fmt: skip


def _notes(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    staff = world.of_role("admin") + world.of_role("teacher")
    for number in range(world.users):
        author, about, other = (
            chance.choice(staff),
            chance.choice(world.people),
            chance.choice(world.people),
        )
        body = (
            prose.EDGES[number]
            if number < len(prose.EDGES)
            else prose.note(author, about, other, chance)
        )
        tags = chance.choices(
            (None, [], sorted(chance.sample(TAGS, chance.randrange(1, 3)))), (20, 10, 70)
        )[0]
        yield (
            _uuid(chance), author.id, about.id if chance.random() < 0.9 else None, body, tags,
            START + timedelta(minutes=chance.randrange(60 * 24 * 800)),
        )  # fmt: skip


def _sessions(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for person in world.people:
        if chance.random() < 0.2:
            token = f"{chance.getrandbits(128):032x}"
            yield token, person.id, "203.0.113.9", chance.choice(AGENTS), END


def _audit(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    span = int((END - START).total_seconds())
    for number in range(1, world.users + 1):
        actor = chance.choice(world.people)
        action = chance.choice(ACTIONS)
        details: dict[str, Any] = {"ip": f"198.51.100.{chance.randrange(256)}", "ok": True}
        if action == "change_email":
            details |= {"old": f"old.{actor.email.lower()}", "new": actor.email}
        if action == "update_profile":
            details |= {"name": {"old": actor.first, "new": actor.name}}
        known = chance.random() < 0.9
        yield (
            number, START + timedelta(seconds=span * number // (world.users + 1)),
            actor.id if known else None, actor.email if known else None, action, _json(details),
        )  # fmt: skip


_TABLES: dict[str, tuple[str, Any]] = {
    "users": (
        "id email username password role first_name last_name phone alternate_emails timezone"
        " settings referred_by is_active last_login_at last_login_ip created_at updated_at", _users,
    ),
    "admins": ("user_id privilege contact_history", _admins),
    "teachers": ("user_id hourly_rate subjects bio payout_iban primary_tuition_id", _teachers),
    "parents": (
        "user_id currency street city postal_code country emergency_contact emergency_phone", _parents,
    ),
    "students": (
        "user_id date_of_birth grade school status profile wanted_subjects preferred_teacher_ids",
        _students,
    ),
    "student_parents": ("student_id parent_id relation is_primary", _student_parents),
    "tuitions": (
        "id teacher_id subject title lesson_index min_duration_minutes max_duration_minutes status"
        " ends_at created_at updated_at", _tuitions,
    ),
    "tuition_enrolments": ("tuition_id student_id cost joined_on", _enrolments),
    "meeting_links": ("tuition_id provider url passcode host_email", _meeting_links),
    "tuition_logs": (
        "id tuition_id teacher_id start_time end_time status origin summary attendee_emails"
        " corrected_from_log_id created_at updated_at", _logs,
    ),
    "tuition_log_charges": ("id log_id student_id parent_id cost", _charges),
    "payments": (
        "id parent_id teacher_id amount currency status method payer_name reference note paid_at",
        _payments,
    ),
    "invoices": ("number parent_id payment_id issued_on total billing receipt", _invoices),
    "notes": ("id author_id about_user_id body tags created_at", _notes),
    "login_sessions": ("token user_id ip user_agent expires_at", _sessions),
    "audit_events": ("id occurred_at actor_id actor_email action details", _audit),
}  # fmt: skip


def _names(locale: str) -> tuple[list[str], list[str]]:
    """Return a locale's first and last names, without those that equal a word that stays."""
    provider = next(
        p
        for p in Faker(locale).get_providers()
        if "person" in p.__provider__  # type: ignore[attr-defined]
    )
    found = []
    for attribute in ("first_names", "last_names"):
        entries = getattr(provider, attribute, None)
        if entries is None:  # some locales split by gender only
            entries = [
                *getattr(provider, f"{attribute}_female"),
                *getattr(provider, f"{attribute}_male"),
            ]
        names = {
            e if isinstance(e, str) else e[0] if isinstance(e, tuple) else str(e) for e in entries
        }
        found.append(
            sorted(
                n
                for n in names
                if n.strip() and not _STAYING & {w.lower() for w in re.findall(r"\w+", n)}
            )
        )
    return found[0], found[1]


def _addresses(locale: str) -> tuple[list[str], list[str]]:
    faker = Faker(locale)
    faker.seed_instance(1)
    streets = sorted({faker.street_name() for _ in range(60)})
    return streets, sorted({faker.city() for _ in range(60)})


def _typed(subject: str, chance: random.Random) -> str:
    """A subject as people type it: v0.3 tidies that up."""
    return chance.choices((subject, subject.lower(), f"{subject} "), (90, 6, 4))[0]


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain.lower())


def _phone(prefix: str, chance: random.Random) -> str:
    digits = f"{chance.randrange(10**8, 10**9)}"
    if chance.random() < 0.2:
        return f"0{digits[:3]} / {digits[3:]}"
    return f"{prefix} {digits[:3]} {digits[3:6]} {digits[6:]}"


def _plain_text(number: int) -> str:
    return f"learn-{hashlib.sha256(str(number).encode()).hexdigest()[:8]}"


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
