"""What a dump may do here: what is refused, what is left out, and what is asked of the server."""

import re
from collections.abc import Container, Iterable, Iterator

from .catalog import table_id
from .dumps import Entry
from .plain import Statement

AGAIN = "make the dump again; pg_dump --format=custom is the safest kind"
NEW_SETTING = 170000
"""The version that came with transaction_timeout."""

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_COPY = re.compile(rf"^COPY\s+(?:(?P<schema>{_NAME})\.)?(?P<table>{_NAME})\s*\(?", re.IGNORECASE)
_EXTENSION = re.compile(
    rf"^CREATE EXTENSION\s+(?:IF NOT EXISTS\s+)?(?P<name>{_NAME})"
    rf"(?:.*?\bSCHEMA\s+(?P<schema>{_NAME}))?",
    re.IGNORECASE | re.DOTALL,
)
_UNTRUSTED = re.compile(rb"\bLANGUAGE\s+['\"]?(PL\w+U|C|INTERNAL)\b")

_REFUSED: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(rb"^\s*" + pattern, re.DOTALL), what)
    for pattern, what in (
        (rb"COPY\b.*\b(FROM|TO)\s+PROGRAM\b", "COPY … PROGRAM runs a program on the server"),
        (rb"COPY\b(?!.*\bFROM\s+STDIN\b)", "COPY reads or writes a file on the server"),
        (rb"CREATE\s+EVENT\s+TRIGGER\b", "an event trigger runs on every command"),
        (rb"(CREATE|ALTER|DROP)\s+(ROLE|USER|GROUP)\b(?!\s+MAPPING)", "it changes roles"),
        (rb"ALTER\s+SYSTEM\b", "it reconfigures the server"),
        (rb"(CREATE|DROP)\s+(DATABASE|TABLESPACE)\b", "it creates or drops a database"),
        (
            rb"(SET|RESET)\s+(LOCAL\s+|SESSION\s+)?(ROLE|SESSION\s+AUTHORIZATION)\b",
            "it changes who it runs as",
        ),
        (rb"LOAD\b", "it loads a library into the server"),
        (
            rb"SELECT\s+(PG_CATALOG\.)?LO_(?!IMPORT|EXPORT)\w+\s*\(",
            "it holds large objects, which no row of a table carries",
        ),
    )
)
_SKIPPED: tuple[re.Pattern[bytes], ...] = tuple(
    re.compile(rb"^\s*" + pattern, re.DOTALL)
    for pattern in (
        rb"ALTER\b.*\bOWNER\s+TO\b",
        rb"(GRANT|REVOKE)\b",
        rb"ALTER\s+DEFAULT\s+PRIVILEGES\b",
        rb"COMMENT\s+ON\s+(EXTENSION|DATABASE)\b",
        rb"ALTER\s+DATABASE\b",
        rb"SECURITY\s+LABEL\b",
        rb"CREATE\s+SCHEMA\s+(IF\s+NOT\s+EXISTS\s+)?\"?PUBLIC\"?\s*;",
        rb"(CREATE|DROP|COMMENT\s+ON)\s+(OR\s+REPLACE\s+)?(PROCEDURAL\s+)?LANGUAGE\s+\"?PLPGSQL\"?\b",
        rb"SET\s+DEFAULT_TABLESPACE\b",
    )
)
_CALLERS = "FOREIGN DATA WRAPPER|SERVER|USER MAPPING|FOREIGN TABLE|PUBLICATION|SUBSCRIPTION"
OUTWARD_EXTENSIONS = {
    "file_fdw", "http", "mysql_fdw", "oracle_fdw", "pg_cron", "pg_net", "postgres_fdw", "tds_fdw",
}  # fmt: skip
"""Extensions that serve nothing but to reach other servers, now or at a time of day."""
_OUTWARD = re.compile(
    rf"^\s*(?:CREATE|ALTER|COMMENT\s+ON|DROP)\s+(?P<kind>{_CALLERS})\b(?:\s+FOR\s+{_NAME}\s+SERVER)?"
    rf"\s+(?:ONLY\s+)?(?P<name>{_NAME}(?:\.{_NAME})?)",
    re.IGNORECASE,
)
_TIMEOUT = re.compile(rb"^\s*SET\s+TRANSACTION_TIMEOUT\b")
_ROUTINE = re.compile(rb"^\s*CREATE\b.*\b(FUNCTION|PROCEDURE)\b", re.DOTALL)
_LEFT_OUT = {
    "EXTENSION", "DATABASE", "DATABASE PROPERTIES", "PUBLICATION", "PUBLICATION TABLE",
    "SUBSCRIPTION", "SUBSCRIPTION TABLE", "SECURITY LABEL", "FOREIGN DATA WRAPPER", "SERVER",
    "USER MAPPING", "FOREIGN TABLE",
}  # fmt: skip

_LEFT_OUT_OF_COMMENTS = {"EXTENSION", "DATABASE", "SERVER", "FOREIGN", "PUBLICATION"}


def refusal(part: Statement) -> str | None:
    """Return why a statement must not run, or None."""
    for pattern, what in _REFUSED:
        if pattern.match(part.skeleton):
            return what
    language = _UNTRUSTED.search(part.skeleton)
    if language and _ROUTINE.match(part.skeleton):
        return f"a function in the untrusted language {language[1].decode().lower()}"
    return None


def left_out(part: Statement, server_version: int) -> bool:
    """Tell whether a statement of a plain dump concerns roles, other databases or settings that
    the server does not know, and is not needed.
    """
    if server_version < NEW_SETTING and _TIMEOUT.match(part.skeleton):
        return True
    return any(pattern.match(part.skeleton) for pattern in _SKIPPED)


def outward(part: Statement) -> str | None:
    """Return what a statement of a plain dump makes that would reach other servers, or None: it is
    left out, since a copy must not call what production calls.
    """
    match = _OUTWARD.match(part.text.decode("utf-8", "replace"))
    return None if match is None else f"{match['kind'].lower()} {match['name']}"


def outward_entries(entries: Iterable[Entry]) -> list[str]:
    """Return what an archive holds that would reach other servers."""
    kinds = set(_CALLERS.split("|"))
    return [
        f"{entry.kind.lower()} {entry.rest.rpartition(' ')[0].removeprefix('- ')}"
        for entry in entries
        if entry.kind in kinds
    ]


def wanted_entries(entries: Iterable[Entry], schemas: Container[str]) -> Iterator[str]:
    """Yield the lines of an archive's contents to restore; extensions, and the schemas they
    needed, are there already.
    """
    for entry in entries:
        about = entry.rest.split(" ")[1:2]
        done = (
            entry.kind in _LEFT_OUT
            or (entry.kind == "COMMENT" and about[:1] and about[0] in _LEFT_OUT_OF_COMMENTS)
            or (entry.kind == "PROCEDURAL LANGUAGE" and about == ["plpgsql"])
            or (entry.kind == "SCHEMA" and (about[0] == "public" or about[0] in schemas))
        )
        if not done:
            yield entry.line


def copied_table(part: Statement) -> str | None:
    """Return the id of the table that a COPY statement fills."""
    match = _COPY.match(part.text.decode("utf-8", "replace"))
    if match is None:
        return None
    return table_id(_bare(match["schema"] or "public"), _bare(match["table"]))


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def extension_of(part: Statement) -> tuple[str, str | None] | None:
    """Return name and schema if the statement creates an extension."""
    match = _EXTENSION.match(part.text.decode("utf-8", "replace"))
    if match is None:
        return None
    return _bare(match["name"]), _bare(match["schema"]) if match["schema"] else None


def gently(part: Statement) -> Statement:
    """Let a schema be there already: creating an extension may have needed it."""
    text = re.sub(rb"(?i)^CREATE SCHEMA (?!IF NOT)", b"CREATE SCHEMA IF NOT EXISTS ", part.text)
    return Statement(text, part.skeleton, part.line, part.column)


def remedy_for(message: str) -> str:
    """Return what to do about a message of pg_restore or the server."""
    if "permission denied" in message or "must be superuser" in message:
        return (
            "the dump is restored without superuser rights; restore it on a server of your own "
            "by its URL if it truly needs them"
        )
    if "collation" in message and "does not exist" in message:
        return (
            "the dump needs a collation that this server lacks; use a server with ICU, by its URL"
        )
    if "out of shared memory" in message:
        return "raise max_locks_per_transaction on the server"
    if "does not exist" in message:
        return (
            "if it names a function, its caller relies on the search path, which dumps empty: "
            "qualify it in production. Otherwise dump again, with everything it refers to"
        )
    return AGAIN
