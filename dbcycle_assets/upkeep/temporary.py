"""Temporary databases: the schema of the migrations, made once as a template and copied for each
user, who is alone with the copy; it goes when its user does.
"""

import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
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
from ..config.model import SOURCES, Project
from ..databases import open_server
from ..databases.migrating import Holder
from ..databases.port import Copier, Progress, Server, Stamp
from ..errors import BadInput, ServerUnavailable, UsageError, did_you_mean
from ..model.digest import digest_of, digest_of_text
from . import audit, operations
from .connecting import project_at
from .guards import Consent
from .hosting import own_server
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
_TRIES = 10


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

    def copy(self, *, kept: bool = False, owner: int | None = None) -> TemporaryDatabase:
        """Make a copy, which its owner drops: this process, or another one of this machine. One
        that is ``kept`` is nobody's to sweep.
        """
        with self.server.copier(self.name) as copier:
            return self.copy_by(copier, kept=kept, owner=owner)

    def copy_by(
        self, copier: Copier, *, kept: bool = False, owner: int | None = None
    ) -> TemporaryDatabase:
        """Make a copy by a copier of this template, which serves many."""
        name = f"{_prefix(self.project)}_tmp_{token_hex(6)}"
        facts = {**_owner(), **({"pid": owner} if owner is not None else {}), "kept": kept}
        stamp = Stamp(self.project.name, COPY, self.digest, facts)
        copier.make(name, stamp)
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
        return self.told(copy)

    def told(self, copy: TemporaryDatabase) -> str:
        """Return where a copy that is kept can be found, and how it is opened and dropped."""
        place = copy.path or credentials.redact(copy.url)
        own = f"dbcycle --project {shlex.quote(str(self.project.root))}"
        return (
            f"kept: {place}\n  open it: {own} shell --name {copy.name}"
            f"\n  drop it: {own} sweep {copy.name}"
        )


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
    told = progress or (lambda _told: None)
    return _template(project, server, digest, lambda template: _make(template, environment, told))


def _template(
    project: Project, server: Server, digest: str, make: Callable[[Template], None]
) -> Template:
    """Return a whole template; of several processes that want it at once, one makes it."""
    template = Template(project, server, f"{_prefix(project)}_tpl_{digest[:16]}", digest)
    if not _is_whole(template):
        with exclusive(project.state / "temporary" / "lock"):
            if not _is_whole(template):
                try:
                    make(template)
                except BaseException:
                    server.drop(template.name, project.name)
                    raise
                whole = Stamp(project.name, TEMPLATE, digest, {"at": audit.now()})
                server.set_stamp(template.name, whole)
                server.seal(template.name)
                _evict(template)
    sweep(project, server)
    return template


def template_named(project: Project, source: str, *, progress: Progress | None = None) -> Template:
    """Return the template that one of :data:`.SOURCES` means.

    Raises:
        UsageError: it is none of them; else as the two below.
    """
    if source not in SOURCES:
        raise UsageError(
            f"there is no template `{source}`{did_you_mean(source, SOURCES)}",
            remedy=f"use one of {', '.join(SOURCES)}",
        )
    if source == "published":
        return published_template(project, progress=progress)
    if source != "schema" and not seed_files(project):
        raise BadInput(
            f"the project has no seeds, so that nothing would be in a template of `{source}`",
            where=project.name,
            remedy="use `schema` for empty tables, or `published`",
        )
    return template_of(project, seeds=None if source == "schema" else source, progress=progress)


def published_template(project: Project, *, progress: Progress | None = None) -> Template:
    """Return a template that is a copy of the published test database as it is now; it is made if
    there is none. What the dead have left is swept away.

    Raises:
        BadInput: nothing is published yet.
        ServerUnavailable: another one was published each time that it was copied.
    """
    for _ in range(_TRIES - 1):
        with suppress(_Switched):
            return _published(project, progress)
    return _published(project, progress)


class _Switched(ServerUnavailable):
    """Another database was published while one was copied."""


def _published(project: Project, progress: Progress | None) -> Template:
    server, name = own_server(project), project.database("test")
    stamp = server.stamp(name)
    if stamp is None:
        raise BadInput(
            "there is no published test database",
            where=project.name,
            remedy="run `dbcycle refresh`; or test on empty tables, with `dbcycle_source = schema`",
        )
    digest = digest_of([_FORMAT, project.name, "published", stamp.content])

    def copied(template: Template) -> None:
        if progress is not None:
            progress("copying the published test database")
        making = Stamp(project.name, TEMPLATE, "", _owner())
        server.duplicate(name, template.name, making, end_sessions=False, live=True)
        after = server.stamp(name)
        if after is None or after.content != stamp.content:
            raise _Switched(
                "another test database was published while this one was copied",
                where=project.name,
                remedy="run again",
            )

    return _template(project, server, digest, copied)


def server_of(project: Project) -> Server:
    """Return where temporary databases are made: on the test target's server, never elsewhere."""
    if project.config.engine == "sqlite":
        return open_server("sqlite", url=None, state=project.state / "temporary")
    return own_server(project)


def template_digest(project: Project, environment: str | None) -> str:
    """Return a digest of everything that decides what a template holds."""
    seeds = []
    if environment is not None:
        seeds = sorted((seed.name, seed.version, seed.checksum) for seed in seed_files(project))
    baseline = operations.baseline_file(project)
    begun = digest_of_text(baseline.read_bytes()) if baseline and baseline.is_file() else None
    steps = migrations_digest(project)
    return digest_of([_FORMAT, project.name, begun, steps, environment, seeds])


def _make(template: Template, environment: str | None, progress: Progress) -> None:
    project, server = template.project, template.server
    progress("making the template of temporary databases")
    # It says what it is only once it is whole: one that was cut off is made anew.
    server.create(template.name, Stamp(project.name, TEMPLATE, "", _owner()))
    target = Target(project, "test", server, template.name)
    operations.migrate(target, Wish(), Consent(), progress)
    if environment is not None:
        runner = SeedRunner(project, server, template.name, environment, progress=progress)
        if (failed := runner.run().failed) is not None:
            raise failed


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


def sweep(
    project: Project, server: Server | None = None, *, kept: bool = False, names: Sequence[str] = ()
) -> list[str]:
    """Drop the copies whose owner is dead, and those that were kept if so asked, or those of
    ``names`` and no others; return their names. Nothing without our stamp is touched.

    Raises:
        BadInput: there is no copy of one of the names.
    """
    gone: list[str] = []
    for place in [server] if server is not None else _servers(project):
        for name, stamp in place.duplicates(COPY):
            wanted = name in names if names else _is_left(stamp.facts, kept=kept)
            if stamp.project == project.name and wanted:
                place.drop(name, project.name)
                gone.append(name)
    for name in names:
        if name not in gone:
            raise _no_copy(project, name)
    return gone


def find_copy(project: Project, name: str) -> TemporaryDatabase:
    """Return a copy that is there, by its name.

    Raises:
        BadInput: it is not.
    """
    for server in _servers(project):
        stamp = server.stamp(name)
        if stamp is not None and (stamp.project, stamp.role) == (project.name, COPY):
            return TemporaryDatabase(server, name, server.url(name))
    raise _no_copy(project, name)


def _no_copy(project: Project, name: str) -> BadInput:
    known = [n for server in _servers(project) for n, _ in server.duplicates(COPY)]
    return BadInput(
        f"there is no copy `{name}`{did_you_mean(name, known)}",
        where=project.name,
        remedy="it may have been swept; `dbcycle clone` makes one",
    )


def _servers(project: Project) -> list[Server]:
    """Return where copies may be: SQLite's lie beside their template."""
    found = [server_of(project)]
    return [*found, own_server(project)] if project.config.engine == "sqlite" else found


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
