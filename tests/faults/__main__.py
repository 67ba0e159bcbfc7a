"""Run every test that proves a case, and print the table: ``python -m tests.faults [PYTEST…]``.

With ``--list`` nothing runs: the cases are listed with their tests; ``--docs`` writes the page.
"""

import sys

import pytest

from .catalogue import CASES
from .page import PAGE, page
from .proofs import proofs


class Table:
    """Gathers the outcome of each test, by case."""

    def __init__(self) -> None:
        self.cases: dict[str, tuple[int, ...]] = {}
        self.outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remember the numbers of each test."""
        for item in items:
            marks = item.iter_markers("case")
            self.cases[item.nodeid] = tuple(n for mark in marks for n in mark.args)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how each test ended."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome

    def print(self) -> None:
        """Print a line for each test of each case."""
        from .kit import OBSERVED

        for case in CASES.values():
            tests = [test for test, numbers in self.cases.items() if case.number in numbers]
            ran = {test: self.outcomes[test] for test in tests if test in self.outcomes}
            state = "-" if not ran else "ok" if set(ran.values()) == {"passed"} else "FAILED"
            print(f"{case.number:>4}  {state:6}  {case.kind}: {case.what}")
            for test in ran:
                if test in OBSERVED:
                    code, message, same = OBSERVED[test]
                    first = message.splitlines()[0] if message else ""
                    print(f"              {code:>3}  {same:9}  {first[:150]}")


def main(words: list[str]) -> int:
    """Run the tests, or list them."""
    if words == ["--list"]:
        for number, tests in proofs().items():
            print(f"{number:>4}  {CASES[number].what}", *tests, sep="\n        ")
        return 0
    if words == ["--docs"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    table = Table()
    chosen = words or sorted({test for tests in proofs().values() for test in tests})
    code = pytest.main(["-q", "-m", "case", *chosen], plugins=[table])
    table.print()
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
