"""What people write into the free text of the dump: prose that quotes names, e-mails and phones."""

import random
from typing import Any

EDGES = (
    "",
    "\\N",
    "tab\there, new\nline, back\\slash, \"quotes\" and 'quotes' {braces} \u2028 done",
    "emoji 👩‍🏫📚 and combining e\u0301, right-to-left \u05d0\u05d1\u05d2, wide ＡＢＣ",
    "x" * 3000,
)
"""Bodies of the first notes: values that break careless tools."""

_NOTES = (
    "Spoke with {about} ({about_mail}) about the exam. Call back on {about_phone}.",
    "{about} asked to move the lesson; {other} agreed. Reply to {other_mail}.",
    "Please remind {about} to settle the invoice. cc {other_mail}",
    "From: {about} <{about_mail}>\nTo: {author} <{author_mail}>\n\nWe will be late on Monday.\n{about_first}",
    "{about_first} is doing much better, says {other}.",
    "Left a message for {about} at {about_phone}, no answer yet.",
    "Schedule confirmed. No further action.",
)
_SUMMARIES = (
    "Went through the worksheet with {student}. Weak spots: fractions.",
    "{student_first} was ill; {teacher} will repeat the chapter.",
    "Good progress. Sent the solutions to {student_mail}.",
    "Test preparation, all fine.",
)
_PAYMENTS = (
    "Paid by {parent} for lessons with {teacher}.",
    "Receipt sent to {parent_mail}",
    "Two months in advance, call {parent_phone} with questions",
)


def note(author: Any, about: Any, other: Any, chance: random.Random) -> str:
    """Return the body of a note of ``author`` about one person that mentions another."""
    return chance.choice(_NOTES).format(
        author=author.name, author_mail=author.email, about=about.name, about_mail=about.email,
        about_first=about.first or about.last, about_phone=about.phone or "his mobile",
        other=other.name, other_mail=other.email,
    )  # fmt: skip


def summary(tuition: Any, chance: random.Random) -> str:
    """Return what a teacher writes after a lesson."""
    student = chance.choice(tuition.students)
    return chance.choice(_SUMMARIES).format(
        student=student.name, student_first=student.first or student.last,
        student_mail=student.email, teacher=tuition.teacher.name,
    )  # fmt: skip


def payment(parent: Any, tuition: Any, chance: random.Random) -> str:
    """Return the note on a payment."""
    return chance.choice(_PAYMENTS).format(
        parent=parent.name, parent_mail=parent.email, parent_phone=parent.phone or "the office",
        teacher=tuition.teacher.name,
    )  # fmt: skip


def bio(person: Any, chance: random.Random) -> str:
    """Return a teacher's words about themselves."""
    years = chance.randrange(2, 30)
    return f"{person.name} has been teaching for {years} years. Write to {person.email}."


def remark(student: Any, guardian: Any, chance: random.Random) -> str:
    """Return a remark inside a student's profile."""
    if chance.random() < 0.5:
        return f"{guardian.name} picks {student.first or student.last} up, phone {guardian.phone or 'unknown'}"
    return "needs more time for reading"
