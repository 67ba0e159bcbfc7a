"""Models held against a schema: Alembic's comparison, and what it leaves out."""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import ARRAY, CheckConstraint, Column, Enum, MetaData, Table
from sqlalchemy.types import TypeDecorator

from ..model.likeness import (
    ADD,
    CHANGE,
    REMOVE,
    Mismatch,
    check_differences,
    label_difference,
    renamed,
    spelled,
)
from ..model.listed import listed_labels
from .diffs import Members, mismatches

_UNSTEADY = re.compile(r"(?i)nextval|random|uuid|clock_timestamp|timeofday")


class Likeness:
    """One comparison. ``connection`` only reads; ``schema`` has been reflected from it."""

    def __init__(
        self,
        connection: sqlalchemy.Connection,
        schema: MetaData,
        models: MetaData,
        members: Members,
    ) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.schema = schema
        self.models = _in_default_schema(models, self.dialect.default_schema_name)
        self.members = members

    @property
    def common(self) -> list[tuple[Table, Table]]:
        """The tables that both have: the model's and the schema's."""
        both = sorted(set(self.models.tables) & set(self.schema.tables))
        return [(self.models.tables[key], self.schema.tables[key]) for key in both]

    def find(self, enums: Iterable[type[enum.Enum]] | None) -> list[Mismatch]:
        """Return every difference. ``enums`` are the classes of the enums module, if known."""
        found = list(mismatches(self._diffs(), self.members, self.dialect))
        found += self._tables()
        for modelled, existing in self.common:
            found += self._keys(modelled, existing)
            found += self._checks(modelled, existing)
            found += self._columns(modelled, existing)
            found += self._listed(modelled, existing)
        found += self._enums()
        if enums is not None:
            found += self._classes(list(enums))
        return sorted(set(found))

    # --- Alembic ---------------------------------------------------------------------------------

    def _diffs(self) -> list[Any]:
        schemas = {
            table.schema for table in (*self.models.tables.values(), *self.schema.tables.values())
        }

        def wanted(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
            if kind == "schema":
                return name in schemas
            if kind == "table":
                key = ".".join(part for part in (parents["schema_name"], name) if part)
                return key in self.schema.tables
            return True

        def known(item: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:  # noqa: FBT001
            # Tables and columns of one side only are told by us, once each.
            return kind != "table" or item.key in {model.key for model, _ in self.common}

        context = MigrationContext.configure(
            self.connection,
            opts={
                "compare_type": self._types_differ,
                "compare_server_default": False,
                "include_schemas": True,
                "include_name": wanted,
                "include_object": known,
                "target_metadata": self.models,
            },
        )
        return list(compare_metadata(context, self.models))

    def _types_differ(
        self, _context: Any, _inspected: Any, column: Column[Any], _type: Any, kind: Any
    ) -> bool | None:
        real = self.schema.tables[column.table.key].c[column.name].type
        model = self._own(kind)
        if isinstance(model, Enum) and model.native_enum and isinstance(real, Enum):
            return (model.name, model.schema) != (real.name, real.schema)
        if (
            isinstance(model, Enum)
            and isinstance(real, sqlalchemy.String)
            and not isinstance(real, Enum)
        ):
            longest = max(map(len, model.enums), default=0)
            return (model.native_enum and self._native) or (real.length or longest) < longest
        same = self.schema.info["same_type"](real, model, self.dialect)
        return None if same is None else not same

    @property
    def _native(self) -> bool:
        return bool(self.dialect.supports_native_enum)

    def _own(self, kind: Any) -> Any:
        """Return the type that a model's type is for this database."""
        found = kind.dialect_impl(self.dialect) if not isinstance(kind, Enum) else kind
        while isinstance(found, TypeDecorator):
            found = found.load_dialect_impl(self.dialect)
        return found

    def _defaults(self, ours: Column[Any], theirs: Column[Any]) -> str:
        """Return how two defaults differ, or an empty string. Alembic is not asked: it would run
        whatever a default says, and cannot compare an identity with anything else.
        """
        model, real = ours.identity, theirs.identity
        if model is not None or real is not None:
            if model is None or real is None:
                return f"it is an identity column in the {'schema' if real else 'model'} only"
            if bool(model.always) != bool(real.always) or (model.start or 1) != (real.start or 1):
                return "GENERATED ALWAYS or the start of the identity differ"
            return ""
        said, meant = self._default(theirs), self._default(ours)
        own = ours.primary_key and ours is ours.table.autoincrement_column
        if said is None or meant is None:
            serial = own and meant is None and "nextval(" in str(said)
            same = said is meant or serial
        else:
            same = self._same_default(said, meant)
        if same:
            return ""
        return f"the default is {said or 'unset'} in the schema, {meant or 'unset'} in the model"

    def _compiler(self) -> Any:
        make: Any = self.dialect.ddl_compiler
        return make(self.dialect, None)

    def _default(self, column: Column[Any]) -> str | None:
        found = self._compiler().get_column_default_string(column)
        return None if found is None else str(found)

    def _same_default(self, real: str, model: str) -> bool:
        """Compare texts; of defaults that are the same at every call, what they come to."""
        if spelled(real) == spelled(model):
            return True
        if _UNSTEADY.search(f"{real} {model}"):
            return False
        same = sqlalchemy.literal_column(real).is_not_distinct_from(
            sqlalchemy.literal_column(model)
        )
        try:
            with self.connection.begin_nested():
                return bool(self.connection.scalar(sqlalchemy.select(same)))
        except sqlalchemy.exc.DBAPIError:  # they cannot be compared
            return False

    # --- what Alembic leaves out -----------------------------------------------------------------

    def _tables(self) -> Iterator[Mismatch]:
        """Yield tables that one side lacks; those that look renamed are told so."""
        mapped = {key: table.columns.keys() for key, table in self.models.tables.items()}
        there = {key: table.columns.keys() for key, table in self.schema.tables.items()}
        missing = {key: columns for key, columns in mapped.items() if key not in there}
        more = {key: columns for key, columns in there.items() if key not in mapped}
        was = renamed(missing, more)
        now = {old: new for new, old in was.items()}
        for key in missing:
            hint = f"; it seems to be called `{now[key]}` now" if key in now else ""
            remedy = (
                f"set __tablename__ to `{now[key]}`"
                if key in now
                else ("remove the class, or write the migration that makes the table")
            )
            what = f"the schema has no such table{hint}"
            yield Mismatch(key, "", "table", what, remedy, self.members.of(key))
        for key in more:
            hint = f"; it seems to have been `{was[key]}`" if key in was else ""
            remedy = (
                "rename the table of that class"
                if key in was
                else ("add a class: `dbcycle models` writes one")
            )
            yield Mismatch(key, "", "table", f"no model maps this table{hint}", remedy)

    def _keys(self, modelled: Table, existing: Table) -> Iterator[Mismatch]:
        ours = [column.name for column in modelled.primary_key.columns]
        theirs = [column.name for column in existing.primary_key.columns]
        if ours != theirs:
            told = f"the primary key is ({', '.join(theirs)}), in the model ({', '.join(ours)})"
            yield Mismatch(
                modelled.key, "", "primary key", told, CHANGE, self.members.of(modelled.key)
            )

    def _checks(self, modelled: Table, existing: Table) -> list[Mismatch]:
        return check_differences(
            modelled.key,
            self.members.of(modelled.key),
            self._named(modelled),
            self._named(existing),
        )

    def _named(self, table: Table) -> dict[str, str]:
        found: dict[str, str] = {}
        checks = [each for each in table.constraints if isinstance(each, CheckConstraint)]
        preparer = self.dialect.identifier_preparer
        for number, check in enumerate(sorted(checks, key=lambda each: str(each.sqltext))):
            if _of_type(check, self._compiler()):
                continue
            name = preparer.format_constraint(check) if check.name is not None else None
            text = check.sqltext.compile(
                dialect=self.dialect, compile_kwargs={"literal_binds": True}
            )
            found[name.strip('"') if name else str(number)] = str(text)
        return found

    def _columns(self, modelled: Table, existing: Table) -> Iterator[Mismatch]:
        """Yield columns of one side only, and what is generated or defaults there only."""
        for name in sorted({*modelled.columns.keys(), *existing.columns.keys()}):
            ours, theirs = modelled.columns.get(name), existing.columns.get(name)
            place, member = (modelled.key, name), self.members.of(modelled.key, name)
            if ours is None:
                kind = self._in_words(theirs)
                what = f"the model lacks this column ({kind})"
                yield Mismatch(
                    *place, "column", what, "add it to the class", self.members.of(modelled.key)
                )
            elif theirs is None:
                yield Mismatch(*place, "column", "the schema has no such column", REMOVE, member)
            elif (ours.computed is None) != (theirs.computed is None):
                side = "the schema" if ours.computed is None else "the model"
                yield Mismatch(
                    *place, "generated", f"it is generated in {side} only", CHANGE, member
                )
            elif ours.computed is None and (told := self._defaults(ours, theirs)):
                yield Mismatch(*place, "default", told, CHANGE, member)

    def _listed(self, modelled: Table, existing: Table) -> Iterator[Mismatch]:
        """Yield columns that a check of the schema limits to other values than the model's enum."""
        for check in existing.constraints:
            found = (
                listed_labels(str(check.sqltext)) if isinstance(check, CheckConstraint) else None
            )
            column = modelled.columns.get(found[0]) if found else None
            if found is None or column is None or not isinstance(column.type, Enum):
                continue
            told = label_difference(sorted(column.type.enums), sorted(found[1]))
            if told:
                member = self.members.of(modelled.key, column.name)
                yield Mismatch(
                    modelled.key, column.name, "enum", f"the enum {told}", CHANGE, member
                )

    def _in_words(self, column: Any) -> str:
        kind = column.info.get("spelled") or column.type.compile(dialect=self.dialect)
        return kind if column.nullable else f"{kind} not null"

    # --- enums -----------------------------------------------------------------------------------

    @property
    def _types(self) -> dict[tuple[str | None, str], list[str]]:
        return {
            (found["schema"], found["name"]): found["labels"] for found in self.schema.info["enums"]
        }

    def _enum_columns(self) -> Iterator[tuple[Column[Any], Enum]]:
        for _, table in sorted(self.models.tables.items()):
            for column in table.columns:
                kind = self._own(column.type)
                kind = kind.item_type if isinstance(kind, ARRAY) else kind
                if isinstance(kind, Enum) and kind.native_enum and self._native:
                    yield column, kind

    def _enums(self) -> Iterator[Mismatch]:
        types = self._types
        for column, kind in self._enum_columns():
            place = (column.table.key, column.name)
            member = self.members.of(column.table.key, column.name)
            labels = types.get((kind.schema, str(kind.name)))
            if labels is None:
                what = f"the schema has no enum type `{kind.name}`"
                yield Mismatch(*place, "enum", what, CHANGE, member)
            elif told := label_difference(kind.enums, labels):
                members = [] if kind.enum_class is None else list(kind.enum_class)
                by_name = sorted(str(each.value) for each in members) == sorted(labels)
                remedy = (
                    "give values_callable: the names of the members are stored, not their values"
                    if by_name and [each.name for each in members] == list(kind.enums)
                    else "correct the enum class, or change the type in a migration"
                )
                yield Mismatch(*place, "enum", f"the enum `{kind.name}` {told}", remedy, member)

    def _classes(self, classes: list[type[enum.Enum]]) -> Iterator[Mismatch]:
        """Yield what the enums module lacks or has otherwise; classes of no type are its own."""
        used = {(kind.schema, str(kind.name)): kind.enum_class for _, kind in self._enum_columns()}
        for (schema, name), labels in sorted(self._types.items(), key=str):
            near = [each for each in classes if _snake(each.__name__) in {name, f"{name}_enum"}]
            found = used.get((schema, name)) or (near[0] if near else None)
            place = f"{schema}.{name}" if schema else name
            if found is None:
                what = f"no class of the enums module is the enum type `{place}`"
                yield Mismatch(place, "", "enum", what, ADD.replace("the model", "the module"))
                continue
            values = [str(member.value) for member in found]
            told = label_difference(values, labels)
            if told and list(found.__members__) != labels:
                remedy = "correct the class, or change the type in a migration"
                yield Mismatch(place, "", "enum", f"the class {told}", remedy, found.__name__)


def _of_type(check: Any, compiler: Any) -> bool:
    """Tell whether a check belongs to a type that this database has of its own, as a boolean."""
    bound = getattr(check, "_type_bound", False)
    return bound and not check._should_create_for_compiler(compiler)  # noqa: SLF001


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _in_default_schema(models: MetaData, default: str | None) -> MetaData:
    """Return the models with the default schema unsaid, as the database tells its own tables."""
    if not any(table.schema == default for table in models.tables.values()):
        return models
    made = MetaData(naming_convention=models.naming_convention)

    def unsaid(schema: str | None) -> str | None:
        return None if schema == default else schema

    for table in models.sorted_tables:
        table.to_metadata(
            made,
            schema=unsaid(table.schema),  # type: ignore[arg-type]
            referred_schema_fn=lambda _table, to, _key, referred: unsaid(referred or to),
        )
    return made
