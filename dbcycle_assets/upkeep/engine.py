"""The migration engine: one step after another, each whole with its row of the history."""

import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy

from ..config.model import Project, Version
from ..databases.migrating import Effect, Migrations, Part
from ..databases.port import Database, Progress
from ..errors import DbCycleError, Dirty, Locked, MigrationError, ServerUnavailable
from ..model.digest import digest_of
from ..model.migration import (
    APPLIED,
    REVERTING,
    RUNNING,
    SKIPPED,
    Entry,
    Mark,
    Script,
    Step,
)
from .audit import actor
from .python import run_python
from .sources import secrets_file, tools
from .tools import run_tool

LOCK_TRIES = 3
"""How often a step is tried that waited too long for the lock of a table."""


class _LongEnough(Locked):
    """A wait that was long already, and is not repeated at once."""


@dataclass(frozen=True)
class Context:
    """What a Python migration step may know besides its connection.

    ``secrets_file`` is the project's protected file of plain texts, or None. ``key`` is the same
    each time that the step runs on this database: what a step does outside of it happens at least
    once, and the key tells a second time from the first.
    """

    secrets_file: Path | None
    report: Progress
    key: str = ""


@dataclass(frozen=True)
class Engine:
    """Applies and undoes steps on one database.

    ``patience`` is how many seconds a statement waits for the lock of a table before it gives way
    and the step is tried again. ``run_tool`` applies what another tool brings.
    """

    migrations: Migrations
    actor: str
    context: Context
    patience: float = 10.0
    verify_lock: bool = True
    tools: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    witness: Callable[[str], None] | None = None
    """Told every statement of a Python step, without its parameters."""

    discreet: bool = False
    """The rows are production's: of what a Python step prints only the lines are counted."""

    def apply(self, steps: Sequence[Step], told: Callable[[Step, float], None]) -> list[str]:
        """Apply steps in order, and tell of each with its seconds; return their names.

        Raises:
            MigrationError: a step failed and was rolled back; those before it stay applied.
            Dirty: a step that cannot be rolled back failed or was cut off; the repair is named.
            Locked: another session held a table for too long.
        """
        for step in steps:
            self.check(step.script)
        done = []
        for step in steps:
            self._still_ours()
            started = time.monotonic()
            self._patiently(functools.partial(self._apply, step, started))
            told(step, time.monotonic() - started)
            done.append(step.name)
        return done

    def roll_back(self, steps: Sequence[Step], told: Callable[[Step, float], None]) -> list[str]:
        """Undo steps in order, the newest first; see :meth:`apply`."""
        for step in steps:
            if step.down is not None:
                self.check(step.down)
        done = []
        for step in steps:
            self._still_ours()
            started = time.monotonic()
            self._patiently(functools.partial(self._undo, step))
            told(step, time.monotonic() - started)
            done.append(step.name)
        return done

    def statements(self, step: Step) -> list[str]:
        """Return the statements of a SQL step, without the data of a COPY."""
        if step.kind != "sql":
            return []
        parts = self.migrations.parts(replace(step.script, alone=True))
        return [text.decode("utf-8", "replace") for part in parts for text in part.texts]

    def runs_alone(self, step: Step) -> bool:
        """Tell whether a SQL step runs a statement at a time, outside a transaction."""
        script = step.script
        return step.kind == "sql" and self._alone(script, self.migrations.parts(script))

    def skip(self, steps: Sequence[Step]) -> None:
        """Record that steps are left out on purpose; a later run applies them."""
        for step in steps:
            self.migrations.write(Entry(step.name, step.checksum, SKIPPED, 0.0, self.actor))

    def check(self, script: Script) -> None:
        """Look for what would fail for certain, before anything runs.

        Raises:
            MigrationError: every such place, with the fix.
        """
        if script.path.suffix == ".py" or not script.text:
            return
        parts = self.migrations.parts(script)
        in_transaction = not self._alone(script, parts)
        faults = self.migrations.faults(parts, in_transaction=in_transaction)
        if faults and not (script.lenient and in_transaction):
            first = faults[0]
            raise MigrationError(
                first.what,
                where=f"{script.path}:{first.line}:{first.column}",
                remedy=first.remedy,
            )

    def _alone(self, script: Script, parts: Sequence[Part]) -> bool:
        needs = any(part.outside and not part.sets for part in parts)
        return script.alone or (script.lenient and needs)

    def _still_ours(self) -> None:
        if self.verify_lock and not self.migrations.still_locked():
            raise ServerUnavailable(
                "the lock was lost: its session was ended, or a connection pooler changed it",
                remedy="connect without a pooler, and run again; the steps so far stay applied",
            )

    def _patiently(self, work: Callable[[], None]) -> None:
        for number in range(1, LOCK_TRIES + 1):
            try:
                work()
            except _LongEnough:
                raise
            except Locked as error:
                if number == LOCK_TRIES:
                    raise self._blocked(error) from None
                time.sleep(random.uniform(0.1, 0.3) * number)  # noqa: S311 - not a secret
            else:
                return

    def _blocked(self, error: Locked) -> Locked:
        """Return the error with the sessions that are in the way, as far as they can be told."""
        found = self.migrations.blockers()
        told = f"; in its way: {', '.join(found)}" if found else ""
        return Locked(f"{error.what}{told}", where=error.where, remedy=error.remedy)

    # --- one step -------------------------------------------------------------------------------

    def _apply(self, step: Step, started: float) -> None:
        def row(state: str = APPLIED) -> Entry:
            seconds = round(time.monotonic() - started, 3)
            return Entry(step.name, step.checksum, state, seconds, self.actor)

        if step.kind == "tool":
            self.tools[step.name]()
            self.migrations.write(row())
        elif step.kind == "python":
            self._python(step, "run", row)
        else:
            self._sql(step.name, step.script, row)

    def _undo(self, step: Step) -> None:
        if step.kind == "python":
            self._python(step, "revert", lambda: None)
        elif step.down is not None:

            def row(state: str = "") -> Entry | None:
                if state == RUNNING:
                    return Entry(step.name, step.checksum, REVERTING, 0.0, self.actor)
                return None

            self._sql(step.name, step.down, row, key=f"{step.name} (down)")

    def _python(self, step: Step, function: str, row: Callable[[], Entry | None]) -> None:
        def change(connection: sqlalchemy.Connection) -> None:
            self.migrations.write_on(connection, row(), step.name)

        @contextmanager
        def opened() -> Iterator[sqlalchemy.Connection]:
            with self.migrations.python(change) as connection:
                if self.witness is not None:
                    sqlalchemy.event.listen(connection, "before_cursor_execute", self._told)
                yield connection

        key = digest_of([self.migrations.signs().identity, step.name, function])

        def told(line: str) -> None:
            self.context.report(f"{step.script.path.name}: {line}")

        printed: list[str] = []
        heard = printed.append if self.discreet else told
        try:
            context = replace(self.context, key=key)
            said = run_python(step.script, function, opened, context, heard)
        finally:
            if printed:
                told(f"printed {len(printed)} lines, withheld since they may hold rows")
        if said:
            told(said)

    def _told(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if self.witness is not None:
            self.witness(statement)

    def _sql(
        self,
        name: str,
        script: Script,
        row: Callable[..., Entry | None],
        key: str = "",
    ) -> None:
        def settle() -> None:
            entry = row()
            if entry is None:
                self.migrations.remove(name)
            else:
                self.migrations.write(entry)

        marks = self.migrations.marks(key or name)
        parts = self.migrations.parts(script) if script.alone or script.lenient or marks else []
        with self.migrations.session(patience=self.patience):
            if not marks and not self._alone(script, parts):
                self.migrations.run(script, settle)
                return
            alone = replace(script, alone=True)
            parts = self.migrations.parts(alone)
            Journalled(self.migrations, key or name, alone, parts).run(
                begin=lambda: self._begin(row), end=settle
            )

    def _begin(self, row: Callable[..., Entry | None]) -> None:
        entry = row(RUNNING)
        if entry is not None:
            self.migrations.write(entry)


@dataclass(frozen=True)
class Journalled:
    """A script that runs a part at a time, each written down before and after.

    A part that can be in a transaction shares it with its line of the journal, so that it is
    either finished and said to be, or neither. Any other one that was cut off is compared with
    the catalogue.
    """

    migrations: Migrations
    key: str
    script: Script
    parts: Sequence[Part]

    def run(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        """Run what is not in effect yet.

        Raises:
            Dirty: what was cut off cannot be told from the catalogue, or its text was edited.
            MigrationError: a statement failed; those before it stay in effect.
        """
        marks = {mark.number: mark for mark in self.migrations.marks(self.key)}
        self._require_same(marks)
        begin()
        for number, part in enumerate(self.parts, 1):
            mark = marks.get(number)
            if part.sets:
                self.migrations.run_outside(self.script, part)
            elif mark is None or not mark.finished:
                self._run(number, part, cut_off=mark is not None)
        end()
        self.migrations.clear_marks(self.key)

    def _require_same(self, marks: Mapping[int, Mark]) -> None:
        for number, mark in sorted(marks.items()):
            if number <= len(self.parts) and self.parts[number - 1].digest == mark.digest:
                continue
            raise Dirty(
                f"statement {number} of the half-done step was edited after it "
                f"{'ran' if mark.finished else 'began'}",
                where=str(self.script.path),
                remedy="put its former text back and run again, or finish the step by hand and "
                f"record it: `dbcycle db baseline --step {self._name}`",
            )

    @property
    def _name(self) -> str:
        return self.key.removesuffix(" (down)")

    def _run(self, number: int, part: Part, *, cut_off: bool) -> None:
        started = Mark(number, part.digest, finished=False)
        finished = replace(started, finished=True)
        if not part.outside:
            self.migrations.run_part(
                self.script, part, lambda: self.migrations.start_mark(self.key, finished)
            )
            return
        if cut_off and self._in_effect(part, number):
            self.migrations.start_mark(self.key, finished)
            return
        self.migrations.start_mark(self.key, started)
        try:
            self.migrations.run_outside(self.script, part)
        except ServerUnavailable:
            raise
        except Locked as error:
            # To remove what is half-made would wait for the same session: the next run does.
            raise _LongEnough(
                error.what,
                where=error.where,
                remedy="end the long transaction, and run again: what is half-made goes then, and "
                "the statement runs anew",
            ) from None
        except DbCycleError:
            # It failed in front of us: what it left half-made goes now, and nothing is in doubt.
            if self.migrations.effect(part) is Effect.NONE:
                self._forget(number)
            raise
        self.migrations.start_mark(self.key, finished)

    def _forget(self, number: int) -> None:
        kept = [mark for mark in self.migrations.marks(self.key) if mark.number != number]
        self.migrations.clear_marks(self.key)
        for mark in kept:
            self.migrations.start_mark(self.key, mark)
        if not kept:
            self.migrations.remove(self._name)

    def _in_effect(self, part: Part, number: int) -> bool:
        found = self.migrations.effect(part)
        if found is Effect.UNKNOWN:
            raise Dirty(
                f"a run was cut off in statement {number}, and the catalogue does not tell "
                "whether it took effect",
                where=f"{self.script.path}:{part.line}:{part.column}",
                remedy="look whether it did; finish the step by hand and record it: "
                f"`dbcycle db baseline --step {self._name}`, or undo what it did and forget it: "
                f"`dbcycle db baseline --step {self._name} --forget`",
            )
        return found is Effect.DONE


def engine_for(
    project: Project,
    database: Database,
    *,
    report: Progress,
    url: str,
    patience: float = 10.0,
    alone: bool = False,
) -> Engine:
    """Return the engine for one database of a project; ``alone`` where nobody else knows of it."""

    def runs(version: Version) -> Callable[[], None]:
        return lambda: run_tool(project, version, url, report)

    return Engine(
        database.migrations(),
        actor(),
        Context(secrets_file(project), report),
        patience,
        not alone,
        {name: runs(version) for name, version in tools(project).items()},
    )
