"""Many rows at once become, and are read as, what single rows are."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbcycle_assets.databases.sqlite.batches import block_of, rows_in
from dbcycle_assets.databases.sqlite.values import MARK, Undecodable, line_of, rows_of

KINDS = ("TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from((
    "12", "-0", "007", "1.50", "1e5", "Infinity", "-Infinity", "NaN", "\\x41", "\\x", "\\xzz", "\\N", "", "\\",
    f"{MARK}#1", f"{MARK}", "a\tb", "a\nb", "a\rb", "\ufeffx", "2020-01-01 10:00:00", "9223372036854775808", '"q"',
))  # fmt: skip
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
VALUES = TEXTS | NUMBERS | st.binary(max_size=6) | st.builds(Undecodable, st.just(b"\xff\xfe"))
COLUMNS = st.sampled_from(
    (TEXTS, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), VALUES)
)


@st.composite
def tables(draw):
    """Draw kinds of columns and rows: columns of one type, or of any."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4))
    made = [st.none() | draw(COLUMNS) for _ in kinds]
    return kinds, draw(st.lists(st.tuples(*made), min_size=1, max_size=12))


@settings(max_examples=300, deadline=None)
@given(tables())
def test_a_block_is_the_lines_of_its_rows(table):
    """The text of many rows is that of each of them, a line each."""
    kinds, rows = table
    expected = "".join(line_of(row, kinds) + "\n" for row in rows)
    assert block_of(rows, kinds) == expected.encode()


@settings(max_examples=300, deadline=None)
@given(tables())
def test_a_block_is_read_as_its_lines_are(table):
    """The values of a block are those of each line, of the same type."""
    kinds, rows = table
    block = "".join(line_of(row, kinds) + "\n" for row in rows).encode()
    single = [tuple(row) for row in rows_of([block], kinds, "t")]
    found, plain = rows_in(block, kinds)
    assert list(map(typed, found)) == list(map(typed, single))
    assert plain == (not any(isinstance(value, Undecodable) for row in single for value in row))


def typed(row):
    """Return the values of a row with their types, which equality does not tell."""
    return [(type(value), value) for value in row]


def test_a_line_with_a_mark_that_nobody_writes_is_refused():
    """What cannot be read is no value."""
    with pytest.raises((ValueError, pl.exceptions.PolarsError)):
        rows_in(f"{MARK}!x\n".encode(), ["TEXT"])
