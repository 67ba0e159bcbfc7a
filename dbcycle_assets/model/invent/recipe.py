"""What a row of each table needs: for every column where its value comes from, and what nobody
can tell.
"""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import networkx

from ...anonymizers.base import Kind
from ..catalog import Catalog, Column, ForeignKey, Table
from .checks import Way, default_of, ways, ways_of
from .limits import Limits, gather
from .solve import Given, Order, fitting, holds, solve
from .values import Want, value

CARRIERS = (
    Kind.TEXT,
    Kind.UUID,
    Kind.INTEGER,
    Kind.NUMERIC,
    Kind.JSON,
    Kind.DATE,
    Kind.TIMESTAMP,
    Kind.FLOAT,
    Kind.NETWORK,
    Kind.BYTES,
    Kind.RANGE,
    Kind.TIME,
    Kind.COMPOSITE,
    Kind.OTHER,
    Kind.ENUM,
    Kind.BOOLEAN,
)
"""Kinds by how many different values a column of them has."""

_EVENTS = {Kind.DATE, Kind.TIMESTAMP}


class Source(enum.StrEnum):
    """Where the value of a column comes from when nobody gives it."""

    DATABASE = "the database"
    NULL = "null"
    PARENT = "parent"
    OWN = "its own key"
    INVENTED = "invented"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Field:
    """One column of a recipe; ``want`` says what value is invented."""

    column: Column
    source: Source
    want: Want
    parent: str = ""
    """The name of the parent, or the column of this row, that it is taken from."""


@dataclass(frozen=True)
class Parent:
    """A row that a row refers to, under a name that no column has.

    ``needed`` ones are made unless given. One that is ``existing`` closes a cycle in which no side
    may be null: a row that is there already is taken. ``owned`` are the columns that it decides;
    the others are decided before it and handed on.
    """

    name: str
    key: ForeignKey
    needed: bool
    existing: bool = False
    owned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How a row of one table is made; ``findings`` say what is not known."""

    table: Table
    fields: tuple[Field, ...]
    parents: tuple[Parent, ...]
    orders: tuple[Order, ...]
    keys: tuple[tuple[str, ...], ...]
    """The columns of each unique key."""
    findings: tuple[str, ...] = ()
    engine: str = "postgresql"

    def field(self, column: str) -> Field | None:
        """Return the field of a column."""
        return next((found for found in self.fields if found.column.name == column), None)

    @property
    def usable(self) -> bool:
        """Whether rows can be made without further words."""
        return not self.findings


@dataclass(frozen=True)
class _Checks:
    """The ways of every check of a table that is understood, and what is not."""

    known: tuple[tuple[Way, ...], ...]
    opaque: tuple[str, ...]

    def columns(self) -> frozenset[str]:
        """The columns that are demanded something together with others."""
        together = [
            names
            for found in self.known
            if len(names := {n for w in found for d in w for n in d.names}) > 1
        ]
        return frozenset(name for names in together for name in names)


@dataclass(frozen=True)
class Recipes:
    """The recipes of all tables of a catalog.

    ``references`` are those that only the config knows, ``fixed`` what they ask of other columns
    of the same row; ``classes`` are the detector's words for columns.
    """

    catalog: Catalog
    references: tuple[ForeignKey, ...] = ()
    classes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    seed: str = "dbcycle"
    fixed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def _checks(self) -> dict[str, _Checks]:
        engine = self.catalog.engine
        return {name: _read(table, engine) for name, table in self.catalog.tables.items()}

    @cached_property
    def _base(self) -> dict[str, Recipe]:
        first = {name: self._recipe(name, {}, frozenset()) for name in sorted(self.catalog.tables)}
        closing = _closing(first)
        return {
            name: self._recipe(name, {}, closing) if any(k[0] == name for k in closing) else recipe
            for name, recipe in first.items()
        }

    @cached_property
    def _closing(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, parent.key.name)
            for name, recipe in self._base.items()
            for parent in recipe.parents
            if parent.existing
        )

    def of(self, table: str, given: Given | None = None) -> Recipe:
        """Return the recipe of a table; what is ``given`` may decide what the rest must be."""
        touched = self._checks[table].columns() & set(given or ())
        if not touched or given is None:
            return self._base[table]
        return self._recipe(table, {name: given[name] for name in touched}, self._closing)

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        return sorted(self._base)

    def _recipe(self, name: str, given: Given, closing: frozenset[tuple[str, str]]) -> Recipe:
        table = self.catalog.tables[name]
        return _Maker(self, table, self._checks[name], given, closing).recipe()

    def keys_of(self, table: Table) -> list[ForeignKey]:
        """Return the references of a table, declared ones first."""
        declared = {column for key in table.foreign_keys for column in key.columns}
        own = [
            key
            for key in (*table.partition_keys, *self.references)
            if key.table == table.id and not declared & set(key.columns)
        ]
        return [key for key in (*table.foreign_keys, *own) if key.parent in self.catalog.tables]


def _read(table: Table, engine: str) -> _Checks:
    known: list[tuple[Way, ...]] = []
    opaque: list[str] = []
    inner = [
        f"{column.name} {text}"
        for column in table.columns
        for text in column.inner_checks
        if not column.dimensions
    ]
    for definition in (*table.checks, *inner):
        found = ways(definition, table, engine)
        if found:
            known.append(tuple(found))
        else:
            opaque.append(" ".join(definition.split()))
    if table.bounds:
        parts = [ways_of(bound, table, engine) for bound in table.bounds]
        readable = [way for part in parts if part for way in part]
        if readable:
            known.append(tuple(readable))
        elif not all("satisfies_hash_partition" in bound for bound in table.bounds):
            opaque.append(f"the bounds of the partitions of {table.id}")
    opaque += [text for text in table.extra if re.search(r"\bEXCLUDE\b", text)]
    return _Checks(tuple(known), tuple(opaque))


def _closing(recipes: Mapping[str, Recipe]) -> frozenset[tuple[str, str]]:
    """Return the (table, key) of references at which cycles of needed rows are cut."""
    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    edges = [
        (_is_unique(recipe, parent), name, parent)
        for name, recipe in recipes.items()
        for parent in recipe.parents
        if parent.needed and parent.key.parent != name
    ]
    cut: set[tuple[str, str]] = set()
    for _, name, parent in sorted(edges, key=lambda e: (not e[0], e[1], e[2].key.name)):
        # Unique references first: those must lead to rows of their own.
        if (
            name in graph
            and parent.key.parent in graph
            and networkx.has_path(graph, parent.key.parent, name)
        ):
            cut.add((name, parent.key.name))
        else:
            graph.add_edge(name, parent.key.parent)
    return frozenset(cut)


def _is_unique(recipe: Recipe, parent: Parent) -> bool:
    return any(set(key) <= set(parent.key.columns) for key in recipe.keys if key)


class _Maker:
    """Decides one recipe."""

    def __init__(
        self,
        recipes: Recipes,
        table: Table,
        checks: _Checks,
        given: Given,
        closing: frozenset[tuple[str, str]],
    ) -> None:
        self.recipes = recipes
        self.table = table
        self.checks = checks
        self.given = given
        self.closing = closing
        self.findings = [f"{table.id}: not understood: {text}" for text in checks.opaque]
        self.limits: Mapping[str, Limits] = {}
        self.pinned: frozenset[str] = frozenset()
        self.parents: list[Parent] = []

    def recipe(self) -> Recipe:
        self._choose()
        self._refer()
        fields = [self._field(column) for column in self.table.stored_columns]
        self.findings += [
            f"{self.table.id}: holds one row at most: unique {key.expression}"
            for key in self.table.unique_keys
            if not key.columns
        ]
        keys = _unique_keys(self.table)
        for key in keys:
            fields = self._carry(fields, key)
        fields = [self._tried(item) for item in fields]
        orders = tuple(
            Order(name, sign, other)
            for name, limits in sorted(self.limits.items())
            for sign, other in limits.beside
        )
        return Recipe(
            self.table,
            tuple(fields),
            tuple(self.parents),
            orders,
            keys,
            tuple(self.findings),
            self.recipes.catalog.engine,
        )

    def _choose(self) -> None:
        """Choose a way for every check, so that all go together."""
        never_null = frozenset(c.name for c in self.table.columns if not c.nullable)
        fixed = {**self.recipes.fixed.get(self.table.id, {}), **self.given}
        possible = [fitting(found, fixed, never_null, self.table) for found in self.checks.known]
        for found, left in zip(self.checks.known, possible, strict=True):
            if not left and not self.given:
                names = ", ".join(sorted({d.column for way in found for d in way}))
                self.findings.append(f"{self.table.id}: no value satisfies the check on {names}")
        chosen = solve([left for left in possible if left])
        if chosen is None:
            self.findings.append(f"{self.table.id}: its checks contradict each other")
            return
        self.limits = gather(demand for way in chosen for demand in way) or {}
        compared = {other for limits in self.limits.values() for _, other in limits.beside}
        self.pinned = self.checks.columns() & {*self.limits, *compared}

    def _demands(self, column: Column) -> Limits:
        return self.limits.get(column.name, Limits())

    def _can_be_null(self, column: Column) -> bool:
        return column.nullable and self._demands(column).null is not False

    def _refer(self) -> None:
        table = self.table
        names = {column.name for column in table.columns}
        owners: dict[str, str] = {}
        keys = sorted(self.recipes.keys_of(table), key=lambda key: (len(key.columns), key.name))
        for key in keys:
            columns = [c for name in key.columns if (c := table.column(name)) is not None]
            nullable = any(map(self._can_be_null, columns))
            existing = (table.id, key.name) in self.closing
            name = _name_of(key, names)
            names.add(name)
            owned = tuple(c for c in key.columns if c not in owners)
            needed = not nullable and not any(c.generated for c in columns)
            if needed:
                owners.update(dict.fromkeys(owned, name))
            else:
                # A column that may not be null is decided by others or invented.
                owned = tuple(c.name for c in columns if c.name in owned and self._can_be_null(c))
            self.parents.append(Parent(name, key, needed, existing, owned))

    def _field(self, column: Column) -> Field:
        limits = self._demands(column)
        klass = self.recipes.classes.get((self.table.id, column.name), "")
        inner = self._inner(column)
        want = Want(self.table.id, column, klass, limits, False, self.recipes.seed, inner)  # noqa: FBT003
        fixed = self.recipes.fixed.get(self.table.id, {}).get(column.name)
        if fixed is not None:
            own = replace(want, limits=replace(limits, allowed=(fixed,)))
            return Field(column, Source.INVENTED, own)
        if column.identity:
            return Field(column, Source.DATABASE, want)
        if (found := self._of_parent(column, want)) is not None:
            return found
        return Field(column, self._own_source(column, limits, klass), want)

    def _inner(self, column: Column) -> Limits:
        """Return what the domains behind an array ask of its elements."""
        if not column.dimensions:
            return Limits()
        scalar = replace(column, dimensions=0)
        found = [
            ways(f"{column.name} {text}", replace(self.table, columns=(scalar,)), "postgresql")
            for text in column.inner_checks
        ]
        chosen = solve([one for one in found if one]) if all(found) else None
        gathered = None if chosen is None else gather(demand for way in chosen for demand in way)
        if gathered is None:
            texts = ", ".join(column.inner_checks)
            self.findings.append(f"{self.table.id}.{column.name}: not understood: {texts}")
        return (gathered or {}).get(column.name, Limits())

    def _of_parent(self, column: Column, want: Want) -> Field | None:
        for parent in self.parents:
            if column.name not in parent.owned:
                continue
            if not parent.needed:
                return Field(column, Source.NULL, want, parent.name)
            if parent.key.parent != self.table.id:
                return Field(column, Source.PARENT, want, parent.name)
            own = parent.key.parent_columns[parent.key.columns.index(column.name)]
            target = self.table.column(own)
            if own == column.name:
                continue
            if target is None or target.identity or target.has_default:
                self.findings.append(
                    f"{self.table.id}.{column.name}: refers to its own table, whose key the "
                    "database makes, and cannot be null"
                )
                return Field(column, Source.UNKNOWN, want)
            return Field(column, Source.OWN, want, own)
        return None

    def _own_source(self, column: Column, limits: Limits, klass: str) -> Source:
        if limits.null:
            return Source.NULL
        if column.has_default and column.name not in self.pinned and self._serves(column):
            return Source.DATABASE
        if not self._can_be_null(column):
            return Source.INVENTED
        opaque = any(re.search(rf"\b{re.escape(column.name)}\b", t) for t in self.checks.opaque)
        event = column.kind in _EVENTS and klass != "birth date"
        return Source.NULL if opaque or event else Source.INVENTED

    def _serves(self, column: Column) -> bool:
        """Tell whether the default of a column can be left to the database: it satisfies the
        checks, and is no constant that a unique key would refuse the second time.
        """
        constant = default_of(column, self.recipes.catalog.engine)
        if constant is None:
            return True
        plain = [key.columns for key in self.table.unique_keys if key.expression is None]
        if (column.name,) in {self.table.primary_key, *plain}:
            return False
        demands = [d for found in self.checks.known for d in found[0] if len(found) == 1]
        return all(holds(d, constant, self.table) for d in demands if d.column == column.name)

    def _carry(self, fields: list[Field], key: Sequence[str]) -> list[Field]:
        """Make one column of a unique key differ from row to row."""
        own = [item for item in fields if item.column.name in key]
        if not own or any(
            item.source is Source.NULL or item.column.identity or item.want.unique for item in own
        ):
            return fields
        if any(item.source is Source.DATABASE and item.column.kind is Kind.UUID for item in own):
            return fields
        free = [item for item in own if item.source is Source.INVENTED]
        if not free:
            return fields
        chosen = min(free, key=_poverty)
        if _poverty(chosen)[0] and any(item.source is Source.PARENT for item in own):
            return fields  # a new parent for each row tells them apart
        return [
            replace(item, want=replace(item.want, unique=True)) if item is chosen else item
            for item in fields
        ]

    def _tried(self, item: Field) -> Field:
        if item.source is not Source.INVENTED or value(item.want, 1) is not None:
            return item
        if self._can_be_null(item.column):
            return replace(item, source=Source.NULL)
        if item.column.has_default:
            return replace(item, source=Source.DATABASE)
        asked = " under its checks" if item.want.limits != Limits() else ""
        self.findings.append(
            f"{self.table.id}.{item.column.name}: no value is known for "
            f"{item.column.type}{asked}, and it can be neither null nor left out"
        )
        return replace(item, source=Source.UNKNOWN)


def _poverty(item: Field) -> tuple[bool, int, str]:
    column = item.column
    few = item.want.limits.allowed is not None or column.kind in {Kind.ENUM, Kind.BOOLEAN}
    return few, CARRIERS.index(column.kind) if column.kind in CARRIERS else 99, column.name


def _unique_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    keys = [table.primary_key, *(key.columns for key in table.unique_keys)]
    return tuple(dict.fromkeys(key for key in keys if key))


def _name_of(key: ForeignKey, taken: set[str]) -> str:
    """Return what a parent is called: ``user`` for ``user_id``, else after its table."""
    base = key.columns[0] if len(key.columns) == 1 else key.parent.rpartition(".")[2].strip('"')
    stem = re.sub(r"(?<=.)(_id|_key|_fk|_uuid|Id|ID)$", "", base)
    stem = re.sub(r"\W", "_", stem)
    name = stem
    count = 1
    while name in taken or not name.isidentifier() or "__" in name:
        count += 1
        name = f"{stem.strip('_') or 'parent'}_row{'' if count == 2 else count}"  # noqa: PLR2004
    return name
