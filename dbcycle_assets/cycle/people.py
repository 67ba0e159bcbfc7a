"""What is known of the people of the whole database, for rules that clean prose of them."""

from collections.abc import Iterable

from ..anonymizers import build_mask
from ..anonymizers.base import Facts, Key, Kind, Mask, Replace
from ..databases.port import Database
from ..model.catalog import Table
from ..model.decision import ColumnPlan
from ..model.marks import NAMES, PHRASES, leaves_of
from ..model.plan import Plan, TablePlan
from ..model.survivors import Names, Originals
from . import blocks
from .session import Cycle


def people_of(cycle: Cycle, plan: Plan, tables: Iterable[str]) -> Replace | None:
    """Return how to replace every known name in a text, or None if none of the tables needs it.

    Reads the columns whose rules stand for names, over the whole database; only keyed digests of
    them stay in memory. A name found in a text becomes what it becomes in its own column.
    """
    if not any(_needs(plan.tables[name]) for name in tables):
        return None
    cycle.progress("reading every name of the database, for the rules that clean prose")
    names = Names(cycle.key)
    with cycle.server.open(cycle.database("migrated"), read_only=True) as database:
        for table in plan.tables.values():
            for item in table.columns if table.rows else ():
                case = next((c for c in item.masks if c.rule in NAMES | PHRASES), None)
                if case is not None and case.follows is None:
                    found = _originals(cycle.key, database, table.table, case)
                    names.add(found.digests, _mask(case, cycle.key))
    return names.replace


def _originals(key: Key, database: Database, table: Table, case: ColumnPlan) -> Originals:
    found = Originals(key)
    codec = database.element_codec(case.column)
    for block in database.read(table, [case.column]):
        values = blocks.distinct(blocks.parse(block, 1).to_series())
        if codec is None:
            found.add_many(values, case.rule)
            continue
        for value in values:
            for element in codec.leaves(value):
                for leaf in leaves_of(element):
                    found.add(leaf, case.rule)
    return found


def _needs(table: TablePlan) -> bool:
    return any(case.definition.people for item in table.columns for case in item.masks)


def _mask(case: ColumnPlan, key: Key) -> Mask:
    # In prose there is room: the limits of the column itself do not hold there.
    return build_mask(case.rule, case.options, Facts(Kind.TEXT), key.within(case.domain))
