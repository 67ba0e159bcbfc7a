"""Migration steps, what a database remembers of them, and the comparison of the two."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Dirty, Drift, UsageError, did_you_mean
from .digest import digest_of_text

APPLIED, BASELINE, RUNNING, REVERTING, SKIPPED = (
    "applied", "baseline", "running", "reverting", "skipped",
)  # fmt: skip
"""What a history row may say of its step. A *running* or *reverting* one is half-done; a *skipped*
one was left out on purpose and may come late."""

MOST_ROLLBACKS = 5
"""How many steps one rollback may undo."""


@dataclass(frozen=True)
class Script:
    """A text to run: the bytes that are digested are the bytes that run.

    Where only a section of a file is meant, what lies outside is blank lines, so that places in
    errors are those of the file. ``alone`` asks for a statement at a time, outside a transaction;
    ``lenient`` says so only for statements that need it (directories that other tools wrote).
    """

    path: Path
    text: bytes
    alone: bool = False
    lenient: bool = False


@dataclass(frozen=True)
class Step:
    """One step of the migrations. ``kind`` is ``sql``, ``python`` or ``tool``.

    A ``repeatable`` step runs again whenever its text changed, after all others.
    """

    name: str
    version: str
    script: Script
    kind: str = "sql"
    down: Script | None = None
    repeatable: bool = False
    checksum: str = field(default="")

    def __post_init__(self) -> None:
        if not self.checksum:
            object.__setattr__(self, "checksum", digest_of_text(self.script.text))

    def is_called(self, word: str) -> bool:
        """Tell whether a person may mean this step by a word: its name, with or without version."""
        return word in {self.name, self.name.rpartition("/")[2]}


@dataclass(frozen=True)
class Entry:
    """One row of the history; ``applied_at`` is ISO 8601."""

    step: str
    checksum: str
    state: str = APPLIED
    seconds: float = 0.0
    applied_by: str = ""
    applied_at: str = ""

    @property
    def done(self) -> bool:
        """Whether the step is in effect."""
        return self.state in {APPLIED, BASELINE, REVERTING}


@dataclass(frozen=True)
class Mark:
    """One line of the journal: a statement of a half-done step, by number and digest."""

    number: int
    digest: str
    finished: bool


def pending(steps: Sequence[Step], entries: Sequence[Entry]) -> list[Step]:
    """Return the steps to run next, in order; a half-done one is the first.

    Raises:
        Drift: an applied step was edited, renamed or removed, or a step lies before an applied
            one; every such step is named with its repair.
        Dirty: a half-done step is gone.
    """
    known = {step.name: step for step in steps}
    lost = [entry.step for entry in entries if entry.state == RUNNING and entry.step not in known]
    if lost:
        raise Dirty(
            f"the step {lost[0]} was cut off half-way, and its file is gone",
            remedy="put the file back and run again",
        )
    if problems := drift(steps, entries):
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise Drift(f"the migrations are not those that were applied:{listed}")
    rows = {entry.step: entry for entry in entries}
    waiting = [step for step in steps if not _settled(step, rows.get(step.name))]
    half = [step for step in waiting if step.name in rows and rows[step.name].state == RUNNING]
    rest = [step for step in waiting if step not in half]
    return half + sorted(rest, key=lambda step: step.repeatable)


def _settled(step: Step, row: Entry | None) -> bool:
    if row is None or not row.done:
        return False
    return not step.repeatable or row.checksum == step.checksum


def drift(steps: Sequence[Step], entries: Sequence[Entry]) -> list[str]:
    """Return what is wrong between the files and the history, a sentence each with the repair."""
    known = {step.name: step for step in steps}
    rows = {entry.step: entry for entry in entries}
    problems = []
    for entry in entries:
        step = known.get(entry.step)
        if step is None:
            problems.append(_gone(entry, steps, entries))
        elif entry.done and not step.repeatable and entry.checksum != step.checksum:
            problems.append(
                f"{entry.step} was edited after it was applied; put its former text back and "
                f"write a new step, or accept it: `dbcycle db baseline --step {entry.step}`"
            )
    ordered = [step for step in steps if not step.repeatable]
    last = max((n for n, step in enumerate(ordered) if _is_done(rows, step)), default=-1)
    renamed = {entry.checksum for entry in entries if entry.step not in known}
    problems += [
        f"{step.name} is out of order: it comes before {ordered[last].name}, which is applied; "
        "give it a later number"
        for step in ordered[: max(last, 0)]
        if step.name not in rows and step.checksum not in renamed
    ]
    return problems


def _is_done(rows: dict[str, Entry], step: Step) -> bool:
    return step.name in rows and rows[step.name].done


def _gone(entry: Entry, steps: Sequence[Step], entries: Sequence[Entry]) -> str:
    taken = {other.step for other in entries}
    for step in steps:
        if step.checksum == entry.checksum and step.name not in taken:
            return (
                f"{entry.step} was applied and is now called {step.name}; "
                "give it its former name back"
            )
    names = {step.name for step in steps}
    newest = max((n for n, other in enumerate(entries) if other.step in names), default=-1)
    if list(entries).index(entry) > newest >= 0:
        return (
            f"the database is newer than these files: {entry.step} is unknown here; "
            "take the newer files"
        )
    return f"{entry.step} was applied and its file is gone; put it back"


def up_to(steps: Sequence[Step], target: str, everything: Sequence[Step]) -> list[Step]:
    """Return the steps up to a version or step, inclusive.

    Raises:
        UsageError: there is no such version or step.
    """
    ends = [n for n, each in enumerate(everything) if each.version == target]
    ends = ends or [n for n, each in enumerate(everything) if each.is_called(target)]
    if not ends:
        names = [each.name for each in everything] + [each.version for each in everything]
        raise UsageError(
            f"there is no version or step `{target}`{did_you_mean(target, names)}",
            where="--target",
        )
    wanted = {each.name for each in everything[: ends[-1] + 1]}
    return [step for step in steps if step.name in wanted]


def to_roll_back(steps: Sequence[Step], entries: Sequence[Entry], count: int) -> list[Step]:
    """Return the steps that a rollback of ``count`` steps undoes, the newest first.

    Raises:
        UsageError: more than are applied, or than one rollback may undo; nothing is cut down.
        Drift: one of them is no longer among the files.
    """
    done = [entry for entry in entries if entry.done]
    if not 1 <= count <= MOST_ROLLBACKS:
        raise UsageError(
            f"{count} steps cannot be rolled back",
            where="--target",
            remedy=f"give a number from 1 to {MOST_ROLLBACKS}",
        )
    if count > len(done):
        raise UsageError(
            f"{count} steps cannot be rolled back: {len(done)} are applied", where="--target"
        )
    known = {step.name: step for step in steps}
    chosen = []
    for entry in reversed(done[-count:]):
        step = known.get(entry.step)
        if step is None:
            raise Drift(f"the file of {entry.step} is gone", remedy="put it back")
        if step.down is None:
            raise UsageError(
                f"{step.name} has no way down",
                where=str(step.script.path),
                remedy="write its down script beside it, or restore a backup: "
                "`dbcycle db backup list`",
            )
        chosen.append(step)
    return chosen
