"""The table of commands, and the options that they all share."""

import functools
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import click
import typer
from typer.core import TyperGroup

from ..config import credentials
from . import (
    access,
    canary,
    clones,
    comparing,
    completion,
    doctor,
    keys,
    making,
    models,
    projects,
    refresh,
    report,
    schema,
    stages,
    subset,
    trying,
    workspace,
)
from .invocation import Invocation

FLAGS = frozenset({"--json", "--verbose", "-v", "--yes", "-y", "--debug"})
VALUES = frozenset({"--project", "-p", "--env"})

SHARED = (
    "Every command also takes --project, --env, --json, --verbose, --yes and --debug, "
    "before or after its name."
)


class Doors(TyperGroup):
    """Accepts the shared options anywhere on the line, up to ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse with the shared options moved to the front."""
        return super().parse_args(ctx, hoisted(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        _ = ctx
        return list(self.commands)


def hoisted(words: Sequence[str]) -> list[str]:
    """Return the words with every shared option moved to the front, in the order given."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += [word, *queue]
            break
        if word in FLAGS or word.split("=", 1)[0] in VALUES:
            front.append(word)
            if word in VALUES and queue:
                front.append(queue.pop(0))
        else:
            rest.append(word)
    return front + rest


def examples(*lines: str) -> str:
    """Return the epilog of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) + f"\n\n{SHARED}"


app = typer.Typer(
    cls=Doors,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "dbcycle refresh                        run the whole cycle; only what is stale works",
        "dbcycle plan                           what is stale and why, what each column becomes",
        "dbcycle init shop --from shop.dump     start with a database of your own",
        "dbcycle --project shop url --json      where its test database is",
    ),
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"dbcycle {version('dbcycle-assets')}")
        raise typer.Exit


@app.callback()
def shared(
    ctx: typer.Context,
    *,
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            metavar="DIR|NAME",
            help="The project; default: the one around the working directory, else DBCYCLE_PROJECT "
            "or the default of pyproject.toml.",
        ),
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", metavar="ENV", help="The environment it runs in.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on stdout.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List everything; one line for each step.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Answer every question with yes; guards still hold.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; it may hold values.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Turn a production database dump into a safe, realistic, seeded test database.

    Results go to stdout, progress and messages to stderr. Exit codes: 0 done, 1 unexpected,
    2 usage, 3 refused by a guard, 4 locked by another run, 5 drift, 6 needs repair, 7 bad input,
    8 findings, 9 server or disk unavailable, 130 cancelled.
    """
    _ = version
    if env is not None:
        credentials.use_environment(env)
    ctx.obj = Invocation(project, as_json, verbose, yes, debug)


STAGES = ("restore", "migrate", "extract", "export", "seed-test-db", "verify", "publish")
"""Commands that work long and ask nothing."""


def _add(name: str, function: Callable[..., Any], *lines: str) -> None:
    settings = {"allow_extra_args": True} if name == "shell" else {}
    command = _at_points(function) if name in STAGES else function
    app.command(name, epilog=examples(*lines), context_settings=settings)(command)


def _at_points(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that a stop ends at the points of its work."""

    @functools.wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        from ..databases.stopping import stoppable

        return stoppable(lambda: function(*arguments, **options))

    return command


_add(
    "init",
    projects.init,
    "dbcycle init shop --from shop.dump",
    "dbcycle init shop --from shop.sqlite --accept-all",
    "dbcycle init shop --from postgresql://reader@db.example.com/shop --directory data/shop",
)
_add("judge", projects.judge, "dbcycle judge", "dbcycle judge --accept-all --json")
_add(
    "detect",
    projects.detect,
    "dbcycle detect",
    "dbcycle detect --db-url postgresql://reader@localhost/shop --json",
)
_add(
    "plan",
    refresh.plan,
    "dbcycle plan",
    "dbcycle plan --check --json",
    "dbcycle plan --markdown --against origin/main",
    'dagster asset materialize -m dbcycle_assets.definitions --select "$(dbcycle plan --select)"',
)
_add(
    "refresh",
    refresh.refresh,
    "dbcycle refresh",
    "dbcycle refresh --download-recent",
    "dbcycle refresh --select 'key:\"efficient_tutor/extracts/users\"+'",
    "dbcycle refresh --all --json",
)
_add(
    "models",
    models.models,
    "dbcycle models --out new/models.py",
    "dbcycle models --check",
    "dbcycle models --check --role test --json",
)
_add("restore", stages.restore, "dbcycle restore", "dbcycle restore --download-recent")
_add(
    "migrate",
    stages.migrate,
    "dbcycle migrate",
    "dbcycle migrate --sql-only",
    "dbcycle migrate --step normalize_passwords.py",
)
_add(
    "subset",
    subset.subset,
    "dbcycle subset",
    "dbcycle subset --json",
    "dbcycle subset --explain orders 42",
)
_add(
    "extract",
    stages.extract,
    "dbcycle extract",
    "dbcycle extract --table users --table notes --force",
    "dbcycle --env development extract --table users --no-anonymize",
)
_add(
    "export",
    stages.export,
    "dbcycle export",
    "dbcycle export --table users --to auto_users.py --to users.parquet",
)
_add("seed-test-db", stages.seed_test_db, "dbcycle seed-test-db")
_add(
    "factories",
    making.factories,
    "dbcycle factories",
    "dbcycle factories --table users",
    "dbcycle factories --check --json",
)
_add(
    "constants",
    making.constants,
    "dbcycle constants --out tests/golden.py",
    "dbcycle constants --out tests/golden.py --check",
)
_add("verify", stages.verify, "dbcycle verify", "dbcycle verify --json")
_add("publish", stages.publish, "dbcycle publish", "dbcycle publish --previous")
_add(
    "url",
    access.url,
    "dbcycle url",
    "dbcycle url --role migrated --json",
    'psql "$(dbcycle url)"',
)
_add(
    "clone",
    clones.clone,
    "dbcycle clone",
    "dbcycle clone --from test --count 4 --json",
    "DATABASE_URL=$(dbcycle clone) npm test",
)
_add("sweep", clones.sweep, "dbcycle sweep", "dbcycle sweep --kept")
_add("shell", access.shell, "dbcycle shell", "dbcycle shell -- -c 'select count(*) from users'")
_add(
    "completion",
    completion.completion,
    "source <(dbcycle completion bash)                              # for this shell",
    "dbcycle completion bash >> ~/.bashrc",
    "dbcycle completion fish > ~/.config/fish/completions/dbcycle.fish",
)
_add(
    "schema",
    schema.schema,
    "dbcycle schema --out .dbcycle/dbcycle.schema.json",
    "dbcycle schema | head",
)
_add(
    "diff",
    comparing.diff,
    "dbcycle diff",
    "dbcycle diff --table users --check",
    "dbcycle diff --json",
)
_add("report", report.report, "dbcycle report", "dbcycle report --output report.html")
_add("ui", workspace.ui, "dbcycle ui", "dbcycle ui --port 3100")
_add("canary", canary.canary, "dbcycle canary", "dbcycle canary --json")
_add("doctor", doctor.doctor, "dbcycle doctor", "dbcycle doctor --json")
app.add_typer(keys.key, name="key", epilog=examples("dbcycle key show", "dbcycle key rotate"))
app.add_typer(workspace.server, name="server", epilog=examples("dbcycle server status"))
app.add_typer(
    trying.db,
    name="db",
    epilog=examples(
        "dbcycle db migrate --dry-run",
        "dbcycle db status --json",
        "dbcycle db rollback --target 2",
        "dbcycle db migrate --prod --confirm shop",
        "dbcycle db backup restore",
        "dbcycle db setup --env test",
        "dbcycle db reset --seed",
        "dbcycle db seed-test",
    ),
)
