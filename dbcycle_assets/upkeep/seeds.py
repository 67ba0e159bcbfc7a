"""Versioned seeds applied to one database: each in a transaction of its own, together with its row
of the history.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..config.model import Project
from ..databases.port import Database, Progress, Server
from ..errors import (
    DbCycleError,
    Drift,
    MigrationError,
    SeedError,
    ServerUnavailable,
    did_you_mean,
)
from ..model.seeds import (
    ACTIVE,
    INACTIVE,
    ORPHANED,
    Action,
    Orphan,
    Row,
    Seed,
    decide,
    orphans,
    waves,
)
from .python import line_in
from .seed_context import Lookups, SeedContext, swallow_nothing
from .seed_files import delete_created, has_check, run_back, run_check, run_seed, seed_files
from .seed_history import facts_of, history_table, row_of


@dataclass
class Done:
    """What became of one seed; ``seconds`` and counts are for the metrics."""

    seed: str
    version: str
    kind: str
    reason: str
    seconds: float = 0.0
    created: int = 0
    updated: int = 0
    same: int = 0


@dataclass(frozen=True)
class Warned:
    """What a seed's own check says is still wrong with what it made."""

    seed: str
    text: str


@dataclass
class Seeding:
    """What a run of seeds did; ``failed`` is the first failure."""

    environment: str
    done: list[Done] = field(default_factory=list)
    failed: DbCycleError | None = None
    warnings: list[Warned] = field(default_factory=list)


class SeedRunner:
    """Applies the seeds of a project to one database of a server.

    ``workers`` seeds that are independent of each other run at once where the engine lets them.
    ``salts`` may be set to what gives the salt of the next password hash of a seed.
    """

    def __init__(
        self,
        project: Project,
        server: Server,
        database: str,
        environment: str,
        *,
        progress: Progress,
        workers: int = 1,
    ) -> None:
        self._project = project
        self._server = server
        self._name = database
        self._progress = progress
        self._workers = workers if server.engine == "postgresql" else 1
        self._lookups = Lookups()
        self.salts: Callable[[str], bytes] | None = None
        self.environment = environment
        self.files = seed_files(project)

    # --- deciding -------------------------------------------------------------------------------

    def history(self) -> list[Row]:
        """Return the seed history, oldest first; an absent one is empty."""
        with self._server.open(self._name) as database:
            schema, name = database.bookkeeping("seed_history")
            with database.sqlalchemy() as connection:
                if not sa.inspect(connection).has_table(name, schema=schema):
                    return []
                table = history_table(schema, name)
                rows = connection.execute(sa.select(table).order_by(table.c.applied_at)).mappings()
                return [row_of(dict(row)) for row in rows]

    def plan(self, *, force: bool = False) -> list[Action]:
        """Return what :meth:`run` would do, in order; changes nothing."""
        return decide(self.files, self.history(), self.environment, force=force)

    def orphans(self) -> list[Orphan]:
        """Return the applied seeds of this environment whose files are gone."""
        return list(orphans(self.files, self.history(), self.environment))

    def warnings(self) -> list[Warned]:
        """Return what the checks of the applied seeds find; whatever a check writes is undone."""
        found = []
        for action in self.plan():
            if action.former is None:
                continue
            try:
                found += self.check(action.seed)
            except DbCycleError as error:
                found.append(Warned(action.seed.name, f"its check failed: {error.what}"))
        return found

    def check(self, seed: Seed) -> list[Warned]:
        """Return what the check of an applied seed finds, if it has one; its writes are undone.

        Raises:
            SeedError: the check itself fails.
        """
        path = self.files[seed]
        if not has_check(path):
            return []
        with self._explained(path), self._session() as (_database, connection, _history):
            undone = connection.begin_nested()
            told = run_check(path, self._context(connection, Action(seed, "check", "")))
            undone.rollback()
        return [Warned(seed.name, text) for text in told]

    # --- acting ---------------------------------------------------------------------------------

    def run(self, *, force: bool = False) -> Seeding:
        """Apply what is pending, in order; stop at the first failure, which leaves nothing of the
        seed that failed.

        Raises:
            Drift: a seed was edited without a new version, and ``force`` is not given.
        """
        actions = self.plan(force=force)
        drifted = [action.seed.name for action in actions if action.kind == "drift"]
        if drifted:
            raise Drift(
                f"edited without a new version: {', '.join(drifted)}",
                where="seeds",
                remedy="raise its version, undo the edit, or apply it again with --force",
            )
        self._make_history()
        result = Seeding(self.environment)
        by_seed = {action.seed: action for action in actions}
        ordered = [action.seed for action in actions]
        for group in waves(ordered) if self._workers > 1 else [[seed] for seed in ordered]:
            chosen = [by_seed[seed] for seed in group]
            with ThreadPoolExecutor(self._workers) as pool:
                for outcome in pool.map(self._one, chosen):
                    if isinstance(outcome, Done):
                        result.done.append(outcome)
                    else:
                        result.failed = result.failed or outcome
            if result.failed is not None:
                break
        return result

    def apply(self, seed: Seed, *, former: str | None = None) -> Done:
        """Apply one seed, whatever the history says of it; as an upgrade if a ``former`` version
        is given, which must then be applied.

        Raises:
            SeedError: nothing of the seed stays.
        """
        self._make_history()
        row = next((r for r in self.history() if r.name == seed.name and self._is_active(r)), None)
        action = Action(seed, "apply", "asked for", row)
        if former is not None and row is not None:
            action = Action(seed, "upgrade", "asked for", replace(row, version=former))
        outcome = self._one(action)
        if not isinstance(outcome, Done):
            raise outcome
        return outcome

    def _one(self, action: Action) -> Done | DbCycleError:
        seed = action.seed
        done = Done(seed.name, seed.version, action.kind, action.reason)
        if action.kind == "skip":
            return done
        started, path = time.monotonic(), self.files[seed]
        self._progress(f"seed {seed.name}")
        try:
            with self._explained(path), self._session() as (database, connection, history):
                context = self._context(connection, action)
                run_seed(path, database, context)
                done.seconds = round(time.monotonic() - started, 3)
                done.created, done.updated = len(context.created), context.updated
                done.same = context.same
                details = {
                    "seconds": done.seconds,
                    "same": context.same,
                    "upgraded_from": context.from_version,
                    **_made(action.former, context),
                }
                self._record(connection, history, seed, details=details, notes=action.reason)
        except DbCycleError as error:
            failed = self._of_seed(error, path)
            self._record_failure(seed, failed)
            return failed
        return done

    def _context(self, connection: sa.Connection, action: Action) -> SeedContext:
        swallow_nothing(connection)
        former = action.former.version if action.kind == "upgrade" and action.former else None
        return SeedContext(
            connection,
            self.environment,
            action.seed.name,
            lambda text: self._progress(f"{action.seed.name}: {text}"),
            self._lookups,
            from_version=former,
            salt=None if self.salts is None else partial(self.salts, action.seed.name),
        )

    def rollback(self, name: str) -> Done:
        """Take an applied seed back: by its own ``rollback``, else by deleting the rows it made.

        Raises:
            SeedError: it is not applied, another seed depends on it, or rows were edited, updated
                or are referred to; nothing is changed.
        """
        rows = {r.name: r for r in self.history() if self._is_active(r)}
        row = rows.get(name)
        if row is None:
            hint = did_you_mean(name, rows)
            raise SeedError(f"`{name}` is not applied in {self.environment}{hint}")
        needing = [seed.name for seed in self.files if name in _full_names(seed)]
        if blocked := sorted(set(needing) & set(rows)):
            raise SeedError(
                f"other seeds depend on it: {', '.join(blocked)}",
                where=name,
                remedy="roll those back first",
            )
        seed = next((seed for seed in self.files if seed.name == name), None)
        started = time.monotonic()
        try:
            where = self.files[seed] if seed is not None else name
            with self._explained(where), self._session() as (database, connection, history):
                told = self._take_back(database, connection, seed, row)
                self._retire(connection, history, name, notes="rolled back")
        except MigrationError:
            raise SeedError(
                "other rows refer to what it made",
                where=name,
                remedy="nothing was changed; delete those rows first",
            ) from None
        seconds = round(time.monotonic() - started, 3)
        return Done(name, row.version, "rollback", told, seconds)

    def _take_back(
        self, database: Database, connection: sa.Connection, seed: Seed | None, row: Row
    ) -> str:
        """Undo a seed by its own way back, or by deleting what it made; return what was done."""
        if seed is not None:
            context = self._context(connection, Action(seed, "rollback", ""))
            if run_back(self.files[seed], database, context):
                return "by its own rollback"
        if not any(row.details.get(fact) for fact in ("created", "updated", "same")):
            raise SeedError(
                "it is not known what it made",
                where=row.name,
                remedy="give it a `rollback(seed)` function, or, in SQL, a section below a line "
                "`-- dbcycle: rollback`",
            )
        return f"{delete_created(connection, row.name, row.details)} rows deleted"

    def clean(self) -> list[Orphan]:
        """Mark the orphans of this environment as such and return them."""
        found = self.orphans()
        if found:
            self._make_history()
            with self._session() as (_database, connection, history):
                for orphan in found:
                    self._set_status(connection, history, orphan.row.name, ORPHANED, "file gone")
        return found

    # --- history --------------------------------------------------------------------------------

    def _make_history(self) -> None:
        with self._server.open(self._name) as database:
            schema, name = database.bookkeeping("seed_history")
            with database.sqlalchemy() as connection:
                if schema is not None:
                    connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
                history_table(schema, name).metadata.create_all(connection, checkfirst=True)

    @contextlib.contextmanager
    def _session(self) -> Iterator[tuple[Database, sa.Connection, sa.Table]]:
        with self._server.open(self._name) as database:
            history = history_table(*database.bookkeeping("seed_history"))
            with database.sqlalchemy() as connection:
                yield database, connection, history

    @contextlib.contextmanager
    def _explained(self, where: Path | str) -> Iterator[None]:
        """Turn what a seed or the driver raises, at commit too, into an error without its text:
        that may quote a row. Of the driver's, what names tables and columns alone is told.

        Raises:
            SeedError: with the line and the class of what was raised; errors of ours pass as they
                are.
        """
        try:
            yield
        except DbCycleError:
            raise
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise ServerUnavailable(
                    "the server ended the session",
                    where=str(where),
                    remedy="run the command again; nothing of this seed was kept",
                ) from None
            what = self._explain(error.orig) or type(error.orig).__name__
            raise SeedError(
                f"the database refused a row: {what}",
                where=_place(where, error),
                remedy="correct the seed, or declare the seed that makes the parent in `depends`; "
                "nothing of this seed was kept",
            ) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a seed is the user's own code
            raise SeedError(
                f"raised {type(error).__name__} and was rolled back",
                where=_place(where, error),
                remedy="the message is withheld, since it may hold a row's values; see the line",
            ) from None

    def _explain(self, error: BaseException | None) -> str:
        """Return what the driver's error says, asked of another session than its own."""
        if error is None:
            return ""
        with self._server.open(self._name) as database:
            return database.explain(error)

    def _of_seed(self, error: DbCycleError, path: Path) -> DbCycleError:
        """Return the error of a seed: where it broke a foreign key, with its file and the key."""
        if isinstance(error, SeedError) and not error.where:
            return SeedError(error.what, where=str(path), remedy=error.remedy)
        if not isinstance(error, MigrationError):
            return error
        told = self._explain(error.__context__)
        if error.where and told in error.what:
            return error
        return SeedError(
            error.what.replace("the step", "the seed", 1) + (f": {told}" if told else ""),
            where=error.where or str(path),
            remedy="make the parents' rows first, here or in a seed that `depends` names; nothing "
            "of this seed was kept",
        )

    def _is_active(self, row: Row) -> bool:
        return row.status == ACTIVE and row.environment == self.environment

    def _record(
        self,
        connection: sa.Connection,
        history: sa.Table,
        seed: Seed,
        *,
        details: Mapping[str, Any],
        notes: str,
    ) -> None:
        self._retire(connection, history, seed.name, notes=f"superseded by {seed.version}")
        connection.execute(
            history.insert().values(**facts_of(seed, self.environment, ACTIVE, notes, details))
        )

    def _record_failure(self, seed: Seed, error: DbCycleError) -> None:
        with (
            contextlib.suppress(DbCycleError, sa.exc.SQLAlchemyError),
            self._session() as (_database, connection, history),
        ):
            facts = facts_of(seed, self.environment, INACTIVE, "failed", {})
            connection.execute(history.insert().values(**facts | {"error": error.what}))

    def _retire(
        self, connection: sa.Connection, history: sa.Table, name: str, *, notes: str
    ) -> None:
        self._set_status(connection, history, name, INACTIVE, notes)

    def _set_status(
        self, connection: sa.Connection, history: sa.Table, name: str, status: str, notes: str
    ) -> None:
        connection.execute(
            history.update()
            .where(history.c.name == name)
            .where(history.c.environment == self.environment)
            .where(history.c.status == ACTIVE)
            .values(status=status, notes=notes)
        )


def _made(former: Row | None, context: SeedContext) -> dict[str, Any]:
    """Return what a rollback must know: of a seed applied again, what it made before as well."""
    before = former.details if former is not None else {}
    again = [(entry["table"], entry["key"]) for entry in context.created]
    kept = [e for e in before.get("created", ()) if (e["table"], e["key"]) not in again]
    return {
        "created": [*kept, *context.created],
        "updated": before.get("updated", 0) + context.updated,
    }


def _place(where: Path | str, error: BaseException) -> str:
    line = line_in(error, where) if isinstance(where, Path) else None
    return f"{where}:{line}" if line else str(where)


def _full_names(seed: Seed) -> set[str]:
    depends = seed.depends or ()
    return {*depends, *(f"{seed.group}/{name}" for name in depends)}
