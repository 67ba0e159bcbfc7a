"""A factory for every table, made of the catalog: valid rows in the caller's own transaction.

They are factories of factory_boy, so that batches, overrides, ``__`` and traits work as there.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import factory
import factory.base
import factory.declarations
import factory.errors
import sqlalchemy
import sqlalchemy.orm
from factory import enums

from ..config.model import Project
from ..cycle.making import hand_written, unknown
from ..databases.making import Making, making
from ..errors import BadInput, DbCycleError, Findings, UsageError, did_you_mean
from ..model.catalog import Table
from ..model.golden import text_form
from ..model.invent import Parent, Recipe, Recipes, Source, invent
from ..model.invent.known import recipes_for
from ..upkeep.connecting import project_at

Place = sqlalchemy.orm.Session | sqlalchemy.Connection

_DRAFT = "dbcycle_draft"
_ABSENT = object()
_STEPS = 64
_PATIENT = 8


class Made:
    """One row that was made: its columns as attributes or items, as the driver gives them, and the
    rows that were made for it under their names.
    """

    def __init__(self, table: str, values: Mapping[str, Any], parents: Mapping[str, Any]) -> None:
        self.__dict__["_table"] = table
        self.__dict__["_values"] = dict(values)
        self.__dict__["_parents"] = dict(parents)

    def __getattr__(self, name: str) -> Any:
        """Return a column, or a row that this one refers to."""
        for found in (self.__dict__.get("_values", {}), self.__dict__.get("_parents", {})):
            if name in found:
                return found[name]
        message = f"a row of {self.__dict__.get('_table')} has no column `{name}`"
        raise AttributeError(message)

    def __getitem__(self, name: str) -> Any:
        """Return a column of any name."""
        return self._values[name]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Iterate over (column, value), so that ``dict(row)`` works."""
        return iter(self._values.items())

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same row of the same table."""
        return isinstance(other, Made) and (self._table, self._values) == (
            other._table,
            other._values,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Return the table and the names of the columns."""
        return f"<a row of {self._table}: {', '.join(self._values)}>"


@dataclass(frozen=True)
class _Draft:
    recipe: Recipe
    values: Mapping[str, str | None]
    explicit: Mapping[str, str]
    """The parent that the caller gave, for each column that it decides."""


class TableFactory(factory.base.Factory[Any]):
    """What every factory is. Subclass it to override fields of a table, and name the class in
    ``tables.‹table›.factory`` of dbcycle.yaml as ``package.module:Class``.
    """

    _world: "Factories"
    _table: Table
    _of_dbcycle = True

    class Meta:
        """It makes nothing by itself."""

        abstract = True
        exclude = (_DRAFT,)

    @classmethod
    def _create(  # type: ignore[override]  # a column may be called model_class
        cls, _model: type[Made], /, *_args: Any, **kwargs: Any
    ) -> Made:
        return cls._world.insert(cls._table, kwargs)

    @classmethod
    def _build(  # type: ignore[override]  # as above
        cls, _model: type[Made], /, *_args: Any, **kwargs: Any
    ) -> Made:
        columns = {column.name for column in cls._table.columns}
        row = {k: None if v is _ABSENT else v for k, v in kwargs.items() if k in columns}
        parents = {k: v for k, v in kwargs.items() if k not in columns and v is not None}
        return Made(cls._table.id, row, parents)


class _Declaration(factory.declarations.BaseDeclaration):
    """A field of ours; whatever else stands in its place was written by the user."""

    def __init__(self, world: "Factories", table: Table, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.world, self.table, self.name = world, table, name


class _Sketch(_Declaration):
    """Decides the whole row once; the fields look into it."""

    def evaluate(self, instance: Any, step: Any, extra: Mapping[str, Any]) -> _Draft:
        del extra
        own = _own_words(step)
        given = self._given(instance, own)
        recipe = self.world.recipes.of(self.table.id, given)
        explicit: dict[str, str] = {}
        for parent in recipe.parents:
            if parent.name in own or any(k.startswith(f"{parent.name}__") for k in own):
                for column_name in parent.key.columns:
                    explicit.setdefault(column_name, parent.name)
        creates = step.builder.strategy == enums.CREATE_STRATEGY
        values = self.world.invented(recipe, given, look=creates)
        return _Draft(recipe, values, explicit)

    def _given(self, instance: Any, own: Mapping[str, Any]) -> dict[str, str | None]:
        """Return what the user says of columns, unless it depends on what is yet to be invented."""
        given: dict[str, str | None] = {}
        for column in self.table.stored_columns:
            if column.name in own:
                with suppress(factory.errors.CyclicDefinitionError):
                    told = getattr(instance, column.name)
                    given[column.name] = self.world.text(self.table, column.name, told)
        return given


class _Column(_Declaration):
    """The value of a column: of a parent, or invented, or left to the database."""

    def evaluate(self, instance: Any, step: Any, extra: Mapping[str, Any]) -> Any:
        del step, extra
        draft = cast("_Draft", getattr(instance, _DRAFT))
        for parent in draft.recipe.parents:
            told = draft.explicit.get(self.name) == parent.name
            owns = parent.needed and self.name in parent.owned and self.name not in draft.explicit
            if (told or owns) and self.name in parent.key.columns:
                row = getattr(instance, parent.name)
                if row is not None:
                    target = parent.key.parent_columns[parent.key.columns.index(self.name)]
                    return row[target] if isinstance(row, Made) else getattr(row, target)
        return draft.values.get(self.name, _ABSENT)


class _Parent(_Declaration):
    """The row that a row refers to: found if it is decided already, else made."""

    def evaluate(self, instance: Any, step: Any, extra: Mapping[str, Any]) -> Any:
        draft = cast("_Draft", getattr(instance, _DRAFT))
        parent = next(p for p in draft.recipe.parents if p.name == self.name)
        key = parent.key
        own = _own_words(step)
        if not extra and (not parent.needed or key.parent == self.table.id):
            return None
        decided = {
            target: getattr(instance, column)
            for column, target in zip(key.columns, key.parent_columns, strict=True)
            if column in own
            or draft.explicit.get(column, self.name) != self.name
            or (column not in parent.owned and not extra)
        }
        said = any(column in own for column in key.columns)
        if not extra and said and len(decided) == len(key.columns):
            return None
        create = step.builder.strategy == enums.CREATE_STRATEGY
        if not extra and create and (decided or parent.existing):
            found = self.world.existing(parent, decided)
            if found is not None and (parent.existing or len(decided) == len(key.columns)):
                return found
        if parent.existing and not extra and create:
            raise _unbreakable(parent)
        if parent.existing and not extra:
            return None
        made = self.world.of(key.parent)
        return step.recurse(made, {**decided, **extra})


def _unbreakable(parent: Parent) -> DbCycleError:
    key = parent.key
    return BadInput(
        f"{key.table} and {key.parent} refer to each other, neither side may be null, and "
        f"{key.parent} has no row to begin with",
        where=f"{key.table}.{', '.join(key.columns)}",
        remedy="load rows first (golden records will do), or make both in one statement of your "
        "own and give the columns",
    )


def _own_words(step: Any) -> dict[str, Any]:
    """Return what the caller or a hand-written class says about fields, in place of ours."""
    meta = step.builder.factory_meta
    found = {
        name: declaration
        for name, declaration in meta.pre_declarations.as_dict().items()
        if not isinstance(declaration, _Declaration)
    }
    return {**found, **step.builder.extras}


@dataclass
class Factories:
    """One factory for each table, on one session or connection; see :func:`factories`."""

    project: Project
    place: Place | None
    recipes: Recipes
    _made: dict[str, type[TableFactory]] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, table: str) -> type[TableFactory]:
        """Return the factory of a table."""
        if table.startswith("_"):
            raise AttributeError(table)
        try:
            return self.of(table)
        except UsageError as error:
            raise AttributeError(str(error)) from None

    def __getitem__(self, table: str) -> type[TableFactory]:
        """Return the factory of a table whose name is no Python name."""
        return self.of(table)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self.recipes.tables())

    def build(self, table: str, **values: Any) -> Made:
        """Return a row that is in no database; what the database would decide is None."""
        return cast("Made", self.of(table).build(**values))

    def of(self, table: str) -> type[TableFactory]:
        """Return the factory of a table.

        Raises:
            UsageError: there is no such table.
            ConfigError: its hand-written factory cannot be used.
        """
        if table not in self.recipes.catalog.tables:
            known = self.recipes.catalog.tables
            raise UsageError(f"no table `{table}`{did_you_mean(table, known)}")
        if table not in self._made:
            self._made[table] = self._bound(self.recipes.catalog.tables[table])
        return self._made[table]

    def _bound(self, table: Table) -> type[TableFactory]:
        recipe = self.recipes.of(table.id)
        fields: dict[str, _Declaration] = {_DRAFT: _Sketch(self, table, _DRAFT)}
        for column in table.stored_columns:
            if "__" not in column.name:
                fields[column.name] = _Column(self, table, column.name)
        for parent in recipe.parents:
            fields[parent.name] = _Parent(self, table, parent.name)
        ours: Any = type(f"{table.name}_columns", (TableFactory,), {})
        # As class attributes, columns named `create` or `build` would hide the methods.
        ours._meta.base_declarations.update(fields)  # noqa: SLF001
        hand = hand_written(self.project, table.id)
        bases = (hand, ours) if hand is not None else (ours,)
        meta = type("Meta", (), {"model": Made, "exclude": (_DRAFT,)})
        space = {"Meta": meta, "_world": self, "_table": table, "__module__": __name__}
        made = cast("type[TableFactory]", type(f"{table.name}_factory", bases, space))
        made.reset_sequence(0, force=True)  # type: ignore[no-untyped-call]
        return made

    @property
    def connection(self) -> sqlalchemy.Connection:
        """The connection that rows are made on.

        Raises:
            UsageError: there is none.
        """
        if isinstance(self.place, sqlalchemy.orm.Session):
            self.place.flush()
            return self.place.connection()
        if self.place is None:
            raise UsageError(
                "these factories have no database", remedy="give factories() a session"
            )
        return self.place

    @property
    def _making(self) -> Making:
        return making(self.connection)

    def text(self, table: Table, column: str, value: Any) -> str | None:
        """Return a value that the caller gave as the database reads it.

        Raises:
            UsageError: it does not fit the column.
        """
        found = table.column(column)
        if found is None or found.generated:
            raise UsageError(f"{table.id} has no column `{column}` to write")
        try:
            return text_form(value, found, self.recipes.catalog.engine)
        except ValueError as error:
            raise UsageError(f"{table.id}.{column}: {error}") from None

    def invented(
        self, recipe: Recipe, given: Mapping[str, Any], *, look: bool
    ) -> dict[str, str | None]:
        """Return the invented columns of the next row, none of which clashes with a row that is
        there.
        """
        name = recipe.table.id
        index = self._next.get(name, 1)
        for attempt in range(_STEPS):
            row = invent(recipe, index, given)
            if not look or not self._clashes(recipe, row):
                self._next[name] = index + 1
                return row
            index += 1 if attempt < _PATIENT else 2 ** (attempt - _PATIENT) % 2**40
        raise BadInput(
            f"no further row of {name} is known that is unique", remedy="give its unique columns"
        )

    def _clashes(self, recipe: Recipe, row: Mapping[str, str | None]) -> bool:
        for item in recipe.fields:
            text = row.get(item.column.name)
            if item.source is not Source.INVENTED or not item.want.unique or text is None:
                continue
            folded = [item.column.name] if item.column.kind == "text" else []
            values = {item.column.name: text}
            if item.column.kind in {"json", "xml"} or item.column.dimensions:
                continue
            if self._making.find(self.connection, recipe.table, values, folded) is not None:
                return len(_few(recipe, item.column.name)) == 0
        return False

    def existing(self, parent: Parent, decided: Mapping[str, Any]) -> Made | None:
        """Return a row that is there already."""
        table = self.recipes.catalog.tables[parent.key.parent]
        texts = {name: self.text(table, name, value) for name, value in decided.items()}
        if None in texts.values():
            return None
        values = {name: text for name, text in texts.items() if text is not None}
        found = self._making.find(self.connection, table, values)
        return None if found is None else Made(table.id, found, {})

    def insert(self, table: Table, row: Mapping[str, Any]) -> Made:
        """Insert one row; what is absent is left to the database."""
        columns = {column.name for column in table.columns}
        values = {
            name: self.text(table, name, value)
            for name, value in row.items()
            if name in columns and value is not _ABSENT
        }
        parents = {k: v for k, v in row.items() if k not in columns and v is not None}
        unknown = sorted(set(parents) - {p.name for p in self.recipes.of(table.id).parents})
        if unknown:
            raise UsageError(
                f"{table.id} has no column `{unknown[0]}`{did_you_mean(unknown[0], columns)}"
            )
        found = self._making.insert(self.connection, table, values)
        return Made(table.id, found, parents)


def _few(recipe: Recipe, column: str) -> list[tuple[str, ...]]:
    """Return the keys of several columns that a column belongs to, if it has few values."""
    item = recipe.field(column)
    if item is None:
        return []
    few = item.want.limits.allowed is not None or item.column.kind in {"enum", "boolean"}
    return [key for key in recipe.keys if few and column in key and len(key) > 1]


_KNOWN: dict[tuple[str, str, str], Recipes] = {}
_REMEMBERED = 16


def factories(
    project: Project | Path | str, place: Place | None = None, *, seed: str = ""
) -> Factories:
    """Return one factory for each table of the database that a session or connection is on.

    ``made = factories("data/shop", session)``; then ``made.users(email="x@example.com")`` inserts
    a row in the session's transaction and returns it, ``made.orders.create_batch(3)`` three, and
    ``made.build("users")`` makes one without a database. The same seed makes the same rows. With
    no session the schema is that of the last migration of the project.

    Raises:
        BadInput: there is neither a session nor a migrated database.
    """
    found = project_at(project)
    return Factories(found, place, _recipes(found, place, seed))


def _recipes(project: Project, place: Place | None, seed: str) -> Recipes:
    if place is None:
        from ..cycle.plan import require_catalog
        from ..cycle.session import Cycle

        return recipes_for(project.config, require_catalog(Cycle(project)), seed)
    connection = place.connection() if isinstance(place, sqlalchemy.orm.Session) else place
    reader = making(connection)
    key = (reader.version(connection), project.config.model_dump_json(), seed)
    if key not in _KNOWN:
        while len(_KNOWN) >= _REMEMBERED:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[key] = recipes_for(project.config, reader.catalog(connection), seed)
    return _KNOWN[key]


def assert_factories(project: Project | Path | str, place: Place | None = None) -> None:
    """Fail unless every table has a factory that makes valid rows.

    Raises:
        Findings: every table, column or check for which nothing is known, all at once.
    """
    found = project_at(project)
    recipes = _recipes(found, place, "")
    findings = [
        text for told in unknown(found, recipes, recipes.tables()).values() for text in told
    ]
    if findings:
        raise Findings(
            f"{len(findings)} things are not known of the factories:",
            findings,
            where=found.name,
            remedy="write a factory for each table, and name it: tables.‹table›.factory: "
            "package.module:Class",
        )
