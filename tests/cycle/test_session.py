"""What the stages of one run share."""

from dataclasses import replace

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.model.catalog import Catalog, Table


def test_the_catalog_is_read_once_and_again_when_any_run_replaced_it(shop):
    """Two runs know one project: what the one migrates, the other sees at once."""
    mine, other = Cycle(load_project(shop)), Cycle(load_project(shop))
    assert mine.catalog is None
    first = Catalog(engine="sqlite", tables={"a": Table("a", None, "a", ())})
    other.keep_catalog(first)
    assert mine.catalog == first
    assert mine.catalog is mine.catalog
    second = replace(first, tables={"b": Table("b", None, "b", ())})
    other.keep_catalog(second)
    assert mine.catalog == other.catalog == second
    (load_project(shop).state / "catalog.json").unlink()
    assert mine.catalog is None
