"""What the user wrote in ``dbcycle.yaml``, frozen. Syntax only: the plan gives it meaning."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from ..errors import did_you_mean

if TYPE_CHECKING:  # it costs time to load, and few projects need it
    from upath import UPath

_MODULE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Download(_Strict):
    """Where a fresh dump comes from: exactly one of the three."""

    url_env: str | None = None
    command: tuple[str, ...] | None = None
    uri: str | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> "Download":
        if sum(value is not None for value in (self.url_env, self.command, self.uri)) != 1:
            message = "give exactly one of url_env, command, uri"
            raise ValueError(message)
        return self


class Source(_Strict):
    """The production dump and how to get a fresh one."""

    dump: str
    """A file or folder, or the URL of a file in a store that fsspec reaches (``s3://…``)."""
    download: Download | None = None


class Version(_Strict):
    """Migrations in one directory, or those that a tool of yours applies.

    An ordered list of SQL and Python steps; without ``steps``, every file (and every folder with
    an ``up.sql``) in the order of its numbers. ``layout`` reads what another tool's directory
    holds. ``tool`` runs Alembic, or any command, on the database.
    """

    version: str = ""
    directory: str | None = None
    steps: tuple[str, ...] | None = None
    layout: Literal["plain", "prisma", "diesel", "dbmate", "golang-migrate", "flyway"] | None = None
    tool: Literal["alembic", "command"] | None = None
    config: str | None = None
    """Alembic's configuration file."""
    run: tuple[str, ...] = ()
    """The command, run in the project's folder."""
    files: tuple[str, ...] = ()
    """Patterns of the files that the tool reads: when one changes, the migrations are stale."""
    url_env: str = "DATABASE_URL"
    """The variable in which the command gets the URL of the database."""

    @pydantic.model_validator(mode="after")
    def _whole(self) -> "Version":
        if message := self._fault():
            raise ValueError(message)
        return self

    def _fault(self) -> str:
        if self.tool == "alembic" and not self.config:
            return "tool alembic needs `config`, its configuration file"
        if self.tool == "command" and not self.run:
            return "tool command needs `run`, the command as a list of words"
        if self.tool is not None:
            given = self.directory or self.steps is not None or self.layout
            return "a tool has no directory, steps or layout" if given else ""
        if self.directory is None:
            return "give a `directory`, or a `tool`"
        if self.steps is not None and self.layout not in (None, "plain"):
            return f"layout {self.layout} has an order of its own: leave `steps` away"
        return "" if self.version or self.layout else "`version` is missing"


class Rule(_Strict):
    """One anonymizer on one column, with its parameters. A list of rules is tried in order: the
    first whose ``when`` holds for the row is taken.
    """

    anonymize: str
    options: dict[str, Any] = {}
    """Every further key of the rule."""
    domain: str | None = None
    """Rules that name the same domain share their fakes with each other, and with nobody else."""
    per: tuple[str, ...] = ()
    """Columns of the row, by whose values a date moves: a person's own, so that intervals stay."""
    when: dict[str, Any] = {}
    """Columns and the value, list of values, or ``{not: …}`` that they must have."""
    otherwise: "Rule | None" = None
    """The rule for rows that ``when`` does not hold for; ``keep`` is one."""


class Reference(_Strict):
    """A reference that the database does not declare."""

    to: str
    """The column referred to, as ``table.column``; it must be unique."""
    when: dict[str, Any] = {}
    """Columns of the row and the values that make it this reference (a polymorphic one)."""


class Sample(_Strict):
    """Which rows of a table are chosen; rows that a kept row refers to are kept too. ``where``,
    ``fraction`` and ``rows`` narrow the choice in this order.
    """

    fraction: float | None = pydantic.Field(default=None, gt=0, le=1)
    """The share of the rows, told by the key: a row stays chosen when the table grows."""
    rows: int | None = pydantic.Field(default=None, ge=1)
    """The most rows, told by the key."""
    where: str | None = pydantic.Field(default=None, min_length=1)
    """A condition in SQL over the columns of the migrated table."""
    children: bool | tuple[str, ...] = False
    """Whether rows that refer to a chosen row come too, at any depth: ``true``, or the tables."""

    @pydantic.model_validator(mode="after")
    def _some(self) -> "Sample":
        if self.fraction is None and self.rows is None and self.where is None:
            message = "give at least one of fraction, rows, where"
            raise ValueError(message)
        return self

    @property
    def keyed(self) -> bool:
        """Whether the key decides which rows are chosen."""
        return self.fraction is not None or self.rows is not None


class Tenants(_Strict):
    """These tenants only: every table with the column keeps their rows, and tables without it the
    rows that refer to those.
    """

    column: str
    values: tuple[bool | int | str | None, ...] = pydantic.Field(min_length=1)
    """The tenants; null means the rows that belong to none."""
    strays: Literal["refuse", "keep"] = "refuse"
    """What becomes of another tenant's row that a kept row refers to."""


class Subset(_Strict):
    """What holds for tables that say nothing of their own."""

    sample: Sample | None = None
    """The sample of every table without one, unless its rows come as children."""
    tenants: Tenants | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> "Subset":
        if self.sample is not None and (self.sample.where or self.sample.children):
            message = "the sample of all tables has no `where` and no `children`"
            raise ValueError(message)
        return self


EXPORTS = (".py", ".csv", ".jsonl", ".parquet")
"""The endings of the files that an extract can be written to."""

SOURCES = ("published", "schema", "development", "test")
"""What a template may hold: the published test database, the migrations alone, or seeds too."""


class TableConfig(_Strict):
    """What the user decided about one table."""

    columns: dict[str, Rule] = {}
    keep: tuple[str, ...] = ()
    references: dict[str, tuple[Reference, ...]] = {}
    extract: Literal["rows", "none"] = "rows"
    quasi_identifiers: tuple[tuple[str, ...], ...] = ()
    """Sets of columns that together might tell who a row is about."""
    factory: str | None = None
    """A hand-written factory for tests, as ``package.module:Class``."""
    export: tuple[str, ...] = ()
    """Files to write the extract to as well: ``.py``, ``.csv``, ``.jsonl`` or ``.parquet``."""
    sample: Sample | None = None

    @pydantic.field_validator("quasi_identifiers")
    @classmethod
    def _named(cls, sets: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if not all(sets):
            message = "each set names at least one column"
            raise ValueError(message)
        return sets


class Target(_Strict):
    """A place where test databases are published; its server may be production's only if it says
    so.
    """

    url_env: str | None = None
    beside_production: bool = False
    default: Literal["embedded", "local"] | None = None


class Schedule(_Strict):
    """When the nightly refresh runs: a cron line and an IANA time zone."""

    nightly: str = "0 2 * * *"
    timezone: str = "UTC"


class Verify(_Strict):
    """Exceptions that the user takes responsibility for, each a ``table.column``, and among how
    many rows each row shall hide that has ``quasi_identifiers``.
    """

    coincidences: tuple[str, ...] = ()
    k: int = pydantic.Field(default=5, ge=2)


class Execution(_Strict):
    """How Dagster runs the tables."""

    steps: Literal["together", "per_table"] = "together"
    workers: int = pydantic.Field(default=2, ge=1, le=64)
    chunks: dict[str, int] = {}
    """With ``per_table``: big tables, and in how many steps each is extracted."""

    @pydantic.model_validator(mode="after")
    def _apart(self) -> "Execution":
        if self.chunks and self.steps != "per_table":
            message = "`chunks` needs `steps: per_table`"
            raise ValueError(message)
        if any(not 2 <= parts <= 256 for parts in self.chunks.values()):  # noqa: PLR2004
            message = "a table has from 2 to 256 chunks"
            raise ValueError(message)
        return self


class Models(_Strict):
    """The application's SQLAlchemy models, which are held against the migrated schema."""

    module: str = pydantic.Field(pattern=_MODULE)
    """The module that defines or imports every model, as in ``app.database.models``."""
    base: str = pydantic.Field(default="Base", pattern=r"^[A-Za-z_]\w*$")
    """The declarative base in that module, or its ``MetaData``."""
    enums: str | None = pydantic.Field(default=None, pattern=_MODULE)
    """The module of the database's enums, as in ``app.database.db_enums``."""
    path: str = "."
    """The folder that the modules are imported from."""


class Config(_Strict):
    """The whole file."""

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    engine: Literal["postgresql", "sqlite"] = "postgresql"
    source: Source
    migrations: tuple[Version, ...] = ()
    baseline: str | None = None
    """The schema that the migrations begin with, as a SQL file, if that is not nothing: temporary
    databases begin with it."""
    passwords: str | None = None
    """A protected YAML file with plain texts that a Python migration step may need."""
    key_env: str = "DBCYCLE_KEY"
    tables: dict[str, TableConfig] = {}
    storage: str | None = None
    """Where the extracts and the records of what was made lie instead of the project's folder, so
    that several machines share them: a folder, or the URL of a store that fsspec reaches
    (``s3://bucket/prefix``)."""
    subset: Subset = Subset()
    golden: str | None = None
    seeds: str | None = None
    """The folder of versioned seeds; ``seeds`` by default."""
    targets: dict[str, Target] = {}
    schedule: Schedule = Schedule()
    verify: Verify = Verify()
    execution: Execution = Execution()
    models: Models | None = None
    owners: tuple[str, ...] = ()
    on_failure: tuple[str, ...] | None = None
    """A command to run after a failed Dagster run; it gets the run's id as its last word."""

    @pydantic.model_validator(mode="after")
    def _known(self) -> "Config":
        for name in self.execution.chunks:
            if name not in self.tables:
                message = f"execution.chunks: no table `{name}`{did_you_mean(name, self.tables)}"
                raise ValueError(message)
        return self

    @property
    def sampled(self) -> bool:
        """Whether any table is to lose rows."""
        asked = self.subset.sample or self.subset.tenants
        return bool(asked) or any(table.sample for table in self.tables.values())

    @property
    def unsampled(self) -> "Config":
        """The config with every row of every table."""
        tables = {
            name: table.model_copy(update={"sample": None}) for name, table in self.tables.items()
        }
        return self.model_copy(update={"tables": tables, "subset": Subset()})


class Project(_Strict):
    """One database being cycled: its folder and its config. Paths in the config are relative.

    ``place`` is where state and extracts lie instead of the root, for a rehearsal.
    """

    root: Path
    config: Config
    place: Path | None = None

    @property
    def name(self) -> str:
        """The project's name."""
        return self.config.name

    def database(self, role: str) -> str:
        """Return the name of the cycle's database that plays a role."""
        return f"dbcycle_{self.name}_{role}"

    def path(self, relative: str) -> Path:
        """Return where a path of the config lies."""
        return (self.root / relative).resolve()

    @property
    def state(self) -> Path:
        """The folder of this machine's state: key, lock, embedded server; never committed."""
        return (self.place or self.root) / ".dbcycle"

    @property
    def records(self) -> "Path | UPath":
        """Where lies what the stages tell each other: ledger, catalog, digests of originals."""
        return self.state if self._shared is None else self._shared / "private"

    @property
    def extracts(self) -> "Path | UPath":
        """Where the extracts lie."""
        return (self._shared or self.place or self.root) / "extracts"

    @property
    def _shared(self) -> "Path | UPath | None":
        """The config's storage: a path where it is a folder, so that files are renamed in place."""
        storage = self.config.storage
        if storage is None or self.place is not None:
            return None
        if "://" not in storage:
            return self.path(storage)
        if storage.startswith("file://"):
            return Path(storage.removeprefix("file://"))
        from upath import UPath

        # Another machine writes there too: what was listed a moment ago may be wrong.
        return UPath(storage, use_listings_cache=False)

    @property
    def dump(self) -> Path:
        """The dump file (or folder); of one that lies in a store, the copy on this machine."""
        if self.dump_uri is None:
            return self.path(self.config.source.dump)
        return self.state / "dumps" / self.dump_uri.rsplit("/", 1)[-1]

    @property
    def dump_uri(self) -> str | None:
        """The address of a dump that lies in a store, or None."""
        return self.config.source.dump if "://" in self.config.source.dump else None
