"""What the search leaves out for speed is what it would have left out one by one."""

import re
import unicodedata

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.cycle import blocks
from dbcycle_assets.cycle.search import WORDLESS, _may_be_wordful, _wordless
from dbcycle_assets.model.marks import contacts, leaves_of, words

AWKWARD = st.sampled_from((
    "2024-01-01T00:00:00Z", "1e5", "-Infinity", "NaN", "123456789", "١٢٣٤٥٦٧٨٩", "²²²²²²²²²", "[1]",
    '["123456789012"]', "\\x4142", '{"a": 1}', "Ada 2024", "T E Z", "é", "12 34 56 78 90 1", "t",
))  # fmt: skip
TEXT = AWKWARD | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(TEXT, st.sampled_from(sorted(WORDLESS)))
def test_a_block_is_skipped_only_where_every_value_would_be(text, kind):
    """The test over a whole column never passes over a value that has to be searched."""
    column = pl.Series([blocks.escape(text)])
    if not _may_be_wordful(column, kind).item():
        assert all(_wordless(kind, leaf) is not None for leaf in leaves_of(text))


def test_most_values_of_a_wordless_kind_are_skipped_at_once():
    """Dates, numbers and truths need no look at each of them."""
    values = ["2024-01-01", "2024-01-01 10:11:12.5", "12.50", "1e5", "-7", "12:00", "1"]
    assert not _may_be_wordful(pl.Series(values), Kind.NUMERIC).any()


@given(TEXT)
def test_words_of_plain_text_are_the_words_of_any_text(text):
    """The short way for ASCII finds what the long way finds."""
    long = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    assert words(text) == long


@given(st.text("0123456789 ()+-./x@é", max_size=40))
def test_no_phone_number_is_passed_over(text):
    """Texts of fewer digits than a number needs are left out, and no others."""
    phone = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().\-/]{5,20}\d(?![\w])")
    free = re.sub(r"\d{4}-\d{2}-\d{2}", " ", text)
    found = ["".join(filter(str.isdigit, match)) for match in phone.findall(free)]
    marks = {"#" + digits for digits in found if 7 <= len(digits) <= 15}
    assert {mark for mark in contacts(text) if mark[0] == "#"} == marks
