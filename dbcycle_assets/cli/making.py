"""``factories`` and ``constants``: what tests make rows with, and name golden rows by."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..artifacts import write_atomically
from ..config.model import Project
from ..errors import Findings, UsageError, did_you_mean
from .invocation import Document, findings_exit, note, of
from .text import count, heading, say
from .text import table as table_of

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..model.invent import Recipe


def factories(
    ctx: typer.Context,
    *,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="T", help="Only this table; may be given several times."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with exit code 8 if a table has no usable factory.")
    ] = False,
) -> None:
    """List the factory of each table: what it makes of each column, and what it does not know.

    The schema is that of the last migration. Nothing is made and nothing is changed.
    """
    from ..cycle.making import unknown
    from ..cycle.plan import require_catalog
    from ..model.invent.known import recipes_for

    invocation = of(ctx)
    project = invocation.project
    with invocation.reading() as cycle:
        recipes = recipes_for(project.config, require_catalog(cycle))
    for name in table or ():
        if name not in recipes.catalog.tables:
            raise UsageError(f"no table `{name}`{did_you_mean(name, recipes.catalog.tables)}")
    chosen = table or recipes.tables()
    found = {name: recipes.of(name) for name in chosen}
    told = unknown(project, recipes, chosen)
    findings = [text for texts in told.values() for text in texts]

    document: Document = {
        "tables": {
            name: {
                "factory": _hand(project, name),
                "columns": [
                    dict(zip(("column", "type", "made"), line, strict=True))
                    for line in _lines(recipe)
                ],
                "findings": told.get(name, []),
            }
            for name, recipe in found.items()
        },
        "findings": findings,
    }
    detailed = bool(table) or invocation.verbose
    invocation.show(document, lambda: _show(found, told, detailed=detailed))
    if check and findings:
        findings_exit()


def _show(found: "dict[str, Recipe]", told: dict[str, list[str]], *, detailed: bool) -> None:
    if detailed:
        for name, recipe in found.items():
            heading(name)
            table_of(["column", "type", "made"], _lines(recipe))
    else:
        table_of(["table", "columns", "made for it"], _overview(found))
    for finding in (text for texts in told.values() for text in texts):
        say(f"- {finding}")
    say(f"{len(found) - len(told)} of {count(len(found), 'factory')} can be used as they are")


def _hand(project: Project, name: str) -> str | None:
    settings = project.config.tables.get(name)
    return settings.factory if settings is not None else None


def _overview(found: "dict[str, Recipe]") -> list[tuple[str, str, str]]:
    return [
        (
            name,
            str(len(recipe.fields)),
            ", ".join(p.key.parent for p in recipe.parents if p.needed and not p.existing),
        )
        for name, recipe in found.items()
    ]


def _lines(recipe: "Recipe") -> list[tuple[str, str, str]]:
    from ..model.invent.describe import described

    return [(item.column.name, item.column.type, described(recipe, item)) for item in recipe.fields]


def constants(
    ctx: typer.Context,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the module there, not on stdout."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; end with exit code 8 if FILE differs.")
    ] = False,
) -> None:
    """Write a Python module with a typed constant for each golden record.

    Tests then say `golden.USER_ADMIN.id` in place of a key. The schema is that of the last
    migration.
    """
    from ..cycle.constants import check_constants, constants_module
    from ..cycle.plan import require_catalog

    invocation = of(ctx)
    if check and out is None:
        raise UsageError("--check needs a file", remedy="give --out FILE")
    with invocation.reading(quick=True) as cycle:
        text = constants_module(invocation.project, require_catalog(cycle))
    if out is None:
        typer.echo(text, nl=False)
        return
    if check:
        found = check_constants(out, text)
        if found:
            raise Findings(
                "the constants are not what the golden records say:",
                found,
                remedy=f"run `dbcycle constants --out {out}`",
            )
        note(f"{out} is what the golden records say")
        return
    with write_atomically(out) as file:
        file.write(text.encode())
    note(f"{out} written")
