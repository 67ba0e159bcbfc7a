"""Marks of whole columns are those of their values one by one, and no suspect is passed over."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbcycle_assets.anonymizers.base import Key
from dbcycle_assets.cycle import originals as files
from dbcycle_assets.cycle.originals import Spill
from dbcycle_assets.model import survivors
from dbcycle_assets.model.known import Known, Search, known_original
from dbcycle_assets.model.mark_columns import marks_of_originals
from dbcycle_assets.model.marks import leaves_of, marks_of_original
from dbcycle_assets.model.survivors import Originals

KEY = Key(b"k" * 32)
RULES = ("email", "phone", "full_name", "street_address", "code", "scrub", "username")
PIECES = st.sampled_from((
    "Mary", "SMITH", "o'neil", "Al", "42", "1234567", "+49", "(030)", "555-0199", "2024-02-29", "@",
    "a@b.c", "mary.smith@x.org", ".x@y.de.", "12-34-56-78@z.fr", "é", "tel", "-", ".", "{", "[1]", '"q"',
    "\\x41", "\t", "10:20:30", "street", "u1234567.89@m.org", "x+tag@y.org", "00", "  ",
))  # fmt: skip
TEXTS = st.builds(
    lambda parts, blank: blank.join(parts),
    st.lists(PIECES, min_size=1, max_size=6),
    st.sampled_from(("", " ", ".", "-")),
) | st.text("abZ019 .-@+()/", min_size=1, max_size=30)
MANY = st.lists(TEXTS, min_size=1, max_size=30, unique=True)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=150, deadline=None)
@given(values=MANY)
def test_the_marks_of_a_column_are_those_of_its_values(rule, values):
    """What is read at once gives the same marks, and the same number of values without one."""
    found, read, markless = marks_of_originals(pl.Series(values), rule)
    expected, without = set(), 0
    for value, known in zip(values, read, strict=True):
        marks = marks_of_original(value, rule) if known else set()
        without += known and not marks
        expected |= marks
        expected |= {"f" + mark[1:].split(" ", 1)[0] for mark in marks if mark[0] == "w"}
    assert {kind + text for kind, texts in found for text in texts} == expected
    assert markless == without


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=100, deadline=None)
@given(values=MANY)
def test_digests_do_not_depend_on_how_they_were_made(rule, values):
    """A column at once and value by value leave the same digests and the same counts."""
    together, single = Originals(KEY), Originals(KEY)
    together.add_many(pl.Series(values), rule)
    for value in values:
        for leaf in leaves_of(value):
            single.add(leaf, rule)
    assert together.digests.tolist() == single.digests.tolist()
    assert (together.values, together.unsearchable) == (single.values, single.unsearchable)
    assert together.kinds == single.kinds


@settings(max_examples=200, deadline=None)
@given(values=MANY, originals=MANY, rule=st.sampled_from(RULES))
def test_a_text_that_holds_an_original_is_always_suspect(values, originals, rule):
    """Texts that are passed over hold nothing: the search one by one finds nothing in them."""
    known = Originals(KEY)
    known.add_many(pl.Series(originals), rule)
    search = Search(KEY, {("people", "column"): known.digests}, known.kinds)
    texts = [*values, *originals]
    suspects = search.suspects(pl.Series(texts))
    passed = [text for text, suspect in zip(texts, suspects, strict=True) if not suspect]
    assert [text for text in passed if search.hits(text)] == []


def test_a_name_inside_a_document_is_an_original():
    """A column of texts may hold documents: whoever is named in one is found elsewhere."""
    known = Originals(KEY)
    known.add_many(pl.Series(['{"name": "Ada Lovelace"}', "Grace Hopper"]), "full_name")
    search = Search(KEY, {("people", "name"): known.digests}, known.kinds)
    assert search.suspects(pl.Series(["met ada lovelace", "met grace hopper"])).all()
    assert search.hits("met Ada Lovelace")


def test_most_texts_are_no_suspects():
    """The search at once is worth its name."""
    known = Originals(KEY)
    known.add_many(pl.Series(["mary@x.org", "ada@y.org"]), "email")
    search = Search(KEY, {("people", "email"): known.digests}, known.kinds)
    fakes = pl.Series([f"name{number}@example.com" for number in range(1000)])
    assert not search.suspects(fakes).any()
    assert search.suspects(pl.Series(["MARY@x.org"])).all()


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), unique=True), st.lists(st.integers(0, 2**64 - 1)))
def test_numbers_are_known_exactly(inside, others):
    """The short look at a bit never adds a number, and never loses one."""
    numbers = pl.Series(sorted(inside), dtype=pl.UInt64).to_numpy()
    known = Known([numbers[:0], numbers])
    asked = pl.Series([*inside, *others], dtype=pl.UInt64).to_numpy()
    assert known.among(asked).tolist() == [number in set(inside) for number in asked.tolist()]
    assert all(known.owner(number) == 1 for number in inside)
    assert len(known) == len(inside)


def test_an_original_is_told_from_a_stranger():
    """The digests of a column answer whether a value was one of its originals."""
    known = Originals(KEY)
    known.add_many(pl.Series(["+49 30 1234567"]), "phone")
    assert known_original(KEY, known.digests, "0049 30 1234567", "phone") is False
    assert known_original(KEY, known.digests, "+49 (30) 123-4567", "phone")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=40), max_size=8))
def test_digests_in_runs_are_those_in_memory(batches):
    """However they are put away, all are there, in order and once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survivors, "PENDING", 16)
        spilled = Originals(KEY, Spill())
        for batch in batches:
            spilled.take(pl.Series(batch, dtype=pl.UInt64).to_numpy(), "w")
        parts = [part.tolist() for part in spilled.parts()]
    assert [number for part in parts for number in part] == sorted({n for b in batches for n in b})


def test_digests_on_disk_are_read_back(tmp_path, monkeypatch):
    """Few or many, plain or kept: what was written enciphered is read, and nothing in its place."""
    monkeypatch.setattr(files, "_AT_ONCE", 8)
    monkeypatch.setattr(survivors, "PENDING", 8)
    many, few, none = (Originals(KEY, Spill()) for _ in range(3))
    many.add_many(pl.Series([f"person{n}@x.org" for n in range(100)]), "email")
    few.add("Ada Lovelace", "full_name")
    few.keep("Grace Hopper")
    columns = {"many": many, "few": few, "none": none}
    files.keep(tmp_path, "t", columns, KEY)
    found = files.read(tmp_path, "t", KEY)
    for name, originals in columns.items():
        assert found[name].digests.tolist() == originals.digests.tolist()
        assert found[name].excused == originals.kept
    path = files.path_of(tmp_path, "t")
    whole = path.read_bytes()
    assert many.digests.astype(">u8").tobytes()[:64] not in whole
    path.write_bytes(whole[:-3])
    assert files.read(tmp_path, "t", KEY) is None
