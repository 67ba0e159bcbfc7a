"""The subset is decided before any row is read: which tables lose rows, and what reaches what."""

import pytest

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.config.model import Config
from dbcycle_assets.model.catalog import Catalog, Column, ForeignKey, Table
from dbcycle_assets.model.subset import make_program


def catalog(**tables):
    """Return a catalog of tables, each with the tables that it refers to by ``‹name›_id``."""
    made = {}
    for name, parents in tables.items():
        columns = [Column("id", "integer", Kind.INTEGER, nullable=False)]
        columns += [Column(f"{parent}_id", "integer", Kind.INTEGER) for parent in parents]
        columns.append(Column("kind", "text", Kind.TEXT))
        keys = tuple(
            ForeignKey(f"{name}_{parent}", name, (f"{parent}_id",), parent, ("id",))
            for parent in parents
            if parent in tables
        )
        made[name] = Table(name, "", name, tuple(columns), ("id",), foreign_keys=keys)
    return Catalog("sqlite", made)


SHOP = catalog(
    countries=[], users=["countries", "users"], orders=["users"], items=["orders", "products"],
    products=["categories"], categories=["categories"], logs=[],
)  # fmt: skip


def program(samples, known=SHOP, tables=None, **subset):
    """Return the program for samples by table."""
    settings = {name: {"sample": sample} for name, sample in samples.items()} | (tables or {})
    config = {"name": "s", "source": {"dump": "x"}, "tables": settings, "subset": subset}
    return make_program(Config.model_validate(config), known)


def modes(decided):
    """Return the tables of each mode but those that are whole."""
    found = {name: choice.mode for name, choice in decided.choices.items()}
    return {name: mode for name, mode in found.items() if mode != "whole"}


def test_tables_without_a_sample_are_whole():
    """And so what they refer to is all brought back, which the sizes will tell."""
    decided = program({"users": {"fraction": 0.1}})
    assert modes(decided) == {"users": "root"}
    assert {link.words for link in decided.links} == {
        "parent by orders.users_id",
        "parent by users.users_id",
    }


def test_children_reach_everything_below_or_the_tables_of_the_list():
    """At any depth; a list stops where it ends."""
    deep = program({"users": {"rows": 5, "children": True}})
    assert modes(deep) == {"users": "root", "orders": "below", "items": "below"}
    assert modes(program({"users": {"rows": 5, "children": ["orders"]}})) == {
        "users": "root",
        "orders": "below",
    }


def test_two_that_are_each_others_children_both_begin():
    """Otherwise neither would choose a row."""
    known = catalog(teams=["people"], people=["teams"])
    sample = {"rows": 2, "children": True}
    assert modes(program({"teams": sample, "people": sample}, known)) == {
        "teams": "root",
        "people": "root",
    }
    assert modes(program({"teams": sample}, known)) == {"teams": "root", "people": "below"}


def test_a_sample_reaches_what_it_decides_about_and_nothing_else():
    """The version of a table changes exactly when what decides about its rows does."""
    few = program({"users": {"rows": 5, "children": True}, "logs": {"rows": 1}})
    many = program({"users": {"rows": 6, "children": True}, "logs": {"rows": 1}})
    changed = {name for name in SHOP.tables if few.version(name) != many.version(name)}
    assert changed == {"users", "orders", "items"}
    assert few.influences("items") == {"users", "orders", "items"}
    assert few.influences("users") == {"users", "orders", "items"}
    assert few.influences("products") == {"products"}
    partial = program({"users": {"rows": 5, "children": True}, "categories": {"where": "id = 1"}})
    assert partial.influences("categories") == {"categories", "products"}


def test_the_key_counts_only_where_it_decides():
    """A predicate is the same under every key."""
    decided = program({"users": {"where": "id = 1", "children": True}, "logs": {"rows": 1}})
    assert [name for name in SHOP.tables if decided.keyed(name)] == ["logs"]
    assert not decided.looks_around("users")
    asks = program({"users": {"where": "id IN (SELECT users_id FROM orders)", "children": True}})
    assert asks.looks_around("items")
    assert not asks.looks_around("logs")


def test_a_sample_of_all_is_for_those_without_one():
    """Below a sample with children, and where a table has its own, it says nothing."""
    decided = program(
        {"users": {"where": "id = 1", "children": True}, "logs": {"rows": 2}}, sample={"rows": 9}
    )
    rows = {name: choice.sample and choice.sample.rows for name, choice in decided.choices.items()}
    assert rows == {
        "categories": 9, "countries": 9, "items": None, "logs": 2, "orders": None, "products": 9,
        "users": None,
    }  # fmt: skip


def test_tenants_begin_wherever_the_column_is_and_at_their_own_table():
    """What hangs below them comes as children; the rest stays whole."""
    known = catalog(
        tenants=[], users=["tenants"], notes=["users"], orders=["tenants", "users"], kinds=[]
    )
    decided = program({}, known, tenants={"column": "tenants_id", "values": [1]})
    assert modes(decided) == {
        "tenants": "root",
        "users": "root",
        "orders": "root",
        "notes": "below",
    }
    assert {n: c.tenant for n, c in decided.choices.items() if c.tenant} == {
        "tenants": "id",
        "users": "tenants_id",
        "orders": "tenants_id",
    }


def test_structure_only_tables_have_no_part():
    """No row of them leaves, so no row of them brings another; a sample there is a mistake."""
    only = {"extract": "none"}
    decided = program({"users": {"rows": 1, "children": True}}, tables={"items": only})
    assert "items" not in decided.choices
    (finding,) = program({}, tables={"logs": {**only, "sample": {"rows": 1}}}).findings
    assert finding == "tables.logs.sample: the table is structure only (`extract: none`)"


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ({"users": {"rows": 1, "children": ["items"]}}, "items refers neither to users nor"),
        ({"users": {"rows": 1, "children": ["odrers"]}}, "`odrers` is no table with rows"),
        (
            {
                "products": {"rows": 1, "children": True},
                "items": {"rows": 1, "children": ["users"]},
            },
            "users refers neither to items",
        ),
    ],
)
def test_children_that_are_none_are_findings(samples, told):
    """A list names what it cannot bring."""
    assert any(told in finding for finding in program(samples).findings)


def test_a_number_of_rows_in_a_circle_of_children_is_a_finding():
    """Which of them came first is nothing that a config could mean."""
    known = catalog(roots=[], people=["roots", "people"])
    samples = {"roots": {"rows": 1, "children": True}, "people": {"rows": 3}}
    (finding,) = program(samples, known).findings
    assert finding.startswith("tables.people.sample.rows:")
    samples["people"] = {"fraction": 0.5}
    assert program(samples, known).findings == ()
