"""The dump, and the scratch database that it is restored into."""

import hashlib
import time
from pathlib import Path

from ..databases import dump_digest
from ..errors import DumpError
from ..model.ledger import Check
from .download import bring
from .session import Cycle, Outcome

SMALL = 100_000
"""In bytes: below it the size of a dump says nothing."""


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
    _require_noted_checksum(path)
    digest = dump_digest(path)
    known = cycle.ledger.get("prod_dump")
    if known is not None and not cycle.force:
        _require_no_loss(path, int(str(known.facts.get("size_bytes", 0))), size)
    facts = {"size_bytes": size, "file": path.name}
    outcome = cycle.record("prod_dump", digest, started=started, facts=facts)
    unchanged = known is not None and known.data_version == digest and not cycle.force
    return Outcome(outcome.record, memoized=unchanged)


def _require_noted_checksum(path: Path) -> None:
    """Hold a dump against the checksum beside it, if there is one, as `sha256sum` writes it.

    Raises:
        DumpError: it is another's, or unreadable.
    """
    beside = path.with_name(f"{path.name}.sha256")
    if path.is_dir() or not beside.is_file():
        return
    noted = beside.read_text(encoding="utf-8", errors="replace").split(maxsplit=1)[:1]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if noted != [found]:
        raise DumpError(
            f"the checksum in it is not that of {path.name}",
            where=str(beside),
            remedy="copy the dump again with its checksum, or remove the file if it is an old one",
        )


def _require_no_loss(path: Path, before: int, size: int) -> None:
    """Refuse a dump of less than a tenth of the last one: most often one that was cut off at its
    source.

    Raises:
        DumpError: both sizes are told.
    """
    if before > SMALL and size * 10 < before:
        raise DumpError(
            f"the dump has {size:,} bytes, and the last one had {before:,}",
            where=str(path),
            remedy="see why so much is gone; if it is meant, run `dbcycle refresh --all`",
        )


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
