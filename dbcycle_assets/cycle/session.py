"""One run of the cycle: the project, its server, its key, and what is already made."""

import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..anonymizers.base import Key
from ..artifacts import (
    Extracts,
    Ledger,
    catalog_mark,
    digest_of_file,
    read_catalog,
    write_catalog,
)
from ..config import credentials
from ..config.model import Config, Project
from ..databases import dump_digest, stopping
from ..databases.port import Progress, Server, Stamp
from ..model.catalog import Catalog
from ..model.digest import digest_of
from ..model.ledger import Check, Node, Record, Stale, direct_reasons, find_stale
from ..upkeep.hosting import own_server
from .nodes import asset_nodes, working_config

DATABASES = {"restored_db": "restored", "migrated_schema": "migrated", "test_db": "test"}
"""The role of the database behind each asset that has one of its own."""


@dataclass(frozen=True)
class Outcome:
    """One asset after a stage: its record, and whether it was already fresh (a memoized hit)."""

    record: Record
    memoized: bool

    @property
    def asset(self) -> str:
        """The asset's name."""
        return self.record.asset


def silent(_message: str) -> None:
    """Report nothing."""


def _stopping(progress: Progress) -> Progress:
    """Return what tells of each piece of work, unless a stop was asked for before it."""

    def told(message: str) -> None:
        stopping.point()
        progress(message)

    return told


class Cycle:
    """What the stages share. Nothing connects, and nothing is read from the environment, before a
    stage needs it.

    ``force`` makes every stage work even where its asset is fresh.
    """

    def __init__(
        self, project: Project, *, progress: Progress = silent, force: bool = False
    ) -> None:
        credentials.keep_out_of_core_dumps()
        self.project = project
        self.progress = _stopping(progress)
        self.force = force
        self.ledger = Ledger(project.records)
        self.extracts = Extracts(project.extracts)
        self.stopping = threading.Event()
        self._nodes: dict[str, Node] | None = None
        self._catalog: tuple[tuple[object, ...] | None, Catalog | None] = (None, None)

    @functools.cached_property
    def server(self) -> Server:
        """The server that holds the project's databases; an embedded one is started."""
        self.progress("connecting to the server")
        return own_server(self.project)

    @functools.cached_property
    def key(self) -> Key:
        """The project's anonymization key."""
        return Key(credentials.anonymization_secret(self.project))

    @property
    def catalog(self) -> Catalog | None:
        """The catalog that the last migration left, whichever run it was of, or None before the
        first. It is read once, and again only when it was replaced.
        """
        mark = catalog_mark(self.project.records)
        known, catalog = self._catalog
        if mark != known:
            catalog = read_catalog(self.project.records)
            self._catalog = (mark, catalog)
        return catalog

    @property
    def config(self) -> Config:
        """The config under the names of the last migrated schema."""
        return working_config(self.project, self.catalog)

    def nodes(self) -> Mapping[str, Node]:
        """Return the asset graph, parents first, with the code versions of this run."""
        if self._nodes is None:
            self._nodes = {node.asset: node for node in asset_nodes(self.project, self.catalog)}
        return self._nodes

    def keep_catalog(self, catalog: Catalog) -> None:
        """Keep the catalog that a migration left; rules inherited through keys may change."""
        write_catalog(self.project.records, catalog)
        self._nodes = None

    def database(self, role: str) -> str:
        """Return the name of the database that plays a role."""
        return self.project.database(role)

    def stamp(self, role: str, content: str, **facts: object) -> Stamp:
        """Return the stamp for the database of a role."""
        return Stamp(self.project.name, role, content, facts)

    # --- what is stale --------------------------------------------------------------------------

    def roots(self) -> dict[str, str]:
        """Return the present data version of each asset that has no inputs."""
        found = {"anonymization_key": self.key.id}
        if (newer := self._newer_dump()) is not None:
            found["prod_dump"] = newer
        elif self.project.dump.exists():
            found["prod_dump"] = dump_digest(self.project.dump)
        return found

    def _newer_dump(self) -> str | None:
        """Return what tells the dump in its store from the copy here, or None if they are one."""
        uri = self.project.dump_uri
        if uri is None:
            return None
        from .remote import is_copy, version_of  # it costs time to load

        version = version_of(uri)
        return None if is_copy(self.project.dump, uri, version) else version

    def missing(self, nodes: Mapping[str, Node]) -> dict[str, str]:
        """Return the assets whose artifact is gone, each with the reason."""
        gone: dict[str, str] = {}
        here = self.project.dump_uri is not None or self.project.dump.exists()
        if self.ledger.get("prod_dump") is not None and not here:
            gone["prod_dump"] = "the dump is gone"
        for asset, role in DATABASES.items():
            gone |= self.missing_database(asset, role)
        gone |= self.missing_subset()
        for asset, node in nodes.items():
            if node.stage == "extracts" and node.table is not None:
                gone |= self.missing_extract(asset, node.table)
            elif node.stage == "exports":
                gone |= self.missing_export(asset)
        return gone

    def missing_database(self, asset: str, role: str) -> dict[str, str]:
        """Return why the database of an asset is gone: one entry, or none if it is there."""
        record = self.ledger.get(asset)
        if record is None:
            return {}
        if asset == "migrated_schema" and self.catalog is None:
            return {asset: "its catalog is gone, or of another version of dbcycle"}
        stamp = self.server.stamp(self.database(role))
        made = made_of(record.code_version, record.inputs)
        if (
            stamp is not None
            and stamp.content == record.data_version
            # Two dumps may have one schema, which is all that its version tells apart.
            and (asset != "migrated_schema" or stamp.facts.get("made") == made)
        ):
            return {}
        return {asset: "its database is gone or was replaced"}

    def missing_subset(self) -> dict[str, str]:
        """Return the assets whose kept rows are gone, each with the reason."""
        known = [asset for asset, node in self.nodes().items() if node.stage == "subset"]
        drawn = {a: r.facts.get("drawn") for a in known if (r := self.ledger.get(a)) is not None}
        if not drawn:
            return {}
        stamp = self.server.stamp(self.database("migrated"))
        here = stamp.facts.get("subset") if stamp is not None else None
        return {
            asset: "its kept rows are gone or were replaced"
            for asset, which in drawn.items()
            if which != here
        }

    def missing_extract(self, asset: str, table: str) -> dict[str, str]:
        """Return why the extract of an asset is gone: one entry, or none if it is there."""
        record = self.ledger.get(asset)
        manifest = self.extracts.manifest(table)
        if record is None or (manifest is not None and manifest.digest == record.facts["digest"]):
            return {}
        return {asset: "its extract is gone or was replaced"}

    def missing_export(self, asset: str) -> dict[str, str]:
        """Return why a file of an export is gone: one entry, or none if all are there."""
        record = self.ledger.get(asset)
        files = record.facts["files"] if record is not None else {}
        gone = [
            name
            for name, digest in files.items()
            if digest_of_file(self.project.path(name)) != digest
        ]
        return {asset: f"{gone[0]} is gone or was edited"} if gone else {}

    def records(self, nodes: Mapping[str, Node]) -> dict[str, Record]:
        """Return the records that exist."""
        found = {asset: self.ledger.get(asset) for asset in nodes}
        return {asset: record for asset, record in found.items() if record is not None}

    def stale(self) -> list[Stale]:
        """Return every stale asset with its reasons, parents first; changes nothing."""
        nodes = self.nodes()
        return find_stale(
            nodes.values(),
            self.records(nodes),
            roots=self.roots(),
            missing=self.missing(nodes),
        )

    # --- making one asset -----------------------------------------------------------------------

    def fresh(self, asset: str, *, missing: Mapping[str, str]) -> Outcome | None:
        """Return the memoized outcome of an asset that needs no work, else None."""
        nodes = self.nodes()
        record = self.ledger.get(asset)
        if self.force or record is None:
            return None
        known = self.records({dep: nodes[dep] for dep in nodes[asset].deps} | {asset: nodes[asset]})
        reasons = direct_reasons(nodes[asset], known, roots={}, missing=missing)
        return None if reasons else Outcome(record, memoized=True)

    def inputs(self, asset: str) -> dict[str, str]:
        """Return the data versions of an asset's inputs as they are now."""
        nodes = self.nodes()
        records = {dep: self.ledger.get(dep) for dep in nodes[asset].deps}
        return {dep: record.data_version for dep, record in records.items() if record is not None}

    def record(
        self,
        asset: str,
        data_version: str,
        *,
        started: float,
        facts: Mapping[str, Any] | None = None,
        checks: tuple[Check, ...] = (),
    ) -> Outcome:
        """Write down that an asset was made; call it last, when its artifact is in place."""
        former = self.ledger.get(asset)
        record = Record(
            asset=asset,
            code_version=self.nodes()[asset].code_version,
            inputs=self.inputs(asset),
            data_version=data_version,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - started, 3),
            facts=facts or {},
            checks=checks,
            history=former.past if former is not None else (),
        )
        self.ledger.put(record)
        return Outcome(record, memoized=False)

    def memoize(
        self, asset: str, make: Callable[[float], Outcome], *, missing: Mapping[str, str]
    ) -> Outcome:
        """Return the asset's memoized outcome, or make it."""
        return self.fresh(asset, missing=missing) or make(time.monotonic())


def made_of(code_version: str, inputs: Mapping[str, str]) -> str:
    """Return what tells of a database what it was made from, and how."""
    return digest_of([code_version, dict(sorted(inputs.items()))])


def merkle(versions: Mapping[str, str]) -> str:
    """Return one data version for many."""
    return digest_of(dict(sorted(versions.items())))
