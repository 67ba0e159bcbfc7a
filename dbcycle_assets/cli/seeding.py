"""``db seed`` and its kin: versioned seeds on one database."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Drift, Findings, UsageError
from .consent import Confirm, Prod, Url, agree, consent, target_of
from .database import db, show_warnings
from .invocation import Document, Invocation, note, of
from .text import count, say, table

__all__ = ["db"]

if TYPE_CHECKING:
    from ..model.seeds import Orphan
    from ..upkeep.seeds import Done, Seeding

Force = Annotated[bool, typer.Option("--force", help="Ask no question; guards still hold.")]


@db.command()
def seed(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be applied.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Apply again what is applied, edited seeds too.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="How many independent seeds run at once.")
    ] = 1,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Apply the pending seeds of the environment, each whole with its row of the history."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    if dry_run:
        with invocation.progress() as progress:
            actions = seeding.plan(place, progress, force=force)
        found = [(a.seed.name, a.seed.version, a.kind, a.reason) for a in actions]
        document: Document = {
            "environment": place.environment,
            "dry_run": True,
            "seeds": [
                {"seed": name, "version": version, "action": kind, "reason": reason}
                for name, version, kind, reason in found
            ],
        }
        invocation.show(document, lambda: table(("seed", "version", "would", "because"), found))
        return
    given = consent(invocation, place, prod=prod, confirm=confirm)
    with invocation.progress() as progress:
        result = seeding.seed(place, given, progress, force=force, workers=workers)
    invocation.show(_document(result), lambda: _for_people(invocation, place.name, result))


def _document(result: "Seeding") -> Document:
    return {
        "environment": result.environment,
        "dry_run": False,
        "seeds": [{**vars(done), "action": done.kind} for done in result.done],
        "warnings": [vars(each) for each in result.warnings],
    }


def _for_people(invocation: Invocation, name: str, result: "Seeding") -> None:
    applied = [done for done in result.done if done.kind != "skip"]
    skipped = len(result.done) - len(applied)
    say(
        f"{count(len(applied), 'seed')} applied, {skipped} already there, on {name} "
        f"({result.environment})",
        style="green",
    )
    shown = result.done if invocation.verbose else applied
    table(("seed", "version", "what", "made", "changed", "seconds"), map(_line, shown))
    show_warnings(result.warnings)


def _line(done: "Done") -> tuple[str, ...]:
    numbers = (str(done.created), str(done.updated), f"{done.seconds:.2f}")
    return (done.seed, done.version, done.kind, *numbers)


@db.command("seed-rollback")
def seed_rollback(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The seed: base/01_users")],
    *,
    force: Force = False,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Take an applied seed back, after a backup: by its own way back, or by the rows it made."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    given = consent(invocation, place, prod=prod, confirm=confirm)
    agree(invocation, f"Take {name} back on {place.name}?", force=force)
    with invocation.progress() as progress:
        done = seeding.take_back(place, name, given, progress)
    invocation.show(vars(done), lambda: say(f"{done.seed} taken back: {done.reason}"))


@db.command("create-seed")
def create_seed(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it makes: us_states")],
    *,
    dev: Annotated[bool, typer.Option("--dev", help="For development and test.")] = False,
    test: Annotated[bool, typer.Option("--test", help="For test alone.")] = False,
    kind: Annotated[str, typer.Option("--kind", help="py, sql or yaml.")] = "py",
) -> None:
    """Write the file of a new seed under the next number, and put it into the registry."""
    from ..upkeep.seed_files import new_seed
    from ..upkeep.seeding import sync

    if dev and test:
        raise UsageError("--dev and --test contradict each other", remedy="leave one away")
    invocation = of(ctx)
    group = "development" if dev else "test" if test else "base"
    path = new_seed(invocation.project, name, group, f".{kind}")
    sync(invocation.project)
    invocation.show({"file": str(path)}, lambda: say(str(path)))


@db.command("seed-sync")
def seed_sync(
    ctx: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 5 if it is outdated.")
    ] = False,
) -> None:
    """Write the registry of seeds: the list to commit, so that a changed seed is seen in review."""
    from ..upkeep import seeding

    invocation = of(ctx)
    project = invocation.project
    found = seeding.changed(project) if check else seeding.sync(project)
    path = seeding.registry_path(project)
    told = f"{path}: {', '.join(found) if found else 'nothing changed'}"
    invocation.show({"registry": str(path), "changed": found}, lambda: say(told))
    if check and found:
        raise typer.Exit(Drift.exit_code)


@db.command("seed-check")
def seed_check(ctx: typer.Context, *, prod: Prod = False, db_url: Url = None) -> None:
    """Find seeds that are applied here and whose files are gone. Exit code 8 if there are any."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    with invocation.progress(quick=True) as progress:
        found = seeding.orphans(place, progress)
    _orphans(invocation, found, "orphaned")
    if found:
        raise typer.Exit(Findings.exit_code)


@db.command("seed-clean")
def seed_clean(
    ctx: typer.Context,
    *,
    force: Force = False,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Mark the seeds whose files are gone as orphaned; no row of theirs is touched."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    given = consent(invocation, place, prod=prod, confirm=confirm)
    with invocation.progress(quick=True) as progress:
        waiting = seeding.orphans(place, progress)
        if waiting:
            agree(invocation, f"Mark {count(len(waiting), 'seed')} as orphaned?", force=force)
        found = seeding.clean(place, given, progress) if waiting else []
    _orphans(invocation, found, "marked as orphaned")


def _orphans(invocation: Invocation, found: "list[Orphan]", word: str) -> None:
    rows = [
        (orphan.row.name, orphan.row.version, orphan.renamed and f"moved to {orphan.renamed}?")
        for orphan in found
    ]

    def for_people() -> None:
        say(f"{count(len(found), 'seed')} {word}")
        table(("seed", "version", "perhaps"), rows)

    document = [{"seed": name, "version": version, "perhaps": hint} for name, version, hint in rows]
    invocation.show({"orphans": document}, for_people)


@db.command("seed-watch")
def seed_watch(ctx: typer.Context) -> None:
    """Keep the registry in step with the files until Ctrl-C; a half-written seed is told."""
    from ..upkeep.seeding import watch

    invocation = of(ctx)
    note("watching the seeds; Ctrl-C ends it")
    watch(invocation.project, note)


@db.command()
def setup(
    ctx: typer.Context, *, prod: Prod = False, confirm: Confirm = None, db_url: Url = None
) -> None:
    """Apply the pending migrations, then the pending seeds."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    given = consent(invocation, place, prod=prod, confirm=confirm)
    with invocation.progress() as progress:
        done, result = seeding.setup(place, given, progress)
    document = {"applied": [step for step, _ in done.steps], **_document(result)}

    def for_people() -> None:
        say(f"{count(len(done.steps), 'step')} applied; head {done.head or 'none'}")
        _for_people(invocation, place.name, result)

    invocation.show(document, for_people)


@db.command()
def reset(
    ctx: typer.Context,
    *,
    seeds: Annotated[bool, typer.Option("--seed", help="Apply the seeds afterwards.")] = False,
    force: Force = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Make the database anew from the migrations, after a backup; in development and test alone."""
    from ..upkeep import seeding

    invocation = of(ctx)
    place = target_of(invocation, db_url)
    given = consent(invocation, place, prod=False, confirm=confirm)
    agree(invocation, f"Delete everything in {place.name} and begin anew?", force=force)
    with invocation.progress() as progress:
        backup, done, result = seeding.reset(place, given, progress, seeds=seeds)
    document: Document = {
        "database": place.name,
        "backup": backup.name if backup is not None else None,
        "applied": [step for step, _ in done.steps],
        "seeds": None if result is None else _document(result)["seeds"],
        "warnings": [] if result is None else _document(result)["warnings"],
    }

    def for_people() -> None:
        say(f"{place.name} is new: {count(len(done.steps), 'step')} applied")
        if backup is not None:
            typer.echo(f"backup: {backup.name}")
            typer.echo(f"  dbcycle{invocation.chosen} db backup restore {backup.name}")
        if result is not None:
            _for_people(invocation, place.name, result)

    invocation.show(document, for_people)
