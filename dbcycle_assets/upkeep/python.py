"""Python steps: the user's own ``run(connection, step)`` (and ``revert``), in one transaction."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import sqlalchemy

from ..config import credentials
from ..errors import DbCycleError, MigrationError
from ..model.migration import Script


def run_python(
    script: Script,
    function: str,
    connect: Callable[[], AbstractContextManager[sqlalchemy.Connection]],
    context: object,
    told: Callable[[str], None] = lambda _line: None,
) -> str:
    """Run one function of a Python step and return what it says was done.

    The bytes that are digested are the bytes that run: the file is not read again. What it prints
    is ``told`` a line at a time, without passwords: standard output is for results.

    Raises:
        MigrationError: it has no such function, or raised; its message is withheld.
    """
    path = script.path
    try:
        return _run(script, function, connect, context, told)
    except DbCycleError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a step is the user's own code
        line = line_in(error, path)
        raise MigrationError(
            f"the step raised {type(error).__name__} and was rolled back",
            where=f"{path}:{line}" if line else str(path),
            remedy="the message is withheld, since it may hold a row's values; "
            "run the step alone in a debugger",
        ) from None


def _run(
    script: Script,
    function: str,
    connect: Callable[[], AbstractContextManager[sqlalchemy.Connection]],
    context: object,
    told: Callable[[str], None],
) -> str:
    with listening(told):
        run = _functions(script).get(function)
        if run is None:
            raise MigrationError(
                f"has no function `{function}(connection, step)`",
                where=str(script.path),
                remedy="define it; the connection is SQLAlchemy's, inside a transaction",
            )
        with connect() as connection:
            result = run(connection, context)
    return result if isinstance(result, str) else ""


@contextmanager
def listening(told: Callable[[str], None]) -> Iterator[None]:
    """Gather what the block prints, and tell it at the end, however it ends."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
    finally:
        for line in credentials.redact(printed.getvalue()).splitlines():
            told(line)


def _functions(script: Script) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "<run_path>", "__file__": str(script.path)}
    exec(compile(script.text, str(script.path), "exec"), names)  # noqa: S102 - a step is code
    return names


def line_in(error: BaseException, path: Path) -> int | None:
    """Return the line of a file in which an exception came up, or None."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
