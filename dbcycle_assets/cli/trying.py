"""``db seed-test``: seeds held against laws."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..config import credentials
from .connecting import db
from .invocation import findings_exit, of
from .text import count, heading, say, table

__all__ = ["db"]

if TYPE_CHECKING:
    from ..upkeep.seed_trial import Trial

EXAMPLES = """\b
Examples:
  dbcycle db seed-test
  dbcycle db seed-test base/01_admin_account --env test
  dbcycle db seed-test --json
"""


@db.command("seed-test", epilog=EXAMPLES)
def seed_test(
    ctx: typer.Context,
    seeds: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="base/01_users; default: all.")
    ] = None,
) -> None:
    """Hold seeds against laws, on temporary databases: no database of the project is touched.

    Each seed is applied after what it needs alone, again, in a second database, taken back,
    applied once more and upgraded; keys are looked up and its check is asked. Without --env it is
    tried in the first environment that has it of production, staging, development and test.
    Exit code 8 when one breaks a law, or nothing was tried.
    """
    from ..upkeep import seed_trial

    invocation = of(ctx)
    chosen = credentials.named_environment()
    with invocation.progress() as progress:
        trial = seed_trial.try_seeds(
            invocation.project, seeds or (), environment=chosen, progress=progress
        )
    invocation.show(
        {
            "tried": list(trial.tried),
            "failed": len(trial.failures),
            "laws": seed_trial.LAWS,
            "verdicts": [vars(each) for each in trial.verdicts],
        },
        lambda: _for_people(trial, verbose=invocation.verbose),
    )
    if trial.failures:
        findings_exit()
    seed_trial.require_tried(trial)


def _for_people(trial: "Trial", *, verbose: bool) -> None:
    from ..upkeep.seed_trial import FAILED, LAWS, PASSED

    signs = {PASSED: "passed", FAILED: "FAILED"}
    by_seed: dict[str, list[str]] = {}
    for each in trial.verdicts:
        by_seed.setdefault(each.seed, []).append(signs.get(each.result, "-"))
    table(("seed", *LAWS), [(name, *cells) for name, cells in by_seed.items()])
    if verbose:
        heading("not applicable")
        for each in trial.verdicts:
            if each.result not in signs:
                say(f"{each.seed}: {each.law}: {each.reason}")
    for each in trial.failures:
        say(f"{each.seed}: {each.law}: {each.reason}", style="red")
    say(
        f"{count(len(trial.tried), 'seed')} tried, {count(len(trial.failures), 'law')} broken",
        style="red" if trial.failures else "green",
    )
