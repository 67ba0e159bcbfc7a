"""The order in which tables load."""

import hypothesis
from hypothesis import strategies

from dbcycle_assets.model.catalog import Catalog, ForeignKey, Table
from dbcycle_assets.model.graph import load_order, roots_of_columns


def catalog(*edges):
    """Make a catalog from (child, parent) pairs; each child refers by its column ``x``."""
    names = sorted({name for edge in edges for name in edge})
    tables = {}
    for name in names:
        keys = tuple(
            ForeignKey(f"{child}_{parent}", child, (f"{parent}_id",), parent, ("id",))
            for child, parent in edges
            if child == name
        )
        tables[name] = Table(name, "public", name, (), ("id",), foreign_keys=keys)
    return Catalog("postgresql", tables)


def test_parents_come_before_children():
    """A table loads after every table it refers to."""
    order = load_order(catalog(("b", "a"), ("c", "b"), ("c", "a")))
    assert order == (("a",), ("b",), ("c",))


def test_a_cycle_is_one_group():
    """Tables that refer to each other load together."""
    assert load_order(catalog(("a", "b"), ("b", "a"), ("c", "a"))) == (("a", "b"), ("c",))


def test_a_self_reference_is_no_cycle():
    """A table that refers to itself is an ordinary table."""
    assert load_order(catalog(("a", "a"), ("b", "a"))) == (("a",), ("b",))


@hypothesis.given(
    strategies.lists(
        strategies.tuples(strategies.sampled_from("abcdef"), strategies.sampled_from("abcdef"))
    )
)
def test_every_reference_points_to_the_same_group_or_an_earlier_one(edges):
    """Whatever the references, no table loads before its parent's group."""
    order = load_order(catalog(*dict.fromkeys(edges)))
    place = {name: index for index, group in enumerate(order) for name in group}
    assert all(place[parent] <= place[child] for child, parent in edges)


def test_a_column_follows_its_references_to_the_end():
    """A reference to a reference leads to the first column."""
    keys = [
        ForeignKey("b", "b", ("a_id",), "a", ("id",)),
        ForeignKey("c", "c", ("b_id",), "b", ("a_id",)),
    ]
    assert roots_of_columns(keys) == {("b", "a_id"): ("a", "id"), ("c", "b_id"): ("a", "id")}
