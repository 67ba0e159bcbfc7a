"""Weighing the evidence about one column: its name, type, table, keys, comment and values."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...anonymizers.base import Kind
from ..catalog import Column, Table
from . import nouns, prose
from . import values as seen
from .context import Context
from .names import any_of, matches, raw_words, words_of
from .nouns import (
    CATALOGUE,
    COMMUNICATION,
    FLAGS,
    NEUTRAL,
    NUMBERLESS,
    ORGANISATIONS,
    PERSONS,
    THINGS,
)


@dataclass(frozen=True)
class Verdict:
    """What a column holds; ``personal`` is a judgement of content, whatever rule is proposed."""

    klass: str
    personal: bool
    confidence: float
    reason: str


def _personal(klass: str, confidence: float, reason: str) -> Verdict:
    return Verdict(klass, personal=True, confidence=confidence, reason=reason)


def _harmless(klass: str, confidence: float, reason: str) -> Verdict:
    return Verdict(klass, personal=False, confidence=confidence, reason=reason)


_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT})
_TEXT = frozenset({Kind.TEXT})
_KINDS = {
    "phone": _TEXT | _NUMBERS,
    "postal code": _TEXT | _NUMBERS,
    "birth date": _TEXT | {Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.INTEGER},
    "identifier": _TEXT | _NUMBERS,
    "account": _TEXT | _NUMBERS,
    "demographic": _TEXT | {Kind.ENUM, Kind.INTEGER},
    "health": _TEXT | {Kind.ENUM, Kind.INTEGER, Kind.JSON},
    "income": _TEXT | _NUMBERS,
    "location": _TEXT | _NUMBERS | {Kind.BYTES, Kind.OTHER, Kind.COMPOSITE},
    "network": _TEXT | {Kind.NETWORK, Kind.INTEGER},
    "secret": _TEXT | {Kind.BYTES, Kind.UUID},
    "image": _TEXT | {Kind.BYTES},
    "document": _TEXT | {Kind.BYTES, Kind.JSON, Kind.XML},
    "free text": _TEXT | {Kind.JSON},
}
_ADDRESS = frozenset({"address", "postal code", "city", "state"})
_NUMBERED = frozenset({"id", "number", "code", "no"})
_CODED = frozenset({"demographic", "state", "city", "health", "identifier", "postal code"})
"""Classes of which a code tells as much as the word."""
_DECISIVE = frozenset({"email", "network", "account"})
"""Classes that values prove, whatever the name says."""
_SURE = 0.8
_BARE = {"first": "first name", "last": "last name"}


def judge(
    table: Table, column: Column, context: Context, values: Sequence[str], common: frozenset[str]
) -> Verdict | None:
    """Return what the evidence says of a column, or None where it says nothing.

    ``common`` are names of columns that a large part of all tables has.
    """
    if column.kind is Kind.BOOLEAN or _is_reference(table, column):
        return None
    named = _by_name(column, context)
    if named and column.name in common and not _stands_out(named, context):
        named = None
    if named and seen.contradicts(named.klass, values):
        named = None
    if named and named.klass == "free text" and values and column.kind is Kind.TEXT:
        return _by_text(named, values)
    valued = _by_value(column, context, values)
    if named and valued and valued.klass in _DECISIVE and valued.klass != named.klass:
        return valued
    if named and valued and valued.klass == named.klass:
        reason = f"{named.reason}, and {valued.reason}"
        return Verdict(named.klass, named.personal or valued.personal, 0.97, reason)
    if named and named.personal:
        return named
    if valued and (valued.personal or not named):
        return valued
    return named or _by_comment(column)


def _by_text(named: Verdict, values: Sequence[str]) -> Verdict:
    """Judge by its values whether text that the name announces is about people."""
    text = prose.read(values)
    if text.about_people:
        return _personal("free text", 0.95, f"{named.reason}, and its values name people")
    if text.formatted:
        return _harmless("text", 0.7, f"{named.reason}, but its values are written for programs")
    if named.personal and named.confidence < _SURE and text.about_nobody:
        return _harmless("free text", 0.6, f"{named.reason}, but its values name nobody")
    return named


def _stands_out(verdict: Verdict, context: Context) -> bool:
    """Tell whether a verdict holds for a column that most tables have."""
    if verdict.klass == "free text":
        return context.person or context.about
    return verdict.klass != "secret" or "session" in context.words


def _is_reference(table: Table, column: Column) -> bool:
    if any(column.name in key.columns for key in table.foreign_keys):
        return True
    whole = column.kind in {Kind.INTEGER, Kind.NUMERIC, Kind.UUID}
    return whole and column.name in table.primary_key


def _by_name(column: Column, context: Context) -> Verdict | None:
    found = _by_words(words_of(column.name), column, context)
    kept = tuple(word for word in raw_words(column.name) if word not in context.affixes)
    return found or (_by_words(words_of("_".join(kept)), column, context) if kept else None)


def _by_words(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    found = matches(words)
    role = _role(words, column, context, found)
    if role or not found:
        return role or _bare(words, column, context) or _session(words, column, context)
    start, end, klass = found[-1]
    if klass == "address" and len(found) > 1 and found[-2][1:] == (start, "email"):
        klass = "email"
    if _about_something_else(words, found[-1], column):
        return None
    session = _session(words, column, context)
    if session:
        return session
    if klass == "name":
        return _named(words, start, end, column, context)
    phrase = words[start:end]
    if (
        klass == "address"
        and phrase == ("address",)
        and any_of(context.words, frozenset({"email", "mail"}))
    ):
        klass = "email"
    klass = _refined(klass, column)
    if column.kind not in _KINDS.get(klass, _TEXT):
        return None
    says = f"the name says {klass if klass != 'weak text' else 'free text'}"
    return _in_context(klass, phrase, words, column, context, says)


def _session(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    """Judge what a table of sessions keeps: who has its id is its user."""
    if "session" not in context.words or context.catalogue:
        return None
    last = words[-1]
    if last in {"id", "sid", "key"} and column.kind is Kind.TEXT and set(words) <= nouns.SESSION_ID:
        return _personal("secret", 0.8, "the id of a session lets its holder in")
    if last in nouns.SESSION_DATA and column.kind in {Kind.TEXT, Kind.BYTES, Kind.JSON}:
        return _personal("document", 0.75, "a session may hold anything")
    return None


def _text(column: Column) -> bool:
    return column.kind is Kind.TEXT


def _bare(words: tuple[str, ...], column: Column, context: Context) -> Verdict | None:
    """Judge ``first`` and ``last`` in a table of persons."""
    if words[-1] in nouns.ENVELOPE and len(words) == 1 and any_of(context.words, nouns.MAIL):
        return _personal("email", 0.75, "whom a mail goes to") if _text(column) else None
    if words == ("numero",) and context.person and context.address and _text(column):
        return _personal("address", 0.7, "a number beside an address")
    klass = _BARE.get(words[0]) if len(words) == 1 else None
    if klass is None or not _text(column) or not context.person:
        return None
    return _personal(klass, 0.75, f"the name says {klass}, in a table of persons")


def _refined(klass: str, column: Column) -> str:
    if klass in {"free text", "weak text"} and column.kind is Kind.BYTES:
        return "document"
    return klass


def _about_something_else(
    words: tuple[str, ...], match: tuple[int, int, str], column: Column
) -> bool:
    start, end, klass = match
    tail = words[end:]
    if klass in _CODED and tail and set(tail) <= _NUMBERED - {"id"}:
        tail = ()
    if klass == "identifier" and column.kind is not Kind.TEXT and words[end - 1] in _NUMBERED:
        return True
    if any_of(tail, NEUTRAL):
        return True
    flags = FLAGS if column.kind in _NUMBERS else nouns.FLAG_TEXT
    if klass in {"phone", "account", "identifier", "address", "name", "postal code"}:
        flags = flags - {"number", "num", "no"}
    return any(word in flags for word in words[:start])


def _role(  # noqa: PLR0911 - a table of cases
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
    raw = raw_words(column.name)
    if len(raw) > 1 and raw[-1] in context.affixes:
        return None
    if any_of(words[:-1], _NUMBERED):
        return None
    if not any_of(words[-1:], PERSONS - nouns.UNCLEAR) or any(
        word in nouns.FLAG_TEXT for word in words
    ):
        return None
    if words[-1] in {"user", "users", "benutzer"}:
        return _personal("username", 0.75, "the name says username")
    return _personal("person name", 0.7, "the column is named for a person")


def _named(  # noqa: C901, PLR0911 - one table of cases, read top to bottom
    words: tuple[str, ...], start: int, end: int, column: Column, context: Context
) -> Verdict | None:
    if column.kind is not Kind.TEXT:
        return None
    beside = [*words[max(0, start - 1) : start], *words[end : end + 1]]
    if context.catalogue and any_of(beside, nouns.UNCLEAR):
        return _harmless("label", 0.6, "the name of a program or an account")
    if any_of(beside, PERSONS) or "by" in beside:
        return _person_name(context, 0.85, "the name says a person's name")
    if any_of(
        beside,
        ORGANISATIONS & frozenset({"company", "supplier", "vendor", "organization", "business"}),
    ):
        return _harmless("company", 0.8, "the name says a company's name")
    if any_of(words[:start], NUMBERLESS | CATALOGUE | ORGANISATIONS | THINGS) or any_of(
        words[end:], NUMBERLESS
    ):
        return _harmless("label", 0.6, "the name of a thing")
    if context.person and not context.catalogue:
        return _person_name(context, 0.8, "a name in a table of persons")
    if context.address and not (context.impersonal or context.catalogue):
        return _personal("person name", 0.65, "a name beside an address")
    if context.organisation:
        return _harmless("company", 0.6, "a name in a table of organisations")
    return _harmless("label", 0.5, "the name of a thing")


def _person_name(context: Context, confidence: float, reason: str) -> Verdict:
    """Return the part of a name that is left when the table has a column for the other part."""
    parts = context.classes & {"first name", "last name"}
    klass = "person name"
    if parts == {"first name"}:
        klass = "last name"
    elif parts == {"last name"}:
        klass = "first name"
    return _personal(klass, confidence, reason)


def _in_context(  # noqa: C901, PLR0911, PLR0912 - one table of cases, read top to bottom
    klass: str,
    phrase: tuple[str, ...],
    words: tuple[str, ...],
    column: Column,
    context: Context,
    says: str,
) -> Verdict | None:
    people = context.person or context.about
    if klass in _ADDRESS:
        if any_of(words[: -len(phrase)], ORGANISATIONS):
            return _harmless(klass, 0.6, f"{says}, but of an organisation")
        return _place(klass, phrase, context, says)
    if klass == "weak text":
        listed = context.catalogue and context.head not in nouns.PIECES
        talk = any_of(context.words, COMMUNICATION) and not listed and phrase[-1] != "reason"
        talk = talk and phrase[-1] not in {"info", "information", "value"}
        own = context.certain and bool(nouns.DESCRIPTIONS & set(phrase))
        own = own or (
            any_of(context.words, nouns.BOOKINGS)
            and bool((nouns.DESCRIPTIONS | {"reason"}) & set(phrase))
        )
        changed = {"old", "new", "previous"} & set(words) and any_of(context.words, nouns.CHANGES)
        own = own or (bool(changed) and "value" in phrase)
        own = own or (people and not context.catalogue and bool(nouns.TOLD & set(phrase)))
        stored = any_of(context.words[-1:], nouns.STORES) and any_of(context.words[:-1], PERSONS)
        stored = stored or any_of(context.words[-1:], PERSONS)
        if talk or own or (stored and phrase[-1:] == ("value",)):
            return _personal("free text", 0.75, f"{says}, in a table of what people write")
        return _harmless("free text", 0.6, says) if column.kind is Kind.TEXT else None
    if klass == "free text":
        if context.catalogue and not people:
            return _harmless(klass, 0.6, f"{says}, in a table of settings or types")
        if context.impersonal and (context.organisation or not people):
            return _harmless(klass, 0.6, f"{says}, in a table of organisations or goods")
        if phrase == ("signature",) and not context.person:
            return None
        if column.kind is Kind.JSON:
            return None
        return _personal(klass, 0.85 if people or context.record else 0.65, says)
    if klass == "company":
        return _harmless(klass, 0.85, says)
    if klass in {"url", "image", "document", "location"}:
        wanted = context.person or any_of(words, PERSONS)
        wanted = wanted or (context.about and (klass != "url" and column.kind is not Kind.TEXT))
        near = context.address or context.about or context.record
        wanted = wanted or (klass == "location" and near and not context.impersonal)
        listed = context.catalogue and not context.person and not context.record
        if wanted and not listed and not (context.impersonal):
            return _personal(klass, 0.75, f"{says}, in a table of persons")
        return _harmless(klass, 0.6, says) if klass == "url" else None
    if klass == "income" and (not people or context.catalogue):
        return None
    if klass == "health" and not people and not context.record:
        return None
    if klass == "username" and context.impersonal and nouns.NETWORKS & set(phrase):
        return _harmless(klass, 0.6, f"{says}, but of an organisation")
    if phrase == ("documento",) and not people:
        return None
    if phrase == ("alias",) and not context.certain:
        return None
    if phrase == ("extension",) and not context.person:
        return None
    if phrase == ("identifier",) and not any_of(context.words, PERSONS):
        return None
    shown = klass == "person name" and bool(nouns.SHOWN & set(phrase)) and not context.person
    if shown and (context.catalogue or context.impersonal):
        return _harmless("label", 0.6, "the name of a thing")
    if klass == "demographic" and not people and not (nouns.SURE_DEMOGRAPHIC & set(phrase)):
        return None
    if klass == "birth date" and phrase == ("age",) and not context.person:
        return None
    if klass == "identifier" and not nouns.SURE_IDENTIFIERS & set(phrase):
        if context.impersonal or (context.catalogue and not people):
            return _harmless(klass, 0.6, f"{says}, but of an organisation")
        if not people:
            return _personal(klass, 0.6, says)
    if klass == "secret" and phrase[-1] in {"token", "pass", "pin"} and context.catalogue:
        return _personal(klass, 0.6, says)
    return _personal(klass, 0.9, says)


def _place(klass: str, phrase: tuple[str, ...], context: Context, says: str) -> Verdict | None:
    if context.impersonal:
        return _harmless(klass, 0.7, f"{says}, but of an organisation or a place")
    whole = context.address or context.person
    if klass == "state" and not context.classes & {"city", "postal code", "address"}:
        whole = False
    if phrase == ("estado",) and not context.classes & {"city", "postal code"}:
        return None
    if klass in {"city", "state"} and not whole:
        return _harmless(klass, 0.5, f"{says}, but no address stands beside it")
    if context.catalogue and not context.person and not context.about:
        return _harmless(klass, 0.5, f"{says}, in a table of settings or types")
    return _personal(klass, 0.9 if whole else 0.75, says)


def _by_value(column: Column, context: Context, values: Sequence[str]) -> Verdict | None:
    if not values or column.kind not in {Kind.TEXT, Kind.JSON}:
        return None
    if column.kind is Kind.JSON:
        return _by_leaves(values)
    found = seen.shape(values)
    if found is None:
        thing = context.catalogue or context.impersonal
        found = None if thing else seen.person(values)
    if found is None:
        found = seen.city(values)
    if found is None:
        text = prose.read(values)
        return _personal("free text", 0.85, "its values name people") if text.about_people else None
    reason = f"{found.share:.0%} of the values look like {found.words}"
    harmless = {"key", "time", "company", "url", "city"}
    personal = found.klass not in harmless or (found.klass == "url" and context.person)
    return Verdict(found.klass, personal, 0.6 + 0.3 * found.share, reason)


def _by_leaves(values: Sequence[str]) -> Verdict | None:
    if seen.holds_email(values) or ((found := seen.shape(values)) and found.klass == "phone"):
        return _personal("document", 0.85, "its documents hold contact data")
    return None


def _by_comment(column: Column) -> Verdict | None:
    """Judge a column by its comment where the name says nothing."""
    words = words_of(column.comment)
    for _, end, klass in matches(words)[:1]:
        if klass in {"weak text", "name", "free text", "document", "url"} or any_of(
            words[end:], NEUTRAL
        ):
            return None
        if column.kind in _KINDS.get(klass, _TEXT):
            return Verdict(klass, klass != "company", 0.7, f"its comment says {klass}")
    return None
