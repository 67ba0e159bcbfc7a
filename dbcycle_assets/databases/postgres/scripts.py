"""Running SQL scripts: migrations, statement by statement as psql would, in one transaction."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg

from ...errors import Locked, MigrationError, ServerUnavailable
from .plain import Script, Statement, Unreadable
from .session import WITHHELD, Connection, failure, message_of

_OURS = re.compile(
    rb"^(BEGIN|START\s+TRANSACTION|COMMIT|END)(\s+(WORK|TRANSACTION))?"
    rb"(\s+(ISOLATION\s+LEVEL|READ)\b.*)?\s*;?$",
    re.DOTALL,
)
_ROLLBACK = re.compile(rb"^(ROLLBACK|ABORT)\b(?!\s+(WORK\s+|TRANSACTION\s+)?TO\b)", re.DOTALL)


def lines_of(script: bytes) -> list[bytes]:
    """Return the lines of a script without a byte order mark."""
    return script.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)


def run_script(
    connection: Connection,
    script: bytes,
    path: Path,
    *,
    alone: bool = False,
    change: Callable[[], None] = lambda: None,
) -> None:
    """Run one script; see the protocol's ``run_sql``. ``change`` is part of the transaction.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    reader = Script(lines_of(script))
    current: list[Statement] = []
    with explained(path, current), nullcontext() if alone else connection.transaction():
        for part in reader:
            current[:] = [part]
            if not alone and _OURS.match(part.skeleton):
                continue  # the whole file is one transaction already
            if _ROLLBACK.match(part.skeleton):
                raise MigrationError(
                    "a migration cannot roll itself back",
                    where=f"{path}:{part.line}:{part.column}",
                    remedy="leave ROLLBACK away: a step that fails is rolled back whole",
                )
            run_statement(connection, part, reader)
        current.clear()
        if not alone:
            connection.execute("RESET SESSION AUTHORIZATION")  # a script may have changed its role
        change()


def run_statement(connection: Connection, part: Statement, reader: Script) -> None:
    """Run one statement, with its COPY data if it has any."""
    if not part.data_follows:
        connection.execute(part.text)
        return
    with connection.cursor() as cursor, cursor.copy(part.text.rstrip(b"; \n")) as copy:
        for block in reader.data():
            copy.write(block)


def place_of(part: Statement, error: psycopg.Error) -> tuple[int, int]:
    """Return line and column of an error inside a statement, both from 1."""
    position = error.diag.statement_position
    if position is None:
        return part.line, part.column
    before = part.text.decode("utf-8", "replace")[: int(position) - 1]
    lines = before.split("\n")
    if len(lines) == 1:
        return part.line, part.column + len(before)
    return part.line + len(lines) - 1, len(lines[-1]) + 1


@contextmanager
def explained(path: Path, current: list[Statement], *, whole: bool = True) -> Iterator[None]:
    """Turn a failure of the statement in ``current`` into an error with its place; ``whole`` says
    that all of the script goes back with it.

    Raises:
        MigrationError: with file, line and column; no value of a row.
        Locked: another session holds a lock that the statement waited for.
    """
    try:
        yield
    except Unreadable as error:
        raise MigrationError(
            error.what,
            where=f"{path}:{error.line}",
            remedy="a migration holds SQL only; see the line named",
        ) from None
    except psycopg.Error as error:
        lost = error.sqlstate is None and isinstance(error, psycopg.OperationalError)
        if lost or (error.sqlstate or "").startswith(("57P", "08")):
            raise ServerUnavailable(
                "the connection was lost", where=str(path), remedy="run the command again"
            ) from None
        if error.sqlstate == "53100":
            raise failure(error, str(path)) from None
        where = str(path)
        if current:
            line, column = place_of(current[0], error)
            where = f"{path}:{line}:{column}"
        if error.sqlstate == "55P03":
            raise Locked(
                "the step waited too long for a lock that another session holds",
                where=where,
                remedy="end the long transaction on that table, or run again later; "
                f"{_rest(whole=whole)}",
            ) from None
        if error.sqlstate == "40P01":
            raise Locked(
                "the step and another session waited for each other (a deadlock)",
                where=where,
                remedy=f"see that both take their locks in one order, or run again later; "
                f"{_rest(whole=whole)}",
            ) from None
        raise MigrationError(
            message_of(error), where=where, remedy=_remedy(error.sqlstate or "", whole=whole)
        ) from None


def _rest(*, whole: bool) -> str:
    if whole:
        return "the step was rolled back whole"
    return "the statements before it stay in effect, and the next run goes on with this one"


def _remedy(state: str, *, whole: bool) -> str:
    if state == "25001":
        return "put `-- dbcycle: no-transaction` on a line of its own at the top of the file"
    if state == "55P04":
        return "move ALTER TYPE … ADD VALUE into a step of its own, before this one"
    if state == "42501":
        return (
            "the embedded server's owner is no superuser: use a trusted extension, or set a URL "
            "whose user may do this"
        )
    if state == "57014":
        first = "give that step more time: `SET LOCAL statement_timeout = '1h';` at its top"
    elif state.startswith("23"):
        first = "the rows that are there do not allow it: change them, or let the step do so first"
    elif state in WITHHELD:
        first = "the script itself refuses to go on: see there what it looks for"
    else:
        first = "correct the statement"
    return f"{first}; {_rest(whole=whole)}"
