"""Copy text goes through columns and comes out byte for byte."""

import hypothesis
import pytest
from hypothesis import strategies

from dbcycle_assets.cycle import blocks

VALUES = strategies.none() | strategies.text(
    strategies.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
)


def copy_text(rows):
    lines = ("\t".join("\\N" if v is None else blocks.escape(v) for v in row) for row in rows)
    return "".join(line + "\n" for line in lines).encode()


@hypothesis.given(
    strategies.integers(1, 4).flatmap(
        lambda width: strategies.lists(
            strategies.lists(VALUES, min_size=width, max_size=width), min_size=1
        )
    )
)
def test_what_is_parsed_is_rendered_as_it_was(rows):
    """Any value, null, empty, quote or byte order mark, survives the trip."""
    text = copy_text(rows)
    frame = blocks.parse(text, len(rows[0]))
    assert blocks.render(frame) == text


@hypothesis.given(strategies.lists(VALUES, min_size=1))
def test_a_rewrite_reaches_every_value_and_no_null(values):
    """A change is applied to values and never to null."""
    frame = blocks.parse(copy_text([[v, "x"] for v in values]), 2)
    changed = blocks.rewrite(frame.to_series(0), lambda value, _beside: value + "!")
    assert [None if v is None else blocks.unescape(v) for v in changed] == [
        None if v is None else v + "!" for v in values
    ]


@pytest.mark.parametrize("value", ["|", "`code`", "<script>", "[a](b)", "a\nb"])
def test_a_preview_is_harmless(value):
    """Markup in a value is text in a preview."""
    frame = blocks.parse(copy_text([[value, "x"]]), 2)
    text = blocks.preview(frame, ["a", "b"], 5)
    assert "<script>" not in text
    assert text.count("\n") == 2
