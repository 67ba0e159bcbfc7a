"""Originals are found wherever they hide, and nothing else is."""

import pytest

from dbcycle_assets.anonymizers.base import Key
from dbcycle_assets.model.known import Search
from dbcycle_assets.model.marks import leaves_of
from dbcycle_assets.model.survivors import Originals

KEY = Key(b"k" * 32)


def search(**rules):
    """Make a search from rule name → originals; each rule is a column of ``people``."""
    known = {}
    for rule, values in rules.items():
        originals = Originals(KEY)
        for value in values:
            originals.add(value, rule)
        known[("people", rule)] = originals.digests
    return Search(KEY, known)


@pytest.mark.parametrize(
    "text",
    [
        "Ada",
        "ADA called",
        "seen with ada, twice",
        '{"who":"Ada"}',
        "mail ada@lovelace.org now",
        "mail ADA@LOVELACE.ORG.",
        "call +44 (20) 7946-0958 today",
        "442079460958",
        "The Countess of Lovelace",
    ],
)
def test_an_original_is_found_in_any_dress(text):
    """Case, punctuation, prose and JSON do not hide an original."""
    found = search(
        first_name=["Ada"],
        email=["ada@lovelace.org"],
        phone=["+44 20 7946 0958"],
        full_name=["Countess of Lovelace"],
    )
    assert found.hits(text)


@pytest.mark.parametrize("text", ["Adam", "Canada", "adamant", "20 7946", "lovelace"])
def test_a_part_of_a_word_is_no_survivor(text):
    """Only whole words, numbers and phrases count."""
    found = search(first_name=["Ada"], phone=["+44 20 7946 0958"], full_name=["Countess Lovelace"])
    assert not found.hits(text)


def test_words_that_the_mask_always_emits_are_left_out():
    """A fixed word of the mask's own is no survivor in its column, and one elsewhere."""
    found = search(last_name=["Street"])
    assert not found.hits("12 Marbert Street", frozenset({"street"}))
    assert found.hits("12 Marbert Street")


def test_a_date_in_prose_is_not_taken_for_a_phone_number():
    """Dates have digits enough to look like one."""
    assert not search(free_text=["paid on 2024-05-06 in full"]).hits("due 2024-05-06")


def test_the_leaves_of_json_are_texts():
    """Strings and numbers at any depth are searched, with escapes undone."""
    assert leaves_of('{"a": ["x\\u0079", {"b": 12}], "c": null}') == ["xy", "12"]


def test_hidden_text_in_binary_is_read():
    """Bytes are searched as the text they may hold."""
    assert leaves_of("\\x" + b"ada@lovelace.org".hex()) == ["ada@lovelace.org"]
