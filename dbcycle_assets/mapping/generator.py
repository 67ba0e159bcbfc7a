"""sqlacodegen's generator, refined: models that import, configure, and say what the schema does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import networkx
import sqlalchemy
from sqlacodegen.generators import Base, DeclarativeGenerator, LiteralImport
from sqlacodegen.models import ColumnAttribute, Model, ModelClass
from sqlacodegen.utils import get_constraint_sort_key, render_callable, uses_default_name
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from . import names
from .relations import Relation, relations
from .types import TypeWriter

CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}
"""PostgreSQL's own names: what is called so need not be named."""

_INT64 = 2**63 - 1


class RefinedGenerator(DeclarativeGenerator):
    """Writes one module of models. ``enums`` is the module that the enum classes are imported
    from, as an import statement spells it.
    """

    def __init__(
        self,
        metadata: sqlalchemy.MetaData,
        bind: sqlalchemy.Connection,
        *,
        enums: str,
        base_class_name: str = "Base",
    ) -> None:
        super().__init__(metadata, bind, ["nocomments"], base_class_name=base_class_name)
        self.named = bind.dialect.name == "postgresql"
        if self.named:
            metadata.naming_convention = CONVENTION
        self.taken = names.RESERVED | {base_class_name}
        self.types = TypeWriter(self, enums)
        self.relations: dict[str, list[Relation]] = {}

    # --- what there is ---------------------------------------------------------------------------

    def generate_base(self) -> None:
        """Declare the base class, with PostgreSQL's names for constraints."""
        imports = [LiteralImport("sqlalchemy.orm", "DeclarativeBase")]
        lines = [
            f"class {self.base_class_name}(DeclarativeBase):",
            '    """What every model inherits from."""',
        ]
        if self.named:
            imports.append(LiteralImport("sqlalchemy", "MetaData"))
            lines.append(f"    metadata = MetaData(naming_convention={CONVENTION!r})")
        self.base = Base(imports, lines, f"{self.base_class_name}.metadata")

    def fix_column_types(self, table: Table) -> None:
        """Choose the type that says the most about each column."""
        self.types.refine(table)

    def generate_models(self) -> list[Model]:
        """Return the models in the order of their tables' names, all named and related."""
        tables = sorted(
            self.metadata.tables.values(), key=lambda table: (table.schema or "", table.name)
        )
        models = {table.key: _model(table) for table in tables}
        self.collect_imports(models.values())
        imported = {name for found in self.imports.values() for name in found}
        classes = self._class_names(models.values(), imported | self.taken)
        self.types.name_enums(classes)
        self.types.collect_imports()
        self.taken |= imported | self.types.names() | classes
        for model in models.values():
            if isinstance(model, ModelClass):
                self._name_columns(model)
            else:
                model.name = names.free(model.table.name, self.taken)
                self.taken |= {model.name}
        self.relations = relations(models, self.taken, _cycles(tables))
        return list(models.values())

    def _class_names(self, models: Iterable[Model], taken: set[str] | frozenset[str]) -> set[str]:
        found: set[str] = set()
        for model in models:
            if not isinstance(model, ModelClass):
                continue
            name = names.class_name(model.table.name)
            if name in found and model.table.schema:
                name = names.pascal(model.table.schema) + name
            model.name = names.free(name, taken, found)
            found.add(model.name)
        return found

    def _name_columns(self, model: ModelClass) -> None:
        used: set[str] = set()
        for attribute in model.columns:
            attribute.name = names.free(attribute.column.name, self.taken, used)
            used.add(attribute.name)

    def collect_imports(self, models: Iterable[Model]) -> None:
        """Import what may be needed; what is not used is left out in the end."""
        super().collect_imports(models)
        for name in ("Index", "ForeignKey", "ForeignKeyConstraint", "UniqueConstraint"):
            self.add_literal_import("sqlalchemy", name)
        for name in ("PrimaryKeyConstraint", "CheckConstraint", "Column", "Sequence", "text"):
            self.add_literal_import("sqlalchemy", name)
        self.add_literal_import("sqlalchemy.orm", "relationship")

    def render_module_variables(self, models: list[Model]) -> str:
        """Render the base class, then domains and sequences, which belong to no table."""
        self.render_models(models)  # tells which of them are needed
        return "\n".join([super().render_module_variables(models), *self.types.declarations()])

    def render_enum_classes(self) -> str:
        """Render no enums here: they have a module of their own."""
        return ""

    # --- classes ---------------------------------------------------------------------------------

    def render_class(self, model: ModelClass) -> str:
        """Render a class: columns in the table's order, then relationships."""
        lines = [self.render_class_declaration(model), f"__tablename__ = {model.table.name!r}"]
        if arguments := self.render_table_args(model.table):
            lines.append(f"__table_args__ = {arguments}")
        lines += [self.render_column_attribute(attribute) for attribute in model.columns]
        lines += [relation.render() for relation in self.relations.get(model.table.key, ())]
        return "\n    ".join(lines)

    def render_table_args(self, table: Table) -> str:
        """Render what is neither a column nor said beside one."""
        found = self._arguments(table)
        options: dict[str, object] = {"schema": table.schema} if table.schema else {}
        options |= _options(table)
        found += [repr(options)] if options else []
        return f"({', '.join(found)},)" if found else ""

    def render_table(self, table: Table) -> str:
        """Render a table without a class: one without a primary key, or an association."""
        columns = [self._column(column, None, inline=False) for column in table.columns]
        options = {"schema": table.schema} if table.schema else {}
        kwargs = {key: repr(value) for key, value in {**options, **_options(table)}.items()}
        self.add_literal_import("sqlalchemy", "Table")
        return render_callable(
            "Table",
            repr(table.name),
            self.base.metadata_ref,
            *columns,
            *self._arguments(table, inline=False),
            kwargs=kwargs,
        )

    def _arguments(self, table: Table, *, inline: bool = True) -> list[str]:
        """Return constraints and indexes that no column carries."""
        found = [
            self.render_constraint(constraint)
            for constraint in sorted(table.constraints, key=get_constraint_sort_key)
            if not (inline and self._beside_column(constraint))
            and not (isinstance(constraint, PrimaryKeyConstraint) and _said_by_columns(constraint))
        ]
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        return found + [
            self.render_index(index)
            for index in indexes
            if not (inline and self._beside_column(index))
        ]

    def _beside_column(self, item: Any) -> bool:
        """Tell whether a column says it all: it is about one column and has the usual name."""
        if isinstance(item, CheckConstraint) or len(item.columns) != 1:
            return False
        if isinstance(item, Index):
            plain = len(item.expressions) == 1 and item.expressions[0] is item.columns[0]
            return plain and not item.unique and not _index_options(item) and _unsaid(item)
        if isinstance(item, UniqueConstraint):
            return _unsaid(item) and not item.deferrable and not _set_options(item)
        if isinstance(item, ForeignKeyConstraint):
            return _unsaid(item) and len(_keys_on(item)) == 1
        return False

    def render_index(self, index: Index) -> str:
        """Render an index with its expressions, order and options."""
        options = _index_options(index)
        classes = options.get("postgresql_ops", {})
        parts = [_index_part(part, classes) for part in index.expressions]
        columns = {column.name for column in index.columns}
        if kept := {name: value for name, value in classes.items() if name in columns}:
            options["postgresql_ops"] = kept
        else:
            options.pop("postgresql_ops", None)
        kwargs: dict[str, object] = {"unique": True} if index.unique else {}
        for name, value in options.items():
            clause = name.endswith("_where")
            kwargs[name] = f"text({str(value)!r})" if clause else repr(value)
        return render_callable("Index", repr(index.name), *parts, kwargs=kwargs)

    def render_constraint(self, constraint: Any) -> str:
        """Render a constraint, with what sqlacodegen leaves out."""
        if isinstance(constraint, UniqueConstraint):
            kwargs = {"name": repr(constraint.name)} if not _unsaid(constraint) else {}
            for name in ("deferrable", "initially"):
                if value := getattr(constraint, name):
                    kwargs[name] = repr(value)
            kwargs |= {name: repr(value) for name, value in _set_options(constraint).items()}
            columns = [repr(column.name) for column in constraint.columns]
            return render_callable("UniqueConstraint", *columns, kwargs=kwargs)
        return str(super().render_constraint(constraint))

    # --- columns ---------------------------------------------------------------------------------

    def render_column_attribute(self, column_attr: ColumnAttribute) -> str:
        """Render one column with its Python type."""
        column = column_attr.column
        annotation = self.types.python_type(column)
        rendered = self._column(column, column_attr, inline=True)
        null = " | None" if column.nullable else ""
        return f"{column_attr.name}: Mapped[{annotation}{null}] = {rendered}"

    def _column(
        self, column: Column[Any], attribute: ColumnAttribute | None, *, inline: bool
    ) -> str:
        """Render a column; ``inline`` with the constraints that are about it alone."""
        arguments = []
        if attribute is None or attribute.name != column.name:
            arguments.append(repr(column.name))
        keys = [
            key
            for key in column.foreign_keys
            if inline and key.constraint is not None and self._beside_column(key.constraint)
        ]
        if not keys or not self.types.same(column, keys[0].column) or keys[0].column is column:
            arguments.append(self.types.render(column.type, column))
        arguments += [_foreign_key(key) for key in keys]
        arguments += _generation(column)
        kwargs = self._column_words(column, inline=inline)
        return render_callable(
            "mapped_column" if attribute else "Column", *arguments, kwargs=kwargs
        )

    def _column_words(self, column: Column[Any], *, inline: bool) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if column.primary_key and _said_by_columns(column.table.primary_key):
            found["primary_key"] = "True"
        if column.primary_key:
            several = len(column.table.primary_key.columns) > 1
            if several and column is column.table.autoincrement_column and _counts(column):
                found["autoincrement"] = "True"
        elif not column.nullable and not inline:
            found["nullable"] = "False"
        found |= self._marks(column) if inline else {}
        default = self.types.server_default(column)
        if default is not None:
            found["server_default"] = default
        return found

    def _marks(self, column: Column[Any]) -> dict[str, str]:
        """Return the constraint and the index that a column itself says it has."""
        words: dict[Any, str] = {Index: "index", UniqueConstraint: "unique"}
        items: list[Any] = [*column.table.constraints, *column.table.indexes]
        return {
            words[type(item)]: "True"
            for item in items
            if type(item) in words and column.name in item.columns and self._beside_column(item)
        }


def _model(table: Table) -> Model:
    """Return a class for a table, or a plain table: an association, or one without a key."""
    keys = sorted(table.foreign_key_constraints, key=get_constraint_sort_key)
    primary = {column.name for column in table.primary_key.columns}
    referring = {name for key in keys for name in key.column_keys}
    association = len(keys) == 2 and primary == referring == set(table.columns.keys())  # noqa: PLR2004
    if not primary or association:
        return Model(table)
    model = ModelClass(table)
    model.columns += [ColumnAttribute(model, column) for column in table.columns]
    return model


def _cycles(tables: Sequence[Table]) -> list[set[str]]:
    """Return the groups of tables that refer to each other in a circle."""
    graph: Any = networkx.DiGraph()
    for table in tables:
        for key in table.foreign_key_constraints:
            if key.referred_table is not table:
                graph.add_edge(table.key, key.referred_table.key)
    return [group for group in networkx.strongly_connected_components(graph) if len(group) > 1]


def _unsaid(item: Any) -> bool:
    """Tell whether an index or a constraint has no name, or the one that it gets by itself."""
    return bool(uses_default_name(item))


def _said_by_columns(key: PrimaryKeyConstraint) -> bool:
    """Tell whether a primary key has its usual name and its columns are in the table's order."""
    columns = list(key.columns)
    order = [column for column in key.table.columns if column in set(columns)]
    return not columns or (_unsaid(key) and columns == order)


def _keys_on(constraint: ForeignKeyConstraint) -> list[ForeignKeyConstraint]:
    names_ = set(constraint.column_keys)
    return [
        each for each in constraint.table.foreign_key_constraints if set(each.column_keys) == names_
    ]


def _counts(column: Column[Any]) -> bool:
    return isinstance(column.type, sqlalchemy.Integer)


def _set_options(item: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in sorted(item.dialect_kwargs.items())
        if value not in (None, False, [], {}, ())
    }


def _index_options(index: Index) -> dict[str, Any]:
    found = _set_options(index)
    if found.get("postgresql_using") == "btree":
        del found["postgresql_using"]
    return found


def _options(table: Table) -> dict[str, Any]:
    """Return the options of a table that are not as always."""
    found = {}
    for dialect, known in (
        ("postgresql", ("partition_by",)),
        ("sqlite", ("autoincrement", "strict", "with_rowid")),
    ):
        if dialect not in {key.split("_")[0] for key in table.dialect_kwargs}:
            continue
        for name in known:
            value = table.dialect_kwargs.get(f"{dialect}_{name}")
            if value is not None and value is not (name == "with_rowid"):
                found[f"{dialect}_{name}"] = value
    return found


def _index_part(part: Any, classes: Mapping[str, str]) -> str:
    if isinstance(part, Column):
        return repr(part.name)
    words = {"literal_binds": True, "include_table": False}
    text = str(part.compile(compile_kwargs=words))
    return f"text({' '.join([text, *filter(None, [classes.get(text)])])!r})"


def _foreign_key(key: sqlalchemy.ForeignKey) -> str:
    kwargs = {
        name: repr(value)
        for name in ("ondelete", "onupdate", "deferrable", "initially", "match")
        if (value := getattr(key, name))
    }
    target = f"{key.column.table.fullname}.{key.column.name}"
    return render_callable("ForeignKey", repr(target), kwargs=kwargs)


def _generation(column: Column[Any]) -> list[str]:
    """Return how the database makes the column's values, if it does."""
    made = column.server_default
    if isinstance(made, Computed):
        kwargs = {"persisted": repr(made.persisted)} if made.persisted is not None else {}
        return [render_callable("Computed", repr(str(made.sqltext).strip()), kwargs=kwargs)]
    if isinstance(made, Identity):
        usual = {"start": 1, "increment": 1, "minvalue": 1, "cache": 1, "cycle": False}
        found = {"always": made.always or None}
        for name in ("start", "increment", "minvalue", "maxvalue", "cycle", "cache"):
            value = getattr(made, name)
            top = name == "maxvalue" and value in {2**15 - 1, 2**31 - 1, _INT64}
            found[name] = None if top or value == usual.get(name) else value
        kwargs = {name: repr(value) for name, value in found.items() if value is not None}
        return [render_callable("Identity", kwargs=kwargs)]
    return []
