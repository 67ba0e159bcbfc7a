"""Whatever others wrote, our readers say what is wrong with it: no traceback, no hang, no litter.

``python -m tests.fidelity --only parsers --examples N`` draws new inputs. What it finds goes to
``corpus/<target>/``, which is replayed here.
"""

import tracemalloc

import pytest
from hypothesis import given

from .parsers import CORPUS, TARGETS, hold
from .trips import same_few

REPLAYED = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*"))
MOST = 300 << 20
"""Bytes that a reader may take for an input of the corpus, all of which are small."""


@pytest.mark.parametrize("name", REPLAYED)
def test_what_was_found_once_is_read_as_it_should_be(name):
    """Every kept input, in bounded time and memory."""
    tracemalloc.start()
    try:
        hold(name.split("/")[0], (CORPUS / name).read_bytes())
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name):
    """The same few inputs every time."""

    @same_few(40)
    @given(TARGETS[name].inputs)
    def every(content):
        hold(name, content)

    every()
