"""Restoring a dump: look first, refuse what is hostile, restore, and count what arrived."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import psycopg

from ...errors import DbCycleError, DumpError, on_one_line
from ..port import Progress, Restored
from .admission import (
    AGAIN,
    NEW_SETTING,
    OUTWARD_EXTENSIONS,
    copied_table,
    extension_of,
    gently,
    left_out,
    outward,
    outward_entries,
    refusal,
    remedy_for,
    wanted_entries,
)
from .catalog import table_id
from .clients import Clients, ProgramFailed, environment, run, stream, without_password
from .dumps import Diagnosis, content_of, diagnose, is_packed, sniff
from .loading import PLACE
from .plain import Script, Statement, Truncated, Unreadable
from .refitting import missing
from .scripts import place_of, run_statement
from .session import Connection, failure, identifier, is_lost, message_of, query, statement

_TRAILER = b"-- PostgreSQL database dump complete"
_RESTRICT = (b"\\restrict", b"\\unrestrict")
_OPTIONS = (
    "--no-owner", "--no-privileges", "--no-tablespaces", "--no-security-labels",
    "--no-publications", "--no-subscriptions",
)  # fmt: skip


@dataclass
class Restore:
    """One restore: the dump, where it goes and what was found so far.

    ``connect`` opens a session as the owner; ``admin`` one that may create any extension.
    """

    dump: Path
    url: str
    name: str
    clients: Clients
    connect: Callable[[], Connection]
    admin: Callable[[], Connection]
    progress: Progress
    expected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    schemas: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Look at the dump before anything is made.

        Raises:
            DumpError: it is missing, empty, no dump, or cut off at its end.
        """
        kind = sniff(self.dump)
        if kind != "directory" and is_packed(self.dump):
            return  # it is looked at when it is unpacked
        if kind != "plain":
            diagnose(self.dump, self.clients)
            return
        with self.dump.open("rb") as file:
            file.seek(max(0, self.dump.stat().st_size - 4096))
            if _TRAILER not in file.read():
                raise self._cut()

    def _cut(self) -> DumpError:
        return self._fail(
            f"the dump is truncated: its last line, `{_TRAILER.decode()}`, is missing"
        )

    def copy_schema(
        self,
        source: str,
        section: str,
        extensions: Sequence[tuple[str, str | None]],
        dumper: Clients,
    ) -> None:
        """Build what this database lacks of a section of another one's schema, without its
        comments: people write there of people.

        Raises:
            DbCycleError: the server refused part of it.
        """
        with tempfile.TemporaryDirectory(prefix="dbcycle-") as folder:
            archive = Path(folder) / "schema.dump"
            try:
                run(
                    [
                        dumper.program("pg_dump"), "--schema-only", "--format=custom",
                        "--exclude-schema=_dbcycle", "--no-comments", *_OPTIONS,
                        f"--file={archive}",
                        without_password(self.url, source),
                    ],
                    environment(self.url),
                )  # fmt: skip
                self._create_extensions(extensions)
                found = diagnose(archive, self.clients)
                if section != "pre-data":
                    with self.connect() as connection:
                        lacking = tuple(missing(connection, found.entries, section))
                    found, section = replace(found, entries=lacking), "post-data"
                self._restore(archive, found, section)
            except (ProgramFailed, DumpError) as error:
                lines = error.lines if isinstance(error, ProgramFailed) else (error.what,)
                raise DbCycleError(
                    f"the {section} schema cannot be copied:\n  - " + "\n  - ".join(lines),
                    where=f"{source} → {self.name}",
                    remedy="for keys and indexes the rows break a rule: see the golden records "
                    "and the anonymizers of the table named",
                ) from None

    def run(self) -> Restored:
        """Restore and verify.

        Raises:
            DumpError: with a diagnosis that names the fix.
        """
        with self._explained(), _unpacked(self.dump) as dump:
            if sniff(dump) == "plain":
                with content_of(dump) as lines:
                    self._plain(lines, trailer=True)
            else:
                self._archive(dump, diagnose(dump, self.clients))
        with self.connect() as connection:
            counts = self._verified(connection)
            connection.execute("ANALYZE")
            rights = connection.execute("SHOW is_superuser").fetchone()
        if rights and rights["is_superuser"] == "on":
            self.notes.append(
                "restored by a superuser, whose rights a hostile dump could use: let the URL name "
                "a role that may create databases and no more"
            )
        return Restored(counts, tuple(self.notes))

    def _fail(self, what: str, remedy: str = AGAIN, line: int | None = None) -> DumpError:
        where = f"{self.dump}:{line}" if line else str(self.dump)
        return DumpError(what, where=where, remedy=remedy)

    def _archive(self, dump: Path, found: Diagnosis) -> None:
        self.progress(f"checking the dump ({found.format}, pg_dump {found.pg_dump or 'unknown'})")
        extensions = self._inspect(dump)
        self._count_rows(dump)
        self._create_extensions(extensions)
        self._note_outward(outward_entries(found.entries))
        self.progress("restoring")
        try:
            self._restore(dump, found, None)
        except ProgramFailed as error:
            raise self._fail(
                "pg_restore failed:\n  - " + "\n  - ".join(error.lines), remedy_for(error.raw)
            ) from None

    def _restore(self, dump: Path, found: Diagnosis, section: str | None) -> None:
        """Run pg_restore.

        Raises:
            ProgramFailed: it failed.
        """
        with tempfile.NamedTemporaryFile("w", prefix="dbcycle-", suffix=".list") as contents:
            contents.writelines(
                f"{entry}\n" for entry in wanted_entries(found.entries, self.schemas)
            )
            contents.flush()
            command: list[str | Path] = [
                self.clients.program("pg_restore"), *_OPTIONS, f"--use-list={contents.name}",
                *([f"--section={section}"] if section else []), dump,
            ]  # fmt: skip
            with self.connect() as connection:
                old = connection.info.server_version < NEW_SETTING
            if old and self.clients.major >= 17:  # noqa: PLR2004 - sets transaction_timeout
                with self._reading([*command, "--file=-"]) as lines:
                    self._plain(lines, trailer=False)
                return
            jobs = ["--jobs=2"] if found.format != "tar" and section != "pre-data" else []
            target = f"--dbname={without_password(self.url, self.name)}"
            run([*command, *jobs, "--exit-on-error", target], environment(self.url))

    @contextmanager
    def _reading(self, command: list[str | Path]) -> Iterator[IO[bytes]]:
        try:
            with stream(command, {}) as lines:
                yield lines
        except ProgramFailed as error:
            raise self._fail(f"the dump is truncated or damaged: {error.lines[0]}") from None

    def _inspect(self, dump: Path) -> list[tuple[str, str | None]]:
        """Read the archive's schema, refuse what is hostile, and return the extensions it needs."""
        command: list[str | Path] = [
            self.clients.program("pg_restore"),
            "--schema-only",
            "--file=-",
            dump,
        ]
        extensions = []
        with self._reading(command) as lines:
            for part in Script(lines, skipped_commands=_RESTRICT):
                self._refuse(part)
                if (extension := extension_of(part)) is not None:
                    extensions.append(extension)
        return extensions

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the lexer cannot read into a message about the dump."""
        try:
            yield
        except Truncated as error:
            raise self._fail(
                f"the dump is truncated or damaged: {error.what}", line=error.line
            ) from None
        except Unreadable as error:
            raise self._fail(
                error.what,
                "a dump may hold SQL and COPY data only; psql commands run programs on your "
                "machine. Remove the line if you trust it, or dump with --format=custom",
                error.line,
            ) from None

    def _refuse(self, part: Statement) -> None:
        if (what := refusal(part)) is not None:
            raise self._fail(
                f"refused: {what}",
                "a dump of one database needs no such thing; dump without it, or add it by a "
                "migration on a server whose user may",
                part.line,
            )

    def _count_rows(self, dump: Path) -> None:
        """Read all data once: that proves the file whole, and tells what must arrive."""
        command: list[str | Path] = [
            self.clients.program("pg_restore"),
            "--data-only",
            "--file=-",
            dump,
        ]
        with self._reading(command) as lines:
            script = Script(lines, skipped_commands=_RESTRICT)
            for part in script:
                self._refuse(part)
                if part.data_follows:
                    rows = sum(block.count(b"\n") for block in script.data())
                    self._expect(part, rows)

    def _expect(self, part: Statement, rows: int) -> None:
        if (name := copied_table(part)) is not None:
            self.expected[name] = self.expected.get(name, 0) + rows

    def _create_extensions(self, wanted: Iterable[tuple[str, str | None]]) -> None:
        """Create extensions, by name only, as one who may.

        Raises:
            DumpError: the server has not got one; nothing was restored.
        """
        wanted = [(name, schema) for name, schema in wanted if name != "plpgsql"]
        self._note_outward(f"extension {name}" for name, _ in wanted if name in OUTWARD_EXTENSIONS)
        wanted = [(name, schema) for name, schema in wanted if name not in OUTWARD_EXTENSIONS]
        if not wanted:
            return
        with self.admin() as connection, self.connect() as owner:
            rows = connection.execute("SELECT name FROM pg_available_extensions").fetchall()
            missing = sorted({name for name, _ in wanted} - {row["name"] for row in rows})
            if missing:
                raise self._fail(
                    f"the server lacks extensions that the dump needs: {', '.join(missing)}",
                    "install them on a PostgreSQL server and set its URL for this project "
                    "(see `dbcycle doctor`), or dump without them "
                    "(pg_dump --extension=PATTERN, --exclude-schema=PATTERN)",
                )
            for name, schema in wanted:
                self.progress(f"extension {name}")
                try:
                    if schema not in {None, "public", "pg_catalog"}:
                        owner.execute(
                            statement(f"CREATE SCHEMA IF NOT EXISTS {identifier(str(schema))}")
                        )
                        self.schemas.add(str(schema))
                    into = f" SCHEMA {identifier(schema)}" if schema else ""
                    connection.execute(
                        statement(
                            f"CREATE EXTENSION IF NOT EXISTS {identifier(name)}{into} CASCADE"
                        )
                    )
                except psycopg.Error as error:
                    if is_lost(error):
                        raise failure(error, self.name) from None
                    raise self._fail(
                        f"extension {name} cannot be created: {message_of(error)}",
                        "use a server where it can be, by its URL",
                    ) from None

    def _plain(self, lines: Iterable[bytes], *, trailer: bool) -> None:
        """Run a plain dump's statements, leaving out what concerns roles and other databases."""
        self.progress("restoring")
        ended = [not trailer]

        def watched() -> Iterator[bytes]:
            for line in lines:
                if line.startswith(_TRAILER):
                    ended[0] = True
                yield line

        script = Script(watched(), skipped_commands=_RESTRICT)
        with self.connect() as connection:
            for part in script:
                self._refuse(part)
                self._one(connection, part, script)
        if not ended[0]:
            raise self._cut()

    def _one(self, connection: Connection, part: Statement, script: Script) -> None:
        if (reaching := outward(part)) is not None:
            self._note_outward([reaching])
            return
        if left_out(part, connection.info.server_version):
            return
        if (extension := extension_of(part)) is not None:
            self._create_extensions([extension])
            return
        if part.skeleton.startswith(b"CREATE SCHEMA"):
            part = gently(part)
        counted = _Counted(script)
        try:
            run_statement(connection, part, counted)
            if part.data_follows and sniff(self.dump) == "plain":  # else they are counted already
                self._expect(part, counted.rows)
        except psycopg.Error as error:
            if is_lost(error) and not _is_setting(error):
                raise failure(error, str(self.dump)) from None
            line, _ = place_of(part, error)
            raise self._fail(
                f"the server refused: {_row_of(part, error)}{message_of(error)}",
                remedy_for(error.diag.message_primary or ""),
                line,
            ) from None

    def _note_outward(self, found: Iterable[str]) -> None:
        for each in found:
            note = f"left out, since it reaches other servers: {on_one_line(each)}"
            if note not in self.notes:
                self.notes.append(note)

    def _verified(self, connection: Connection) -> dict[str, int]:
        """Return the rows of each table.

        Raises:
            DumpError: a table has other than the dump says.
        """
        connection.execute("SET search_path = pg_catalog")
        counts: dict[str, int] = {}
        wrong = []
        for row in connection.execute(query("counts")).fetchall():
            name = table_id(row["schema"], row["name"])
            found = connection.execute(
                statement(
                    f"SELECT count(*) AS n FROM ONLY {identifier(row['schema'], row['name'])}"
                )
            ).fetchone()
            rows = int(found["n"]) if found else 0
            expected = self.expected.pop(name, rows)
            if rows != expected:
                wrong.append(f"{name}: {rows} rows restored, {expected} in the dump")
            root = table_id(row["root_schema"], row["root_name"])
            counts[root] = counts.get(root, 0) + rows
        wrong += self._elsewhere(connection)
        if wrong:
            raise self._fail("rows are missing after the restore:\n  - " + "\n  - ".join(wrong))
        return dict(sorted(counts.items()))

    def _elsewhere(self, connection: Connection) -> list[str]:
        """Return complaints about data of relations which hold no rows of their own: partitioned
        roots (pg_dump --load-via-partition-root) and extensions' tables are there, others are not.
        """
        return [
            f"{name}: the table is missing"
            for name, rows in sorted(self.expected.items())
            if rows
            and connection.execute(
                "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
                " CASE WHEN n.nspname = 'public' THEN c.relname::text"
                "      ELSE n.nspname || '.' || c.relname END = %s",
                [name],
            ).fetchone()
            is None
        ]


def _is_setting(error: psycopg.Error) -> bool:
    """Tell whether the dump needs more of something than the server is set to give."""
    return "shared memory" in (error.diag.message_primary or "")


def _row_of(part: Statement, error: psycopg.Error) -> str:
    """Return the table, line and column of a row that was refused, for what comes before why."""
    table = copied_table(part)
    if table is None:
        return ""
    match = PLACE.match(error.diag.context or "")
    line = f", line {match[1]} of its rows" if match else ""
    column = f", column {match[2]}" if match and match[2] else ""
    return f"{table}{line}{column}: "


class _Counted(Script):
    """The COPY data of another script, counted on its way."""

    def __init__(self, script: Script) -> None:
        super().__init__(())
        self._script = script
        self.rows = 0

    def data(self) -> Iterator[bytes]:
        for block in self._script.data():
            self.rows += block.count(b"\n")
            yield block


@contextmanager
def _unpacked(dump: Path) -> Iterator[Path]:
    """Give a packed archive as a plain file; pg_restore needs to seek in it."""
    if sniff(dump) in {"plain", "directory"} or not is_packed(dump):
        yield dump
        return
    with tempfile.NamedTemporaryFile(prefix="dbcycle-", suffix=".dump") as copy:
        with content_of(dump) as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)
