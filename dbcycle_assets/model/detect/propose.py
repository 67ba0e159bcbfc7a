"""From evidence to a rule for every column, with a confidence and a reason.

After each column was judged alone, it looks for the values of personal columns in
all others, since a name in a title gives a person away as well as one in a name column.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...anonymizers import definition, parameters_of
from ...anonymizers.base import Kind
from ..catalog import Catalog, Column, Table
from ..marks import LONGEST_PHRASE, leaves_of, marks_of_original, words
from .context import Context, contexts, structural
from .decide import judge
from .names import words_of
from .rules import narrow, readable
from .values import documents, holds_email

CATEGORIES = 25
"""A text column with no more distinct values than this, all short, is taken for a category."""


@dataclass(frozen=True)
class Proposal:
    """What the detector makes of one column; ``rule`` is ``keep`` or an anonymizer's name.

    ``confidence`` lies between 0 and 1; ``klass`` is the class of data. ``personal`` tells whether
    the content is about a person: text of unknown meaning is masked all the same.
    """

    table: str
    column: str
    rule: str
    klass: str
    personal: bool
    confidence: float
    reason: str
    options: Mapping[str, Any] = field(default_factory=dict)


_RULES = {
    "email": "email",
    "phone": "phone",
    "secret": "password_hash",
    "first name": "first_name",
    "last name": "last_name",
    "person name": "full_name",
    "username": "username",
    "address": "street_address",
    "postal code": "postal_code",
    "city": "city",
    "state": "state",
    "location": "number",
    "company": "company",
    "url": "url",
    "network": "ip_address",
    "device": "free_text",
    "identifier": "scramble",
    "account": "scramble",
    "birth date": "birth_date",
    "demographic": "scramble",
    "health": "free_text",
    "income": "number",
    "free text": "free_text",
    "image": "url",
    "document": "free_text",
}
"""The rule for each class; where it does not fit the column, the nearest that does."""

_BY_KIND = {
    Kind.JSON: "json",
    Kind.BYTES: "bytes",
    Kind.NETWORK: "ip_address",
    Kind.TSVECTOR: "tsvector",
}
_REPEATING = frozenset({"free text", "url", "label", "document"})
"""Classes that a few short values speak against."""

_PASSWORDS = frozenset(
    ["password", "passphrase", "passwd", "kennwort", "passwort", "contrasena", "senha", "haslo"]
)
_SURVIVING = 0.3
"""The share of values with words that are personal elsewhere, from which a column is personal."""

_FEWEST_NAMED = 3
_NAMES = frozenset({"person name", "email", "phone"})
"""Classes whose values name one person; a single word of one may be anybody's, or anything."""

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

_TELLING_LITTLE = frozenset({Kind.BOOLEAN, Kind.ENUM})
"""Kinds that a personal column may be summed up in without telling who it is about."""


def propose(catalog: Catalog, samples: Mapping[tuple[str, str], Sequence[str]]) -> list[Proposal]:
    """Propose a rule for every stored column of every table; ``samples`` are distinct values."""
    known = contexts(catalog)
    common = structural(catalog)
    found = [
        _fitting(
            table,
            column,
            _first_guess(table, column, known[name], common, samples.get((name, column.name), ())),
            samples.get((name, column.name), ()),
        )
        for name, table in sorted(catalog.tables.items())
        for column in table.stored_columns
    ]
    return _inherited(catalog, _cross_check(catalog, _search_indexes(catalog, found), samples))


def _inherited(catalog: Catalog, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Give a column that migrations made of a personal one that one's class."""
    known = {(p.table, p.column): p for p in proposals}
    checked = []
    for proposal in proposals:
        table = catalog.tables[proposal.table]
        column = table.column(proposal.column)
        personal = [
            (ancestor, known[place])
            for ancestor in catalog.ancestors_of(proposal.table, proposal.column)
            if (place := (ancestor.from_table, ancestor.from_column)) in known
            and known[place].personal
        ]
        if proposal.personal or column is None or column.kind in _TELLING_LITTLE or not personal:
            checked.append(proposal)
            continue
        ancestor, parent = min(personal, key=lambda pair: not pair[0].exact)
        rule, options = parent.rule, parent.options
        if not ancestor.exact:
            rule = _BY_KIND.get(column.kind, "free_text" if column.kind is Kind.TEXT else rule)
            options = {}
        made = replace(
            proposal,
            rule=rule,
            options=options,
            klass=parent.klass,
            personal=True,
            confidence=0.9,
            reason=f"made of {ancestor.from_table}.{ancestor.from_column} by {ancestor.step}",
        )
        checked.append(_fitting(table, column, made, ()))
    return checked


def _search_indexes(catalog: Catalog, found: Sequence[Proposal]) -> list[Proposal]:
    """Mark the search indexes of tables with personal text: they repeat its words."""
    texts = {p.table for p in found if p.personal and p.klass == "free text"}
    return [
        replace(p, klass="free text", personal=True)
        if p.rule == "tsvector" and p.table in texts and catalog.tables[p.table].column(p.column)
        else p
        for p in found
    ]


def _first_guess(
    table: Table,
    column: Column,
    context: Context,
    common: frozenset[str],
    values: Sequence[str],
) -> Proposal:
    def guess(rule: str, klass: str, confidence: float, reason: str) -> Proposal:
        return Proposal(
            table.id, column.name, rule, klass, personal=False, confidence=confidence, reason=reason
        )

    if column.kind in _SAFE_KINDS and (key := _key_role(table, column)):
        return guess("keep", "key", 0.95, key)
    verdict = judge(table, column, context, values, common)
    repeating = verdict is not None and _categorical(table, column, values)
    if verdict and repeating and verdict.klass in _REPEATING:
        verdict = None
    if verdict and repeating and verdict.klass == "state" and not verdict.personal:
        verdict = None
    if verdict is None or verdict.klass not in _RULES:
        return _by_documents(column, values, guess) or _by_kind(table, column, values, guess)
    rule, options = narrow(table, column, verdict.klass, values) or (
        _rule(column, verdict.klass, values),
        {},
    )
    return Proposal(
        table.id,
        column.name,
        rule,
        verdict.klass,
        verdict.personal,
        round(verdict.confidence, 2),
        verdict.reason,
        options,
    )


def _rule(column: Column, klass: str, values: Sequence[str]) -> str:
    if column.kind in _BY_KIND:
        return _BY_KIND[column.kind]
    if klass == "secret":
        hashed = _PASSWORDS & set(words_of(column.name))
        return "password_hash" if hashed else "token"
    if klass in {"location", "income"} and column.kind is Kind.TEXT:
        return "digits"
    if column.kind is Kind.ENUM:
        return "choice"
    if _RULES[klass] == "free_text" and documents(values):
        return "json"
    return _RULES[klass]


def _key_role(table: Table, column: Column) -> str | None:
    if column.name in table.primary_key:
        return "a surrogate key"
    if any(column.name in key.columns for key in table.foreign_keys):
        return "a reference"
    return None


def _by_documents(column: Column, values: Sequence[str], guess: Any) -> Proposal | None:
    if column.kind is not Kind.TEXT or not values:
        return None
    if holds_email(values):
        found: Proposal = guess("free_text", "free text", 0.8, "some hold e-mail")
        return replace(found, personal=True, reason="some values hold e-mail addresses")
    if documents(values):
        return guess("json", "document", 0.8, "its values are JSON documents")  # type: ignore[no-any-return]
    return None


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
        if lookup and " ".join(words_of(column.name)) in _LABELS:
            return guess("keep", "label", 0.5, "labels of a table without references")  # type: ignore[no-any-return]
        return guess("free_text", "text", 0.5, "text of unknown meaning")  # type: ignore[no-any-return]
    return guess("null", "unknown", 0.4, f"nothing is known of {column.type}")  # type: ignore[no-any-return]


_LABELS = frozenset({"name", "title", "label", "code", "country"})


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


def _fitting(table: Table, column: Column, proposal: Proposal, values: Sequence[str]) -> Proposal:
    """Return the proposal, or the nearest one that fits the column and reads its values."""
    if proposal.rule == "keep" or _fits(table, column, proposal.rule, proposal.options, values):
        return proposal
    unique = table.facts(column).unique
    order = ("username", "hash", "digits", "uuid", "integer") if unique else _FALLBACKS
    for rule in order:
        if _fits(table, column, rule, {}, values):
            return replace(proposal, rule=rule, options={}, confidence=0.5)
    if unique and column.kind is Kind.TEXT:
        return replace(proposal, rule="scramble", options={}, confidence=0.3)
    last = "null" if column.nullable else "keep"
    return replace(proposal, rule=last, options={}, confidence=0.2)


def _fits(
    table: Table, column: Column, rule: str, options: Mapping[str, Any], values: Sequence[str]
) -> bool:
    found = definition(rule)
    facts = table.facts(column)
    if facts.kind not in found.accepts:
        return False
    if rule == "constant":
        return False
    if found.misfit(parameters_of(rule, options), facts) is not None:
        return False
    return column.kind is not Kind.TEXT or readable(rule, options, facts, values)


def _cross_check(  # noqa: C901 - two passes over all columns
    catalog: Catalog,
    proposals: Sequence[Proposal],
    samples: Mapping[tuple[str, str], Sequence[str]],
) -> list[Proposal]:
    """Propose a mask for kept text that holds what personal columns hold."""
    known: set[str] = set()
    names: set[str] = set()
    for proposal in proposals:
        if proposal.rule == "keep" or not definition(proposal.rule).searchable:
            continue
        for value in samples.get((proposal.table, proposal.column), ()):
            for leaf in leaves_of(value):
                known |= marks_of_original(leaf, proposal.rule)
                if proposal.personal and proposal.klass in _NAMES:
                    names |= marks_of_original(leaf, "street_address")
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
        about = _hits(values, names) >= max(_FEWEST_NAMED, _SURVIVING * len(values))
        masked = replace(
            proposal,
            rule="free_text",
            klass="free text" if about else proposal.klass,
            personal=about,
            confidence=0.6,
            reason=reason,
        )
        checked.append(_fitting(table, column, masked, values))
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
