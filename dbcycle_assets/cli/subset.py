"""The subset: how many rows of each table it keeps and why, and why one row is in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from .invocation import Document, of, require_database
from .text import count, heading, say
from .text import table as table_of

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.subset import Explanation
    from ..model.subset import Kept, Reason

MODES = {"whole": "every row", "root": "sample", "below": "children"}
THOUSAND = 1000
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def subset(
    ctx: typer.Context,
    *,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="TABLE", help="Tell why one row of this table is in."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="The row's primary key, for --explain."),
    ] = None,
) -> None:
    """Show what the subset would keep of every table, and why; nothing is changed.

    It is drawn in the migrated database as a refresh would draw it, and undone.
    """
    from ..cycle import subset as stage

    invocation = of(ctx)
    if bool(explain) != bool(key):
        raise UsageError(
            "--explain takes a table and the primary key of one row",
            remedy="as in `dbcycle subset --explain orders 42`",
        )
    with invocation.writing("subset") as cycle:
        require_database(cycle, "migrated", "dbcycle migrate")
        if explain:
            found = stage.explain(cycle, explain, key or [])
            document = _explanation(explain, found)
            invocation.show(document, lambda: _print_explanation(explain, found))
            return
        sizes = stage.sizes(cycle)
    invocation.show(_sizes(sizes), lambda: _print_sizes(sizes))


def _sizes(sizes: Sequence["Kept"]) -> Document:
    return {
        "tables": [
            {
                "table": each.table,
                "mode": each.mode,
                "rows": each.total,
                "kept": each.kept,
                "chosen": each.chosen,
                "brought": dict(each.by),
                "size_bytes": each.size_bytes,
            }
            for each in sizes
        ],
        "rows": sum(each.total for each in sizes),
        "kept": sum(each.kept for each in sizes),
        "size_bytes": _total(sizes),
        "notes": list(_notes(sizes)),
    }


def _total(sizes: Sequence["Kept"]) -> int | None:
    known = [each.size_bytes for each in sizes if each.size_bytes is not None]
    return sum(known) if known else None


def _notes(sizes: Sequence["Kept"]) -> list[str]:
    """Return what is probably not meant: samples that pick nothing, or that do not help."""
    found = [
        f"{each.table}: its sample picks none of its {count(each.total, 'row')}"
        for each in sizes
        if each.mode == "root" and each.total and not each.chosen
    ]
    found += [
        f"{each.table}: {count(number, 'row')} come only because {child} keeps every row: give "
        f"{each.table} `sample: {{children: true}}`, or {child} a sample"
        for each in sizes
        for child, number in each.of_whole.items()
        if 2 * number > each.total
    ]
    return found


def _print_sizes(sizes: Sequence["Kept"]) -> None:
    total, kept = sum(each.total for each in sizes), sum(each.kept for each in sizes)
    tables = count(len(sizes), "table")
    say(f"{kept:,} of {count(total, 'row')} of {tables} kept, about {_bytes(_total(sizes))}")
    heading("tables")
    table_of(
        ["table", "rows", "kept", "size", "why"],
        [
            (each.table, f"{each.total:,}", f"{each.kept:,}", _bytes(each.size_bytes), _why(each))
            for each in sizes
        ],
    )
    if notes := _notes(sizes):
        heading("notes")
        for note in notes:
            say(note)


def _why(each: "Kept") -> str:
    if each.mode == "whole":
        return MODES["whole"]
    parts = [f"{each.chosen:,} chosen"] if each.mode == "root" else []
    parts += [f"{number:,} {words}" for words, number in each.by.items()]
    return ", ".join(parts) or "no row"


def _bytes(size: int | None) -> str:
    if size is None:
        return ""
    unit = 0
    value = float(size)
    while value >= THOUSAND and unit + 1 < len(UNITS):
        value, unit = value / THOUSAND, unit + 1
    return f"{value:.3g} {UNITS[unit]}"


def _explanation(table: str, found: "Explanation") -> Document:
    return {
        "table": table,
        "kept": bool(found.reasons),
        "chain": [
            {"table": reason.table, "key": dict(reason.key), "because": _because(reason)}
            for reason in found.reasons
        ],
    }


def _because(reason: "Reason") -> str:
    if reason.link is not None and reason.link.down:
        return f"refers by {', '.join(reason.link.key.columns)} to the next"
    if reason.link is not None:
        columns = ", ".join(reason.link.key.columns)
        return f"the next refers to it by {columns}"
    return "every row of the table is kept" if reason.mode == "whole" else "the sample chose it"


def _print_explanation(table: str, found: "Explanation") -> None:
    if not found.reasons:
        say(f"{table}: this row is left out")
    for reason in found.reasons:
        key = ", ".join(f"{name} {'…' if value is None else value}" for name, value in reason.key)
        say(f"{reason.table} ({key}): {_because(reason)}")
