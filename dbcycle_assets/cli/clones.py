"""``clone`` and ``sweep``: copies of a template for tests in any language."""

import os
from typing import Annotated

import typer

from .invocation import of
from .text import count, say


def clone(
    ctx: typer.Context,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="WHAT",
            help="published (the published test database), schema (the migrations alone), or the "
            "seeds of development or test.",
        ),
    ] = "published",
    number: Annotated[
        int, typer.Option("--count", metavar="N", min=1, max=1000, help="How many.")
    ] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help="Until it is swept by name or with --kept.")
    ] = False,
    owner: Annotated[
        int | None,
        typer.Option(
            "--owner",
            metavar="PID",
            help="The process whose end makes it sweepable; default: this shell or job.",
        ),
    ] = None,
) -> None:
    """Copy a template into databases that nobody else uses, and print their URLs.

    The template is made once for each content, whoever asks first; others wait for it.
    """
    from ..upkeep.temporary import template_named

    invocation = of(ctx)
    with invocation.progress() as progress:
        template = template_named(invocation.project, source, progress=progress)
        # Between the shell and us there may be others, which end at once: make, uv, `$(…)`.
        pid = (os.getsid(0) or os.getppid()) if owner is None else owner
        copies = [template.copy(kept=keep, owner=pid) for _ in range(number)]
    invocation.show(
        {
            "template": template.name,
            "databases": [{"name": each.name, "url": each.url} for each in copies],
        },
        lambda: typer.echo("\n".join(each.url for each in copies)),
    )


def sweep(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="These copies and no others.")
    ] = None,
    *,
    kept: Annotated[bool, typer.Option("--kept", help="Those kept on purpose, too.")] = False,
) -> None:
    """Drop the temporary databases whose owner is dead; nothing that we did not make."""
    from ..upkeep.temporary import sweep as swept

    invocation = of(ctx)
    gone = swept(invocation.project, kept=kept, names=names or ())
    invocation.show(
        {"dropped": gone}, lambda: say(f"{count(len(gone), 'temporary database')} dropped")
    )
