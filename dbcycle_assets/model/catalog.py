"""What the database says about itself, as plain values.

Tables are named by *id*: the bare name in the default schema (``users``), ``schema.name``
elsewhere. Everything is sorted, so that equal databases give equal catalogs and equal digests.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..anonymizers.base import Facts, Kind
from .digest import digest_of


@dataclass(frozen=True)
class Column:
    """One column; ``type`` is the engine's own spelling, ``generated`` columns are never loaded.

    ``kind`` is that of one element when ``dimensions`` is not zero (an array).
    ``identity`` covers identity, serial and rowid columns fed by a sequence. ``comment`` is for
    the detector alone. ``base`` is the spelling of the type behind domains and arrays, ``parts``
    those of a composite's fields or of a range's bounds, ``inner_checks`` what the domains behind
    its own type ask, of each element of an array, ``default`` is SQL. Factories need these,
    extracts do not.
    """

    name: str
    type: str
    kind: Kind
    nullable: bool = True
    dimensions: int = 0
    max_length: int | None = None
    labels: tuple[str, ...] = ()
    case_insensitive: bool = False
    generated: bool = False
    identity: bool = False
    has_default: bool = False
    comment: str = ""
    base: str = ""
    parts: tuple[str, ...] = ()
    inner_checks: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class ForeignKey:
    """A reference from ``columns`` of ``table`` to ``parent_columns`` of ``parent``."""

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    unproven: bool = False
    """Whether the rows that are there may break it: it is NOT VALID, or NOT ENFORCED."""


@dataclass(frozen=True)
class UniqueKey:
    """A unique constraint or index over plain columns (partial and expression ones: see notes).

    ``expression`` is the engine's text when the key is partial or over an expression; such a key
    has the columns it reads in ``columns`` and cannot be compared column by column.
    """

    name: str
    columns: tuple[str, ...]
    expression: str | None = None


@dataclass(frozen=True)
class Table:
    """One table that holds rows; partitions belong to their root and are not listed."""

    id: str
    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[UniqueKey, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """Definitions of indexes, triggers and policies: part of the shape, nothing else."""
    bounds: tuple[str, ...] = ()
    """What each partition asks of its rows, as SQL; empty where any row finds a partition."""
    partition_keys: tuple[ForeignKey, ...] = ()
    """References that partitions have and this table has not; factories alone follow them."""

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that are extracted and loaded: all but the generated ones."""
        return tuple(column for column in self.columns if not column.generated)

    def facts(self, column: Column) -> Facts:
        """Return what a mask for that column must respect."""
        alone = (column.name,)
        unique = alone == self.primary_key or any(key.columns == alone for key in self.unique_keys)
        return Facts(
            kind=column.kind,
            max_length=column.max_length,
            labels=column.labels,
            unique=unique,
            nullable=column.nullable,
            case_insensitive=column.case_insensitive,
        )

    @property
    def shape(self) -> str:
        """A digest of everything that decides how rows are extracted and loaded."""
        described = asdict(self)
        del described["bounds"], described["partition_keys"]
        for column in described["columns"]:
            for name in ("comment", "base", "parts", "inner_checks", "default"):
                del column[name]
        for key in described["foreign_keys"]:
            del key["unproven"]
        return digest_of(described)


@dataclass(frozen=True)
class Ancestor:
    """A column that ``table.column`` got its values from in a migration step.

    ``exact`` ones were taken as they stand: the column was renamed, or copied.
    """

    table: str
    column: str
    from_table: str
    from_column: str
    exact: bool
    step: str


@dataclass(frozen=True)
class Catalog:
    """The tables of one database, by id, and the digest of its whole schema (views included).

    ``ancestors`` are known of a migrated database alone.
    """

    engine: str
    tables: Mapping[str, Table]
    schema_digest: str = ""
    extensions: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    materialized_views: tuple[str, ...] = ()
    triggers: tuple[str, ...] = field(default=())
    ancestors: tuple[Ancestor, ...] = ()

    @property
    def version(self) -> str:
        """A digest of the schema, and of where its columns come from."""
        lines = [asdict(ancestor) for ancestor in self.ancestors]
        return digest_of([self.schema_digest, lines]) if lines else self.schema_digest

    def ancestors_of(self, table: str, column: str) -> list[Ancestor]:
        """Return where a column comes from, in the order of their names."""
        return [a for a in self.ancestors if (a.table, a.column) == (table, column)]

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Every foreign key, ordered by table and name."""
        return tuple(key for _, table in sorted(self.tables.items()) for key in table.foreign_keys)

    def to_json(self) -> dict[str, Any]:
        """Return the catalog as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Catalog":
        """Return the catalog that :meth:`to_json` described."""
        tables = {name: _table(entry) for name, entry in sorted(document["tables"].items())}
        return cls(
            engine=document["engine"],
            tables=tables,
            schema_digest=document["schema_digest"],
            extensions=tuple(document["extensions"]),
            views=tuple(document["views"]),
            materialized_views=tuple(document["materialized_views"]),
            triggers=tuple(document["triggers"]),
            ancestors=tuple(Ancestor(**entry) for entry in document["ancestors"]),
        )


def _table(entry: Mapping[str, Any]) -> Table:
    columns = tuple(
        Column(
            **{
                **column,
                "kind": Kind(column["kind"]),
                "labels": tuple(column["labels"]),
                "parts": tuple(column.get("parts", ())),
                "inner_checks": tuple(column.get("inner_checks", ())),
            }
        )
        for column in entry["columns"]
    )
    unique_keys = tuple(
        UniqueKey(key["name"], tuple(key["columns"]), key["expression"])
        for key in entry["unique_keys"]
    )
    return Table(
        id=entry["id"],
        schema=entry["schema"],
        name=entry["name"],
        columns=columns,
        primary_key=tuple(entry["primary_key"]),
        unique_keys=unique_keys,
        foreign_keys=_keys(entry["foreign_keys"]),
        checks=tuple(entry["checks"]),
        partitions=tuple(entry["partitions"]),
        extra=tuple(entry["extra"]),
        bounds=tuple(entry.get("bounds", ())),
        partition_keys=_keys(entry.get("partition_keys", ())),
    )


def _keys(entries: Iterable[Mapping[str, Any]]) -> tuple[ForeignKey, ...]:
    return tuple(
        ForeignKey(
            key["name"],
            key["table"],
            tuple(key["columns"]),
            key["parent"],
            tuple(key["parent_columns"]),
            key.get("unproven", False),
        )
        for key in entries
    )
