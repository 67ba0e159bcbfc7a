"""The rows of every table of the v0.2 schema, drawn from the company."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import prose
from company import (
    ACTIONS,
    AGENTS,
    COUNTRY,
    END,
    LOCALES,
    MAILS,
    START,
    SUBJECTS,
    TAGS,
    Person,
    Tuition,
    World,
    ascii_letters,
    new_uuid,
    phone_number,
)
from faker import Faker


def tables(world: World) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
    """Yield each table's name, columns and rows, parents first."""
    for name, (columns, rows) in _TABLES.items():
        yield name, tuple(columns.split()), rows(world, world.stream(name))


def _users(world: World, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, person in enumerate(world.people):
        alternate = chance.choices(
            (
                None,
                [],
                [f"{ascii_letters(person.first or 'x')}.alt{number}@{chance.choice(MAILS)}"],
            ),
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
            phone_number(prefix, chance) if chance.random() < 0.5 else None,
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
            room = f"{ascii_letters(host.last or 'room')}-{number}"
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
            yield new_uuid(chance), lesson.id, student.id, student.links[0].id, _money(cost)


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
            f"{ascii_letters(parent.last or 'pay')[:12].upper()}-{number:06d}", words,
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
            yield number, new_uuid(chance), parent, tuition, cents, status, when


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
            new_uuid(chance), author.id, about.id if chance.random() < 0.9 else None, body, tags,
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


def _addresses(locale: str) -> tuple[list[str], list[str]]:
    faker = Faker(locale)
    faker.seed_instance(1)
    streets = sorted({faker.street_name() for _ in range(60)})
    return streets, sorted({faker.city() for _ in range(60)})


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
