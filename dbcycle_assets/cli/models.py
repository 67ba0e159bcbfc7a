"""``models``: the application's SQLAlchemy models, written from the schema and held against it."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..artifacts import write_atomically
from ..config import credentials
from ..errors import GuardRefused, UsageError
from .access import WAYS
from .invocation import Invocation, findings_exit, of, require_database
from .text import count, say, table

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..databases.port import Server


class Schema(enum.StrEnum):
    """The databases whose schema can be asked for."""

    MIGRATED = "migrated"
    TEST = "test"


def models(
    ctx: typer.Context,
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare the project's own models instead of writing any."),
    ] = False,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the models go.")] = Path(
        "models.py"
    ),
    enums: Annotated[
        Path | None,
        typer.Option(
            "--enums", metavar="FILE", help="Where the enums go; default: db_enums.py beside --out."
        ),
    ] = None,
    role: Annotated[
        Schema, typer.Option("--role", help="Whose schema: the migrated or the test database's.")
    ] = Schema.MIGRATED,
    db_url: Annotated[
        str | None,
        typer.Option("--db-url", metavar="URL", help="The schema of this database instead."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that are not as they would be written.")
    ] = False,
) -> None:
    """Write SQLAlchemy models and enums from the migrated schema, or check those of the project.

    With --check every difference between the models that `models` in dbcycle.yaml names and the
    schema is a finding, and the exit code is 8. Otherwise two modules are written, to refine by
    hand.
    """
    invocation = of(ctx)
    server, name = _database(invocation, role, db_url)
    if check:
        _check(invocation, server.url(name))
        return
    enums = enums or out.with_name("db_enums.py")
    if enums.parent.resolve() != out.parent.resolve() or enums == out:
        raise UsageError("--enums must be another file in the folder of --out")
    if not (enums.stem.isidentifier() and enums.suffix == ".py"):
        raise UsageError("--enums must be a module that can be imported, as in db_enums.py")
    _write(invocation, server, name, out, enums, force=force)


def _database(invocation: Invocation, role: Schema, url: str | None) -> "tuple[Server, str]":
    from ..databases import locate

    if url is not None:
        return locate(invocation.project.config.engine, url)
    with invocation.reading(quick=True) as cycle:
        return cycle.server, require_database(cycle, role, WAYS[role])


def _check(invocation: Invocation, url: str) -> None:
    from ..mapping.check import compare_models

    with invocation.progress() as progress:
        found = compare_models(invocation.project, url, progress)

    def for_people() -> None:
        for each in found.findings:
            say(f"  - {credentials.redact(str(each))}", style="red")
        told = f"{count(found.tables, 'table')}, {count(found.columns, 'column')}"
        say(f"compared {told} and {count(found.enums, 'enum')}")
        if found.passed:
            say("passed: the models are in step with the schema", style="green")
        else:
            say(f"FAILED: {count(len(found.findings), 'finding')}", style="bold red")

    invocation.show(dict(found.to_json()), for_people)
    if not found.passed:
        findings_exit()


def _write(
    invocation: Invocation, server: "Server", name: str, out: Path, enums: Path, *, force: bool
) -> None:
    from ..mapping.generate import generate

    package = (out.parent / "__init__.py").is_file()
    module = f"{'.' if package else ''}{enums.stem}"
    with invocation.progress() as progress:
        progress("writing models")
        with server.open(name) as database:
            found = generate(database, enums=module)
    texts = {out: found.models, enums: found.enums}
    other = [
        path
        for path, text in texts.items()
        if path.exists() and path.read_text(encoding="utf-8") != text
    ]
    if other and not force:
        raise GuardRefused(
            "the file is there, with other content: nothing was written",
            where=str(other[0]),
            remedy="give another --out to compare with it, or --force to overwrite it",
        )
    for path, text in texts.items():
        with write_atomically(path) as file:
            file.write(text.encode())
    document = {
        "models": str(out),
        "enums": str(enums),
        "classes": found.classes,
        "tables": found.tables,
        "enum_classes": found.enum_classes,
    }
    rows = [
        (str(out), f"{count(found.classes, 'model')}, {count(found.tables, 'plain table')}"),
        (str(enums), count(found.enum_classes, "enum")),
    ]
    invocation.show(document, lambda: table(["file", "what is in it"], rows))
