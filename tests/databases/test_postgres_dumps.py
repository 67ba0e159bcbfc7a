"""Dumps of every kind are told apart, diagnosed, refused or restored whole."""

import gzip
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from dbcycle_assets.databases import dump_digest
from dbcycle_assets.databases.port import Server
from dbcycle_assets.databases.postgres.dumps import diagnose, sniff
from dbcycle_assets.databases.postgres.server import PostgresServer
from dbcycle_assets.errors import DumpError, GuardRefused

from .kit import DATA, PROJECT, scratch, silent, stamp

NAME = "contract_restored"
DUMPS = {"pagila": (15, 49_636), "chinook": (11, 15_607), "common_pg14": (15, 16_919)}
SMALL = """
CREATE EXTENSION citext;
CREATE TABLE notes (id integer PRIMARY KEY, body text, owner citext);
INSERT INTO notes SELECT n, E'tab\\t, slash \\\\ and line\\n' || n, 'Me' FROM generate_series(1, 50) n;
CREATE FUNCTION shout(t text) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN RETURN upper(t) || ';'; END $body$;
CREATE VIEW loud AS SELECT shout(body) AS body FROM notes;
"""


def made_by_pg_dump(server: Server, folder: Path, *options: str) -> Path:
    """Dump a small database with the server's own pg_dump."""
    assert isinstance(server, PostgresServer)
    command, variables = server.shell_command("contract_small")
    target = folder / "made.dump"
    with scratch(server, SMALL, "contract_small"):
        subprocess.run(
            [str(Path(command[0]).parent / "pg_dump"), *options, f"--file={target}", command[1]],
            env={**os.environ, **variables},
            check=True,
        )
    return target


def refusal(server: Server, dump: Path) -> str:
    """Return why a dump is refused, having made sure that nothing is left behind."""
    with pytest.raises(DumpError) as caught:
        server.restore(dump, NAME, stamp(), silent)
    assert not server.exists(NAME)
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(DUMPS))
def test_real_dumps_restore_whole(server: Server, name: str) -> None:
    """Dumps of three real schemas, made by PostgreSQL 14 and 16, restore with every row."""
    found = server.restore(DATA / f"{name}.dump", NAME, stamp(), silent)
    try:
        assert (len(found.rows), sum(found.rows.values())) == DUMPS[name]
        known = server.stamp(NAME)
        assert known is not None
        assert known.role == "scratch"
    finally:
        server.drop(NAME, PROJECT)


@pytest.mark.parametrize(
    "options",
    [
        ["--format=custom"],
        ["--format=tar"],
        ["--format=directory"],
        ["--format=plain"],
        ["--format=plain", "--inserts"],
    ],
    ids=" ".join,
)
def test_every_format_restores(server: Server, tmp_path: Path, options: list[str]) -> None:
    """The format is told from the content; the rows and the schema arrive in each of them."""
    dump = made_by_pg_dump(server, tmp_path, *options)
    assert options[0].endswith(sniff(dump))
    found = server.restore(dump, NAME, stamp(), silent)
    try:
        assert found.rows == {"notes": 50}
        with server.open(NAME) as database:
            catalog = database.catalog()
            table = catalog.tables["notes"]
            first = next(iter(database.read(table, table.columns))).split(b"\n", 1)[0]
        assert first == b"1\ttab\\t, slash \\\\ and line\\n1\tMe"
        assert catalog.views == ("loud",)
        assert catalog.extensions == ("citext",)
    finally:
        server.drop(NAME, PROJECT)


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_a_dump_packed_with_gzip_restores(server: Server, tmp_path: Path, kind: str) -> None:
    """A packed dump is unpacked on the way, whatever its name says."""
    dump = made_by_pg_dump(server, tmp_path, f"--format={kind}")
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(dump.read_bytes()))
    assert server.restore(packed, NAME, stamp(), silent).rows == {"notes": 50}
    server.drop(NAME, PROJECT)
    packed.write_bytes(packed.read_bytes()[:-200])
    assert "truncated" in refusal(server, packed)


@pytest.mark.parametrize("kind", ["custom", "tar", "directory", "plain"])
def test_the_digest_of_a_dump_is_blind_to_its_time(
    server: Server, tmp_path: Path, kind: str
) -> None:
    """Dumping the same database twice gives the same digest; another row gives another one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with scratch(server, SMALL, "contract_small") as database:
        command, variables = server.shell_command("contract_small")
        program = str(Path(command[0]).parent / "pg_dump")
        digests = []
        for number, change in enumerate(
            ["SELECT pg_sleep(1.1)", "DELETE FROM notes WHERE id = 1", ""]
        ):
            target = tmp_path / f"{number}.dump"
            arguments = [f"--format={kind}", "--verbose", f"--file={target}", command[1]]
            subprocess.run(
                [program, *arguments],
                env={**os.environ, **variables},
                check=True,
                capture_output=True,
            )
            digests.append(dump_digest(target))
            database.run_sql(change, Path("change.sql"))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("percent", [1, 30, 60, 95])
@pytest.mark.parametrize("name", ["pagila.dump", "plain"])
@pytest.mark.case(48, 49)
def test_a_truncated_dump_is_refused(
    server: Server, tmp_path: Path, name: str, percent: int
) -> None:
    """A dump cut anywhere is refused and leaves no database behind."""
    if name == "plain":
        whole = made_by_pg_dump(server, tmp_path, "--format=plain").read_bytes()
    else:
        whole = (DATA / name).read_bytes()
    cut = tmp_path / "cut.dump"
    cut.write_bytes(whole[: len(whole) * percent // 100])
    message = refusal(server, cut)
    assert "truncated" in message
    assert str(cut) in message


def test_missing_empty_and_foreign_files_are_told_apart(server: Server, tmp_path: Path) -> None:
    """Each kind of file that is no dump gets its own message."""
    file = tmp_path / "file"
    assert "no dump" in refusal(server, file)
    for content, word in {
        b"": "0 bytes",
        b"SQLite format 3\0rest": "SQLite",
        b"-- MySQL dump 10.13\n": "MySQL",
        b"\x89PNG\0\0": "no PostgreSQL dump",
        b"SELECT 1;\n": "truncated",
    }.items():
        file.write_bytes(content)
        assert word in refusal(server, file)
    assert "toc.dat" in refusal(server, tmp_path)


HOSTILE = {
    "\\! touch {marker}": "\\!",
    "\\copy notes to program 'touch {marker}'": "\\copy",
    "COPY notes FROM PROGRAM 'touch {marker}';": "PROGRAM",
    "COPY notes TO '{marker}';": "file on the server",
    "/* c */ copy notes from /* x */ program $$touch {marker}$$;": "PROGRAM",
    "ALTER SYSTEM SET fsync = off;": "reconfigures",
    "CREATE ROLE root SUPERUSER;": "roles",
    "SET SESSION AUTHORIZATION postgres;": "runs as",
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f();": "event trigger",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x';": "plpython3u",
    "DO $$ BEGIN COPY notes FROM PROGRAM 'touch {marker}'; END $$;": "refused",
}


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.case(55, 56)
def test_a_hostile_plain_dump_is_refused_with_its_line(
    server: Server, tmp_path: Path, line: str
) -> None:
    """Nothing in a plain dump runs a program, here or on the server, nor changes the server."""
    marker = tmp_path / "owned"
    whole = made_by_pg_dump(server, tmp_path, "--format=plain").read_text().split("\n")
    assert any(each.startswith("\\restrict") for each in whole)
    end = next(n for n, each in enumerate(whole) if "dump complete" in each)
    whole.insert(end, line.replace("{marker}", str(marker)))
    dump = tmp_path / "hostile.sql"
    dump.write_text("\n".join(whole))
    message = refusal(server, dump)
    assert HOSTILE[line] in message
    assert f"{dump}:{end + 1}" in message
    assert not marker.exists()


def test_owners_and_grants_of_unknown_roles_are_left_out(server: Server, tmp_path: Path) -> None:
    """A plain dump restores although its roles do not exist here."""
    whole = made_by_pg_dump(server, tmp_path, "--format=plain").read_text()
    extra = (
        "ALTER TABLE public.notes OWNER TO nobody_here;\nGRANT ALL ON TABLE public.notes TO x;\n"
    )
    dump = tmp_path / "owned.sql"
    dump.write_text(
        whole.replace(
            "--\n-- PostgreSQL database dump complete",
            extra + "--\n-- PostgreSQL database dump complete",
        )
    )
    assert server.restore(dump, NAME, stamp(), silent).rows == {"notes": 50}
    server.drop(NAME, PROJECT)


@pytest.mark.case(60)
def test_a_missing_extension_is_named_before_anything_is_restored(
    server: Server, tmp_path: Path
) -> None:
    """The message has the extension and what to do about it."""
    whole = made_by_pg_dump(server, tmp_path, "--format=plain").read_text()
    dump = tmp_path / "postgis.sql"
    dump.write_text(whole.replace("citext", "postgis"))
    message = refusal(server, dump)
    assert "postgis" in message
    assert "URL" in message


def test_an_archive_tells_what_it_is(server: Server) -> None:
    """The diagnosis has the versions and the entries of an archive."""
    assert isinstance(server, PostgresServer)
    found = diagnose(DATA / "pagila.dump", server._clients[-1])
    assert found.format == "custom"
    assert found.server.startswith("16")
    assert len(found.named("TABLE DATA")) == 21


@pytest.mark.case(50)
def test_damage_inside_an_archive_is_noticed(server: Server, tmp_path: Path) -> None:
    """A flipped byte in the middle of the data is refused, and nothing is left behind."""
    data = bytearray((DATA / "chinook.dump").read_bytes())
    data[len(data) // 2] ^= 0xFF
    dump = tmp_path / "flipped.dump"
    dump.write_bytes(data)
    assert "damaged" in refusal(server, dump)


def test_a_damaged_tar_is_refused(server: Server, tmp_path: Path) -> None:
    """A tar that is no dump, or half of one, is refused."""
    dump = made_by_pg_dump(server, tmp_path, "--format=tar")
    dump.write_bytes(dump.read_bytes()[:4500])
    refusal(server, dump)
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as archive:
        archive.add(Path(__file__), "toc.txt")
    refusal(server, other)


def test_a_database_of_someone_else_is_never_restored_over(server: Server) -> None:
    """Without our stamp a database is left alone, and the dump is not restored."""
    assert isinstance(server, PostgresServer)
    with server._administer() as connection:
        connection.execute("CREATE DATABASE someone_elses")
        try:
            for act in (
                lambda: server.restore(DATA / "chinook.dump", "someone_elses", stamp(), silent),
                lambda: server.create("someone_elses", stamp()),
                lambda: server.drop("someone_elses", PROJECT),
                lambda: server.set_stamp("someone_elses", stamp()),
                lambda: server.clone("someone_elses", "contract_copy", stamp()),
                lambda: server.switch("someone_elses", "contract_x", "contract_y", PROJECT),
            ):
                with pytest.raises(GuardRefused):
                    act()
            assert server.exists("someone_elses")
        finally:
            connection.execute("DROP DATABASE someone_elses")
