"""Relationships on both sides of every foreign key, with readable names."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlacodegen.models import Model, ModelClass
from sqlacodegen.utils import get_constraint_sort_key, render_callable
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from . import names

ON_DELETE = {
    "CASCADE": {"cascade": "'all, delete'", "passive_deletes": "True"},
    "SET NULL": {"passive_deletes": "True"},
    "SET DEFAULT": {"passive_deletes": "True"},
}
"""What the database does when a parent goes is left to it; by default it refuses."""

REFUSED = {"passive_deletes": "'all'"}


@dataclass(eq=False)
class Relation:
    """One side of a relationship; ``many`` if it leads to a list."""

    source: ModelClass
    target: ModelClass
    many: bool
    optional: bool = False
    name: str = ""
    reverse: "Relation | None" = None
    kwargs: dict[str, str] = field(default_factory=dict)

    def render(self) -> str:
        """Return the attribute's declaration."""
        inner = self.target.name
        if self.many:
            annotation = f'list["{inner}"]'
        else:
            annotation = f'"{inner} | None"' if self.optional else f'"{inner}"'
        kwargs = dict(self.kwargs)
        if self.reverse is not None:
            kwargs["back_populates"] = repr(self.reverse.name)
        kwargs["lazy"] = "'raise'"
        return (
            f"{self.name}: Mapped[{annotation}] = {render_callable('relationship', kwargs=kwargs)}"
        )


@dataclass(eq=False)
class _Key:
    """A foreign key between two classes, with the relationships on its two sides."""

    constraint: ForeignKeyConstraint
    child: ModelClass
    parent: ModelClass
    up: Relation
    down: Relation

    @property
    def columns(self) -> list[str]:
        return list(self.constraint.column_keys)

    @property
    def own(self) -> bool:
        """Whether a table refers to itself."""
        return self.child is self.parent


def relations(
    models: Mapping[str, Model], taken: Collection[str], cycles: Sequence[set[str]]
) -> dict[str, list[Relation]]:
    """Return the relationships of each table's class, the references upwards first."""
    found: dict[str, list[Relation]] = {key: [] for key in models}
    used = {
        key: {attribute.name for attribute in model.columns}
        for key, model in models.items()
        if isinstance(model, ModelClass)
    }
    keys = [key for model in models.values() for key in _keys(model, models)]
    for key in keys:
        _settle(key, [other for other in keys if _between(other, key.child, key.parent)], cycles)
        _add(key.up, _up_name(key), found, used, taken)
    for key in keys:
        among = [k for k in keys if k.child is key.child and k.parent is key.parent]
        _add(key.down, _down_name(key, alone=len(among) == 1), found, used, taken)
    links = [(model, list(_through(model, models))) for model in models.values()]
    for model, sides in links:
        for one, name in sides:
            twins = [w for _, w in links if any(_alike(one, other) for other, _ in w)]
            named = f"{name}_via_{model.table.name}" if len(twins) > 1 else name
            _add(one, named, found, used, taken)
    for key in keys:
        _overlaps(key, keys)
    return found


def _keys(model: Model, models: Mapping[str, Model]) -> Iterable[_Key]:
    if not isinstance(model, ModelClass):
        return
    for constraint in sorted(model.table.foreign_key_constraints, key=get_constraint_sort_key):
        parent = models.get(constraint.referred_table.key)
        if not isinstance(parent, ModelClass):
            continue
        optional = any(column.nullable for column in constraint.columns)
        up = Relation(model, parent, many=False, optional=optional)
        down = Relation(parent, model, many=not _single(constraint), optional=True, reverse=up)
        up.reverse = down
        yield _Key(constraint, model, parent, up, down)


def _single(constraint: ForeignKeyConstraint) -> bool:
    """Tell whether a parent has at most one child."""
    columns, table = set(constraint.column_keys), constraint.table
    unique = [
        {column.name for column in each.columns}
        for each in table.constraints
        if isinstance(each, PrimaryKeyConstraint | UniqueConstraint)
    ]
    unique += [
        {column.name for column in index.columns}
        for index in table.indexes
        if index.unique
        and len(index.expressions) == len(index.columns)
        and not any(
            str(name).endswith("_where") and value is not None
            for name, value in index.dialect_kwargs.items()
        )
    ]
    return any(each and each <= columns for each in unique)


def _between(key: _Key, one: ModelClass, other: ModelClass) -> bool:
    return {key.child.table, key.parent.table} == {one.table, other.table}


def _settle(key: _Key, between: Sequence[_Key], cycles: Sequence[set[str]]) -> None:
    """Decide the options of both sides."""
    child, constraint = key.child, key.constraint
    attributes = [child.get_column_attribute(name).name for name in key.columns]
    if len(between) > 1:
        qualified = [f"{child.name}.{name}" for name in attributes]
        key.up.kwargs["foreign_keys"] = f"[{', '.join(attributes)}]"
        key.down.kwargs["foreign_keys"] = repr(f"[{', '.join(qualified)}]")
    if key.own:
        remote = [child.get_column_attribute(each.column.name).name for each in constraint.elements]
        key.up.kwargs["remote_side"] = f"[{', '.join(remote)}]"
    if key.up.optional and any(
        {child.table.key, key.parent.table.key} <= group for group in cycles
    ):
        key.up.kwargs["post_update"] = "True"
    key.down.kwargs |= ON_DELETE.get((constraint.ondelete or "").upper(), REFUSED)


def _overlaps(key: _Key, keys: Sequence[_Key]) -> None:
    """Say which relationships write the same columns, as keys that share some always do."""
    others = [
        other
        for other in keys
        if other is not key and other.child is key.child and set(other.columns) & set(key.columns)
    ]
    if others:
        found = sorted({side.name for other in others for side in (other.up, other.down)})
        key.up.kwargs["overlaps"] = key.down.kwargs["overlaps"] = repr(",".join(found))


def _add(
    relation: Relation,
    name: str,
    found: dict[str, list[Relation]],
    used: dict[str, set[str]],
    taken: Collection[str],
) -> None:
    place = relation.source.table.key
    relation.name = names.free(name, taken, used[place])
    used[place].add(relation.name)
    found[place].append(relation)


def _up_name(key: _Key) -> str:
    """Return the name of a reference: ``teacher`` for ``teacher_id``."""
    parent = names.singular(key.parent.table.name)
    shared = {
        name
        for other in key.child.table.foreign_key_constraints
        if other is not key.constraint
        for name in other.column_keys
    }
    telling = [name for name in key.columns if name not in shared] or key.columns
    if len(telling) > 1:
        return parent
    if (stem := names.without_id(telling[0])) is not None:
        return stem
    if telling[0] == "id":
        return parent
    return f"{telling[0]}_ref" if telling[0] == parent else f"{telling[0]}_{parent}"


def _down_name(key: _Key, *, alone: bool) -> str:
    """Return the name of the other side: the children, by what they take the parent for."""
    table = key.child.table.name
    children = names.plural(table) if key.down.many else names.singular(table)
    if key.own:
        return "children" if key.up.name == "parent" else f"{children}_as_{key.up.name}"
    return children if alone else f"{children}_as_{key.up.name}"


def _through(model: Model, models: Mapping[str, Model]) -> Iterable[tuple[Relation, str]]:
    """Yield both sides of a many-to-many relationship, each with its name."""
    if isinstance(model, ModelClass) or not model.table.primary_key.columns:
        return
    keys = sorted(model.table.foreign_key_constraints, key=get_constraint_sort_key)
    ends = [models.get(key.referred_table.key) for key in keys]
    one, other = ends
    if not isinstance(one, ModelClass) or not isinstance(other, ModelClass):
        return
    there = Relation(one, other, many=True)
    back = Relation(other, one, many=True, reverse=there)
    there.reverse = back
    for side in (there, back):
        side.kwargs["secondary"] = repr(model.table.fullname)
    if one is other:
        for side, near, far in ((there, keys[0], keys[1]), (back, keys[1], keys[0])):
            side.kwargs["primaryjoin"] = repr(_join(one, near, model))
            side.kwargs["secondaryjoin"] = repr(_join(one, far, model))
    yield there, _far_name(keys[1], one is other, other.table)
    yield back, _far_name(keys[0], one is other, one.table)


def _alike(one: Relation, other: Relation) -> bool:
    return one.source is other.source and one.target is other.target


def _far_name(key: ForeignKeyConstraint, own: bool, target: Table) -> str:  # noqa: FBT001
    if not own:
        return names.plural(target.name)
    column = key.column_keys[0]
    return names.plural(names.without_id(column) or column)


def _join(model: ModelClass, key: ForeignKeyConstraint, through: Model) -> str:
    pairs = [
        f"{model.name}.{model.get_column_attribute(each.column.name).name}"
        f" == {through.name}.c.{each.parent.name}"
        for each in key.elements
    ]
    return pairs[0] if len(pairs) == 1 else f"and_({', '.join(pairs)})"
