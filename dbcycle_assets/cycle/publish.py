"""Publish: build the test database beside the live one, verify it, and switch."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..artifacts import disk_errors, read_bytes, write_json
from ..databases.port import Database
from ..errors import BadInput
from ..model.catalog import Catalog
from ..upkeep.python import listening
from ..upkeep.seeds import SeedRunner
from .plan import current_plan, require_catalog
from .profile import anonymity_checks, fan_outs
from .seed import complete
from .session import Cycle, Outcome, merkle
from .verify import verify


def publish(cycle: Cycle) -> Outcome:
    """Build, verify and publish the test database; the former one stays up until then.

    Raises:
        VerificationFailed: a blocking check failed; what was published before is untouched.
    """
    missing = cycle.missing_database("test_db", "test")
    if (hit := cycle.fresh("test_db", missing=missing)) is not None:
        return hit
    started = time.monotonic()
    current_plan(cycle).require()
    catalog = require_catalog(cycle)
    completed = complete(cycle, catalog)
    server, staging = cycle.server, cycle.database("staging")
    cycle.progress("cloning the seeded tables")
    server.clone(cycle.database("seeded"), staging, cycle.stamp("staging", ""))
    try:
        facts = _build(cycle, catalog, staging, completed.repaired)
        proven = _Proven(cycle, completed.contents, facts["added_by_seeds"])
        result = verify(
            cycle,
            staging,
            facts["added_by_seeds"],
            clean=proven.clean,
            unchanged=proven.unchanged,
        )
        result.require()
        with server.open(staging, read_only=True) as database:
            cycle.progress("measuring what the references and the quasi-identifiers became")
            facts |= {"fan_out": fan_outs(catalog, database, proven.fan_outs())}
            warnings = anonymity_checks(cycle, catalog, database)
        version = merkle(cycle.inputs("test_db"))
        with disk_errors(cycle.project.state):
            server.set_stamp(
                staging,
                cycle.stamp("test", version, dump=_version(cycle, "prod_dump"), key=cycle.key.id),
            )
        cycle.progress("switching to the new test database")
        server.switch(
            staging, cycle.database("test"), cycle.database("previous"), cycle.project.name
        )
    except BaseException:
        server.drop(staging, cycle.project.name)
        raise
    proven.keep(facts["fan_out"])
    coverage = result.to_json()["coverage"]
    return cycle.record(
        "test_db",
        version,
        started=started,
        facts={**facts, "coverage": coverage},
        checks=(*result.checks(), *warnings),
    )


class _Proven:
    """What the last publication proved, and of which tables that still holds: those whose merged
    rows, and the seeds that may have changed them since, are the same.
    """

    def __init__(self, cycle: Cycle, contents: dict[str, str], added: Mapping[str, int]) -> None:
        self._path = cycle.project.records / "proven.json"
        self._loaded = contents
        self._code = cycle.nodes()["test_db"].code_version
        former: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            former = json.loads(read_bytes(self._path))
        same = not cycle.force and former.get("code") == self._code
        self._former = former if same else {}
        loaded = self._former.get("loaded", {})
        self.unchanged = frozenset(
            name
            for name, content in self._loaded.items()
            if loaded.get(name) == content and not added.get(name)
        )
        self.clean: dict[str, Any] = self._former.get("clean", {})

    def fan_outs(self) -> dict[str, dict[str, Any]]:
        """Return what the references of unchanged tables were found to be."""
        found = self._former.get("fan_out", {})
        return {name: entry for name, entry in found.items() if name in self.unchanged}

    def keep(self, fan_out: Mapping[str, Any]) -> None:
        """Keep what was proven now."""
        document = {"code": self._code, "loaded": self._loaded, "clean": self.clean}
        write_json(self._path, document | {"fan_out": fan_out}, 0o600)


def _version(cycle: Cycle, asset: str) -> str:
    record = cycle.ledger.get(asset)
    return record.data_version if record is not None else ""


def _build(cycle: Cycle, catalog: Catalog, staging: str, repaired: int) -> dict[str, Any]:
    """Turn a clone of the seeded tables into a whole database."""
    server = cycle.server
    cycle.progress("adding triggers and all the rest")
    server.copy_schema(cycle.database("migrated"), staging, "post-data", cycle.progress)
    with server.open(staging) as database:
        database.set_sequences()  # a seed may take the next number
        loaded = _counts(database, catalog)
    seeds = _apply_seeds(cycle, staging)
    with server.open(staging) as database:
        sequences = database.set_sequences()
        views = database.refresh_views()
        rows = _counts(database, catalog) if seeds else loaded
        added = {name: rows[name] - loaded[name] for name in rows if rows[name] != loaded[name]}
        # Seeds may change rows without adding any.
        database.analyze(catalog.tables.values() if seeds else [])
    return {
        "rows": sum(rows.values()),
        "seeds": seeds,
        "added_by_seeds": added,
        "rows_by_table": rows,
        "columns_by_table": {
            name: [column.name for column in table.stored_columns]
            for name, table in sorted(catalog.tables.items())
        },
        "sequences_set": sequences,
        "views_refreshed": views,
        "references_repaired": repaired,
    }


def _counts(database: Database, catalog: Catalog) -> dict[str, int]:
    return {name: database.count(table) for name, table in sorted(catalog.tables.items())}


def _apply_seeds(cycle: Cycle, staging: str) -> list[str]:
    """Apply the versioned seeds of the test environment; return their names.

    Raises:
        DbCycleError: one of them failed; the message has its file.
    """
    runner = SeedRunner(cycle.project, cycle.server, staging, "test", progress=cycle.progress)
    if not runner.files:
        return []
    with listening(cycle.progress):
        result = runner.run()
    if result.failed is not None:
        raise result.failed
    return [f"{done.seed} {done.version}" for done in result.done]


def bring_back(cycle: Cycle) -> None:
    """Make the test database before the present one the live one; the present one is kept.

    Raises:
        BadInput: there is none.
    """
    server, project = cycle.server, cycle.project.name
    previous, live = cycle.database("previous"), cycle.database("test")
    if server.stamp(previous) is None:
        raise BadInput("there is no previous test database", where=project)
    aside = cycle.database("staging")
    server.switch(previous, live, aside, project)
    server.switch(aside, previous, cycle.database("replaced"), project)
    cycle.ledger.forget("test_db")
