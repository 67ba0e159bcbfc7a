"""The report: one page, self-contained, without a raw value."""

import re

import pytest

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.cli.diagram import diagram
from dbcycle_assets.model.catalog import Catalog, Column, ForeignKey, Table
from dbcycle_assets.model.graph import load_order

from .conftest import SECRETS


@pytest.fixture
def page(dbcycle, shop, tmp_path):
    """Give the page of a refreshed project."""
    assert dbcycle("--project", shop, "refresh").code == 0
    done = dbcycle("--project", shop, "report", "--output", tmp_path / "page.html", "--json")
    assert done.code == 0, done.err
    assert done.json["report"] == str(tmp_path / "page.html")
    return (tmp_path / "page.html").read_text()


def test_the_page_shows_every_judgement_and_check(page):
    """Every column with its rule, every check, the counts, the load order and the diagram."""
    for expected in ("full_name", "no raw values", "no survivors", "Load order", "<svg"):
        assert expected in page


def test_the_page_needs_nothing_else_and_leaks_nothing(page):
    """It loads no script, style, font or picture, and holds no word of the production rows."""
    assert not re.search(r"<script|<link|<img|src=|@import|url\((?!#)", page)
    for secret in SECRETS:
        assert secret not in page


def _table(name: str, parent: str) -> Table:
    key = ForeignKey("key", name, ("other_id",), parent, ("id",))
    columns = (Column("id", "integer", Kind.INTEGER), Column("other_id", "integer", Kind.INTEGER))
    return Table(name, "public", name, columns, primary_key=("id",), foreign_keys=(key,))


def test_a_hostile_table_name_is_only_text_in_the_diagram():
    """Names come from databases that others made; none of them becomes markup."""
    name = '<script>alert("x")</script>'
    catalog = Catalog("postgresql", {name: _table(name, name)})
    drawn = diagram(catalog, {name: 1}, load_order(catalog))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_cycle_is_drawn_too():
    """Tables that refer to each other stand in one column, with both arrows."""
    catalog = Catalog("postgresql", {"a": _table("a", "b"), "b": _table("b", "a")})
    drawn = diagram(catalog, {}, load_order(catalog))
    assert drawn.count('class="edge"') == 2
    assert drawn == diagram(catalog, {}, load_order(catalog))
