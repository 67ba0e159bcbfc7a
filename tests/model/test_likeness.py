"""Differences between models and a schema, as values."""

import pytest

from dbcycle_assets.model.likeness import (
    Mismatch,
    check_differences,
    label_difference,
    renamed,
    spelled,
)
from dbcycle_assets.model.listed import listed_labels, lists_booleans


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'UTC'::character varying", "'UTC'"),
        ("'{}'::text[]", "'{}'"),
        ("(now())", "NOW()"),
        ("'0'", "0"),
        ("(status)::text <> 'It''s'::text", "status <> 'It''s'"),
        ("1.5::numeric(12, 2)", "1.5"),
    ],
)
def test_what_the_database_adds_does_not_count(one, other):
    """Casts, brackets, spaces and capitals outside of quotes."""
    assert spelled(one) == spelled(other)


def test_what_is_within_quotes_counts():
    """A literal is compared as it stands."""
    assert spelled("'A b'") != spelled("'a b'")
    assert spelled("'::text'") != spelled("''")


def test_labels():
    """What is missing, what is more, or the order."""
    assert label_difference(["a", "b"], ["a", "b"]) == ""
    assert label_difference(["a"], ["a", "b"]) == "lacks `b`"
    assert label_difference(["a", "c"], ["a", "b"]) == (
        "lacks `b` and has `c`, which the schema lacks"
    )
    assert label_difference(["b", "a"], ["a", "b"]).startswith("has another order")


def test_a_renamed_table_is_told_by_its_columns():
    """Each mapped table is the guess for one; too few columns in common are none."""
    modelled = {"orders": ["id", "note", "total"], "other": ["x"]}
    existing = {"purchases": ["id", "note", "total"], "purchases_2": ["id", "note", "total"]}
    assert renamed(modelled, existing) == {"purchases": "orders"}
    assert renamed({"a": []}, {"b": []}) == {}


def test_checks_are_known_by_name_or_text():
    """Names decide; without one the text does."""
    same = check_differences("t", "T", {"0": "total >= 0"}, {"positive": "(total >= 0)"})
    assert same == []
    found = check_differences("t", "T", {"0": "a > 1", "named": "b"}, {"other": "c"})
    assert [each.what for each in found] == [
        "the model lacks the check `other`",
        "the schema lacks the check (a > 1)",
        "the schema lacks the check `named`",
    ]


def test_a_finding_is_one_sentence():
    """What it is about, in the schema and in the model, then what to do."""
    told = str(Mismatch("users", "name", "type", "it differs", "correct it", "User.name"))
    assert told == "users.name (User.name): it differs → correct it"
    assert str(Mismatch("", "", "nothing", "no table", "look")) == "models: no table → look"


@pytest.mark.parametrize(
    "expression",
    [
        "status IN ('new', 'it''s')",
        "(\"status\" in ('new', 'it''s'))",
        "status = ANY (ARRAY['new'::text, 'it''s'::text])",
        "status::text = ANY (ARRAY['new'::character varying, 'it''s'::character varying]::text[])",
    ],
)
def test_a_check_that_lists_values_is_an_enum(expression):
    """As it was written, and as PostgreSQL prints it."""
    assert listed_labels(expression) == ("status", ("new", "it's"))


@pytest.mark.parametrize(
    "expression",
    ["status IN ('new', other)", "status <> 'new'", "status IN (1, 2)", "a IN ('x') OR b IN ('y')"],
)
def test_other_checks_are_none(expression):
    """Whatever else stands in it, it is no plain list."""
    assert listed_labels(expression) is None
    assert lists_booleans(expression) is None


def test_zero_and_one_are_a_boolean():
    """In either order."""
    assert lists_booleans('"active" IN (0, 1)') == "active"
    assert lists_booleans("active IN (1, 0)") == "active"
