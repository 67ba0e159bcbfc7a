"""Seeds: versioned data scripts, what a database remembers of them, and what follows from both.

A seed is one file in ``base``, ``development`` or ``test``; its name begins with its number. The
environment decides which folders apply, the order is by folder, number and name, and whatever a
seed declares to depend on comes before it.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import networkx

from ..errors import SeedError, did_you_mean
from .digest import digest_of_text

GROUPS = ("base", "development", "test")
APPLIES = {
    "production": ("base",),
    "staging": ("base",),
    "development": ("base", "development"),
    "test": ("base", "development", "test"),
}
"""Which folders apply in an environment."""

SUFFIXES = {".py": "python", ".sql": "sql", ".yaml": "yaml", ".yml": "yaml"}
ACTIVE, INACTIVE, ORPHANED = "Active", "Inactive", "Orphaned"
FACTS = ("version", "description", "depends", "environments", "varies")
FIRST_VERSION = "1.0.0"

_FILE = re.compile(r"(\d+)_([A-Za-z]\w*)")
_VERSION = re.compile(r"\d+(\.\d+){0,3}")
_LINE = re.compile(r"^(?:--|#)\s*(version|description|depends|environments|varies)\s*:\s*(.*)$")


@dataclass(frozen=True)
class Seed:
    """One seed; ``name`` is ``folder/NN_name``. ``depends`` is None where nothing is declared:
    such a seed waits for all that come before it. ``varies`` are columns, as ``table.column``,
    whose values it makes anew each time.
    """

    name: str
    group: str
    number: int
    kind: str
    checksum: str
    version: str = FIRST_VERSION
    description: str = ""
    environments: tuple[str, ...] = ()
    depends: tuple[str, ...] | None = None
    varies: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands in the order."""
        return GROUPS.index(self.group), self.number, self.name

    def applies(self, environment: str) -> bool:
        """Tell whether the seed is for an environment."""
        return self.group in APPLIES[environment] and (
            not self.environments or environment in self.environments
        )


@dataclass(frozen=True)
class Row:
    """One row of the seed history; times are ISO 8601 in UTC."""

    id: str
    name: str
    version: str
    environment: str
    checksum: str
    applied_at: str
    applied_by: str
    status: str = ACTIVE
    notes: str = ""
    error: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """What to do about one seed: ``apply``, ``upgrade`` (from a version), ``skip`` or ``drift``."""

    seed: Seed
    kind: str
    reason: str
    former: Row | None = None


def read_seed(path: PurePath, text: bytes) -> Seed:
    """Return the seed that a file describes; ``path`` is relative to the folder of seeds.

    Raises:
        SeedError: the name or a fact at its head is malformed.
    """
    where = path.as_posix()
    group = path.parts[0] if len(path.parts) == 2 else ""  # noqa: PLR2004 - folder/file
    match = _FILE.fullmatch(path.stem)
    if group not in GROUPS:
        raise SeedError(
            "a seed lies in base, development or test" + did_you_mean(group, GROUPS), where=where
        )
    if match is None or path.suffix not in SUFFIXES:
        raise SeedError(
            "a seed is called NN_name.py, NN_name.sql or NN_name.yaml",
            where=where,
            remedy="`dbcycle db create-seed NAME` makes one with the next number",
        )
    kind = SUFFIXES[path.suffix]
    try:
        content = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SeedError("the file is not UTF-8", where=where, remedy="save it as UTF-8") from None
    facts = _python_facts(content, where) if kind == "python" else _header_facts(content)
    seed = Seed(
        name=f"{group}/{path.stem}",
        group=group,
        number=int(match.group(1)),
        kind=kind,
        checksum=digest_of_text(text),
    )
    return _described(seed, facts, where)


def is_version(text: str) -> bool:
    """Tell whether a text is a version: ``1``, ``1.0.0``, up to four numbers."""
    return _VERSION.fullmatch(text) is not None


def _described(seed: Seed, facts: Mapping[str, Any], where: str) -> Seed:
    version = str(facts.get("version", FIRST_VERSION))
    if not is_version(version):
        raise SeedError(f"`{version}` is no version, such as 1.0.0", where=where)
    environments = _listed(facts.get("environments"))
    for name in environments or ():
        if name not in APPLIES:
            raise SeedError(
                f"there is no environment `{name}`{did_you_mean(name, APPLIES)}", where=where
            )
    return replace(
        seed,
        version=version,
        description=str(facts.get("description", "")),
        environments=environments or (),
        depends=_listed(facts.get("depends")),
        varies=_listed(facts.get("varies")) or (),
    )


def _listed(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    found = value.split(",") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in found if str(part).strip())


def _header_facts(text: str) -> dict[str, str]:
    """Return the facts in the comments at the head of a SQL or YAML file."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match is not None:
            found[match.group(1)] = match.group(2)
        elif line.strip() and not line.lstrip().startswith(("--", "#")):
            break
    return found


def _python_facts(text: str, where: str) -> dict[str, Any]:
    """Return the facts that a Python file assigns at its top, without running it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise SeedError("is not valid Python", where=f"{where}:{line}") from None
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id.lower()
            if name in FACTS:
                try:
                    found[name] = ast.literal_eval(node.value)
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    raise SeedError(
                        f"{node.targets[0].id} must be written out", where=f"{where}:{node.lineno}"
                    ) from None
    if "description" not in found and (told := ast.get_docstring(tree)):
        found["description"] = told.splitlines()[0]
    return found


# --- order ----------------------------------------------------------------------------------------


def in_order(seeds: Iterable[Seed]) -> list[Seed]:
    """Return seeds in the order in which they apply: folder, number, name, dependencies first.

    Raises:
        SeedError: two seeds of a name, a dependency that is not there, or a cycle.
    """
    graph = dependencies(seeds)
    try:
        ordered = networkx.lexicographical_topological_sort(graph, key=lambda seed: seed.place)
        return list(ordered)
    except networkx.NetworkXUnfeasible:
        cycle = networkx.find_cycle(graph)
        names = " → ".join(start.name for start, _ in cycle)
        raise SeedError(f"seeds depend on each other: {names}") from None


def dependencies(seeds: Iterable[Seed]) -> "networkx.DiGraph[Seed]":
    """Return the declared dependencies as a graph from what comes first to what needs it.

    Raises:
        SeedError: two seeds of a name, or a dependency that is not there or comes too late.
    """
    by_name: dict[str, Seed] = {}
    for seed in sorted(seeds, key=lambda seed: seed.place):
        if seed.name in by_name:
            raise SeedError("two files describe this seed", where=seed.name)
        by_name[seed.name] = seed
    graph: networkx.DiGraph[Seed] = networkx.DiGraph()
    graph.add_nodes_from(by_name.values())
    for seed in by_name.values():
        for name in seed.depends or ():
            graph.add_edge(_named(name, seed, by_name), seed)
    return graph


def _named(name: str, seed: Seed, by_name: Mapping[str, Seed]) -> Seed:
    found = by_name.get(name) or by_name.get(f"{seed.group}/{name}")
    if found is None:
        raise SeedError(
            f"depends on `{name}`, which is no seed here{did_you_mean(name, by_name)}",
            where=seed.name,
            remedy="correct `depends`, or write that seed",
        )
    if GROUPS.index(found.group) > GROUPS.index(seed.group):
        raise SeedError(
            f"depends on {found.name}, which not every environment has",
            where=seed.name,
            remedy=f"move one of them: what {seed.group} needs belongs there too",
        )
    return found


def waves(seeds: Sequence[Seed]) -> list[list[Seed]]:
    """Return seeds in groups whose members are independent of each other; each group waits for
    those before it. A seed that declares no ``depends`` waits for everything before it, and
    everything after it waits for it.
    """
    ordered = in_order(seeds)
    graph = dependencies(ordered)
    level: dict[Seed, int] = {}
    floor = 0
    for seed in ordered:
        after = [level[earlier] + 1 for earlier in graph.predecessors(seed)]
        if seed.depends is None:
            floor = max(level.values(), default=-1) + 1
            level[seed] = floor
            floor += 1
        else:
            level[seed] = max([floor, *after])
    found: list[list[Seed]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for seed in ordered:
        found[level[seed]].append(seed)
    return [group for group in found if group]


def needs(seed: Seed, seeds: Iterable[Seed]) -> list[Seed]:
    """Return what a seed says that it needs, in order, with what that needs in turn: everything
    before it in its environments where it declares nothing.

    Raises:
        SeedError: a dependency is not there, comes too late, or depends on the seed itself.
    """
    by_name = {each.name: each for each in seeds}
    found: dict[str, Seed] = {}

    def collect(each: Seed) -> None:
        if each.depends is None:
            direct = [other for other in by_name.values() if other.place < each.place]
        else:
            direct = [_named(name, each, by_name) for name in each.depends]
        for other in direct:
            if other.name not in found:
                found[other.name] = other
                collect(other)

    collect(seed)
    return [each for each in in_order([seed, *found.values()]) if each.name != seed.name]


# --- history --------------------------------------------------------------------------------------


def decide(
    seeds: Iterable[Seed], rows: Iterable[Row], environment: str, *, force: bool = False
) -> list[Action]:
    """Return what to do about every seed of an environment, in order; changes nothing."""
    active = {
        row.name: row for row in rows if row.status == ACTIVE and row.environment == environment
    }
    chosen = in_order(seed for seed in seeds if seed.applies(environment))
    return [_decide(seed, active.get(seed.name), force=force) for seed in chosen]


def _decide(seed: Seed, row: Row | None, *, force: bool) -> Action:
    if row is None:
        return Action(seed, "apply", "never applied here")
    if row.version != seed.version:
        return Action(seed, "upgrade", f"from version {row.version} to {seed.version}", row)
    if force:
        return Action(seed, "apply", "forced", row)
    if row.checksum != seed.checksum:
        return Action(seed, "drift", "edited without a new version", row)
    return Action(seed, "skip", "already applied", row)


@dataclass(frozen=True)
class Orphan:
    """An applied seed whose file is gone; ``renamed`` is a file with the same content, if any."""

    row: Row
    renamed: str = ""


def orphans(seeds: Collection[Seed], rows: Iterable[Row], environment: str) -> Iterator[Orphan]:
    """Yield the applied seeds of an environment whose files are gone."""
    names = {seed.name for seed in seeds}
    by_content = {seed.checksum: seed.name for seed in seeds}
    for row in rows:
        gone = row.name not in names and row.status == ACTIVE
        if gone and row.environment == environment:
            yield Orphan(row, by_content.get(row.checksum, ""))
