"""Columns named for people: names, whoever did something, and what a session keeps."""

from ...anonymizers.base import Kind
from ..catalog import Column
from . import nouns
from .context import Context
from .names import any_of, matches, raw_words
from .nouns import CATALOGUE, NEUTRAL, NUMBERED, NUMBERLESS, ORGANISATIONS, PERSONS, THINGS
from .verdict import Verdict, harmless, personal

_PARTICIPLES = ("ed", "en", "te", "ie", "si", "se", "do", "to", "ta", "i", "t")
_ENTRIES = frozenset({"type", "title", "reason", "result", "name", "value", "details", "text"})
_BARE = {"first": "first name", "last": "last name"}


def session(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    """Judge what a table of sessions keeps: who has its id is its user."""
    if "session" not in context.words or context.catalogue:
        return None
    last = words[-1]
    if last in {"id", "sid", "key"} and column.kind is Kind.TEXT and set(words) <= nouns.SESSION_ID:
        return personal("secret", 0.8, "the id of a session lets its holder in")
    if last in nouns.SESSION_DATA and column.kind in {Kind.TEXT, Kind.BYTES, Kind.JSON}:
        return personal("document", 0.75, "a session may hold anything")
    return None


def bare(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    """Judge ``first`` and ``last`` in a table of persons."""
    if words[-1] in nouns.ENVELOPE and len(words) == 1 and any_of(context.words, nouns.MAIL):
        return personal("email", 0.75, "whom a mail goes to") if column.kind is Kind.TEXT else None
    if words == ("numero",) and context.person and context.address and column.kind is Kind.TEXT:
        return personal("address", 0.7, "a number beside an address")
    if raw_words(column.name) in {("cc",), ("bcc",)} and "email" in context.classes:
        return personal("email", 0.75, "whom a mail goes to") if column.kind is Kind.TEXT else None
    klass = _BARE.get(words[0]) if len(words) == 1 else None
    if klass is None or column.kind is not Kind.TEXT or not context.person:
        return None
    return personal(klass, 0.75, f"the name says {klass}, in a table of persons")


def by_table(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    """Judge a bare column by what its table is for: health, pay."""
    people = context.person or context.about
    if people and any_of(context.words, nouns.MEDICAL):
        told = len(words) == 1 and words[0] in _ENTRIES
        said = bool(matches(words)) or any_of(words[-1:], NEUTRAL | PERSONS | ORGANISATIONS)
        if column.kind is Kind.TEXT and (told or not said):
            return personal("health", 0.75 if told else 0.65, "an entry about somebody's health")
    elif people and any_of(context.words, nouns.PICTURED) and words[-1] in nouns.PATHS:
        return personal("image", 0.75, "where somebody's picture lies")
    elif words[-1] == "agent" and "network" in context.classes and column.kind is Kind.TEXT:
        return personal("device", 0.75, "an agent beside a network address")
    elif people and any_of(context.words, nouns.PAYROLL) and words == ("amount",):
        return personal("income", 0.75, "what somebody is paid")
    return None


def role(  # noqa: C901, PLR0911 - a table of cases
    words: tuple[str, ...],
    column: Column,
    context: Context,
    found: list[tuple[int, int, str]],
) -> Verdict | None:
    """Judge a text column that is named for a person: ``author``, ``recipients``, ``owner``."""
    if column.kind is not Kind.TEXT or not words or len(words) > 3:  # noqa: PLR2004
        return None
    if found and found[-1][1] == len(words):
        return None
    if words[-1] in nouns.KEYS and not context.catalogue and nouns.ENTRY & {*context.words[-2:]}:
        return personal("secret", 0.75, "who has the key of a reset or an invitation is let in")
    raw = raw_words(column.name)
    if len(raw) > 1 and raw[-1] in context.affixes:
        return None
    if any_of(words[:-1], NUMBERED):
        return None
    if words[-1] in nouns.BY and len(words) > 1 and words[-2].endswith(_PARTICIPLES):
        return personal("username", 0.75, "the name says who did it")
    if not any_of(words[-1:], PERSONS - nouns.UNCLEAR) or any(
        word in nouns.FLAG_TEXT for word in words
    ):
        return None
    if words[-1] in {"user", "users", "benutzer"}:
        return personal("username", 0.75, "the name says username")
    return personal("person name", 0.7, "the column is named for a person")


def named(  # noqa: C901, PLR0911 - one table of cases, read top to bottom
    words: tuple[str, ...], start: int, end: int, column: Column, context: Context
) -> Verdict | None:
    """Judge a column that is called a name: whose, by the words and the table around it."""
    if column.kind is not Kind.TEXT:
        return None
    beside = [*words[max(0, start - 1) : start], *words[end : end + 1]]
    if context.catalogue and any_of(beside, nouns.UNCLEAR):
        return harmless("label", 0.6, "the name of a program or an account")
    if any_of(beside, PERSONS) or "by" in beside:
        return _person_name(context, 0.85, "the name says a person's name")
    if any_of(
        beside,
        ORGANISATIONS & frozenset({"company", "supplier", "vendor", "organization", "business"}),
    ):
        return harmless("company", 0.8, "the name says a company's name")
    if context.person and set(words[:start]) <= nouns.SOUGHT:
        return _person_name(context, 0.75, "a name in a table of persons")
    if any_of(words[:start], NUMBERLESS | CATALOGUE | ORGANISATIONS | THINGS) or any_of(
        words[end:], NUMBERLESS
    ):
        return harmless("label", 0.6, "the name of a thing")
    if context.person and not context.catalogue:
        return _person_name(context, 0.8, "a name in a table of persons")
    if context.address and not (context.impersonal or context.catalogue):
        return personal("person name", 0.65, "a name beside an address")
    if context.organisation:
        return harmless("company", 0.6, "a name in a table of organisations")
    return harmless("label", 0.5, "the name of a thing")


def _person_name(context: Context, confidence: float, reason: str) -> Verdict:
    """Return the part of a name that is left when the table has a column for the other part."""
    parts = context.classes & {"first name", "last name"}
    klass = "person name"
    if parts == {"first name"}:
        klass = "last name"
    elif parts == {"last name"}:
        klass = "first name"
    return personal(klass, confidence, reason)
