"""Running SQL scripts: migrations, statement by statement, in one transaction."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ...errors import DbCycleError, Locked, MigrationError, ServerUnavailable, did_you_mean
from . import lexer
from .references import named, violations
from .session import failure, message_of, settle, transaction

_NO_COLUMN = re.compile(r"table (?P<table>\S+) has no column named (?P<column>.+)")
_OURS = {"begin", "commit", "end"}


def text_of(script: bytes, path: Path) -> str:
    """Return the text of a script.

    Raises:
        MigrationError: it is not UTF-8, or holds a NUL character.
    """
    try:
        text = script.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MigrationError(
            "the file is not UTF-8", where=str(path), remedy="save it as UTF-8"
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise MigrationError(
            "the file holds a NUL character", where=f"{path}:{line}", remedy="save it as plain text"
        )
    return text


def run_script(
    connection: sqlite3.Connection,
    script: str,
    path: Path,
    *,
    alone: bool = False,
    change: Callable[[], None] = lambda: None,
) -> None:
    """Run one script; see the protocol's ``run_sql``. ``change`` is part of the transaction.

    Foreign keys are not enforced meanwhile, since dropping a table that is being rebuilt would
    delete what refers to it; afterwards none may be broken that was whole before.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    script = text_of(script.encode(), path)
    try:
        with nullcontext() if alone else transaction(connection):
            with whole_keys(connection, path):
                for statement in lexer.statements(script):
                    run_statement(connection, statement, path, alone=alone)
            change()
            if alone and connection.in_transaction:
                raise MigrationError("a transaction is left open", where=str(path))
    except sqlite3.Error as error:  # BEGIN or COMMIT itself
        raise refusal(error, str(path)) from None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        settle(connection)


def run_within(connection: sqlite3.Connection, script: str, path: Path) -> None:
    """Run a script inside the transaction that is open. Nothing in it may swallow errors.

    Raises:
        MigrationError: with file, line and column; no value of a row.
    """
    for statement in lexer.statements(script):
        if lexer.head(statement.text, 3)[1:] == ["or", "ignore"]:
            raise MigrationError(
                "OR IGNORE drops, without a word, also a row that breaks NOT NULL, CHECK or another"
                " unique key",
                where=f"{path}:{statement.line}:{statement.column}",
                remedy="write INSERT INTO … ON CONFLICT (the key's columns) DO NOTHING: it passes "
                "over the row that is there already, and nothing else",
            )
        run_statement(connection, statement, path, alone=False)


def run_statement(
    connection: sqlite3.Connection, statement: lexer.Statement, path: Path, *, alone: bool
) -> None:
    """Run one statement; unless ``alone``, a script's own BEGIN and COMMIT are passed over.

    Raises:
        MigrationError: with file, line and column; no value of a row.
        Locked: another program is writing to the database.
    """
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
        found = refusal(error, where)
        if not isinstance(found, MigrationError):
            raise found from None
        remedy = _remedy(connection, error, whole=not alone)
        raise MigrationError(message_of(error), where=where, remedy=remedy) from None


def refusal(error: sqlite3.Error, where: str) -> DbCycleError:
    """Return our error for SQLite's inside a step, where a locked file is worth another try."""
    found = failure(error, where, MigrationError)
    if isinstance(found, ServerUnavailable):
        return Locked(found.what, where=where, remedy=found.remedy)
    return found


def _remedy(connection: sqlite3.Connection, error: sqlite3.Error, *, whole: bool) -> str:
    if "transaction" in str(error):
        return "put `-- dbcycle: no-transaction` on a line of its own at the top of the file"
    first = "correct the statement"
    if found := _NO_COLUMN.match(str(error)):
        rows = connection.execute("SELECT name FROM pragma_table_info(?)", [found["table"]])
        names = [str(name) for (name,) in rows.fetchall()]
        hint = did_you_mean(found["column"], names)
        first = f"name one of its columns: {', '.join(names)}{hint}"
    elif isinstance(error, sqlite3.IntegrityError):
        first = "the rows that are there do not allow it: change them, or let the step do so first"
    if whole:
        return f"{first}; the step was rolled back whole"
    return (
        f"{first}; the statements before it stay in effect, and the next run goes on with this one"
    )


@contextmanager
def whole_keys(connection: sqlite3.Connection, path: Path | None) -> Iterator[None]:
    """Refuse a block that breaks a foreign key.

    Raises:
        MigrationError: it names tables and numbers of rows.
    """
    before = violations(connection)
    yield
    broken = [
        f"{number - before.get(pair, 0)} more rows of {named(connection, *pair)} refer to no row of"
        f" {pair[1]}"
        for pair, number in violations(connection).items()
        if number > before.get(pair, 0)
    ]
    if broken:
        raise MigrationError(
            f"the step breaks foreign keys: {'; '.join(broken)}",
            where=str(path) if path else "",
            remedy="delete or move the referring rows in the same step; it was rolled back whole",
        )
