"""Reading CHECK constraints: the ways in which one can be satisfied, or that it is not understood.

A check becomes a list of *ways*; each way is a set of plain demands on single columns, all of which
must hold. A null column satisfies every demand on its value, as it does in SQL.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, product

import sqlglot
from sqlglot import exp

from ..catalog import Column, Table
from .patterns import from_glob, from_like

DIALECTS = {"postgresql": "postgres", "sqlite": "sqlite"}
MOST_WAYS = 64
PRESENT = "2025-01-01"
"""Stands for "now" where a value must not be later; no clock shows an earlier time."""

_COMPARED = {exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.EQ: "=", exp.NEQ: "<>"}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_NOW = (exp.CurrentTimestamp, exp.CurrentDate)
_SET = frozenset({"set", "null"})
_DEFINED = re.compile(
    r"^(?P<name>.*?) ?CHECK \((?P<body>.*)\)(?: NO INHERIT| NOT VALID)*$", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True)
class Demand:
    """What one column must be.

    ``what`` is ``null``, ``set``, ``in``, ``out``, a comparison, ``length`` with a comparison,
    ``like`` (a regular expression), ``lower``, ``upper``, ``json``, or ``beside`` with a comparison
    and another column.
    """

    column: str
    what: str
    value: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it is about."""
        return (self.column, self.value[1]) if self.what == "beside" else (self.column,)


Way = frozenset[Demand]


class Opaque(Exception):
    """An expression that is not understood."""


def ways(definition: str, table: Table, engine: str) -> list[Way] | None:
    """Return the ways to satisfy a check of a table, or None if it is not understood."""
    found = _DEFINED.match(definition)
    if found is None:
        return None
    return ways_of(found["body"], table, engine, value=found["name"].strip())


def ways_of(body: str, table: Table, engine: str, value: str = "") -> list[Way] | None:
    """Return the ways to satisfy a condition; ``value`` is the column that VALUE stands for."""
    logger = logging.getLogger("sqlglot")
    former, logger.disabled = logger.disabled, True  # it quotes what it cannot read
    try:
        tree = sqlglot.parse_one(body, dialect=DIALECTS[engine])
        reader = _Reader({column.name: column for column in table.columns}, value)
        return sorted(reader.ways(tree), key=_cost)[:MOST_WAYS]
    except (Opaque, sqlglot.errors.SqlglotError, RecursionError):
        return None
    finally:
        logger.disabled = former


def _cost(way: Way) -> tuple[int, list[tuple[str, str, tuple[str, ...]]]]:
    told = sorted((demand.column, demand.what, demand.value) for demand in way)
    return sum(demand.what == "set" for demand in way), told


@dataclass(frozen=True)
class _Reader:
    columns: Mapping[str, Column]
    value: str

    def ways(self, node: exp.Expr, *, holds: bool = True) -> list[Way]:
        """Return the ways to make a condition hold, or fail."""
        node = _bare(node)
        if isinstance(node, exp.Not):
            return self.ways(node.this, holds=not holds)
        if isinstance(node, exp.And | exp.Or):
            return (self._all if isinstance(node, exp.And) is holds else self._any)(
                node, holds=holds
            )
        if isinstance(node, exp.Boolean):
            return [frozenset()] if node.this is holds else []
        if isinstance(node, exp.EQ | exp.NEQ) and self._is_condition(node.this):
            same = isinstance(node, exp.EQ) is holds
            sides = [(yes, yes if same else not yes) for yes in (True, False)]
            return [
                a | b
                for left, right in sides
                for a, b in product(
                    self.ways(node.this, holds=left), self.ways(node.expression, holds=right)
                )
            ][:MOST_WAYS]
        return self._atom(node, holds=holds)

    def _all(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        left, right = self.ways(node.this, holds=holds), self.ways(node.expression, holds=holds)
        return list(dict.fromkeys(a | b for a, b in product(left, right)))[:MOST_WAYS]

    def _any(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        found: list[Way] = []
        opaque = 0
        for side in (node.this, node.expression):
            try:
                found += self.ways(side, holds=holds)
            except Opaque:
                opaque += 1
        if opaque == 2:  # noqa: PLR2004 - both sides
            raise Opaque
        return list(dict.fromkeys(found))[:MOST_WAYS]

    def _is_condition(self, node: exp.Expr) -> bool:
        return isinstance(_bare(node), exp.Is | exp.Not | exp.And | exp.Or | exp.Predicate)

    def _atom(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        if isinstance(node, exp.Is):
            return self._is(node, holds=holds)
        if isinstance(node, exp.Between):
            low = exp.GTE(this=node.this, expression=node.args["low"])
            high = exp.LTE(this=node.this, expression=node.args["high"])
            return self.ways(exp.And(this=low, expression=high), holds=holds)
        if isinstance(node, exp.In):
            return self._among(node.this, node.expressions, holds=holds)
        if isinstance(node, exp.RegexpLike | exp.RegexpILike | exp.Like | exp.ILike | exp.Glob):
            return self._pattern(node, holds=holds)
        if isinstance(node, tuple(_COMPARED)):
            return self._compared(node, holds=holds)
        return self._function(node, holds=holds)

    def _function(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        if isinstance(node, exp.Anonymous) and node.name.lower() == "json_valid" and holds:
            return _one(self._column(node.expressions[0]), "json", "object")
        name = self._column(node)
        if self.columns[name].kind != "boolean":
            raise Opaque
        return _one(name, "in", "t" if holds else "f")

    def _is(self, node: exp.Is, *, holds: bool) -> list[Way]:
        positive = holds is not bool(node.args.get("negate"))
        right = _bare(node.expression)
        if isinstance(right, exp.Null):
            return _one(self._column(node.this), "null" if positive else "set")
        if isinstance(right, exp.Boolean):
            return self.ways(node.this, holds=right.this is positive)
        raise Opaque

    def _among(self, left: exp.Expr, options: list[exp.Expr], *, holds: bool) -> list[Way]:
        listed = [constant(option) for option in options]
        if not listed:
            raise Opaque
        return _one(self._column(left), "in" if holds else "out", *listed)

    def _pattern(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        pattern = constant(node.expression)
        if not holds:
            raise Opaque
        if isinstance(node, exp.Like | exp.ILike):
            pattern = from_like(pattern)
        elif isinstance(node, exp.Glob):
            pattern = from_glob(pattern)
        if isinstance(node, exp.ILike | exp.RegexpILike):
            pattern = f"(?i){pattern}"
        return _one(self._column(node.this), "like", pattern)

    def _compared(self, node: exp.Expr, *, holds: bool) -> list[Way]:
        left, right = _bare(node.this), _bare(node.expression)
        sign = next(text for kind, text in _COMPARED.items() if isinstance(node, kind))
        several = _several(right)
        if several is not None:
            wanted = (sign == "=" and isinstance(right, exp.Any)) or sign == "<>"
            if not wanted or (sign == "<>" and isinstance(right, exp.Any)):
                raise Opaque
            return self._among(left, several, holds=(sign == "=") is holds)
        sign = sign if holds else _NEGATED[sign]
        if not left.find(exp.Column):
            left, right, sign = right, left, _TURNED[sign]
        return self._signed(left, sign, right)

    def _signed(self, left: exp.Expr, sign: str, right: exp.Expr) -> list[Way]:
        if (found := self._folded(left, sign, right)) is not None:
            return found
        if isinstance(left, exp.Length):
            return _one(self._inner(left), "length", sign, constant(right))
        if isinstance(left, exp.Anonymous):
            return self._called(left, sign, right)
        if isinstance(left, exp.Coalesce):
            name = self._column(left.this)
            return [way | {Demand(name, "set")} for way in self._signed(left.this, sign, right)]
        return self._plain(self._column(left), sign, right)

    def _folded(self, left: exp.Expr, sign: str, right: exp.Expr) -> list[Way] | None:
        """Return what is asked of a text by its folded form, or of a value by its storage class."""
        if isinstance(left, exp.Typeof):
            self._column(left.this)
            return [frozenset()]
        if isinstance(left, exp.Trim) and sign in {"<>", ">"} and not right.find(exp.Column):
            return _one(self._inner(left), "length", ">", "0") if not constant(right) else None
        folded = next(
            (x for x in (left, right) if isinstance(x, exp.Lower | exp.Upper | exp.Trim)), None
        )
        if folded is None or sign != "=" or not right.find(exp.Column):
            return None
        name = self._inner(left)
        if name != self._inner(right):
            return None
        if isinstance(folded, exp.Trim):
            return [frozenset()]
        return _one(name, "lower" if isinstance(folded, exp.Lower) else "upper")

    def _plain(self, name: str, sign: str, right: exp.Expr) -> list[Way]:
        if right.find(exp.Column):
            return _one(name, "beside", sign, self._column(right))
        if right.find(*_NOW):
            if sign not in {"<", "<="}:
                raise Opaque
            return _one(name, "<=", _past(right))
        text = constant(right)
        if sign in {"=", "<>"}:
            return _one(name, "in" if sign == "=" else "out", text)
        return _one(name, sign, text)

    def _called(self, left: exp.Anonymous, sign: str, right: exp.Expr) -> list[Way]:
        name, inner = left.name.lower(), left.expressions
        text = constant(right)
        if name in {"jsonb_typeof", "json_typeof", "json_type"} and sign == "=":
            return _one(self._column(inner[0]), "json", text)
        if name == "num_nonnulls" and sign == "=":
            names = [self._column(part) for part in inner]
            return [
                frozenset(Demand(n, "set" if n in chosen else "null") for n in names)
                for chosen in combinations(names, int(text))
            ]
        if name in {"octet_length", "cardinality"}:
            return _one(self._column(inner[0]), "length", sign, text)
        raise Opaque

    def _inner(self, node: exp.Expr) -> str:
        """Return the column inside functions that do not lengthen it."""
        node = _bare(node)
        while isinstance(node, exp.Length | exp.Trim | exp.Lower | exp.Upper):
            node = _bare(node.this)
        return self._column(node)

    def _column(self, node: exp.Expr) -> str:
        node = _bare(node)
        while isinstance(node, exp.Trim | exp.Lower | exp.Upper):
            node = _bare(node.this)
        if not isinstance(node, exp.Column):
            raise Opaque
        if self.value and node.name.upper() == "VALUE" and self.value in self.columns:
            return self.value
        known = {name.lower(): name for name in self.columns}
        if node.name in self.columns:
            return node.name
        if node.name.lower() not in known:
            raise Opaque
        return known[node.name.lower()]


def _one(column: str, what: str, *value: str) -> list[Way]:
    if what == "length":
        try:
            int(value[1])
        except ValueError:
            raise Opaque from None
    return [frozenset({Demand(column, what, value)})]


def _past(node: exp.Expr) -> str:
    """Return a moment that is not later than "now", or than some years, months or days before."""
    if isinstance(node, _NOW):
        return PRESENT
    if not isinstance(node, exp.Add | exp.Sub) or not isinstance(_bare(node.this), _NOW):
        raise Opaque
    if isinstance(node, exp.Add):
        return PRESENT
    found = re.fullmatch(
        r"\D*(\d+)\W*(year|mon|day)\w*\W*(?:AS INTERVAL\W*)?", node.expression.sql(), re.IGNORECASE
    )
    if found is None:
        raise Opaque
    days = int(found[1]) * {"year": 366, "mon": 31, "day": 1}[found[2].lower()]
    return (date.fromisoformat(PRESENT) - timedelta(days=days)).isoformat()


def default_of(column: Column, engine: str) -> str | None:
    """Return the default of a column if it is a constant."""
    if not column.default:
        return None
    try:
        return constant(sqlglot.parse_one(column.default, dialect=DIALECTS[engine]))
    except (Opaque, sqlglot.errors.SqlglotError, RecursionError):
        return None


def _bare(node: exp.Expr) -> exp.Expr:
    """Return an expression without parentheses, casts and collations."""
    while isinstance(node, exp.Paren | exp.Cast | exp.Collate):
        node = node.this
    return node


def _several(node: exp.Expr) -> list[exp.Expr] | None:
    """Return the elements behind ANY or ALL, or None if there is no such list."""
    if isinstance(node, exp.Any):
        inner = _bare(node.this)
    elif isinstance(node, exp.Anonymous) and node.name.upper() == "ALL":
        inner = _bare(node.expressions[0])
    else:
        return None
    return list(_elements(inner))


def _elements(node: exp.Expr) -> Iterator[exp.Expr]:
    if not isinstance(node, exp.Array):
        raise Opaque
    yield from node.expressions


def constant(node: exp.Expr) -> str:
    """Return the text form of a constant.

    Raises:
        Opaque: it is none.
    """
    node = _bare(node)
    if isinstance(node, exp.Neg):
        return f"-{constant(node.this)}"
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return "t" if node.this else "f"
    raise Opaque
