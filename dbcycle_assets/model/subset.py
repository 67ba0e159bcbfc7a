"""The subset: which rows of which tables are kept, as a program of set operations.

A row is *chosen* because its table's sample picks it, because its table has none, or, below a
sample with ``children``, because it refers to a chosen row. A row is *kept* if it is chosen or if a
kept row refers to it. Both are least fixed points, so no order of work can change them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import networkx

from ..config.model import Config, Sample, TableConfig, Tenants
from ..errors import did_you_mean
from .catalog import Catalog, ForeignKey, Table
from .decision import Condition, conditions
from .digest import digest_of

SUBSET_VERSION = 1
"""Raised when the same config would keep other rows."""

Mode = Literal["whole", "root", "below"]


@dataclass(frozen=True)
class Link:
    """One reference, walked ``down`` from parent to child or up from child to parent.

    ``when`` are the conditions on the child's row of a polymorphic one; ``cast`` asks for a
    comparison by text, since nothing makes the two ends of a virtual one be of the same type.
    """

    key: ForeignKey
    down: bool
    when: tuple[Condition, ...] = ()
    cast: bool = False
    number: int = 0

    @property
    def source(self) -> str:
        """The table whose rows bring rows of the other."""
        return self.key.parent if self.down else self.key.table

    @property
    def target(self) -> str:
        """The table that rows are brought into."""
        return self.key.table if self.down else self.key.parent

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns that must be known of a source row to find what it brings."""
        if self.down:
            return self.key.parent_columns
        return tuple(dict.fromkeys((*self.key.columns, *(c.beside.column for c in self.when))))

    @property
    def words(self) -> str:
        """What it says about a row that it brought."""
        name = f"{self.key.table}.{', '.join(self.key.columns)}"
        return f"child of {self.key.parent} by {name}" if self.down else f"parent by {name}"

    @cached_property
    def identity(self) -> str:
        """What tells it from every other."""
        key = self.key
        ends = (key.table, key.columns, key.parent, key.parent_columns)
        return repr((*ends, self.down, self.when))


@dataclass(frozen=True)
class Choice:
    """How the rows of one table are chosen.

    ``whole`` tables keep every row, ``root`` tables those that the sample picks, tables ``below``
    those that refer to a chosen row, narrowed by their sample. ``tenant`` is the column that must
    name one of the tenants.
    """

    table: Table
    mode: Mode
    sample: Sample | None = None
    tenant: str | None = None


@dataclass(frozen=True)
class Stage:
    """Tables whose sets are made together: ``entry`` links once each, ``loop`` until nothing new
    comes.
    """

    tables: tuple[str, ...]
    entry: tuple[Link, ...]
    loop: tuple[Link, ...]


@dataclass(frozen=True)
class Program:
    """The decided subset: what to choose, and the stages down and then up, in order."""

    choices: Mapping[str, Choice]
    down: tuple[Stage, ...]
    up: tuple[Stage, ...]
    tenants: Tenants | None = None
    findings: tuple[str, ...] = ()
    _flow: "networkx.DiGraph[tuple[str, str]]" = field(
        default_factory=networkx.DiGraph, compare=False, repr=False
    )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every link, ordered by number."""
        stages = (*self.down, *self.up)
        found = [link for stage in stages for link in (*stage.entry, *stage.loop)]
        return tuple(sorted(found, key=lambda link: link.number))

    def numbered(self) -> dict[str, int]:
        """Return the number of each table that is not kept whole."""
        partial = [name for name, choice in self.choices.items() if choice.mode != "whole"]
        return {name: number for number, name in enumerate(sorted(partial), 1)}

    def carried(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table's kept rows that its links read."""
        return self._carried.get(table, ())

    @cached_property
    def _carried(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for link in self.links:
            found.setdefault(link.source, {}).update(dict.fromkeys(link.source_columns))
        return {table: tuple(columns) for table, columns in found.items()}

    def influences(self, table: str) -> set[str]:
        """Return the tables whose rows or samples decide which rows of a table are kept."""
        return {name for _, name in self._upstream(table)}

    def _upstream(self, table: str) -> set[tuple[str, str]]:
        start = ("kept", table)
        return {start, *networkx.ancestors(self._flow, start)} if start in self._flow else {start}

    def version(self, table: str) -> str:
        """Return a digest of everything but rows that decides which rows of a table are kept."""
        states = self._upstream(table)
        choices = sorted(name for state, name in states if state == "chosen")
        links = [
            link.identity
            for link in self.links
            if ("chosen" if link.down else "kept", link.source) in states
            and ("chosen" if link.down else "kept", link.target) in states
        ]
        told = [_described(self.choices[name], self.tenants) for name in choices]
        return digest_of([SUBSET_VERSION, told, sorted(links)])

    def keyed(self, table: str) -> bool:
        """Tell whether the key decides which rows of a table are kept."""
        samples = [self.choices[n].sample for s, n in self._upstream(table) if s == "chosen"]
        return any(sample.keyed for sample in samples if sample is not None)

    def looks_around(self, table: str) -> bool:
        """Tell whether a predicate that decides about a table may read any other table."""
        samples = [self.choices[n].sample for s, n in self._upstream(table) if s == "chosen"]
        return any("select" in (s.where or "").lower() for s in samples if s is not None)

    @property
    def digest(self) -> str:
        """A digest of the whole."""
        return digest_of({name: self.version(name) for name in self.choices})


@dataclass(frozen=True)
class Kept:
    """What a subset keeps of one table: of how many rows how many, why, and about how many bytes.

    ``by`` tells how many came by each link, and ``of_whole`` how many each table brought that
    itself keeps every row; the first reason that a row was kept for counts.
    """

    table: str
    mode: Mode
    total: int
    kept: int
    chosen: int
    by: Mapping[str, int] = field(default_factory=dict)
    of_whole: Mapping[str, int] = field(default_factory=dict)
    size_bytes: int | None = None
    digest: str = ""


@dataclass(frozen=True)
class Reason:
    """Why one row is kept: ``link`` brought it, or nothing did and it was chosen."""

    table: str
    key: tuple[tuple[str, str | None], ...]
    link: Link | None
    mode: Mode = "root"


def make_program(config: Config, catalog: Catalog) -> Program:
    """Decide the subset; names that do not exist are passed over here, and findings collected."""
    tables = {
        name: table
        for name, table in sorted(catalog.tables.items())
        if config.tables.get(name, TableConfig()).extract == "rows"
    }
    samples = {n: s for n in tables if (s := config.tables.get(n, TableConfig()).sample)}
    up = list(_references(config, tables))
    tenant = _tenant_columns(config.subset.tenants, tables, up)
    scopes = _scopes(samples, tables, up)
    below, down = _below(scopes)
    for name in sorted(tenant):
        scope = _scope(name, tables.keys() - tenant.keys(), up)
        below |= scope.tables
        down += scope.links
    choices = {}
    for name, table in tables.items():
        own, of_all, column = samples.get(name), config.subset.sample, tenant.get(name)
        if name in below:
            choices[name] = Choice(table, "below", own, column)
        elif own or of_all or column:
            choices[name] = Choice(table, "root", own or of_all, column)
        else:
            choices[name] = Choice(table, "whole")
    numbered = _numbered(
        [
            *down,
            *(link for link in up if choices[link.key.parent].mode != "whole"),
        ]
    )
    stages = _stages([link for link in numbered if link.down], choices)
    findings = [
        *_unfit(config, tables, scopes, tenant),
        *_limited_in_cycles(stages, choices),
    ]
    return Program(
        choices,
        stages,
        _stages([link for link in numbered if not link.down], choices),
        config.subset.tenants,
        tuple(findings),
        _flow(numbered, choices),
    )


def _references(config: Config, tables: Mapping[str, Table]) -> Iterator[Link]:
    """Yield every reference that both ends have rows for, upwards."""
    for name, table in tables.items():
        for key in (*table.foreign_keys, *table.partition_keys):
            if key.parent in tables:
                yield Link(key, down=False)
        settings = config.tables.get(name, TableConfig())
        for column, references in sorted(settings.references.items()):
            for reference in references:
                parent, _, target = reference.to.rpartition(".")
                mine = table.column(column)
                theirs = tables[parent].column(target) if parent in tables else None
                when = conditions(reference.when)
                known = all(table.column(each.beside.column) for each in when)
                if mine is None or theirs is None or not known:
                    continue  # the plan names what is not there
                key = ForeignKey(f"references.{column}", name, (column,), parent, (target,))
                yield Link(key, down=False, when=when, cast=mine.kind is not theirs.kind)


def _tenant_columns(
    tenants: Tenants | None, tables: Mapping[str, Table], up: Iterable[Link]
) -> dict[str, str]:
    """Return the column that names the tenant, of each table that has one: that of the config, or
    the one in the tenants' own table that it refers to.
    """
    if tenants is None:
        return {}
    found = {n: tenants.column for n, t in tables.items() if t.column(tenants.column) is not None}
    for link in up:
        key = link.key
        if key.columns == (tenants.column,) and key.parent not in found and not link.when:
            found[key.parent] = key.parent_columns[0]
    return found


@dataclass(frozen=True)
class _Scope:
    """The tables whose rows come as children of a table's, and the links that bring them."""

    tables: set[str]
    links: list[Link]


def _scope(root: str, allowed: Collection[str], up: Collection[Link]) -> _Scope:
    reached: set[str] = set()
    links: list[Link] = []
    waiting, seen = [root], {root}
    while waiting:
        parent = waiting.pop()
        for link in up:
            child = link.key.table
            if link.key.parent != parent or child not in allowed:
                continue
            links.append(replace(link, down=True))
            reached.add(child)
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return _Scope(reached, links)


def _scopes(
    samples: Mapping[str, Sample], tables: Mapping[str, Table], up: Collection[Link]
) -> dict[str, _Scope]:
    """Return the scope of each sample with children."""
    return {
        name: _scope(name, asked if isinstance(asked, tuple) else tables.keys(), up)
        for name, sample in samples.items()
        if (asked := sample.children)
    }


def _below(scopes: Mapping[str, _Scope]) -> tuple[set[str], list[Link]]:
    """Return the tables whose rows come as children alone: of two that are each other's children,
    and have a sample with children each, neither is.
    """
    tables = {
        child
        for name, scope in scopes.items()
        for child in scope.tables
        if child != name and not (child in scopes and name in scopes[child].tables)
    }
    return tables, [link for scope in scopes.values() for link in scope.links]


def _unfit(
    config: Config,
    tables: Mapping[str, Table],
    scopes: Mapping[str, _Scope],
    tenant: Mapping[str, str],
) -> Iterator[str]:
    """Yield what the config asks for and cannot be."""
    for name, settings in sorted(config.tables.items()):
        if settings.sample is not None and settings.extract == "none":
            yield f"tables.{name}.sample: the table is structure only (`extract: none`)"
    for name, scope in scopes.items():
        sample = config.tables[name].sample
        asked = sample.children if sample is not None else ()
        for child in asked if isinstance(asked, tuple) else ():
            if child not in scope.tables:
                yield f"tables.{name}.sample.children: {_not_below(child, name, tables)}"
    if config.subset.tenants is not None and not tenant:
        column = config.subset.tenants.column
        yield f"subset.tenants.column: no table with rows has a column `{column}`"


def _not_below(child: str, name: str, tables: Collection[str]) -> str:
    if child not in tables:
        return f"`{child}` is no table with rows{did_you_mean(child, tables)}"
    return f"{child} refers neither to {name} nor to another table of the list that does"


def _numbered(links: Iterable[Link]) -> list[Link]:
    """Return each different link once, with a number that its table's kept rows will carry."""
    found = {link.identity: link for link in links}
    ordered = [found[name] for name in sorted(found)]
    return [replace(link, number=number) for number, link in enumerate(ordered, 1)]


def _stages(links: Collection[Link], choices: Mapping[str, Choice]) -> tuple[Stage, ...]:
    """Return the tables in the order in which their sets become final, cycles together."""
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(sorted(choices))
    graph.add_edges_from((link.source, link.target) for link in links)
    condensed = networkx.condensation(graph)
    members = {node: tuple(sorted(condensed.nodes[node]["members"])) for node in condensed}
    ordered = networkx.lexicographical_topological_sort(condensed, key=lambda node: members[node])
    stages = []
    for tables in (members[node] for node in ordered):
        into = [link for link in links if link.target in tables]
        entry = tuple(link for link in into if link.source not in tables)
        loop = tuple(link for link in into if link.source in tables)
        if any(choices[table].mode != "whole" for table in tables):
            stages.append(Stage(tables, entry, loop))
    return tuple(stages)


def _limited_in_cycles(stages: Iterable[Stage], choices: Mapping[str, Choice]) -> Iterator[str]:
    for stage in stages:
        for name in stage.tables if stage.loop else ():
            sample = choices[name].sample
            if choices[name].mode == "below" and sample is not None and sample.rows is not None:
                yield (
                    f"tables.{name}.sample.rows: its rows come as children through a cycle of "
                    "references, where a number of rows means nothing; use `fraction` or `where`"
                )


def _flow(
    links: Iterable[Link], choices: Mapping[str, Choice]
) -> "networkx.DiGraph[tuple[str, str]]":
    graph: networkx.DiGraph[tuple[str, str]] = networkx.DiGraph()
    for name, choice in choices.items():
        if choice.mode == "whole":
            graph.add_node(("kept", name))
        else:
            graph.add_edge(("chosen", name), ("kept", name))
    for link in links:
        state = "chosen" if link.down else "kept"
        graph.add_edge((state, link.source), (state, link.target))
    return graph


def _described(choice: Choice, tenants: Tenants | None) -> list[object]:
    sample = None if choice.sample is None else choice.sample.model_dump(exclude={"children"})
    if choice.tenant is None or tenants is None:
        return [choice.table.id, choice.mode, sample]
    return [choice.table.id, choice.mode, sample, choice.tenant, tenants.model_dump()]
