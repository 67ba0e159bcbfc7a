"""Alembic's differences as sentences."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy
from sqlalchemy import ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.exc import CompileError

from ..model.likeness import ADD, CHANGE, REMOVE, Mismatch

_OPTIONS = ("ondelete", "onupdate", "deferrable", "initially")


class Members:
    """Which class maps a table, and which attribute a column. Tables of the ``default`` schema are
    known by their bare name.
    """

    def __init__(self, mappers: Iterable[Any], default: str | None) -> None:
        self._classes: dict[str, str] = {}
        self._attributes: dict[tuple[str, str], str] = {}
        for mapper in sorted(mappers, key=lambda each: str(each.class_.__name__)):
            if not isinstance(mapper.local_table, Table):
                continue
            key = mapper.local_table.key.removeprefix(f"{default}.")
            self._classes.setdefault(key, mapper.class_.__name__)
            for attribute in mapper.column_attrs:
                for column in attribute.columns:
                    if column.table is mapper.local_table:
                        self._attributes.setdefault((key, column.name), attribute.key)

    def of(self, table: str, column: str = "") -> str:
        """Return ``Class`` or ``Class.attribute``, or an empty string."""
        name = self._classes.get(table, "")
        if not name or not column:
            return name
        return f"{name}.{self._attributes.get((table, column), column)}"


def mismatches(
    diffs: Iterable[Any], members: Members, dialect: sqlalchemy.Dialect
) -> Iterator[Mismatch]:
    """Yield what Alembic found about tables that both sides have; columns are told elsewhere."""
    single: list[tuple[str, Any]] = []
    for diff in diffs:
        if isinstance(diff, list):
            yield from (found for part in diff for found in _changed(part, members, dialect))
        elif diff[0] in {"add_index", "remove_index", "add_constraint", "remove_constraint"} or (
            diff[0] in {"add_fk", "remove_fk"}
        ):
            single.append((diff[0], diff[1]))
    yield from _paired(single, members)


def _changed(diff: Any, members: Members, dialect: sqlalchemy.Dialect) -> Iterator[Mismatch]:
    verb, schema, table, column, _known, real, model = diff
    place = (f"{schema}.{table}" if schema else table, column)
    member = members.of(place[0], column)
    if verb == "modify_type":
        what = f"the schema has {_kind(real, dialect)}, the model {_kind(model, dialect)}"
        yield Mismatch(*place, "type", what, CHANGE, member)
    elif verb == "modify_nullable":
        side = (
            "the schema allows NULL, the model does not"
            if real
            else ("the schema refuses NULL, the model allows it")
        )
        yield Mismatch(*place, "nullable", side, CHANGE, member)


def _kind(kind: Any, dialect: sqlalchemy.Dialect) -> str:
    try:
        return str(kind.compile(dialect))
    except CompileError:
        return str(kind)


def _paired(found: list[tuple[str, Any]], members: Members) -> Iterator[Mismatch]:
    """Yield one sentence where a thing differs, and one for each that only one side has."""
    added = [item for verb, item in found if verb.startswith("add")]
    removed = [item for verb, item in found if verb.startswith("remove")]
    for ours in list(added):
        match = next((theirs for theirs in removed if _same_thing(ours, theirs)), None)
        if match is None:
            yield _one(ours, f"the schema lacks the {_told(ours)}", REMOVE, members)
            continue
        removed.remove(match)
        yield _one(ours, _differs(ours, match), CHANGE, members)
    for theirs in removed:
        yield _one(theirs, f"the model lacks the {_told(theirs)}", ADD, members)


def _one(item: Any, what: str, remedy: str, members: Members) -> Mismatch:
    columns = _columns(item)
    column = columns[0] if len(columns) == 1 else ""
    member = members.of(item.table.key, column)
    return Mismatch(item.table.key, column, _noun(item), what, remedy, member)


def _columns(item: Any) -> list[str]:
    return [str(column.name) for column in item.columns]


def _noun(item: Any) -> str:
    if isinstance(item, ForeignKeyConstraint):
        return "foreign key"
    return "unique" if isinstance(item, UniqueConstraint) else "index"


def _told(item: Any) -> str:
    name = f" `{item.name}`" if item.name else ""
    columns = ", ".join(_columns(item) or [str(part) for part in getattr(item, "expressions", ())])
    if isinstance(item, ForeignKeyConstraint):
        return f"foreign key{name} ({columns}) → {_target(item)}"
    kind = "unique constraint" if isinstance(item, UniqueConstraint) else "index"
    kind = f"unique {kind}" if isinstance(item, Index) and item.unique else kind
    return f"{kind}{name} ({columns})"


def _target(key: ForeignKeyConstraint) -> str:
    return ", ".join(element.target_fullname for element in key.elements)


def _same_thing(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or one.table.key != other.table.key:
        return False
    if isinstance(one, ForeignKeyConstraint):
        return _columns(one) == _columns(other)
    return one.name == other.name or (bool(_columns(one)) and _columns(one) == _columns(other))


def _differs(ours: Any, theirs: Any) -> str:
    if isinstance(ours, ForeignKeyConstraint):
        if _target(ours) != _target(theirs):
            return f"it refers to {_target(theirs)}, in the model to {_target(ours)}"
        for option in _OPTIONS:
            real, model = getattr(theirs, option), getattr(ours, option)
            if real != model:
                word = {"ondelete": "ON DELETE", "onupdate": "ON UPDATE"}.get(option, option)
                return (
                    f"the foreign key has {word} {real or 'unset'}, in the model {model or 'unset'}"
                )
        return f"the {_told(theirs)} differs from the model's"
    if ours.name != theirs.name:
        return f"the {_told(theirs)} is called `{ours.name}` in the model"
    if _columns(ours) != _columns(theirs):
        return f"the {_told(theirs)} is over ({', '.join(_columns(ours))}) in the model"
    return f"the {_told(theirs)} has other options in the model"
