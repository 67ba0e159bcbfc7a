"""The dump, and the scratch database that it is restored into."""

import time

from ..databases import dump_digest
from ..errors import DumpError
from ..model.ledger import Check
from .download import bring
from .session import Cycle, Outcome


def take_dump(cycle: Cycle) -> Outcome:
    """Record the dump as it is on disk; its data version is its content, not its timestamp.

    Raises:
        DumpError: there is no dump, or it is empty.
    """
    started = time.monotonic()
    bring(cycle)
    path = cycle.project.dump
    if not path.exists():
        raise DumpError(
            "there is no dump",
            where=str(path),
            remedy="copy one there, correct `source.dump` in dbcycle.yaml, or configure "
            "`source.download` and run with --download-recent",
        )
    size = (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        if path.is_dir()
        else path.stat().st_size
    )
    if size == 0:
        raise DumpError("the dump is empty (0 bytes)", where=str(path), remedy="dump again")
    digest = dump_digest(path)
    known = cycle.ledger.get("prod_dump")
    facts = {"size_bytes": size, "file": path.name}
    outcome = cycle.record("prod_dump", digest, started=started, facts=facts)
    unchanged = known is not None and known.data_version == digest and not cycle.force
    return Outcome(outcome.record, memoized=unchanged)


def take_key(cycle: Cycle) -> Outcome:
    """Record which anonymization key is in force, by its id."""
    started = time.monotonic()
    known = cycle.ledger.get("anonymization_key")
    outcome = cycle.record("anonymization_key", cycle.key.id, started=started)
    unchanged = known is not None and known.data_version == cycle.key.id and not cycle.force
    return Outcome(outcome.record, memoized=unchanged)


def restore(cycle: Cycle) -> Outcome:
    """Restore the dump into the ``restored`` scratch database; the former one stays until the new
    one is whole.

    Raises:
        DumpError: with a diagnosis that names the fix.
    """
    missing = cycle.missing_database("restored_db", "restored")
    return cycle.memoize("restored_db", lambda started: _restore(cycle, started), missing=missing)


def _restore(cycle: Cycle, started: float) -> Outcome:
    server = cycle.server
    version = cycle.inputs("restored_db")["prod_dump"]
    fresh, live = cycle.database("restoring"), cycle.database("restored")
    bring(cycle)
    if cycle.project.dump_uri is not None and dump_digest(cycle.project.dump) != version:
        raise DumpError(
            "the dump was replaced since it was recorded",
            where=cycle.project.dump_uri,
            remedy="run again from `prod_dump`",
        )
    cycle.progress(f"restoring {cycle.project.dump.name}")
    found = server.restore(
        cycle.project.dump, fresh, cycle.stamp("restored", version), cycle.progress
    )
    server.switch(fresh, live, cycle.database("replaced"), cycle.project.name)
    server.drop(cycle.database("replaced"), cycle.project.name)
    rows = sum(found.rows.values())
    return cycle.record(
        "restored_db",
        version,
        started=started,
        facts={"rows": rows, "tables": len(found.rows), "notes": list(found.notes)},
        checks=(Check("rows_restored", passed=True, facts={"rows": rows}),),
    )
