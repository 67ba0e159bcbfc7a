"""Every case of the catalogue has a test, and the page about them says what they say."""

from .catalogue import CASES
from .page import PAGE, page
from .proofs import proofs


def test_every_number_has_a_test():
    """A case that nobody tests is not proven."""
    assert sorted(CASES) == list(range(1, 129))
    assert [number for number in CASES if number not in proofs()] == []


def test_no_test_names_a_case_that_is_not_there():
    """A number beyond the catalogue is a slip of the pen."""
    assert [number for number in proofs() if number not in CASES] == []


def test_the_page_is_fresh():
    """`python -m tests.faults --docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()
