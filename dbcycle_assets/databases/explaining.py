"""Why a row is in the subset: the chain of references that leads back to a row that was chosen."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..model.subset import Link, Reason
from .sets import BOUND
from .subsetting import Drawing


class ExplainedDrawing(Drawing):
    """A drawing that also tells why a row is in."""

    def explain(self, table: str, key: Sequence[str]) -> list[Reason]:
        """Return why a row is kept; see the protocol."""
        return explain(self, table, key)


MOST = 500
"""How many rows that came in the same step are looked at from one row."""


@dataclass(frozen=True)
class _Row:
    """A kept row, by its identity, with what its set says of it; a step of None: a whole table."""

    table: str
    identity: tuple[Any, ...]
    why: int = 0
    step: int | None = None


def explain(drawing: Drawing, table: str, key: Sequence[str]) -> list[Reason]:
    """Return why the row of a key is kept, the row first and a chosen row last; nothing if it is
    left out. The sets must be there.

    Raises:
        BadInput: there is no such table or row, or the table has no primary key.
    """
    start = _found(drawing, table, key)
    if start is None:
        return []
    seen = {start}
    waiting: deque[tuple[_Row, ...]] = deque([(start,)])
    while waiting:
        path = waiting.popleft()
        row = path[-1]
        if row.step is None or row.why == 0:
            return [_reason(drawing, each) for each in path]
        for before in _before(drawing, row):
            if before not in seen:
                seen.add(before)
                waiting.append((*path, before))
    return [_reason(drawing, start)]


def _found(drawing: Drawing, name: str, key: Sequence[str]) -> _Row | None:
    choice = drawing.program.choices.get(name)
    if choice is None:
        raise BadInput("no rows of such a table are extracted", where=name)
    table, dialect = choice.table, drawing.dialect
    if len(key) != len(table.primary_key) or not key:
        asked = ", ".join(table.primary_key) or "nothing: the table has none"
        raise BadInput(f"give the value of each column of the primary key ({asked})", where=name)
    identity = dialect.identity(table)
    wanted = " AND ".join(
        f"{dialect.text(f't.{dialect.identifier(column)}')} = {BOUND}"
        for column in table.primary_key
    )
    own = ", ".join(f"t.{each}" for each in identity)
    relation = dialect.relation(table)
    rows = dialect.rows(f"SELECT {own} FROM {relation} AS t WHERE {wanted}", list(key))
    if not rows:
        raise BadInput("no row has this primary key", where=name)
    if choice.mode == "whole":
        return _Row(name, tuple(rows[0]))
    here = " AND ".join(f"k.i{n} = {BOUND}" for n, _ in enumerate(identity))
    kept = dialect.rows(f"SELECT why, step FROM {drawing.kept(name)} AS k WHERE {here}", rows[0])
    return _Row(name, tuple(rows[0]), *kept[0]) if kept else None


def _before(drawing: Drawing, row: _Row) -> list[_Row]:
    """Return rows that brought a row: one of an earlier step, else those of the same."""
    link = drawing.links[row.why]
    if drawing.program.choices[link.source].mode == "whole":
        return _bringing(drawing, link, row, "", 1)
    earlier = _bringing(drawing, link, row, f" AND f.step < {row.step}", 1)
    return earlier or _bringing(drawing, link, row, f" AND f.step = {row.step}", MOST)


def _bringing(drawing: Drawing, link: Link, row: _Row, when: str, most: int) -> list[_Row]:
    dialect, choices = drawing.dialect, drawing.program.choices
    target, source = choices[link.target], choices[link.source]
    mine, theirs = drawing.ends(link)
    pairs = " AND ".join(f"{a} = {b}" for a, b in zip(mine, theirs, strict=True))
    here = " AND ".join(f"t.{each} = {BOUND}" for each in dialect.identity(target.table))
    conditions = drawing.when(link.when, "t" if link.down else "f", link.key.table)
    identity = dialect.identity(source.table)
    if source.mode == "whole":
        relation, order = dialect.relation(source.table), ""
        found = [f"f.{each}" for each in identity]
    else:
        relation, order = drawing.kept(link.source), " ORDER BY f.step"
        found = [*(f"f.i{n}" for n, _ in enumerate(identity)), "f.why", "f.step"]
    rows = dialect.rows(
        f"SELECT {', '.join(found)} FROM {dialect.relation(target.table)} AS t"
        f" JOIN {relation} AS f ON {pairs} WHERE {here}{conditions}{when}{order} LIMIT {most}",
        row.identity,
    )
    size = len(identity)
    return [_Row(link.source, tuple(each[:size]), *each[size:]) for each in rows]


def _reason(drawing: Drawing, row: _Row) -> Reason:
    choice = drawing.program.choices[row.table]
    table, dialect = choice.table, drawing.dialect
    key: list[tuple[str, str | None]] = []
    if table.primary_key:
        texts = [dialect.text(f"t.{dialect.identifier(name)}") for name in table.primary_key]
        here = " AND ".join(f"t.{each} = {BOUND}" for each in dialect.identity(table))
        ((*values,),) = dialect.rows(
            f"SELECT {', '.join(texts)} FROM {dialect.relation(table)} AS t WHERE {here}",
            row.identity,
        )
        key = list(zip(table.primary_key, values, strict=True))
    link = drawing.links[row.why] if row.step is not None and row.why else None
    return Reason(row.table, tuple(key), link, choice.mode)
