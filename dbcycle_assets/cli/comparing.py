"""What changed for those who test: two published databases beside each other."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .invocation import Document, findings_exit, of, require_database
from .text import count, heading, say
from .text import table as table_of

if TYPE_CHECKING:  # it costs a third of a second, and help needs none of it
    from ..cycle.compare import Difference, TableDifference

TOP_COLUMNS = 4


def diff(
    ctx: typer.Context,
    *,
    tables: Annotated[
        list[str] | None, typer.Option("--table", metavar="NAME", help="Only this one; repeatable.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="End with exit code 8 if anything differs.")
    ] = False,
) -> None:
    """Show what the last publication changed for those who test: tables, columns and rows.

    The published test database is compared with the one before it, row by row. Names and counts
    are printed, never values.
    """
    from ..cycle.compare import compare

    invocation = of(ctx)
    with invocation.writing("diff") as cycle:
        former = require_database(cycle, "previous", "dbcycle refresh")
        present = require_database(cycle, "test", "dbcycle refresh")
        found = compare(cycle, former, present, tables)
    invocation.show(_document(found), lambda: _print(found))
    if check and found.differs:
        findings_exit()


def _document(found: "Difference") -> Document:
    return {
        "from": found.former,
        "to": found.present,
        "differs": found.differs,
        "tables_gone": list(found.only_former),
        "tables_new": list(found.only_present),
        "tables": [asdict(table) for table in found.tables if table.differs],
        "compared": {
            "tables": len(found.tables),
            "rows_before": sum(table.former for table in found.tables),
            "rows_now": sum(table.present for table in found.tables),
        },
    }


def _print(found: "Difference") -> None:
    different = [table for table in found.tables if table.differs]
    same = len(found.tables) - len(different)
    say(f"{found.former} → {found.present}")
    for name in found.only_present:
        say(f"  + {name} is new")
    for name in found.only_former:
        say(f"  - {name} is gone")
    if different:
        heading("tables that differ")
        table_of(
            ["table", "rows before", "now", "added", "removed", "changed", "what"],
            [
                (
                    each.table,
                    f"{each.former:,}",
                    f"{each.present:,}",
                    _signed("+", each.added),
                    _signed("-", each.removed),
                    f"{each.changed:,}" if each.changed else "",
                    _what(each),
                )
                for each in different
            ],
        )
    say(f"{count(same, 'table')} of {len(found.tables)} the same, row for row")


def _signed(sign: str, number: int) -> str:
    return f"{sign}{number:,}" if number else ""


def _what(each: "TableDifference") -> str:
    most = sorted(each.columns.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{name} in {number:,}" for name, number in most[:TOP_COLUMNS]]
    return ", ".join([*each.shape, *_cut(shown, len(most))])


def _cut(shown: Sequence[str], total: int) -> list[str]:
    more = total - len(shown)
    return [*shown, f"{more} more columns"] if more else list(shown)
