"""How the types of columns are written: precisely, and so that they import."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlacodegen.utils import decode_postgresql_sequence, render_callable
from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, DefaultClause, Enum, String, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import CompileError
from sqlalchemy.types import NullType

from ..model.listed import listed_labels, lists_booleans
from . import names

if TYPE_CHECKING:
    from .generator import RefinedGenerator

LABELS = "labels_of"
"""The function of the enums module that says which labels an enum has in the database."""

_LABELS_OF = f'''
def {LABELS}(kind: type[enum.Enum]) -> list[str]:
    """Return the labels that the database has for an enum, in its order."""
    return [str(member.value) for member in kind]
'''

RAW = '''
class RawType(UserDefinedType[Any]):
    """A type that SQLAlchemy does not know, by its name in the database."""
    cache_ok = True
    def __init__(self, name: str) -> None:
        self.name = name
    def get_col_spec(self, **_: Any) -> str:
        return self.name
'''

_TEXTUAL = ("INET", "CIDR", "MACADDR", "MACADDR8", "TSVECTOR", "TSQUERY", "BIT", "MONEY", "CITEXT")

Key = tuple[str | None, str]
"""The schema and name of an enum type; of a list of values, ``(None, "table.column")``."""


class TypeWriter:
    """Writes types, and remembers the enums, domains and sequences that they need."""

    def __init__(self, generator: "RefinedGenerator", enums: str) -> None:
        self._generator = generator
        self._module = enums
        self._labels: dict[Key, tuple[str, ...]] = {
            (found["schema"], found["name"]): tuple(found["labels"])
            for found in generator.metadata.info.get("enums", ())
        }
        self._classes: dict[Key, str] = {}
        self._domains: dict[Key, DOMAIN] = {}
        self._sequences: dict[Key, str] = {}
        self._raw = False

    # --- what the schema has ----------------------------------------------------------------------

    def refine(self, table: Table) -> None:
        """Choose the type that says the most: an enum for a list of values, a boolean for zero and
        one, and SQLAlchemy's own type for the engine's wherever they are the same.
        """
        for column in table.columns:
            column.type = self._adapted(column.type)
            if isinstance(column.type, DOMAIN):
                column.type.data_type = self._adapted(column.type.data_type)
                self._domains[column.type.schema, str(column.type.name)] = column.type
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint):
                self._listed(table, str(constraint.sqltext))

    def _listed(self, table: Table, expression: str) -> None:
        boolean = lists_booleans(expression)
        if boolean is not None and boolean in table.columns:
            column = table.c[boolean]
            column.type = Boolean() if isinstance(column.type, sqlalchemy.Integer) else column.type
        found = listed_labels(expression)
        if found is None or found[0] not in table.columns:
            return
        column = table.c[found[0]]
        if isinstance(column.type, String) and not isinstance(column.type, Enum):
            longest = column.type.length or max(map(len, found[1]))
            name = f"{table.key}.{column.name}"
            column.type = Enum(*found[1], native_enum=False, length=longest)
            column.info["enum"] = (None, name)
            self._labels.setdefault((None, name), found[1])

    def _adapted(self, kind: Any) -> Any:
        if isinstance(kind, Enum | DOMAIN | NullType):
            return kind
        try:
            return self._generator.get_adapted_type(kind)
        except CompileError:
            return kind

    def name_enums(self, classes: set[str]) -> None:
        """Give every enum a class of its own, told apart from the models."""
        taken = set(classes) | names.RESERVED | {"Enum", "StrEnum"}
        for key in sorted(self._labels, key=lambda key: (key[0] or "", key[1])):
            schema, name = key
            made = names.pascal(name)
            if schema is None and "." in name:
                table, _, column = name.rpartition(".")
                made = names.class_name(table.rpartition(".")[2]) + names.pascal(column)
            if made in taken and schema:
                made = names.pascal(schema) + made
            if made in classes:
                made += "Enum"
            self._classes[key] = names.free(made, taken)
            taken.add(self._classes[key])

    def names(self) -> set[str]:
        """Return the names that types bring into the module."""
        domains = {self._constant(key) for key in self._domains}
        return {*self._classes.values(), *domains, LABELS, "RawType"}

    def enums(self) -> list[tuple[str, Sequence[str], str]]:
        """Return (class, labels, what it is) for each enum, by the names of the classes."""
        found: list[tuple[str, Sequence[str], str]] = []
        for key, name in sorted(self._classes.items(), key=lambda entry: entry[1]):
            told = ".".join(part for part in key if part)
            found.append((name, self._labels[key], told))
        return found

    # --- declarations -----------------------------------------------------------------------------

    def collect_imports(self) -> None:
        """Import what any type may need."""
        add = self._generator.add_literal_import
        for name in self._classes.values():
            add(self._module, name)
        add(self._module, LABELS)
        add("typing", "Any")
        add("sqlalchemy", "Enum")
        add("sqlalchemy.dialects.postgresql", "DOMAIN")
        add("sqlalchemy.dialects.postgresql", "Range")
        add("sqlalchemy.types", "UserDefinedType")
        for module in ("datetime", "decimal", "uuid"):
            self._generator.add_module_import(module)
        for domain in self._domains.values():
            self._generator.add_import(domain.data_type)
            if isinstance(domain.data_type, ARRAY):
                self._generator.add_import(domain.data_type.item_type)

    def declarations(self) -> list[str]:
        """Render the domains and sequences; call it when every class has been rendered."""
        found = [RAW] if self._raw else []
        for (schema, name), constant in sorted(self._sequences.items(), key=lambda e: e[1]):
            where = f", schema={schema!r}" if schema else ""
            metadata = self._generator.base.metadata_ref
            found.append(f"{constant} = Sequence({name!r}{where}, metadata={metadata})")
        for key, domain in sorted(
            self._domains.items(), key=lambda entry: self._constant(entry[0])
        ):
            found.append(f"{self._constant(key)} = {self._domain(domain)}")
        return found

    def _constant(self, key: Key) -> str:
        schema, name = key
        twins = [other for other in self._domains if other[1] == name]
        made = f"{schema}_{name}" if schema and len(twins) > 1 else name
        return names.identifier(made).upper()

    def _domain(self, domain: DOMAIN) -> str:
        kwargs: dict[str, str] = {}
        for name in ("schema", "collation", "constraint_name"):
            if value := getattr(domain, name):
                kwargs[name] = repr(str(value))
        if domain.not_null:
            kwargs["not_null"] = "True"
        for name in ("default", "check"):
            value = getattr(domain, name)
            if value is not None:
                kwargs[name] = render_callable("text", repr(str(value)))
        base = self.render(domain.data_type, None)
        return render_callable("DOMAIN", repr(str(domain.name)), base, kwargs=kwargs)

    # --- columns ----------------------------------------------------------------------------------

    def render(self, kind: Any, column: Column[Any] | None) -> str:
        """Render a type as the expression that makes it."""
        if isinstance(kind, Enum):
            return self._enum(kind, column)
        if isinstance(kind, DOMAIN):
            return self._constant((kind.schema, str(kind.name)))
        if isinstance(kind, NullType):
            self._raw = True
            spelled = column.info.get("spelled", "text") if column is not None else "text"
            return f"RawType({spelled!r})"
        self._generator.add_import(kind)
        if isinstance(kind, ARRAY):
            kwargs = {"dimensions": str(kind.dimensions)} if kind.dimensions else {}
            return render_callable("ARRAY", self.render(kind.item_type, None), kwargs=kwargs)
        return self._plain(kind)

    def _plain(self, kind: Any) -> str:
        if type(kind) is sqlalchemy.Uuid:
            return "Uuid(as_uuid=True)"
        if type(kind) in {sqlalchemy.DateTime, sqlalchemy.Time}:
            return f"{type(kind).__name__}({'timezone=True' if kind.timezone else ''})"
        plain: Column[Any] = Column("_", kind)
        return str(super(type(self._generator), self._generator).render_column_type(plain))

    def _enum(self, kind: Enum, column: Column[Any] | None) -> str:
        key = self._key(kind, column)
        kwargs = {"values_callable": LABELS}
        if kind.native_enum:
            kwargs = {"name": repr(kind.name)} | kwargs
            kwargs |= {"schema": repr(kind.schema)} if kind.schema else {}
        else:
            kwargs |= {"native_enum": "False", "length": str(kind.length)}
        return render_callable("Enum", self._classes[key], kwargs=kwargs)

    def _key(self, kind: Enum, column: Column[Any] | None) -> Key:
        if column is not None and "enum" in column.info:
            found: Key = column.info["enum"]
            return found
        return kind.schema, str(kind.name)

    def same(self, one: Column[Any], other: Column[Any]) -> bool:
        """Tell whether two columns have one type, so that a reference need not repeat it."""
        return self.render(one.type, one) == self.render(other.type, other)

    def python_type(self, column: Column[Any]) -> str:
        """Return the Python type of a column's values."""
        return self._python(column.type, column)

    def _python(self, kind: Any, column: Column[Any] | None) -> str:
        if isinstance(kind, Enum):
            return self._classes[self._key(kind, column)]
        if isinstance(kind, DOMAIN):
            return self._python(kind.data_type, None)
        if isinstance(kind, ARRAY):
            inner = self._python(kind.item_type, None)
            depth = kind.dimensions or 1
            return "list[" * depth + inner + "]" * depth
        return _plain_python(kind)

    def server_default(self, column: Column[Any]) -> str | None:
        """Render a column's default, or None: a serial key needs none."""
        default = column.server_default
        if not isinstance(default, DefaultClause):
            return None
        text = str(getattr(default.arg, "text", default.arg))
        schema, sequence = decode_postgresql_sequence(sqlalchemy.text(text))
        if sequence is None:
            return render_callable("text", repr(text))
        table = column.table
        own = column is table.autoincrement_column or (
            column.primary_key and isinstance(column.type, sqlalchemy.Integer)
        )
        if own and sequence == f"{table.name}_{column.name}_seq":
            return None
        constant = names.identifier(sequence).upper()
        self._sequences[schema, sequence] = constant
        return f"{constant}.next_value()"


def _plain_python(kind: Any) -> str:
    """Return the Python type of a scalar; ``Any`` where only the application knows."""
    if isinstance(kind, postgresql.HSTORE):
        return "dict[str, str | None]"
    if type(kind).__name__ in _TEXTUAL:
        return "str"
    try:
        found = object if isinstance(kind, sqlalchemy.JSON | NullType) else kind.python_type
    except NotImplementedError:
        return "Any"
    if found in {bool, bytes, float, int, str}:
        return str(found.__name__)
    known = found.__module__ in {"datetime", "decimal", "uuid"}
    return f"{found.__module__}.{found.__name__}" if known else "Any"


def _told(name: str) -> str:
    return "".join(char for char in name if char.isprintable() and char not in '"\\') + "."


def enum_module(enums: Iterable[tuple[str, Sequence[str], str]]) -> str:
    """Return the source of the enums module."""
    lines = ["import enum", _LABELS_OF]
    for name, labels, told in enums:
        lines.append(f"class {name}(enum.StrEnum):\n    {_told(told)!r}")
        lines += [f"    {member} = {label!r}" for member, label in names.members(labels)]
    return "\n".join(lines)
