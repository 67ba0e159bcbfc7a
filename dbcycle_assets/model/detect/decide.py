"""Weighing the evidence about one column: its name, type, table, keys, comment and values."""

from collections.abc import Sequence

from ...anonymizers.base import Kind
from ..catalog import Column, Table
from . import nouns, prose
from . import values as seen
from .context import Context
from .names import any_of, matches, raw_words, words_of
from .nouns import (
    COMMUNICATION,
    FLAGS,
    NEUTRAL,
    NUMBERED,
    ORGANISATIONS,
    PERSONS,
)
from .people import bare, by_table, named, role, session
from .verdict import Verdict, harmless, personal

_NUMBERS = frozenset({Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT})
_TEXT = frozenset({Kind.TEXT})
_KINDS = {
    "phone": _TEXT | _NUMBERS,
    "postal code": _TEXT | _NUMBERS,
    "birth date": _TEXT | {Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.INTEGER},
    "identifier": _TEXT | _NUMBERS,
    "account": _TEXT | _NUMBERS,
    "demographic": _TEXT | {Kind.ENUM, Kind.INTEGER, Kind.NUMERIC},
    "health": _TEXT | {Kind.ENUM, Kind.INTEGER, Kind.JSON},
    "income": _TEXT | _NUMBERS,
    "location": _TEXT | _NUMBERS | {Kind.BYTES, Kind.OTHER, Kind.COMPOSITE},
    "network": _TEXT | {Kind.NETWORK, Kind.INTEGER},
    "secret": _TEXT | {Kind.BYTES, Kind.UUID},
    "image": _TEXT | {Kind.BYTES},
    "document": _TEXT | {Kind.BYTES, Kind.JSON, Kind.XML},
    "free text": _TEXT | {Kind.JSON},
}
_PURPOSES = {("zweck",), ("verwendung",), ("avis",)}
_ADDRESS = frozenset({"address", "postal code", "city", "state"})
_CODED = frozenset({"demographic", "state", "city", "health", "identifier", "postal code"})
"""Classes of which a code tells as much as the word."""
_DECISIVE = frozenset({"email", "network", "account"})
"""Classes that values prove, whatever the name says."""
_REACHED = frozenset(
    {"account", "email", "phone", "first name", "last name", "person name", "username", "network"}
)
_CERTAIN = 0.75
_SURE = 0.8
_ROOMY = 1000
_SHORTEST = {
    "email": 6,
    "phone": 5,
    "secret": 4,
    "username": 3,
    "first name": 2,
    "last name": 3,
    "name": 3,
    "person name": 3,
    "address": 3,
    "city": 3,
    "free text": 12,
    "weak text": 12,
    "document": 60,
    "url": 12,
    "image": 12,
    "network": 8,
}
"""The least characters in which a value of a class fits."""


def judge(  # noqa: C901, PLR0911 - the order in which evidence decides
    table: Table, column: Column, context: Context, values: Sequence[str], common: frozenset[str]
) -> Verdict | None:
    """Return what the evidence says of a column, or None where it says nothing.

    ``common`` are names of columns that a large part of all tables has.
    """
    if column.kind is Kind.BOOLEAN or _is_reference(table, column):
        return None
    told = _by_name(column, context)
    if told and column.name in common and not _stands_out(told, context):
        told = None
    if told and seen.contradicts(told.klass, values):
        told = None
    if told and told.klass == "free text" and values and column.kind is Kind.TEXT:
        return _by_text(told, values)
    valued = _by_value(column, context, values)
    if told and valued and valued.klass in _DECISIVE and valued.klass != told.klass:
        return valued
    if told and valued and valued.klass == told.klass:
        reason = f"{told.reason}, and {valued.reason}"
        return Verdict(told.klass, told.personal or valued.personal, 0.97, reason)
    if told and told.personal:
        return told
    if valued and (valued.personal or not told):
        return valued
    return told or _by_comment(column)


def _by_text(told: Verdict, values: Sequence[str]) -> Verdict:
    """Judge by its values whether text that the name announces is about people."""
    text = prose.read(values)
    if text.about_people:
        return personal("free text", 0.95, f"{told.reason}, and its values name people")
    if text.formatted:
        return harmless("text", 0.7, f"{told.reason}, but its values are written for programs")
    if told.personal and told.confidence < _SURE and text.about_nobody:
        return harmless("free text", 0.6, f"{told.reason}, but its values name nobody")
    return told


def _stands_out(verdict: Verdict, context: Context) -> bool:
    """Tell whether a verdict holds for a column that most tables have."""
    if verdict.klass == "free text":
        return context.person or context.about
    return verdict.klass != "secret" or "session" in context.words


def _is_reference(table: Table, column: Column) -> bool:
    if any(column.name in key.columns for key in table.foreign_keys):
        return True
    whole = column.kind in {Kind.INTEGER, Kind.NUMERIC, Kind.UUID}
    if whole and raw_words(column.name)[:1] and raw_words(column.name)[0] in nouns.REFERRING:
        return True
    return whole and column.name in table.primary_key


def _by_name(column: Column, context: Context) -> Verdict | None:
    raw = raw_words(column.name)
    kept = tuple(word for word in raw if word not in context.affixes)
    whole = words_of(column.name)
    only = matches(whole)[-1:]
    if kept and kept != raw and only and only[0][:2] == (0, 1) and raw[0] in context.affixes:
        return _by_words(words_of("_".join(kept)), column, context)
    found = _by_words(whole, column, context)
    return found or (_by_words(words_of("_".join(kept)), column, context) if kept else None)


def _by_words(  # noqa: C901, PLR0911 - a table of cases
    words: tuple[str, ...], column: Column, context: Context
) -> Verdict | None:
    found = matches(words)
    by_role = role(words, column, context, found)
    entry = by_role or by_table(words, column, context)
    if raw_words(column.name) in {("cc",), ("bcc",)}:
        entry = entry or bare(words, column, context)
    if entry or not found:
        return entry or bare(words, column, context) or session(words, column, context)
    if found[-1][2] == "company" and len(found) > 1 and found[-2][2] in {"email", "phone"}:
        found = found[:-1]
    start, end, klass = found[-1]
    if words[start:end] == ("address",) and len(found) > 1 and found[-2][1:] == (start, "email"):
        klass = "email"
    if klass == "other" or 0 < (column.max_length or _ROOMY) < _SHORTEST.get(klass, 1):
        return None
    if _about_something_else(words, found[-1], column):
        return None
    kept = session(words, column, context)
    if kept:
        return kept
    if klass == "name":
        return named(words, start, end, column, context)
    phrase = words[start:end]
    if (
        klass == "address"
        and phrase == ("address",)
        and any_of(context.words, frozenset({"email", "mail"}))
    ):
        klass = "email"
    klass = _refined(klass, column)
    house = klass == "address" and "number" in phrase and column.kind in _NUMBERS
    if column.kind not in _KINDS.get(klass, _TEXT) and not house:
        return None
    says = f"the name says {klass if klass != 'weak text' else 'free text'}"
    return _in_context(klass, phrase, words, column, context, says)


def _refined(klass: str, column: Column) -> str:
    if klass in {"free text", "weak text"} and column.kind is Kind.BYTES:
        return "document"
    return klass


def _about_something_else(
    words: tuple[str, ...], match: tuple[int, int, str], column: Column
) -> bool:
    start, end, klass = match
    tail = words[end:]
    if klass in _CODED and tail and set(tail) <= NUMBERED - {"id"}:
        tail = ()
    if klass == "identifier" and column.kind is not Kind.TEXT and words[end - 1] in NUMBERED:
        return True
    if any_of(tail, NEUTRAL):
        return True
    flags = FLAGS if column.kind in _NUMBERS else nouns.FLAG_TEXT
    if klass in {"phone", "account", "identifier", "address", "name", "postal code"}:
        flags = flags - {"number", "num", "no"}
    return any(word in flags for word in words[:start])


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
            return harmless(klass, 0.6, f"{says}, but of an organisation")
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
            return personal("free text", 0.75, f"{says}, in a table of what people write")
        return harmless("free text", 0.6, says) if column.kind is Kind.TEXT else None
    if klass == "free text":
        if not (people or context.record or context.classes & _REACHED):
            return harmless(klass, 0.5, f"{says}, but nothing beside it tells of people")
        if context.catalogue and not people:
            return harmless(klass, 0.6, f"{says}, in a table of settings or types")
        if context.impersonal and (context.organisation or not people):
            return harmless(klass, 0.6, f"{says}, in a table of organisations or goods")
        if phrase == ("signature",) and not context.person:
            return None
        if column.kind is Kind.JSON:
            return None
        return personal(klass, 0.85 if people or context.record else 0.65, says)
    if klass == "company":
        return harmless(klass, 0.85, says)
    if klass in {"url", "image", "document", "location"}:
        wanted = context.person or any_of(words, PERSONS)
        wanted = wanted or (context.about and (klass != "url" and column.kind is not Kind.TEXT))
        near = context.address or context.about or context.record
        wanted = wanted or (klass == "location" and near and not context.impersonal)
        listed = context.catalogue and not context.person and not context.record
        if wanted and not listed and not (context.impersonal):
            return personal(klass, 0.75, f"{says}, in a table of persons")
        return harmless(klass, 0.6, says) if klass == "url" else None
    if klass == "account" and context.organisation and not context.person:
        return harmless(klass, 0.6, f"{says}, but of an organisation")
    if phrase in {("license", "number"), ("license", "no")} and context.head.startswith("licen"):
        return None
    if phrase in _PURPOSES and not context.classes & {"account", "person name"}:
        return None
    if klass == "income" and (not people or context.catalogue):
        return None
    if klass == "health" and not people and not context.record:
        return None
    if klass == "username" and context.impersonal and nouns.NETWORKS & set(phrase):
        return harmless(klass, 0.6, f"{says}, but of an organisation")
    if phrase == ("uid",) and not context.person and "account" not in context.words:
        return None
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
        return harmless("label", 0.6, "the name of a thing")
    if klass == "demographic" and not people and not (nouns.SURE_DEMOGRAPHIC & set(phrase)):
        return None
    if klass == "birth date" and phrase == ("age",) and not context.person:
        return None
    if klass == "identifier" and not nouns.SURE_IDENTIFIERS & set(phrase):
        if context.impersonal or (context.catalogue and not people):
            return harmless(klass, 0.6, f"{says}, but of an organisation")
        if not people:
            return personal(klass, 0.6, says)
    if klass == "secret" and phrase[-1] in {"token", "pass", "pin"} and context.catalogue:
        return personal(klass, 0.6, says)
    return personal(klass, 0.9, says)


def _place(klass: str, phrase: tuple[str, ...], context: Context, says: str) -> Verdict | None:
    if context.impersonal:
        return harmless(klass, 0.7, f"{says}, but of an organisation or a place")
    whole = context.address or context.person
    if klass == "state" and not context.classes & {"city", "postal code", "address"}:
        whole = False
    if phrase == ("estado",) and not context.classes & {"city", "postal code"}:
        return None
    if klass in {"city", "state"} and not whole:
        return harmless(klass, 0.5, f"{says}, but no address stands beside it")
    if context.catalogue and not context.person and not context.about:
        return harmless(klass, 0.5, f"{says}, in a table of settings or types")
    return personal(klass, 0.9 if whole else 0.75, says)


def _by_value(column: Column, context: Context, values: Sequence[str]) -> Verdict | None:
    if not values or column.kind not in {Kind.TEXT, Kind.JSON}:
        return None
    if column.kind is Kind.JSON:
        return _by_leaves(values)
    found = seen.shape(values)
    if found is None:
        found = seen.person(values)
        thing = context.catalogue or context.impersonal
        if found and thing and found.share < _CERTAIN:
            found = None
    if found is None:
        found = seen.username(values) or seen.city(values)
    if found is None:
        text = prose.read(values)
        return personal("free text", 0.85, "its values name people") if text.about_people else None
    reason = f"{found.share:.0%} of the values look like {found.words}"
    harmless = {"key", "time", "company", "url", "city"}
    about = found.klass not in harmless or (found.klass == "url" and context.person)
    return Verdict(found.klass, about, 0.6 + 0.3 * found.share, reason)


def _by_leaves(values: Sequence[str]) -> Verdict | None:
    if seen.holds_email(values) or ((found := seen.shape(values)) and found.klass == "phone"):
        return personal("document", 0.85, "its documents hold contact data")
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
