"""An application's way in: a pool of sessions on a database whose schema is known to be current."""

from pathlib import Path

import sqlalchemy

from ..config import credentials
from ..config.load import load_project
from ..config.locate import find_project
from ..config.model import Project
from ..config.settings import Settings
from ..databases.port import Database, Progress
from ..errors import BadInput, Drift, GuardRefused
from ..model.migration import pending
from . import guards, operations, seeding
from .guards import Consent
from .operations import Wish
from .sources import migration_steps
from .target import EVERYDAY, Target, resolve


def load_settings(
    project: Project | Path | str, environment: str | None = None, *, file: Path | None = None
) -> Settings:
    """Return how to connect in an environment: ``file``, else the project's
    ``config.‹environment›.toml``, with the overrides of the environment's variables.

    The environment is that of DBCYCLE_ENV by default, and development without it.

    Raises:
        ConfigError, BadInput: what says so has mistakes; each is named with its place.
    """
    chosen = credentials.environment(environment)
    return credentials.settings(project_at(project), chosen, file)


def open_engine(
    project: Project | Path | str,
    environment: str | None = None,
    *,
    settings: Settings | Path | None = None,
    progress: Progress | None = None,
) -> sqlalchemy.Engine:
    """Return a pool of sessions on the project's database of an environment, ready to use.

    ``project`` may be a folder or a bundled project's name; ``settings`` a file, or settings made
    in code, which no variable overrides. Foreign keys are enforced in every session, and that is
    verified. With ``auto_migrate`` and ``auto_seed`` pending migrations and seeds are applied
    first, through the same guards and lock as ``dbcycle db``; without, a schema that is behind is
    an error. In staging and production either counts only where the settings' own file says so.

    Raises:
        Drift: migrations are not applied; they are named, with the command that applies them.
        GuardRefused, BadInput, Locked, ServerUnavailable: and what to do about it.
    """
    found, chosen = project_at(project), credentials.environment(environment)
    if isinstance(settings, Path):
        settings = credentials.settings(found, chosen, settings)
    known = settings or credentials.settings(found, chosen)
    target = resolve(found, chosen, settings=settings)
    _make_ready(target, known, progress or (lambda _told: None))
    return target.server.pool(
        target.name,
        size=known.max_connections,
        foreign_keys=known.foreign_keys,
        echo=known.debug,
    )


def project_at(project: Project | Path | str) -> Project:
    """Return a project by itself, its folder, or its name."""
    if isinstance(project, Project):
        return project
    return load_project(find_project(str(project), Path.cwd()))


def _make_ready(target: Target, settings: Settings, progress: Progress) -> None:
    """Bring the schema to its head if the settings say so, else see that it is there."""
    everyday = target.environment in EVERYDAY
    for name in ("auto_migrate", "auto_seed"):
        if getattr(settings, name) and not everyday and name not in settings.allows:
            raise GuardRefused(
                f"{name} is on, and not by {target.environment}'s own settings file",
                where=target.name,
                remedy=f"write `{name} = true` into config.{target.environment}.toml if it shall "
                "be, or unset what overrides it",
            )
    # The file that allows it stands for --prod; the name is checked on the live connection.
    consent = Consent(production=not everyday, confirmed=target.name)
    if settings.auto_migrate:
        if not everyday:
            target.server.begin(target.name)
        _migrate(target, consent, progress)
    else:
        if everyday and settings.auto_seed:
            target.require()
        _require_current(target)
    if settings.auto_seed:
        seeding.seed(target, consent, progress)


def _migrate(target: Target, consent: Consent, progress: Progress) -> None:
    target.ensure()
    with target.open() as database:
        if not _waiting(database, target):
            return
        _require_known(target, database)
    operations.migrate(target, Wish(), consent, progress)


def _require_known(target: Target, database: Database) -> None:
    """Refuse to migrate, with nobody there, what holds tables and does not say whose it is.

    Raises:
        GuardRefused: it does not.
    """
    found = guards.standing(target, database)
    guards.require_own(target, found, "automatic migration")
    if found.environment is None and database.catalog().tables:
        flag = " --prod" if target.environment == "production" else ""
        raise GuardRefused(
            f"the database `{found.signs.name}` has tables and does not say whose it is, so there "
            "is no automatic migration",
            where=target.environment,
            remedy=f"look at it with `dbcycle db status{flag}`, and migrate it once yourself: "
            f"`dbcycle db migrate{flag}`",
        )


def _waiting(database: Database, target: Target) -> list[str]:
    steps = migration_steps(target.project)
    return [step.name for step in pending(steps, database.migrations().entries())]


def _require_current(target: Target) -> None:
    """Refuse a database whose schema is not that of the migrations.

    Raises:
        Drift: it is behind; BadInput: there is none.
    """
    word = "--prod" if target.environment == "production" else f"--env {target.environment}"
    command = f"dbcycle db migrate {word}"
    if not target.server.exists(target.name):
        raise BadInput(
            f"there is no database `{target.name}`",
            where=target.environment,
            remedy=f"make it, and apply its migrations with `{command}`",
        )
    with target.open() as database:
        waiting = _waiting(database, target)
        missing = not database.catalog().tables
    if waiting:
        listed = "".join(f"\n  - {name}" for name in waiting)
        tables = "it has no tables: " if missing else ""
        raise Drift(
            f"{tables}{len(waiting)} migrations are not applied to `{target.name}`:{listed}",
            where=target.environment,
            remedy=f"`{command}`, or `auto_migrate = true` in config.{target.environment}.toml",
        )
