"""Running SQL scripts: migrations, statement by statement as psql would, in one transaction."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg

from ...errors import MigrationError, ServerUnavailable
from .plain import Script, Statement, Unreadable
from .session import Connection, message_of

_NO_TRANSACTION = re.compile(r"^[ \t]*--[ \t]*dbcycle:[ \t]*no-transaction[ \t]*$", re.MULTILINE)
_OURS = re.compile(
    rb"^(BEGIN|START\s+TRANSACTION|COMMIT|END)(\s+(WORK|TRANSACTION))?"
    rb"(\s+(ISOLATION\s+LEVEL|READ)\b.*)?\s*;?$",
    re.DOTALL,
)
_ROLLBACK = re.compile(rb"^(ROLLBACK|ABORT)\b(?!\s+(WORK\s+|TRANSACTION\s+)?TO\b)", re.DOTALL)


def run_script(connection: Connection, script: str, path: Path) -> None:
    """Run one script; see the protocol's ``run_sql``.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    lines = script.removeprefix("\ufeff").encode().splitlines(keepends=True)
    alone = _NO_TRANSACTION.search(script) is not None
    reader = Script(lines)
    current: list[Statement] = []
    with _explained(path, current), nullcontext() if alone else connection.transaction():
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
def _explained(path: Path, current: list[Statement]) -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise MigrationError(
            error.what,
            where=f"{path}:{error.line}",
            remedy="a migration holds SQL only; see the line named",
        ) from None
    except psycopg.Error as error:
        if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
            raise ServerUnavailable(
                "the connection was lost", where=str(path), remedy="run the command again"
            ) from None
        where = str(path)
        if current:
            line, column = place_of(current[0], error)
            where = f"{path}:{line}:{column}"
        raise MigrationError(
            message_of(error), where=where, remedy=_remedy(error.sqlstate or "")
        ) from None


def _remedy(state: str) -> str:
    if state == "25001":
        return "put `-- dbcycle: no-transaction` on a line of its own at the top of the file"
    if state == "42501":
        return (
            "the embedded server's owner is no superuser: use a trusted extension, or set a URL "
            "whose user may do this"
        )
    return "correct the statement; the step was rolled back whole"
