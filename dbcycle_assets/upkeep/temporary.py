"""Temporary databases: the schema of the migrations, made once as a template and copied for each
user, who is alone with the copy; it goes when its user does.
"""

import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

import sqlalchemy

from ..artifacts import exclusive
from ..config import credentials
from ..config.model import Project
from ..databases import open_server
from ..databases.migrating import Holder
from ..databases.port import Progress, Server, Stamp
from ..errors import BadInput, DbCycleError
from ..model.digest import digest_of, digest_of_text
from . import audit, operations
from .connecting import project_at
from .guards import Consent
from .operations import Wish
from .seed_files import seed_files
from .seeds import SeedRunner
from .sources import migrations_digest
from .target import Target

COPY, TEMPLATE = "temporary", "template"
KEPT = 4
"""How many templates of a project stay: a branch that comes back finds its own."""

FORGOTTEN = timedelta(days=1)
"""After how long a copy goes whose owner ran on another machine."""

_FORMAT = 1


@dataclass(frozen=True)
class TemporaryDatabase:
    """One database that nobody else uses; ``url`` holds everything needed to connect."""

    server: Server = field(repr=False)
    name: str
    url: str = field(repr=False)

    @cached_property
    def engine(self) -> sqlalchemy.Engine:
        """A pool of sessions in which foreign keys are enforced."""
        return self.server.pool(self.name, size=10)

    @property
    def path(self) -> Path | None:
        """The file, for SQLite."""
        return self.server.file(self.name)

    def close(self) -> None:
        """Close the pool, if it was used."""
        if "engine" in self.__dict__:
            self.engine.dispose()


@dataclass(frozen=True)
class Template:
    """A database that the migrations, and seeds, made: never used itself, only copied.

    ``digest`` changes with every step, seed and setting that decides what is in it.
    """

    project: Project
    server: Server
    name: str
    digest: str

    def copy(self, *, kept: bool = False) -> TemporaryDatabase:
        """Make a copy, which its owner drops; one that is ``kept`` is nobody's to sweep."""
        name = f"{_prefix(self.project)}_tmp_{token_hex(6)}"
        stamp = Stamp(self.project.name, COPY, self.digest, {**_owner(), "kept": kept})
        self.server.clone(self.name, name, stamp)
        return TemporaryDatabase(self.server, name, self.server.url(name))

    def drop(self, copy: TemporaryDatabase) -> None:
        """Drop a copy, and the sessions on it."""
        copy.close()
        self.server.drop(copy.name, self.project.name)

    def keep(self, copy: TemporaryDatabase) -> str:
        """Leave a copy where it is, for a person; return how to open it."""
        copy.close()
        facts = {**_owner(), "kept": True}
        self.server.set_stamp(copy.name, Stamp(self.project.name, COPY, self.digest, facts))
        place = copy.path or credentials.redact(copy.url)
        told = f"kept: {place}"
        with suppress(DbCycleError):  # no client is installed
            told += f"\n  open it: {shlex.join(self.server.shell_command(copy.name)[0])}"
        return f"{told}\n  drop it: dbcycle db sweep --kept"


@contextmanager
def temporary_database(
    project: Project | Path | str,
    *,
    seeds: str | None = None,
    keep: bool | None = None,
    progress: Progress | None = None,
) -> Iterator[TemporaryDatabase]:
    """Give a database with the schema that the project's migrations make, and nobody else in it.

    ``seeds`` names the environment whose seeds are in it. It is dropped at the end, also when the
    block raises; after a kill, by the next one who asks for one. With ``keep`` (by default where
    DBCYCLE_KEEP is 1) it stays, and stderr says where it is and how to open it.

    Raises:
        MigrationError, SeedError: the migrations do not make a schema from nothing.
        ServerUnavailable: there is no server.
    """
    kept = credentials.keep_databases() if keep is None else keep
    template = template_of(project_at(project), seeds=seeds, progress=progress)
    copy = template.copy(kept=kept)
    try:
        yield copy
    finally:
        if kept:
            sys.stderr.write(f"{template.keep(copy)}\n")
        else:
            template.drop(copy)


def template_of(
    project: Project, *, seeds: str | None = None, progress: Progress | None = None
) -> Template:
    """Return the template of a project as its files are now; it is made if there is none. What
    the dead have left is swept away.

    Raises:
        MigrationError, SeedError: the migrations do not make a schema from nothing.
    """
    environment = credentials.environment(seeds) if seeds is not None else None
    server = server_of(project)
    digest = template_digest(project, environment)
    template = Template(project, server, f"{_prefix(project)}_tpl_{digest[:16]}", digest)
    if not _is_whole(template):
        with exclusive(project.state / "temporary" / "lock"):
            if not _is_whole(template):
                _make(template, environment, progress or (lambda _told: None))
                _evict(template)
    sweep(project, server)
    return template


def server_of(project: Project) -> Server:
    """Return where temporary databases are made: on the test target's server, never elsewhere."""
    if project.config.engine == "sqlite":
        return open_server("sqlite", url=None, state=project.state / "temporary")
    shared = credentials.target_url(project, "test")
    return open_server(project.config.engine, url=shared, state=project.state)


def template_digest(project: Project, environment: str | None) -> str:
    """Return a digest of everything that decides what a template holds."""
    seeds = []
    if environment is not None:
        seeds = sorted((seed.name, seed.version, seed.checksum) for seed in seed_files(project))
    baseline = _baseline(project)
    begun = digest_of_text(baseline.read_bytes()) if baseline and baseline.is_file() else None
    steps = migrations_digest(project)
    return digest_of([_FORMAT, project.name, begun, steps, environment, seeds])


def _make(template: Template, environment: str | None, progress: Progress) -> None:
    project, server = template.project, template.server
    progress("making the template of temporary databases")
    # It says what it is only once it is whole: one that was cut off is made anew.
    server.create(template.name, Stamp(project.name, TEMPLATE, "", _owner()))
    target = Target(project, "test", server, template.name)
    try:
        _begin(target)
        operations.migrate(target, Wish(), Consent(), progress)
        if environment is not None:
            runner = SeedRunner(project, server, template.name, environment, progress=progress)
            if (failed := runner.run().failed) is not None:
                raise failed  # noqa: TRY301 - told apart from nothing: all of it is taken back
    except BaseException:
        server.drop(template.name, project.name)
        raise
    server.set_stamp(
        template.name, Stamp(project.name, TEMPLATE, template.digest, {"at": audit.now()})
    )


def _begin(target: Target) -> None:
    """Make the schema that the migrations begin with, if that is not nothing."""
    if (baseline := _baseline(target.project)) is None:
        return
    try:
        script = baseline.read_text(encoding="utf-8-sig")
    except OSError:
        raise BadInput(
            "there is no such file",
            where=str(baseline),
            remedy="correct `baseline` in dbcycle.yaml",
        ) from None
    with target.open() as database:
        database.run_sql(script, baseline)


def _baseline(project: Project) -> Path | None:
    return project.path(project.config.baseline) if project.config.baseline else None


def _is_whole(template: Template) -> bool:
    stamp = template.server.stamp(template.name)
    return stamp is not None and stamp.content == template.digest


def _evict(template: Template) -> None:
    """Drop the oldest templates of the project, beyond those that may be wanted again."""
    found = [
        (str(stamp.facts.get("at", "")), name)
        for name, stamp in template.server.duplicates(TEMPLATE)
        if stamp.project == template.project.name and name != template.name
    ]
    for _, name in sorted(found, reverse=True)[KEPT - 1 :]:
        template.server.drop(name, template.project.name)


def sweep(project: Project, server: Server | None = None, *, kept: bool = False) -> list[str]:
    """Drop the copies whose owner is dead, and those that were kept if so asked; return their
    names. Nothing without our stamp is touched.
    """
    server = server or server_of(project)
    gone = [
        name
        for name, stamp in server.duplicates(COPY)
        if stamp.project == project.name and _is_left(stamp.facts, kept=kept)
    ]
    for name in gone:
        server.drop(name, project.name)
    return gone


def _is_left(facts: Any, *, kept: bool) -> bool:
    if facts.get("kept"):
        return kept
    owner = Holder(int(facts["pid"]), str(facts["host"]), "", str(facts["at"]))
    if owner.host == socket.gethostname():
        return audit.is_dead(owner)
    return datetime.now(UTC) - datetime.fromisoformat(owner.since) > FORGOTTEN


def _owner() -> dict[str, object]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "at": audit.now()}


def _prefix(project: Project) -> str:
    return f"dbcycle_{project.name[:30]}"
