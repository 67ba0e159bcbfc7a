"""A profile is numbers about values; two of them tell what anonymization did to a column."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbcycle_assets.anonymizers.base import Facts, Kind
from dbcycle_assets.model.catalog import Column, Table
from dbcycle_assets.model.decision import ColumnPlan
from dbcycle_assets.model.plan import TablePlan
from dbcycle_assets.model.profile import (
    ColumnProfile,
    FanOut,
    anonymity,
    compare,
    fan_out,
    fidelity,
    in_octaves,
    k_anonymity,
    percent,
    quantile,
)

BEFORE = ColumnProfile(
    rows=100, nulls=10, distinct=80, ranks=(0.1, 0.05), lengths=(0, 0, 90), longest=3
)


def after(**changes):
    """Return the profile after, equal but for some changes."""
    return ColumnProfile(**{**vars(BEFORE), **changes})


@pytest.mark.parametrize(
    ("rule", "changes", "aspects"),
    [
        ("email", {}, []),
        ("email", {"distinct": 75}, []),
        ("email", {"distinct": 60}, ["distinct"]),
        ("birth_date", {"distinct": 60}, []),
        ("email", {"nulls": 11}, ["nulls"]),
        ("email", {"rows": 99}, ["rows"]),
        ("email", {"longest": 31}, ["length"]),
        ("email", {"longest": 30}, []),
    ],
)
def test_a_shift_beyond_its_tolerance_is_told(rule, changes, aspects):
    """Rows, nulls and lengths are held exactly; the cardinality within what the rule may do."""
    found = compare("c", [rule], BEFORE, after(**changes), max_length=30)
    assert [shift.aspect for shift in found] == aspects
    assert not any(shift.meant for shift in found)


@pytest.mark.parametrize("rule", ["constant", "choice", "password_hash", "generalize"])
def test_a_rule_that_collapses_values_means_to(rule):
    """Fewer values are what these rules are for; the report says so without a warning."""
    (shift,) = compare("c", [rule], BEFORE, after(distinct=1))
    assert shift.meant


def test_nothing_but_the_null_rule_may_empty_a_column():
    """`null` means to; a constant that became null does not."""
    emptied = after(nulls=100, distinct=0)
    assert all(shift.meant for shift in compare("c", ["null"], BEFORE, emptied))
    assert any(not shift.meant for shift in compare("c", ["constant"], BEFORE, emptied))


def _plan(rule):
    column = Column("c", "text", Kind.TEXT)
    table = Table("t", "public", "t", (column,))
    return TablePlan(table, rows=True, columns=(ColumnPlan(column, rule, Facts(Kind.TEXT)),))


def test_the_check_warns_and_never_blocks():
    """Fidelity is about usefulness; safety alone stops a publication."""
    check = fidelity(_plan("email"), {"c": (BEFORE, after(distinct=1))})
    assert not check.passed
    assert not check.blocking
    assert check.facts["shifts"] == ["c: 80 → 1 distinct values"]
    assert check.facts["distinct_before"] == 80
    assert fidelity(_plan("constant"), {"c": (BEFORE, after(distinct=1))}).passed


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 50), min_size=1))
def test_octaves_lose_no_one(counts):
    """Every counted number is in one entry, and the last entry is not empty."""
    found = in_octaves(counts)
    assert sum(found) == sum(counts.values())
    assert found[-1]


@given(st.lists(st.integers(0, 99), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_number_that_is_there(numbers, share):
    """At least that share of the numbers does not exceed it, and it is the smallest such one."""
    counts = {number: numbers.count(number) for number in numbers}
    found = quantile(counts, share)
    assert found in counts
    assert sum(number <= found for number in numbers) >= share * len(numbers) - 1e-9
    assert sum(number < found for number in numbers) < share * len(numbers)


def test_profiles_survive_the_ledger():
    """What was written is what is read."""
    spread = fan_out({1: 3, 4: 2})
    assert FanOut.from_json(json.loads(json.dumps(spread.to_json()))) == spread
    assert ColumnProfile.from_json(json.loads(json.dumps(BEFORE.to_json()))) == BEFORE


def test_fan_out_counts_children_of_parents():
    """Three parents with one child and two with four: eleven children of five parents."""
    found = fan_out({1: 3, 4: 2})
    assert (found.children, found.parents, found.largest, found.p95) == (11, 5, 4, 4)
    assert found.mean == pytest.approx(2.2)
    assert found.without(10) == pytest.approx(0.5)
    assert found.without(None) is None


def test_k_anonymity_counts_the_rows_that_stand_out():
    """Classes of 1, 3 and 7 rows: with k = 5, four rows hide among too few."""
    found = anonymity("t", ("a", "b"), 5, {1: 1, 3: 1, 7: 1})
    assert (found.rows, found.classes, found.smallest, found.rows_below) == (11, 3, 1, 4)
    check = k_anonymity([found])
    assert not check.passed
    assert not check.blocking
    assert k_anonymity([anonymity("t", ("a",), 5, {})]).passed


def test_a_small_share_is_not_called_nothing():
    """One null in a million is not `0 %`, and all but one is not `100 %`."""
    assert [percent(share) for share in (0, 1e-6, 0.5, 0.9999999, 1)] == [
        "0 %",
        "<0.1 %",
        "50 %",
        ">99.9 %",
        "100 %",
    ]
