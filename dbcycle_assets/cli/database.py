"""``db``: one database looked after directly."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .backups import backup
from .consent import Confirm, Prod, Url, agree, consent, target_of
from .invocation import Document, Invocation, note, of
from .text import count, heading, names, say, table

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from collections.abc import Iterable

    from ..upkeep.operations import Done, Status
    from ..upkeep.seeds import Warned
    from ..upkeep.target import Target

db = typer.Typer(
    help="Look after one database directly: that of the environment, or of --db-url.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
db.add_typer(backup, name="backup", invoke_without_command=True)

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Run it on a copy, say what would change, and keep nothing."),
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", help="How long to wait for another run.")
]
Patience = Annotated[
    float,
    typer.Option(
        "--lock-timeout",
        metavar="SECONDS",
        help="How long a statement waits for the lock of a table, three times.",
    ),
]


@db.command()
def migrate(
    ctx: typer.Context,
    *,
    dry_run: DryRun = False,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="V", help="Only up to this version or step."),
    ] = None,
    sql_only: Annotated[
        bool, typer.Option("--sql-only", help="Leave the Python steps out for a later run.")
    ] = False,
    step: Annotated[
        str | None, typer.Option("--step", metavar="S", help="Only this step, if it is its turn.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Ask no question; guards still hold.")
    ] = False,
    wait: Wait = 60.0,
    lock_timeout: Patience = 10.0,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Apply the pending migrations, each step whole with its row of the history."""
    from ..upkeep import operations
    from ..upkeep.operations import Wish

    _ = force
    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    wish = Wish(target, sql_only, step, wait, lock_timeout)
    with invocation.progress() as progress:
        if dry_run:
            done = operations.rehearse(place, wish, progress)
        else:
            given = consent(invocation, place, prod=prod, confirm=confirm)
            done = operations.migrate(place, wish, given, progress)
    _show(invocation, place, done, "applied", dry_run=dry_run)


def _show(
    invocation: Invocation, place: "Target", done: "Done", verb: str, *, dry_run: bool
) -> None:
    steps = [{"step": step, "seconds": seconds} for step, seconds in done.steps]
    document: Document = {
        "database": place.name,
        "environment": place.environment,
        "dry_run": dry_run,
        verb: steps,
        "head": done.head or None,
        "left": list(done.left),
        "changes": [str(each) for each in done.changes],
        "with_rows": done.rows,
        "warnings": None if done.warnings is None else [asdict(each) for each in done.warnings],
        "backup": done.backup or None,
        "alone": [{"step": step, "statements": number} for step, number in done.alone],
    }

    def for_people() -> None:
        if not steps:
            say("already at head" if verb == "applied" else "nothing to undo", style="green")
            return
        would = f"would be {verb}" if dry_run else verb
        say(f"{count(len(steps), 'step')} {would} on {place.name} ({place.environment})")
        table(("step", "seconds"), [(step, f"{seconds:.2f}") for step, seconds in done.steps])
        if dry_run:
            _alone(done)
            heading(f"the schema would change in {count(len(done.changes), 'place')}")
            for each in done.changes:
                say(f"  {each}")
            _warnings(done)
        if done.left:
            say(f"left for a later run: {names(done.left)}")
        if done.backup:
            typer.echo(f"backup: {done.backup}")
            typer.echo(f"  dbcycle{invocation.chosen} db backup restore {done.backup}")

    if dry_run:
        _reservations(place, done)
    invocation.show(document, for_people)


def _reservations(place: "Target", done: "Done") -> None:
    """Say what a rehearsal could not look at."""
    from ..upkeep.linting import NO_LINTER

    if done.warnings is None and place.server.engine == "postgresql":
        note(NO_LINTER)
    if not done.rows:
        note("others use the database: the rehearsal ran on its schema, without its rows")


def _alone(done: "Done") -> None:
    """Print which steps are not one transaction."""
    for name, number in done.alone:
        say(f"{name} runs a statement at a time, without a transaction ({number} statements)")


def _warnings(done: "Done") -> None:
    """Print what would lock or rewrite a table for long."""
    if done.warnings:
        heading(count(len(done.warnings), "warning"))
        for each in done.warnings:
            say(f"  {each}", style="yellow")


@db.command()
def status(
    ctx: typer.Context,
    *,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", help="Compare the schema with that which the migrations make anew."
        ),
    ] = False,
    prod: Prod = False,
    db_url: Url = None,
) -> None:
    """Say what is applied, what is pending, what is half-done, and who holds the lock.

    Nothing is written. Exit code 5 when the files are not those that were applied, or the schema
    is another one, 6 when a step is half-done.
    """
    from ..config import credentials
    from ..errors import Dirty, Drift
    from ..upkeep import operations
    from ..upkeep.schema import schema_drift

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    with invocation.progress(quick=not schema) as progress:
        found = operations.status(place)
        compared = schema_drift(place, progress) if schema else None
    where = place.server.file(place.name) or credentials.redact(place.server.url(place.name))
    different = [str(each) for each in compared or ()]
    document: Document = {
        "database": place.name,
        "environment": place.environment,
        "stamped": found.environment,
        "head": found.head,
        "pending": list(found.pending),
        "applied": [entry.step for entry in found.applied if entry.done],
        "dirty": found.dirty,
        "lock": None if found.lock is None else vars(found.lock),
        "drift": list(found.drift),
        "place": str(where),
        "schema": None if compared is None else different,
        "seeds": list(found.seeds),
        "warnings": [vars(each) for each in found.warnings],
        "history": [vars(entry) for entry in found.applied],
    }

    def for_people() -> None:
        _status(place, found)
        say(str(where))
        for each in different:
            say(f"schema: {each}", style="red")
        if schema and not different:
            word = "not compared: migrations are pending" if compared is None else "as migrated"
            say(f"schema: {word}")

    invocation.show(document, for_people)
    if found.dirty:
        raise typer.Exit(Dirty.exit_code)
    if found.drift or different:
        raise typer.Exit(Drift.exit_code)


def _status(place: "Target", found: "Status") -> None:
    say(f"{place.name} ({place.environment}): head {found.head or 'none'}")
    rows = [
        (entry.step, entry.state, f"{entry.seconds:.2f}", entry.applied_at, entry.applied_by)
        for entry in found.applied
    ]
    rows += [
        (step, "pending", "", "", "")
        for step in found.pending
        if step not in {entry.step for entry in found.applied}
    ]
    table(("step", "state", "seconds", "when", "who"), rows)
    table(
        ("seed", "version", "state", "when"),
        [
            (each["seed"], each["version"], each["state"], each["applied_at"])
            for each in found.seeds
        ],
    )
    show_warnings(found.warnings)
    for problem in found.drift:
        say(f"drift: {problem}", style="red")
    if found.dirty:
        say(f"half-done: {found.dirty}; run `dbcycle db migrate` again", style="red")
    if found.lock is not None:
        say(f"locked by {found.lock}")


def show_warnings(warnings: "Iterable[Warned]") -> None:
    """Print what the checks of seeds found."""
    for each in warnings:
        say(f"warning: {each.seed}: {each.text}", style="yellow")


@db.command()
def rollback(
    ctx: typer.Context,
    *,
    target: Annotated[
        int, typer.Option("--target", metavar="N", help="How many steps to undo, at most 5.")
    ] = 1,
    dry_run: DryRun = False,
    force: Annotated[
        bool, typer.Option("--force", help="Ask no question; guards still hold.")
    ] = False,
    wait: Wait = 60.0,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Undo the newest migrations through their ways down, after a backup."""
    from ..upkeep import operations
    from ..upkeep.operations import Wish

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    with invocation.progress() as progress:
        if dry_run:
            done = operations.rehearse_rollback(place, target, progress)
        else:
            given = consent(invocation, place, prod=prod, confirm=confirm)
            agree(invocation, f"Undo {count(target, 'step')} on {place.name}?", force=force)
            done = operations.roll_back(place, target, given, progress, wish=Wish(wait=wait))
    _show(invocation, place, done, "undone", dry_run=dry_run)


@db.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it does: add_user_table")],
    *,
    tx: Annotated[
        bool,
        typer.Option("--tx/--no-tx", help="In one transaction, or a statement at a time."),
    ] = True,
) -> None:
    """Write the files of a new migration step, under the next number."""
    from datetime import UTC, datetime

    from ..upkeep.creation import create_step

    invocation = of(ctx)
    paths = create_step(invocation.project, name, transaction=tx, now=datetime.now(UTC))
    found = [str(path) for path in paths]
    invocation.show({"files": found}, lambda: say("\n".join(found)))


@db.command()
def unlock(ctx: typer.Context, *, prod: Prod = False, db_url: Url = None) -> None:
    """Free a lock that was left behind.

    A lock goes with its session, so this ends the session of the holder; --yes if the process
    may be alive.
    """
    from ..upkeep import custody

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    holder = custody.unlock(place, agreed=invocation.yes)
    invocation.show(
        {"database": place.name, "freed": None if holder is None else vars(holder)},
        lambda: say(f"freed; it was held by {holder}" if holder else "nobody holds the lock"),
    )


@db.command()
def baseline(
    ctx: typer.Context,
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="V", help="Only up to this version or step."),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="S", help="This step alone; an edited one is accepted."),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take that step out of the history instead.")
    ] = False,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Record migrations as applied without running them, on a database that has them already."""
    from ..upkeep import operations

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    given = consent(invocation, place, prod=prod, confirm=confirm)
    done = operations.baseline(place, given, up_to_step=target, step=step, forget=forget)
    word = "forgotten" if forget else "recorded"
    invocation.show(
        {"database": place.name, word: done},
        lambda: say(f"{word}: {', '.join(done) if done else 'nothing'}"),
    )


@db.command()
def claim(
    ctx: typer.Context, *, prod: Prod = False, confirm: Confirm = None, db_url: Url = None
) -> None:
    """Say, in the database, that it belongs to this project and environment.

    In development and test it may then be lost: rolled back, restored, reset.
    """
    from ..upkeep import custody

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    custody.claim(place, consent(invocation, place, prod=prod, confirm=confirm, always=True))
    invocation.show(
        {"database": place.name, "environment": place.environment},
        lambda: say(f"{place.name} is {place.environment} of {place.project.name}"),
    )


@db.command()
def log(ctx: typer.Context) -> None:
    """Show who did what to which database, with which result."""
    from ..upkeep.audit import read_log

    found = read_log(of(ctx).project.state)
    of(ctx).show(
        {"log": found},
        lambda: table(
            ("when", "who", "what", "environment", "result"),
            [(x["at"], x["who"], x["action"], x["environment"], x["result"]) for x in found],
        ),
    )
