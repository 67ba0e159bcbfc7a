"""The detector: proposes a rule for every column, with a reason. It decides nothing.

It reads names, types, keys and sampled values; then it looks for the values of personal columns in
all others, since a name in a title gives a person away as well as one in a name column.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..anonymizers import definition, parameters_of
from ..anonymizers.base import Kind
from .catalog import Catalog, Column, Table
from .survivors import LONGEST_PHRASE, leaves_of, marks_of_original, words

CATEGORIES = 25
"""A text column with no more distinct values than this, all short, is taken for a category."""


@dataclass(frozen=True)
class Proposal:
    """What the detector makes of one column; ``rule`` is ``keep`` or an anonymizer's name.

    ``confidence`` lies between 0 and 1; ``klass`` is the class of data; ``personal`` tells whether
    it is about a person.
    """

    table: str
    column: str
    rule: str
    klass: str
    personal: bool
    confidence: float
    reason: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sort:
    """One class of personal data: the rule, words of the column's name, and the kinds it is in."""

    klass: str
    rule: str
    pattern: str
    kinds: frozenset[Kind] = frozenset({Kind.TEXT})


_MOMENT = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT})
_SORTS = tuple(
    _Sort(*entry)
    for entry in (
        ("email", "email", r"e ?mails?|mail( address)?|correo|courriel"),
        ("phone", "phone", r"(tele)?phones?|tel|mobile|cell|fax|telefono|handy|whatsapp|msisdn"),
        ("secret", "password_hash", r"pass ?words?|passwd|pwd|passphrase|kennwort"),
        ("secret", "token", r"token|secret|api ?key|access ?key|session|otp|salt|credential|nonce"),
        (
            "first name",
            "first_name",
            r"f ?name|first ?name|given ?name|forename|middle ?name|vorname|prenom|nombre",
        ),
        (
            "last name",
            "last_name",
            r"l ?name|last ?name|surname|family ?name|nachname|apellido|maiden ?name",
        ),
        (
            "username",
            "username",
            r"user ?name|login|nick( ?name)?|handle|screen ?name|account ?name",
        ),
        (
            "person name",
            "full_name",
            r"full ?name|display ?name|contact ?name|customer ?name|patient|author( name)?|(guardian|parent|student|teacher|employee|recipient|holder|owner) ?name|composer",
        ),
        (
            "address",
            "street_address",
            r"(street )?address( ?line)?( ?[123])?|street|addr|adresse|direccion|district",
        ),
        ("postal code", "postal_code", r"zip( ?code)?|post(al)? ?code|postcode|plz"),
        ("city", "city", r"city|town|ciudad|ville|ort"),
        ("state", "state", r"(billing )?(state|province|county|region)"),
        ("company", "company", r"company( name)?|employer|organi[sz]ation"),
        ("url", "url", r"url|website|homepage|link|avatar|webhook"),
        (
            "network",
            "ip_address",
            r"(remote |client |last )?ip( ?(addr|address))?",
            frozenset({Kind.TEXT, Kind.NETWORK}),
        ),
        (
            "identifier",
            "scramble",
            r"ssn|iban|national ?id|tax ?id|vat( ?id)?|passport|licen[cs]e( ?no)?|card( ?number)?|account ?(no|number)",
        ),
        (
            "birth date",
            "birth_date",
            r"birth( ?day| ?date)?|dob|date of birth|geburtsdatum",
            _MOMENT,
        ),
        (
            "free text",
            "free_text",
            r"notes?|comments?|descriptions?|bio|about|messages?|body|content|remarks?|details?|feedback|text|user ?agent|reason|summary|memo",
        ),
    )
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+?[\d(][\d\s().\-/]{6,}\d")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIND = 0.6
"""The share of sampled values that must look alike for a value to decide."""

_SAFE_KINDS = {
    Kind.BOOLEAN: "category",
    Kind.INTEGER: "measure",
    Kind.NUMERIC: "measure",
    Kind.FLOAT: "measure",
    Kind.DATE: "time",
    Kind.TIMESTAMP: "time",
    Kind.TIME: "time",
    Kind.INTERVAL: "time",
    Kind.ENUM: "category",
    Kind.UUID: "key",
    Kind.RANGE: "measure",
}


def propose(catalog: Catalog, samples: Mapping[tuple[str, str], Sequence[str]]) -> list[Proposal]:
    """Propose a rule for every stored column of every table; ``samples`` are distinct values."""
    found = [
        _fitting(table, column, _first_guess(table, column, samples.get((name, column.name), ())))
        for name, table in sorted(catalog.tables.items())
        for column in table.stored_columns
    ]
    return _cross_check(catalog, found, samples)


def _first_guess(table: Table, column: Column, values: Sequence[str]) -> Proposal:
    def guess(rule: str, klass: str, confidence: float, reason: str) -> Proposal:
        personal = rule != "keep"
        return Proposal(table.id, column.name, rule, klass, personal, confidence, reason)

    if column.kind in _SAFE_KINDS and (key := _key_role(table, column)):
        return guess("keep", "key", 0.95, key)
    name = _plain_name(column.name)
    for sort in _SORTS:
        if column.kind in sort.kinds and re.search(rf"(^|\s)({sort.pattern})($|\s)", name):
            if _categorical(table, column, values) and sort.rule in {"free_text", "state", "url"}:
                break
            return guess(sort.rule, sort.klass, 0.9, f"the name says {sort.klass}")
    return _by_value(column, values, guess) or _by_kind(table, column, values, guess)


def _plain_name(name: str) -> str:
    """Return a column's name as lower-case words."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[a-z]+|\d+", spaced.casefold()))


def _key_role(table: Table, column: Column) -> str | None:
    if column.name in table.primary_key:
        return "a surrogate key"
    if any(column.name in key.columns for key in table.foreign_keys):
        return "a reference"
    return None


def _by_value(column: Column, values: Sequence[str], guess: Any) -> Proposal | None:
    texts = [text for value in values[:500] for text in (value, *leaves_of(value))]
    if not texts or column.kind not in {Kind.TEXT, Kind.JSON}:
        return None
    if column.kind is Kind.JSON:
        return None
    for rule, klass, pattern in (("email", "email", _EMAIL), ("phone", "phone", _PHONE)):
        hits = sum(bool(pattern.fullmatch(text)) and not _DATED.search(text) for text in texts)
        if hits >= _FIND * len(texts):
            return guess(rule, klass, 0.85, f"its values look like {klass}s")  # type: ignore[no-any-return]
    if any(_EMAIL.search(text) for text in texts):
        return guess("free_text", "free text", 0.8, "some values hold e-mail addresses")  # type: ignore[no-any-return]
    if _looks_like_json(values):
        return guess("json", "document", 0.8, "its values are JSON documents")  # type: ignore[no-any-return]
    return None


def _looks_like_json(values: Sequence[str]) -> bool:
    some = [value for value in values[:50] if value[:1] in "{["]
    if not some or len(some) < _FIND * len(values[:50]):
        return False
    try:
        for value in some:
            json.loads(value)
    except ValueError:
        return False
    return True


def _by_kind(  # noqa: PLR0911 - a table of cases
    table: Table, column: Column, values: Sequence[str], guess: Any
) -> Proposal:
    special = {
        Kind.JSON: ("json", "document", "a document may hold anything"),
        Kind.BYTES: ("bytes", "binary", "binary data may hold anything"),
        Kind.TSVECTOR: ("tsvector", "search index", "it repeats the words of other columns"),
        Kind.NETWORK: ("ip_address", "network", "a network address"),
    }.get(column.kind)
    if special is not None:
        return guess(special[0], special[1], 0.8, special[2])  # type: ignore[no-any-return]
    if column.kind in _SAFE_KINDS:
        klass = _SAFE_KINDS[column.kind]
        return guess("keep", klass, 0.8, f"a {klass}, without text")  # type: ignore[no-any-return]
    if column.kind is Kind.TEXT:
        if _categorical(table, column, values):
            return guess("keep", "category", 0.7, f"{len(values)} short values that repeat")  # type: ignore[no-any-return]
        if _codes(values):
            return guess("keep", "code", 0.6, "short codes without words")  # type: ignore[no-any-return]
        lookup = _lookup(table)
        if lookup and _plain_name(column.name) in {"name", "title", "label", "code", "country"}:
            return guess("keep", "label", 0.5, "labels of a table without references")  # type: ignore[no-any-return]
        return guess("free_text", "text", 0.5, "text of unknown meaning")  # type: ignore[no-any-return]
    return guess("null", "unknown", 0.4, f"nothing is known of {column.type}")  # type: ignore[no-any-return]


def _lookup(table: Table) -> bool:
    return not table.foreign_keys


def _categorical(table: Table, column: Column, values: Sequence[str]) -> bool:
    short = all(len(value) <= 40 for value in values)  # noqa: PLR2004 - a label, not a sentence
    unique = table.facts(column).unique
    return bool(values) and short and len(values) <= CATEGORIES and not unique


def _codes(values: Sequence[str]) -> bool:
    return bool(values) and all(
        len(value) <= 40 and re.fullmatch(r"[A-Za-z]{0,4}[\d\W_]*[A-Za-z]{0,3}", value)  # noqa: PLR2004
        for value in values
    )


_FALLBACKS = ("scramble", "hash", "integer", "uuid", "redact", "null", "choice", "constant")


def _fitting(table: Table, column: Column, proposal: Proposal) -> Proposal:
    """Return the proposal, or the nearest one that fits the column."""
    if proposal.rule == "keep" or _fits(table, column, proposal.rule, proposal.options):
        return proposal
    unique = table.facts(column).unique
    order = ("username", "hash", "digits", "uuid", "integer") if unique else _FALLBACKS
    for rule in order:
        if _fits(table, column, rule, {}):
            return replace(proposal, rule=rule, confidence=0.5)
    if unique and column.kind is Kind.TEXT:
        return replace(proposal, rule="scramble", confidence=0.3)
    return replace(proposal, rule="null" if column.nullable else "keep", confidence=0.2)


def _fits(table: Table, column: Column, rule: str, options: Mapping[str, Any]) -> bool:
    found = definition(rule)
    facts = table.facts(column)
    if facts.kind not in found.accepts:
        return False
    if rule == "constant":
        return False
    return found.misfit(parameters_of(rule, options), facts) is None


def _cross_check(
    catalog: Catalog,
    proposals: Sequence[Proposal],
    samples: Mapping[tuple[str, str], Sequence[str]],
) -> list[Proposal]:
    """Propose a mask for kept text that holds what personal columns hold."""
    known: set[str] = set()
    for proposal in proposals:
        if proposal.rule == "keep" or not definition(proposal.rule).searchable:
            continue
        for value in samples.get((proposal.table, proposal.column), ()):
            for leaf in leaves_of(value):
                known |= marks_of_original(leaf, proposal.rule)
    checked = []
    for proposal in proposals:
        table = catalog.tables[proposal.table]
        column = table.column(proposal.column)
        values = samples.get((proposal.table, proposal.column), ())
        if proposal.rule != "keep" or column is None or column.kind is not Kind.TEXT:
            checked.append(proposal)
            continue
        hits = _hits(values, known)
        if not hits:
            checked.append(proposal)
            continue
        reason = f"{hits} of {len(values)} sampled values hold words that are personal elsewhere"
        masked = replace(proposal, rule="free_text", personal=True, confidence=0.6, reason=reason)
        checked.append(_fitting(table, column, masked))
    return checked


def _hits(values: Iterable[str], known: set[str]) -> int:
    return sum(any(mark in known for mark in _marks(value)) for value in values)


def _marks(value: str) -> set[str]:
    parts = words(value)
    phrases = {
        "w" + " ".join(parts[start:end])
        for start in range(len(parts))
        for end in range(start + 1, min(len(parts), start + LONGEST_PHRASE) + 1)
    }
    return phrases | {"t" + " ".join(parts)} | marks_of_original(value, "email")
