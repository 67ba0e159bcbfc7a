"""The asset graph as plain values, computed from files alone.

This listing is the pipeline: Dagster's assets, ``dbcycle plan`` and the memo all read it.
"""

from collections.abc import Iterator

from ..anonymizers import definition_of, parameters_of
from ..config.load import Fault, mistakes
from ..config.model import Config, Project, Rule
from ..errors import ConfigError
from ..model.catalog import Catalog
from ..model.decision import Judge
from ..model.digest import digest_of, digest_of_text
from ..model.head import at_head
from ..model.ledger import Node
from ..model.plan import extract_code_version, extract_needs
from ..model.subset import make_program
from ..upkeep.seed_files import seed_files
from ..upkeep.sources import migrations_digest
from .completion import parents_needed
from .golden import golden_files

RESTORE_VERSION = 1
MIGRATE_VERSION = 3
SEED_VERSION = 1
EXPORT_VERSION = 1
PUBLISH_VERSION = 2


def asset_nodes(project: Project, catalog: Catalog | None) -> Iterator[Node]:
    """Yield every asset, parents first. ``catalog`` adds the rules inherited through keys."""
    _require_rules(project)
    config = working_config(project, catalog)
    tables = sorted(config.tables)
    golden = golden_files(project)
    yield Node("prod_dump", (), digest_of([1, config.engine]))
    yield Node("anonymization_key", (), digest_of([1]))
    yield Node("restored_db", ("prod_dump",), digest_of([RESTORE_VERSION, config.engine]))
    migrations = migrations_version(project)
    yield Node("migrated_schema", ("restored_db",), migrations)
    for table in tables:
        yield Node(f"migrated/{table}", ("restored_db",), migrations)
    yield Node("plan", ("migrated_schema",), plan_version(project))
    yield from _subset_nodes(config, catalog)
    judge = Judge(config, catalog) if catalog is not None else None
    for table in tables:
        needs = extract_needs(config, judge, table)
        key = ("anonymization_key",) if needs.keyed else ()
        others = tuple(f"migrated/{other}" for other in needs.tables)
        code = extract_code_version(config, table, needs.inherited)
        subset = (f"subset/{table}",) if sampled(config, table) else ()
        yield Node(f"extracts/{table}", (f"migrated/{table}", *subset, *others, *key), code)
    for table in tables:
        if files := config.tables[table].export:
            yield Node(
                f"exports/{table}", (f"extracts/{table}",), digest_of([EXPORT_VERSION, files])
            )
    for table, file in sorted(golden.items()):
        yield Node(f"golden/{table}", (), digest_of(["golden", digest_of_text(file.read_bytes())]))
    for table in tables:
        about = (table, *parents_needed(catalog, golden, table)) if table in golden else ()
        records = tuple(f"golden/{name}" for name in about)
        yield Node(f"seeded/{table}", (f"extracts/{table}", *records), digest_of([SEED_VERSION]))
    seeded = tuple(f"seeded/{table}" for table in tables)
    exceptions = config.verify.model_dump(include={"coincidences"})
    declared = {
        name: table.quasi_identifiers
        for name, table in sorted(config.tables.items())
        if table.quasi_identifiers
    }
    anonymity = [[config.verify.k, declared]] if declared else []
    yield Node(
        "test_db",
        (*seeded, "plan", "migrated_schema"),
        digest_of([PUBLISH_VERSION, exceptions, *anonymity, *seeds_version(project)]),
    )


def _require_rules(project: Project) -> None:
    """Refuse rules that no anonymizer can follow, whatever column they are for.

    Raises:
        ConfigError: every one of them, with its line.
    """
    faults: list[Fault] = []
    for name, table in project.config.tables.items():
        for column, first in table.columns.items():
            rule: Rule | None = first
            while rule is not None:
                try:
                    if rule.anonymize != "keep":
                        definition_of(rule.anonymize, rule.options)
                        parameters_of(rule.anonymize, rule.options)
                except ConfigError as error:
                    known = f" ({error.remedy})" if error.remedy else ""
                    faults.append((["tables", name, "columns", column], f"{error.what}{known}"))
                rule = rule.otherwise
    if faults:
        raise mistakes(project.root, faults)


def sampled(config: Config, table: str) -> bool:
    """Tell whether a table has a part in the subset."""
    return config.sampled and config.tables[table].extract == "rows"


def _subset_nodes(config: Config, catalog: Catalog | None) -> Iterator[Node]:
    """Yield the kept rows of each table, with what decides about them; before any catalog that is
    everything.
    """
    names = [name for name in sorted(config.tables) if sampled(config, name)]
    program = make_program(config, catalog) if names and catalog is not None else None
    asked = {name: table.sample for name, table in config.tables.items() if table.sample}
    everything = digest_of(
        [config.subset.model_dump(), {n: s.model_dump() for n, s in asked.items()}]
    )
    keyed = any(s.keyed for s in (*asked.values(), config.subset.sample) if s is not None)
    for name in names:
        around, code, drawn = names, everything, keyed
        if program is not None and name in program.choices:
            code, drawn = program.version(name), program.keyed(name)
            if not program.looks_around(name):
                around = sorted(program.influences(name) & set(names) | {name})
        key = ("anonymization_key",) if drawn else ()
        yield Node(f"subset/{name}", (*(f"migrated/{other}" for other in around), *key), code)


def working_config(project: Project, catalog: Catalog | None) -> Config:
    """Return the config under the names of the last migrated schema.

    A table that was renamed keeps its former name: its assets carry it until the config is changed.
    """
    head = at_head(project.config, catalog)
    return project.config if head.moves.tables else head.config


def seeds_version(project: Project) -> list[list[str]]:
    """Return (name, checksum) of every seed that applies to the test database."""
    applied = sorted(seed_files(project), key=lambda seed: seed.name)
    return [[seed.name, seed.checksum] for seed in applied if seed.applies("test")]


def plan_version(project: Project) -> str:
    """Return the code version of the plan: every judgement of the config."""
    config = project.config
    judgements = {
        name: table.model_dump(include={"columns", "keep", "references", "extract"})
        for name, table in config.tables.items()
    }
    return digest_of([judgements, config.verify.model_dump(include={"coincidences"})])


def migrations_version(project: Project) -> str:
    """Return the code version of the migrations: every step's content, in order."""
    return digest_of([MIGRATE_VERSION, migrations_digest(project)])
