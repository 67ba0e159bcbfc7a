"""The migrations of one PostgreSQL database: history, journal and how statements run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg
import sqlalchemy

from ...errors import MigrationError
from ...model.digest import digest_of_text
from ...model.migration import Script
from ..migrating import Change, Effect, Fault, Holder, Part
from . import locking, outside, scripts
from .catalog import column_numbers
from .history import PostgresHistory
from .plain import Script as Reader
from .plain import Statement
from .session import Connection, settle, sqlalchemy_transaction, translated

_LONGER = 30
_BEGIN = (b"BEGIN", b"START TRANSACTION")
_ENDS = (b"COMMIT", b"END", b"ROLLBACK", b"ABORT")


class PostgresMigrations(PostgresHistory):
    """The protocol's Migrations; ``connect`` opens a further session on the same database."""

    def __init__(
        self, name: str, connection: Connection, connect: Callable[[], Connection]
    ) -> None:
        super().__init__(name, connection)
        self._connect = connect
        self._lock: Connection | None = None
        self._patience = 10.0

    # --- scripts --------------------------------------------------------------------------------

    def parts(self, script: Script) -> list[Part]:
        """Take a script apart; see the protocol.

        Raises:
            MigrationError: it cannot be read; with file and line.
        """
        found: list[Part] = []
        group: list[tuple[Statement, tuple[bytes, ...]]] = []
        reader = Reader(scripts.lines_of(script.text))
        with scripts.explained(script.path, []):
            for each in reader:
                data = tuple(reader.data()) if each.data_follows else ()
                group.append((each, data))
                if not script.alone or not _opens(group):
                    found.append(_part(group))
                    group = []
        if group:
            raise MigrationError(
                "a transaction is begun and not committed",
                where=f"{script.path}:{group[0][0].line}",
                remedy="end it with COMMIT",
            )
        return found

    def columns(self) -> dict[str, tuple[str, str]]:
        """Return every column by the number of its table and its own, which renaming keeps."""
        with translated(self.name):
            return column_numbers(self._connection)

    def faults(self, parts: Sequence[Part], *, in_transaction: bool) -> list[Fault]:
        """Return what would fail for certain, found by looking alone."""
        return outside.faults(parts, in_transaction=in_transaction)

    def run(self, script: Script, change: Change) -> None:
        """Run a script and write ``change`` in one transaction; see the protocol."""
        scripts.run_script(self._connection, script.text, script.path, change=change)

    def run_part(self, script: Script, part: Part, change: Change) -> None:
        """Run a part of a script and write ``change`` in one transaction."""
        with (
            scripts.explained(script.path, [_statement(part)], whole=False),
            self._connection.transaction(),
        ):
            for text in part.texts:
                if not _is_border(text):
                    self._execute(text, part.data)
            change()

    def run_outside(self, script: Script, part: Part) -> None:
        """Run a part that cannot be in a transaction."""
        with scripts.explained(script.path, [_statement(part)], whole=False):
            if "CONCURRENTLY" in part.code:  # it waits for old transactions, and blocks nobody
                self._wait_for_locks(self._patience * _LONGER)
            for text in part.texts:
                self._execute(text, part.data)
            if "CONCURRENTLY" in part.code:
                self._wait_for_locks(self._patience)

    def _wait_for_locks(self, seconds: float) -> None:
        self._connection.execute(
            "SELECT set_config('lock_timeout', %s, false)", [_milliseconds(seconds)]
        )

    def _execute(self, text: bytes, data: tuple[bytes, ...]) -> None:
        if not data:
            self._connection.execute(text)
            return
        with self._connection.cursor() as cursor, cursor.copy(text.rstrip(b"; \n")) as copy:
            for block in data:
                copy.write(block)

    @contextmanager
    def session(self, *, patience: float) -> Iterator[None]:
        """Run a step; whatever it sets is set back afterwards; see the protocol."""
        self._patience = patience
        connection = self._connection
        with translated(self.name):
            connection.execute(
                "SELECT set_config('search_path', 'public', false),"
                " set_config('application_name', %s, false), set_config('lock_timeout', %s, false)",
                [locking.WORKER, _milliseconds(patience)],
            )
        try:
            yield
        finally:
            # The connection may be gone, and then there is nothing to set back.
            with suppress(psycopg.Error):
                if not connection.closed:
                    connection.execute("RESET ALL; RESET SESSION AUTHORIZATION")
                    settle(connection)

    def effect(self, part: Part) -> Effect:
        """Compare a part that was cut off with the catalogue; see the protocol."""
        with translated(self.name):
            self._wait_for_locks(
                self._patience * _LONGER
            )  # what it removes is removed concurrently
            try:
                return outside.effect(self._connection, part)
            finally:
                if not self._connection.closed:
                    self._wait_for_locks(self._patience)

    @contextmanager
    def python(
        self, change: Callable[[sqlalchemy.Connection], None]
    ) -> Iterator[sqlalchemy.Connection]:
        """Give a connection inside a transaction, in which ``change`` is written at the end."""
        raw = self._connect()
        raw.execute(
            "SELECT set_config('application_name', %s, false),"
            " set_config('lock_timeout', %s, false)",
            [locking.WORKER, _milliseconds(self._patience)],
        )
        with sqlalchemy_transaction(raw) as connection:
            yield connection
            connection.exec_driver_sql("RESET SESSION AUTHORIZATION")
            change(connection)

    # --- the lock -------------------------------------------------------------------------------

    @contextmanager
    def locked(self, holder: Holder, *, wait: float) -> Iterator[None]:
        """Hold the database's lock; see the protocol.

        Raises:
            Locked: somebody else has it still; the message names the holder and since when.
        """
        with locking.locked(self._connect, holder, wait) as connection:
            self._lock = connection
            try:
                yield
            finally:
                self._lock = None

    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""
        with translated(self.name):
            return locking.holder(self._connection)

    def release(self, holder: Holder) -> None:
        """End the session that holds the lock; see the protocol."""
        with translated(self.name):
            locking.release(self._connection, holder)

    def blockers(self) -> list[str]:
        """Return the other sessions that hold locks on tables; see the protocol."""
        with suppress(psycopg.Error):
            return locking.blockers(self._connection)
        return []

    def still_locked(self) -> bool:
        """Tell whether the lock is ours; false when its session was ended."""
        return self._lock is not None and locking.held(self._lock)


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms"


def _word(text: bytes) -> bytes:
    return b" ".join(text.upper().rstrip(b"; \n\r\t").split()[:2])


def _is_border(text: bytes) -> bool:
    word = _word(text)
    return word.startswith(_BEGIN) or (word.startswith(_ENDS) and b" PREPARED" not in word)


def _opens(group: Sequence[tuple[Statement, tuple[bytes, ...]]]) -> bool:
    """Tell whether a group of statements has begun a transaction and not ended it."""
    first, last = group[0][0].skeleton, group[-1][0].skeleton
    return first.startswith(_BEGIN) and not (len(group) > 1 and last.startswith(_ENDS))


def _part(group: Sequence[tuple[Statement, tuple[bytes, ...]]]) -> Part:
    first = group[0][0]
    texts = tuple(each.text for each, _ in group)
    data = tuple(block for _, blocks in group for block in blocks)
    code = first.skeleton.decode("utf-8", "replace")
    return Part(
        texts,
        data,
        first.line,
        first.column,
        digest_of_text(b"\n".join((*texts, *data))),
        code,
        outside.outside(code),
    )


def _statement(part: Part) -> Statement:
    return Statement(part.texts[0], part.code.encode(), part.line, part.column)
