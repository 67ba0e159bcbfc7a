"""Running SQL scripts: migrations, statement by statement, in one transaction."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ...errors import DiskUnavailable, MigrationError, ServerUnavailable
from . import lexer
from .references import violations
from .session import failure, message_of, settle, transaction

_NO_TRANSACTION = re.compile(r"^[ \t]*--[ \t]*dbcycle:[ \t]*no-transaction[ \t]*$", re.MULTILINE)
_OURS = {"begin", "commit", "end"}


def run_script(connection: sqlite3.Connection, script: str, path: Path) -> None:
    """Run one script; see the protocol's ``run_sql``.

    Foreign keys are not enforced meanwhile, since dropping a table that is being rebuilt would
    delete what refers to it; afterwards none may be broken that was whole before.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    script = script.removeprefix("\ufeff")
    if "\0" in script:
        line = script[: script.index("\0")].count("\n") + 1
        raise MigrationError("the file holds a NUL character", where=f"{path}:{line}")
    alone = _NO_TRANSACTION.search(script) is not None
    try:
        with nullcontext() if alone else transaction(connection), whole_keys(connection, path):
            for statement in lexer.statements(script):
                _run(connection, statement, path, alone=alone)
            if alone and connection.in_transaction:
                raise MigrationError("a transaction is left open", where=str(path))
    except sqlite3.Error as error:  # BEGIN or COMMIT itself
        raise failure(error, str(path), MigrationError) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        settle(connection)


def run_within(connection: sqlite3.Connection, script: str, path: Path) -> None:
    """Run a script inside the transaction that is open.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    for statement in lexer.statements(script):
        _run(connection, statement, path, alone=False)


def _run(
    connection: sqlite3.Connection, statement: lexer.Statement, path: Path, *, alone: bool
) -> None:
    where = f"{path}:{statement.line}:{statement.column}"
    words = lexer.head(statement.text, 3)
    if not alone and words[0] in _OURS:
        return  # the whole file is one transaction already
    if not alone and words[0] == "rollback" and "to" not in words:
        raise MigrationError(
            "a migration cannot roll itself back",
            where=where,
            remedy="leave ROLLBACK away: a step that fails is rolled back whole",
        )
    try:
        for _ in connection.execute(statement.text):
            pass
    except sqlite3.Error as error:
        found = failure(error, where, MigrationError)
        if isinstance(found, (DiskUnavailable, ServerUnavailable)):
            raise found from None
        raise MigrationError(message_of(error), where=where, remedy=_remedy(error)) from None


def _remedy(error: sqlite3.Error) -> str:
    if "transaction" in str(error):
        return "put `-- dbcycle: no-transaction` on a line of its own at the top of the file"
    return "correct the statement; the step was rolled back whole"


@contextmanager
def whole_keys(connection: sqlite3.Connection, path: Path | None) -> Iterator[None]:
    """Refuse a block that breaks a foreign key.

    Raises:
        MigrationError: it names tables and numbers of rows.
    """
    before = violations(connection)
    yield
    broken = [
        f"{number - before.get(pair, 0)} more rows of {pair[0]} refer to no row of {pair[1]}"
        for pair, number in violations(connection).items()
        if number > before.get(pair, 0)
    ]
    if broken:
        raise MigrationError(
            f"the step breaks foreign keys: {'; '.join(broken)}",
            where=str(path) if path else "",
            remedy="delete or move the referring rows in the same step; it was rolled back whole",
        )
