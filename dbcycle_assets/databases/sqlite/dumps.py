"""SQLite files as dumps: told from their content, opened without a trace, copied and examined."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from ...errors import DumpError
from . import lexer
from .catalog import schema_objects
from .references import named, violations
from .session import OURS, SIBLINGS, connect, identifier, message_of, transaction

MAGIC = b"SQLite format 3\0"
_CHUNK = 1 << 20
_PAGES = 4096
_WAL = 2  # the header's file format versions in WAL mode
_AGAIN = 'make the copy again: sqlite3 production.db ".backup copy.db"'
# What integrity_check also reports, of rows that production accepted nevertheless.
_QUIRKS = ("NULL value in ", "CHECK constraint failed", "non-INTEGER value", "TEXT value in ")


def check_header(path: Path) -> bytes:
    """Return the first 100 bytes of a SQLite file.

    Raises:
        DumpError: it is missing, empty, or something else.
    """
    where = str(path)
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        raise DumpError("there is no dump", where=where, remedy="copy one there") from None
    except IsADirectoryError:
        raise DumpError(
            "this is a folder, no SQLite file", where=where, remedy="name the file itself"
        ) from None
    except OSError as error:
        raise DumpError(
            f"cannot read the dump: {error.strerror}", where=where, remedy="check the file"
        ) from None
    if not header:
        raise DumpError("the dump is empty (0 bytes)", where=where, remedy=_AGAIN)
    if header.startswith(MAGIC) and len(header) == 100:  # noqa: PLR2004 - the header's size
        return header
    if header.startswith(b"PGDMP"):
        raise DumpError(
            "this is a dump of PostgreSQL",
            where=where,
            remedy="set `engine: postgresql` in dbcycle.yaml",
        )
    if b"\0" not in header:
        raise DumpError(
            "this is text, no SQLite file",
            where=where,
            remedy="if it is a script of SQLite's .dump, run it first: sqlite3 new.db < script",
        )
    raise DumpError("this is no SQLite file", where=where, remedy=_AGAIN)


def dump_digest(path: Path) -> str:
    """Return 24 hex digits for what a dump holds, a log beside it included; the header's counters
    say how often it was written, and do not count.

    Raises:
        DumpError: it is missing, empty or no SQLite file.
    """
    header = check_header(path)
    digest = hashlib.sha256(header[:24] + header[28:92])
    with path.open("rb") as file:
        file.seek(len(header))
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    for log in _leftovers(path):
        digest.update(log.name.removeprefix(path.name).encode() + b"\0")
        with log.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()[:24]


def _leftovers(path: Path) -> list[Path]:
    """Return the logs beside a file that belong to its content."""
    beside = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    return [log for log in beside if log.is_file() and log.stat().st_size]


def is_blank(path: Path) -> bool:
    """Tell whether a file holds nothing: a program that merely opens a URL leaves such a one."""
    return path.is_file() and not path.stat().st_size and not _leftovers(path)


@contextmanager
def source_of(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a dump for reading; neither the file nor what lies beside it changes.

    Raises:
        DumpError: it cannot be read.
    """
    header = check_header(path)
    with ExitStack() as stack:
        openers = _openers(path, header, stack)
        for number, opener in enumerate(openers, 1):
            connection = stack.enter_context(closing(opener()))
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except UnicodeDecodeError:  # in SQLite's own message about it
                raise _damaged(path, "its schema is no text") from None
            except sqlite3.OperationalError:
                if number == len(openers):
                    raise
            else:
                yield connection
                return


def _openers(path: Path, header: bytes, stack: ExitStack) -> list[Callable[[], sqlite3.Connection]]:
    def shared() -> sqlite3.Connection:
        return connect(path, "ro")

    def alone() -> sqlite3.Connection:
        # In WAL mode a reader would leave files beside it; without a log nobody else has it open.
        return connect(path, "ro", immutable=True)

    def copied() -> sqlite3.Connection:
        # A log that a crash left is replayed in a copy of both, never in place.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dbcycle-")))
        for file in (path, *_leftovers(path)):
            shutil.copyfile(file, folder / file.name)
        return connect(folder / path.name)

    if _leftovers(path):
        shm = path.with_name(path.name + "-shm")
        return [shared, copied] if shm.exists() else [copied]
    return [alone] if _WAL in header[18:20] else [shared, alone]


def copy_dump(path: Path, target: Path, progress: Callable[[str], None]) -> None:
    """Copy a dump page by page into a file.

    Raises:
        DumpError: it is truncated or damaged.
    """
    told = -1

    def tell(_status: int, remaining: int, total: int) -> None:
        nonlocal told
        done = 100 * (total - remaining) // max(total, 1)
        if done // 10 > told:
            told = done // 10
            progress(f"copying pages: {done} %")

    try:
        with source_of(path) as source, closing(connect(target)) as copy:
            _refuse_truncated(path, source)
            source.backup(copy, pages=_PAGES, progress=tell, sleep=0.01)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise _damaged(path, message_of(error)) from None


def _refuse_truncated(path: Path, source: sqlite3.Connection) -> None:
    """Refuse a file shorter than its header says; a log beside it may hold the rest."""
    if _leftovers(path):
        return
    size = source.execute("PRAGMA page_size").fetchone()[0]
    pages = int.from_bytes(check_header(path)[28:32], "big")
    if path.stat().st_size < pages * size:
        raise _damaged(path, "the file is shorter than its header says")


def _damaged(path: Path, why: str) -> DumpError:
    return DumpError(f"the dump is truncated or damaged: {why}", where=str(path), remedy=_AGAIN)


def examine(connection: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """Check a restored copy; return notes about what is unusual but carried as it is.

    Raises:
        DumpError: pages or indexes are damaged.
    """
    notes = []
    try:
        # Rows that break a CHECK are production's business, and no damage.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        findings = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
        connection.execute("PRAGMA ignore_check_constraints = OFF")
        damage = [x for x in findings if x != "ok" and not any(q in x for q in _QUIRKS)]
        if damage:
            more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
            raise _damaged(path, damage[0].splitlines()[0] + more)
        notes += [finding for finding in findings if finding != "ok"]
        notes += [
            f"{number} rows of {named(connection, table, parent)} refer to no row of {parent}"
            for (table, parent), number in sorted(violations(connection).items())
        ]
    except sqlite3.Error as error:
        raise _damaged(path, message_of(error)) from None
    return tuple(notes)


def clear_bookkeeping(connection: sqlite3.Connection) -> None:
    """Drop the bookkeeping that a dump of one of our own databases carries along, but for what
    was migrated: that is true of the copy as well.
    """
    with transaction(connection):
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, ?) = ?",
            [len(OURS), OURS],
        ).fetchall()
        for (name,) in found:
            if name not in {f"{OURS}migrations", f"{OURS}journal"}:
                connection.execute(f"DROP TABLE {identifier(name)}")


def rows_by_table(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of rows of every table; what lies behind virtual tables is left out."""
    virtual = ["create", "virtual", "table"]
    objects = schema_objects(connection)
    names = sorted(
        name for kind, name, _, sql in objects
        if kind == "table" and lexer.head(sql or "", 3) != virtual
    )  # fmt: skip
    return {
        name: connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchone()[0]
        for name in names
    }


def remove(path: Path) -> None:
    """Remove a database file and what lies beside it; absent is fine."""
    path.unlink(missing_ok=True)
    for suffix in SIBLINGS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
