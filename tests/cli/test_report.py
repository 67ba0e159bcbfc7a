"""The report: one page, self-contained, without a raw value."""

import base64
import hashlib
import os
import re
import subprocess

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.cli.blame import judges
from dbcycle_assets.cli.diagram import diagram
from dbcycle_assets.cli.plots import bars, meter, stacked
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


def test_the_page_shows_what_became_of_the_shape(page):
    """Plots of each column before and after, the fan-out of keys, and the way of each table."""
    for expected in ("distinct", "orders.user_id", "fidelity", "extracts/users", 'class="plot"'):
        assert expected in page
    assert "No quasi-identifiers are declared" in page
    assert "not recorded" in page


def test_the_page_needs_nothing_else_and_leaks_nothing(page):
    """It loads no script, style, font or picture, and holds no word of the production rows."""
    assert not re.search(
        r"<script[^>]|<link|<img|src=|@import|url\((?!#)|https?://(?!www\.w3)", page
    )
    for secret in SECRETS:
        assert secret not in page


def test_the_page_runs_its_own_script_and_no_other(page):
    """The policy names the one inline script by its digest."""
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_the_page_names_who_judged_and_when(dbcycle, shop, tmp_path):
    """In a git work tree each judgement has the author and the day of its line."""
    assert dbcycle("--project", shop, "refresh").code == 0
    git = ["git", "-c", "user.name=Judge & Co", "-c", "user.email=judge@example.com"]
    for words in (["init", "-q"], ["add", "-f", "dbcycle.yaml"], ["commit", "-qm", "Judged"]):
        env = {**os.environ, "GIT_AUTHOR_DATE": "2026-03-04T05:06:07Z"}
        subprocess.run([*git, *words], cwd=shop, check=True, env=env)
    config = (shop / "dbcycle.yaml").read_text()
    (shop / "dbcycle.yaml").write_text(
        config.replace("full_name: full_name", "full_name: full_name  # read again")
    )
    done = dbcycle("--project", shop, "report", "--output", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text()
    assert "Judge &amp; Co, 2026-03-04" in page
    assert "not committed" in page


def test_a_machine_without_git_still_reports(monkeypatch, shop):
    """Where git is absent nobody is recorded, and nothing fails."""
    monkeypatch.setenv("PATH", "")
    assert judges(shop, load_project(shop).config) == {}


def test_a_warning_is_on_top_of_the_page(dbcycle, shop, tmp_path):
    """Rows that stand out are told in the first lines, with the check and its squares below."""
    path = shop / "dbcycle.yaml"
    declared = "  users:\n    quasi_identifiers: [[role]]\n"
    path.write_text(path.read_text().replace("  users:\n", declared))
    assert dbcycle("--project", shop, "refresh").code == 0
    done = dbcycle("--project", shop, "report", "--output", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text()
    assert "users: 2 of 2 rows hide among fewer than 5 in role" in page
    assert "k anonymity" in page


@pytest.mark.parametrize("numbers", [[], [0.0], [1], [0, 0, 3], [1e-9, 1.0]])
def test_a_plot_of_anything_is_a_plot(numbers):
    """No profile, however empty, breaks the drawing; titles are only text."""
    for drawn in (
        bars(numbers, [], "<b>"),
        meter(sum(numbers), 0, "<b>"),
        stacked([("<b>", len(numbers))]),
    ):
        assert drawn.startswith("<svg")
        assert "<b>" not in drawn
        assert "nan" not in drawn


def test_personal_columns_are_marked_in_the_diagram():
    """What is anonymized stands out in its box."""
    catalog = Catalog("sqlite", {"a": _table("a", "a")})
    drawn = diagram(catalog, {}, load_order(catalog), {"a": ["email"]})
    assert 'class="mine">● email<' in drawn


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
