"""Which test proves which case, read from the marks in the tests' own text."""

import ast
import functools
from pathlib import Path

TESTS = Path(__file__).parents[1]


@functools.cache
def proofs() -> dict[int, list[str]]:
    """Return the tests of each number, as pytest names them."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "case(" in text else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{path.relative_to(TESTS.parent)}::{node.name}"
                for number in _numbers(node.decorator_list):
                    if name not in found.setdefault(number, []):
                        found[number].append(name)
    return dict(sorted(found.items()))


def _numbers(decorators: list[ast.expr]) -> list[int]:
    """Return the numbers of the marks on a test, those on its single parameters included."""
    calls = [call for each in decorators for call in ast.walk(each) if isinstance(call, ast.Call)]
    return [
        argument.value
        for call in calls
        if ast.unparse(call.func) in {"case", "pytest.mark.case"}
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    ]
