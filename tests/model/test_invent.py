"""Reading checks, and making texts that match."""

import re

import pytest

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.model.catalog import Column, Table
from dbcycle_assets.model.invent.checks import ways
from dbcycle_assets.model.invent.patterns import from_glob, from_like, matches, matching

TABLE = Table(
    "t",
    "public",
    "t",
    (
        *tuple(Column(name, "text", Kind.TEXT) for name in ("a", "b", "c")),
        Column("flag", "boolean", Kind.BOOLEAN),
    ),
)

PATTERNS = [
    "^[a-z]+$",
    "^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$",
    r"^\d{3}-\d{4}$",
    "^(red|green|blue)[0-9]?$",
    "^[[:alpha:]][[:alnum:]_]*$",
    "^[^@]+@[^@]+[.][a-z]{2,}$",
    r"^\+?[1-9]\d{6,14}$",
    "(?i)^abc$",
    "^$",
]


def told(definition):
    """Return the ways of a check as sorted triples."""
    found = ways(definition, TABLE, "postgresql")
    if found is None:
        return None
    return [sorted((d.column, d.what, *d.value) for d in way) for way in found]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texts_match_their_pattern(pattern):
    """Whatever the number, the text matches; where there is room, other numbers give others."""
    made = [matching(pattern, index) for index in range(200)]
    assert all(text is not None and matches(pattern, text) for text in made)
    if pattern in PATTERNS[:3]:
        assert len(set(made)) == 200


def test_a_pattern_that_is_not_read_gives_nothing():
    """Back references and broken patterns are left alone."""
    assert matching(r"^(a)\1$", 1) is None
    assert matching("(", 1) is None
    assert not matches("(", "(")


def test_wildcards_become_patterns():
    """LIKE and GLOB say the same as before."""
    assert re.search(from_like(r"a\%_%"), "a%bc")
    assert not re.search(from_like(r"a\%_%"), "abc")
    assert re.search(from_glob("[a-c]?*"), "bx")
    assert not re.search(from_glob("[a-c]?*"), "dx")


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("c CHECK ((a > 'x'::text))", [[("a", ">", "x")]]),
        ("c CHECK (('5' >= a))", [[("a", "<=", "5")]]),
        ("c CHECK ((a = ANY (ARRAY['x'::text, 'y'::text])))", [[("a", "in", "x", "y")]]),
        ("c CHECK ((a <> ALL (ARRAY['x'::text, 'y'::text])))", [[("a", "out", "x", "y")]]),
        ("c CHECK ((NOT (a = 'x')))", [[("a", "out", "x")]]),
        ("c CHECK ((length(btrim(a)) > 0))", [[("a", "length", ">", "0")]]),
        ("c CHECK ((btrim(a) <> ''::text))", [[("a", "length", ">", "0")]]),
        ("c CHECK ((a = lower(a))) NOT VALID", [[("a", "lower")]]),
        ("c CHECK ((a < b))", [[("a", "beside", "<", "b")]]),
        ("c CHECK (flag)", [[("flag", "in", "t")]]),
        ("c CHECK ((flag IS NOT TRUE))", [[("flag", "in", "f")]]),
        ("c CHECK ((COALESCE(a, '') >= 'x'))", [[("a", ">=", "x"), ("a", "set")]]),
        (
            "c CHECK (((a IS NULL) OR (b = 'x'::text)))",
            [[("a", "null")], [("b", "in", "x")]],
        ),
        (
            "c CHECK ((num_nonnulls(a, b) = 1))",
            [[("a", "null"), ("b", "set")], [("a", "set"), ("b", "null")]],
        ),
        (
            "c CHECK ((((a)::text = 'x'::text) = (b IS NOT NULL)))",
            [[("a", "out", "x"), ("b", "null")], [("a", "in", "x"), ("b", "set")]],
        ),
        ("c CHECK ((a <= now()))", [[("a", "<=", "2025-01-01")]]),
    ],
)
def test_checks_are_read(definition, expected):
    """Each check becomes the ways in which it holds."""
    assert sorted(told(definition)) == sorted(expected)


@pytest.mark.parametrize(
    "definition",
    [
        "c CHECK ((a = reverse(a)))",
        "c CHECK ((a >= now()))",
        "c CHECK ((a !~ 'x'::text))",
        "c CHECK ((a || b) = 'x')",
        "c CHECK (((a)::integer % 2) = 0)",
        "c CHECK (a = 'x' OR",
        "no check at all",
    ],
)
def test_what_is_not_understood_is_said(definition):
    """Nothing is guessed."""
    assert told(definition) is None
