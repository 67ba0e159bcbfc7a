"""Dump a live database: read only, in one snapshot, with a pg_dump that fits the server."""

from pathlib import Path

import psycopg

from ...errors import DumpError, ServerUnavailable
from .. import embedded
from ..port import Progress
from .clients import ProgramFailed, choose, environment, installed, run, without_password
from .session import connection_facts


def dump_database(url: str, path: Path, progress: Progress) -> None:
    """Write a custom-format dump of the database at ``url``; pg_dump takes one snapshot.

    Raises:
        ServerUnavailable: cannot connect, or no pg_dump fits.
        DumpError: pg_dump failed.
    """
    facts = connection_facts(url)
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            major = connection.info.server_version // 10_000
    except psycopg.OperationalError:
        raise ServerUnavailable(
            "cannot connect to the database to dump",
            where=str(facts.get("host", "")),
            remedy="check address, user and password in the variable of `source.download.url_env`",
        ) from None
    programs = choose(major, installed(embedded.programs()))
    progress(f"pg_dump {programs.major} of PostgreSQL {major}")
    target = without_password(url, str(facts.get("dbname", "postgres")))
    command: list[str | Path] = [
        programs.program("pg_dump"),
        "--format=custom",
        "--file",
        path,
        "--dbname",
        target,
    ]
    try:
        run(command, environment(url))
    except ProgramFailed as error:
        raise DumpError(f"pg_dump failed: {'; '.join(error.lines)}") from None
