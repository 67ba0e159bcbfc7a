"""What is stale, and why."""

from dbcycle_assets.model.ledger import Node, Record, find_stale

NODES = [
    Node("dump", (), "1"),
    Node("a", ("dump",), "1"),
    Node("b", ("dump",), "1"),
    Node("end", ("a", "b"), "1"),
]


def record(asset, version="v", code="1", **inputs):
    return Record(asset, code, inputs, version, "2026-01-01T00:00:00+00:00")


def made():
    return {
        "dump": record("dump"),
        "a": record("a", dump="v"),
        "b": record("b", dump="v"),
        "end": record("end", a="v", b="v"),
    }


def stale(records, **kwargs):
    found = find_stale(NODES, records, **{"roots": {"dump": "v"}, "missing": {}, **kwargs})
    return {entry.asset: entry.direct for entry in found}


def test_nothing_changed_means_nothing_is_stale():
    """After a full run nothing is stale."""
    assert stale(made()) == {}


def test_everything_is_stale_before_the_first_run():
    """An asset that was never made is stale."""
    assert list(stale({})) == ["dump", "a", "b", "end"]


def test_a_changed_rule_reaches_only_what_lies_downstream():
    """A new code version makes one asset and its descendants stale, nothing beside them."""
    assert stale(made() | {"a": record("a", code="0", dump="v")}) == {"a": True, "end": False}


def test_a_changed_root_is_stale_itself_and_so_is_all_below():
    """New content of the dump reaches everything."""
    found = stale(made(), roots={"dump": "new"})
    assert found == {"dump": True, "a": False, "b": False, "end": False}


def test_an_input_that_changed_since_is_a_reason():
    """An asset made from an older version of its input is stale."""
    assert stale(made() | {"b": record("b", version="w", dump="v")}) == {"end": True}


def test_a_lost_artifact_is_a_reason():
    """A record without its artifact does not count as fresh."""
    assert stale(made(), missing={"b": "its file is gone"}) == {"b": True, "end": False}


def test_a_dependency_that_went_away_is_a_reason():
    """Removing an input makes the asset stale."""
    records = made() | {"a": record("a", dump="v", gone="v")}
    assert stale(records) == {"a": True, "end": False}
