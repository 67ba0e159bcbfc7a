"""Dumps that are broken, hostile or another's: refused by name, and nothing changes."""

import contextlib
import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import psycopg
import pytest

from dbcycle_assets.databases import open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.databases.postgres.session import connect, with_database

from .kit import ROWS, SCHEMA, TABLES, World, told

case = pytest.mark.case
END = "--\n-- PostgreSQL database dump complete"


def dumped(world, *options, script=SCHEMA + ROWS, target=None, admin=None):
    """Dump a database that a script makes, with the server's own pg_dump."""
    server, name = world.server, "production_of_faults"
    target = target or world.root.parent / "made.dump"
    shutil.rmtree(target, ignore_errors=True)
    target.unlink(missing_ok=True) if target.is_file() else None
    server.create(name, Stamp("tests", "production"))
    try:
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            connection.execute(script)
        command, variables = server.shell_command(name)
        url = command[1]
        if admin:
            with connect(server.admin_url, name) as connection:
                connection.execute(admin)
            url, variables = with_database(server.admin_url, name), {}
        subprocess.run(
            [str(Path(command[0]).parent / "pg_dump"), *options, f"--file={target}", url],
            env={**os.environ, **variables},
            check=True,
        )
    finally:
        server.drop(name, "tests")
    return target


def give(world, content):
    """Make something the shop's dump: bytes, a file or a folder."""
    if isinstance(content, Path):
        content = content.read_bytes()
    world.dump.write_bytes(content if isinstance(content, bytes) else content.encode())


def plain(world, **kwargs):
    """Return a plain dump as text."""
    return dumped(world, "--format=plain", **kwargs).read_text()


def before_end(text, more):
    """Put statements at the end of a plain dump."""
    return text.replace(END, f"{more}\n{END}")


def refused(world, code, *words, secrets=()):
    """Restore, be refused, and have changed nothing."""
    with world.unchanged():
        return told(world.run("restore"), code, *words, secrets=secrets)


@case(47)
def test_an_empty_dump_is_refused(shop):
    """0 bytes: named, and nothing is restored."""
    shop.dump.write_bytes(b"")
    refused(shop, 7, "0 bytes", "prod.dump")


@case(47)
def test_a_dump_that_shrank_is_refused(tmp_path):
    """A dump of less than a tenth of the last: both sizes are told; who means it says so."""
    world = World("sqlite", tmp_path / "shop", open_server("sqlite", url=None, state=tmp_path))
    many = "".join(
        f"INSERT INTO users VALUES ({n}, 'u{n}@example.net', 'Ada {n} Lovelace', 'x');"
        for n in range(10, 9000)
    )
    world.produce(SCHEMA + ROWS + many, TABLES)
    assert world.run("refresh").code == 0
    before = world.dump.stat().st_size
    world.produce(SCHEMA + ROWS, TABLES)
    refused(world, 7, f"{before:,}", f"{world.dump.stat().st_size:,}", "--all")
    assert world.run("refresh", "--all").code == 0
    assert world.rows("SELECT count(*) FROM users") == [(2,)]


@case(50)
@pytest.mark.parametrize("place", ["contents", "data"])
def test_flipped_bits_are_refused(postgresql, place):
    """In the table of contents or in a block of data: nothing is swapped in."""
    content = bytearray(postgresql.dump.read_bytes())
    at = content.find(b"CREATE TABLE") if place == "contents" else len(content) - 40
    for n in range(at, at + 12):
        content[n] ^= 0xFF
    give(postgresql, bytes(content))
    refused(postgresql, 7, "prod.dump")


@case(50, 51)
def test_a_checksum_of_another_file_is_refused(shop):
    """Beside the dump, as `sha256sum` writes it: both digests are told; the right one passes."""
    beside = shop.dump.with_name("prod.dump.sha256")
    beside.write_text(f"{hashlib.sha256(b'another').hexdigest()}  prod.dump\n")
    try:
        refused(shop, 7, "prod.dump.sha256", "is not that of")
        beside.write_text(f"{hashlib.sha256(shop.dump.read_bytes()).hexdigest()}  prod.dump\n")
        assert shop.run("refresh").code == 0
        beside.write_text("no digest\n")
        refused(shop, 7, "prod.dump.sha256")
    finally:
        beside.unlink()


@case(52)
def test_a_bomb_is_stopped(postgresql, tmp_path):
    """A packed dump that unpacks to very much more than any dump does; no temporary file stays."""
    part = gzip.compress(b"-- " + b" " * (64 << 20) + b"\n", 9)
    give(postgresql, part * 8)
    refused(postgresql, 7, "unpacks to more than")


@case(53)
@pytest.mark.parametrize("name", ["/etc/passwd", "../../escape", "link", "device"])
def test_a_hostile_member_is_named(postgresql, tmp_path, name):
    """Absolute, upwards, a link or a device: a dump has only plain files of its own."""
    dump = dumped(postgresql, "--format=tar")
    with tarfile.open(dump, "a") as archive:
        member = tarfile.TarInfo(name)
        if name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        if name == "device":
            member.type = tarfile.CHRTYPE
        archive.addfile(member)
    give(postgresql, dump)
    refused(postgresql, 7, name)


@case(54)
@pytest.mark.parametrize("change", ["missing", "extra", "link"])
def test_a_folder_that_is_not_as_it_was_written_is_refused(postgresql, tmp_path, change):
    """A file too few, one too many, or a link: its name is told."""
    folder = dumped(postgresql, "--format=directory", target=tmp_path / "folder")
    data = next(folder.glob("*.dat*[0-9z]"))
    if change == "missing":
        data.unlink()
    elif change == "extra":
        (folder / "9999.dat.gz").write_bytes(data.read_bytes())
    else:
        data.rename(tmp_path / "elsewhere")
        data.symlink_to(tmp_path / "elsewhere")
    text = (postgresql.root / "dbcycle.yaml").read_text()
    (postgresql.root / "dbcycle.yaml").write_text(text.replace("prod.dump", str(folder)))
    word = "9999.dat.gz" if change == "extra" else data.name.removesuffix(".gz")
    refused(postgresql, 7, word)


@case(56)
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("SELECT pg_catalog.lo_import('/etc/passwd');", "permission denied"),
        ("SELECT pg_catalog.pg_read_file('/etc/passwd');", "permission denied"),
        ("COPY public.users FROM PROGRAM 'id';", "PROGRAM"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x';", "plpython3u"),
        ("CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f();", "event trigger"),
    ],
)
def test_what_reaches_beyond_its_database_is_refused(postgresql, line, word):
    """Files and programs of the server, untrusted languages, triggers on every command."""
    give(postgresql, before_end(plain(postgresql), line))
    refused(postgresql, 7, word, "prod.dump:")


@case(56)
def test_what_a_superuser_owned_belongs_to_nobody_special(postgresql):
    """A SECURITY DEFINER function of a superuser has no more rights here than anybody."""
    text = plain(postgresql)
    more = (
        "CREATE FUNCTION public.f() RETURNS text SECURITY DEFINER LANGUAGE sql"
        " AS $$SELECT pg_catalog.pg_read_file('/etc/hostname')$$;\n"
        "ALTER FUNCTION public.f() OWNER TO postgres;\n"
    )
    give(postgresql, before_end(text, more))
    assert postgresql.run("refresh").code == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgresql.rows("SELECT f()")


ODD = 'a"; DROP TABLE users; --\n\\! touch owned\n'


@case(57)
@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_names_with_newlines_and_quotes_are_names(postgresql, kind, tmp_path, monkeypatch):
    """Quoted wherever they occur; they run nothing, and no message line begins with one."""
    monkeypatch.chdir(tmp_path)
    quoted = '"' + ODD.replace('"', '""') + '"'
    script = SCHEMA + ROWS + f"CREATE TABLE {quoted} (id integer PRIMARY KEY, {quoted} text);"
    give(postgresql, dumped(postgresql, f"--format={kind}", script=script))
    with postgresql.unchanged():
        done = told(postgresql.run("refresh"), 8, "DROP TABLE users")
    assert "\n\\! touch" not in done.err + done.out
    assert not (tmp_path / "owned").exists()


@case(58)
def test_the_dump_of_another_database_publishes_nothing(postgresql):
    """Tables that nobody judged, and judged ones that are not there, are all named."""
    script = (
        "CREATE TABLE films (id integer PRIMARY KEY, title text); INSERT INTO films VALUES (1);"
    )
    give(postgresql, dumped(postgresql, "--format=custom", script=script))
    with postgresql.unchanged():
        told(postgresql.run("refresh"), 7, "users", "orders", "do not exist")


@case(59)
def test_a_dump_of_a_newer_program_names_the_one_it_needs(postgresql):
    """The version of the archive is beyond what pg_restore knows."""
    content = bytearray(postgresql.dump.read_bytes())
    content[6] = 99
    give(postgresql, bytes(content))
    refused(postgresql, 7, "too new for pg_restore", "newer PostgreSQL")


@case(59)
def test_a_setting_of_a_newer_server_is_no_obstacle(postgresql):
    """`transaction_timeout` came with 17: an older server does not have to know it."""
    text = plain(postgresql)
    assert "SET transaction_timeout" in text
    from dbcycle_assets.databases.postgres.admission import left_out
    from dbcycle_assets.databases.postgres.plain import Script

    parts = list(Script([b"SET transaction_timeout = 0;\n"]))
    assert left_out(parts[0], 160000)
    assert not left_out(parts[0], 170000)
    give(postgresql, text)
    told(postgresql.run("restore"), 0)


@case(60)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("CREATE EXTENSION postgis;", ["lacks extensions", "postgis"]),
        (
            'CREATE COLLATION public.c (provider = libc, locale = "xx_XX.utf8");',
            ["locale", "prod.dump:"],
        ),
        ('ALTER TABLE public.users ALTER role TYPE text COLLATE "xx-x-icu";', ["collation", "ICU"]),
    ],
)
def test_what_the_server_lacks_is_named(postgresql, line, words):
    """An extension or a collation stops the restore with what to do."""
    give(postgresql, before_end(plain(postgresql), line))
    refused(postgresql, 7, *words)


@case(60)
def test_roles_and_tablespaces_are_not_needed(postgresql):
    """Owners, grants and tablespaces of a production server are left out."""
    text = plain(postgresql).replace(
        "SET default_tablespace = '';", "SET default_tablespace = fast_disk;"
    )
    more = (
        "ALTER TABLE public.users OWNER TO app;\nGRANT SELECT ON public.users TO app;\n"
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO app;\n"
    )
    give(postgresql, before_end(text, more))
    told(postgresql.run("refresh"), 0)


@case(61)
def test_bytes_of_another_encoding_are_told_by_their_line(postgresql):
    """LATIN1 in a dump that says UTF8: table and line, and not the bytes."""
    content = plain(postgresql).replace("Grace Hopper wants", "Gr\xe4ce wants").encode("latin-1")
    give(postgresql, content)
    refused(postgresql, 7, "orders, line 1 of its rows", "encoding", secrets=["wants it", "0xe4"])


@case(62)
def test_a_dump_that_was_taken_in_the_middle_of_a_migration_is_told(postgresql, sqlite):
    """The history inside says half-done: exit code 6 with the repair, never silently clean."""
    dirty = """
    CREATE SCHEMA _dbcycle;
    CREATE TABLE _dbcycle.migrations (position integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      step text NOT NULL UNIQUE, checksum text NOT NULL, seconds double precision NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(), state text NOT NULL DEFAULT 'applied',
      applied_by text NOT NULL DEFAULT '');
    INSERT INTO _dbcycle.migrations (step, checksum, seconds, state)
      VALUES ('v1/1_a.sql', 'x', 0, 'running');
    CREATE TABLE _dbcycle.journal (step text, number integer, digest text,
      started_at timestamptz DEFAULT now(), finished_at timestamptz, PRIMARY KEY (step, number));
    """
    give(postgresql, dumped(postgresql, "--format=custom", script=SCHEMA + ROWS + dirty))
    with postgresql.unchanged():
        told(postgresql.run("refresh"), 6, "v1/1_a.sql", "half")


@case(63)
def test_the_stamp_of_production_does_not_come_along(postgresql):
    """The restored database says what it is here, whatever the dump says of itself."""
    stamp = """
    CREATE SCHEMA _dbcycle;
    CREATE TABLE _dbcycle.claim (document jsonb NOT NULL);
    INSERT INTO _dbcycle.claim VALUES ('{"project": "other", "environment": "production"}');
    """
    give(postgresql, dumped(postgresql, "--format=custom", script=SCHEMA + ROWS + stamp))
    told(postgresql.run("refresh"), 0)
    server, cycle = postgresql.server, postgresql.cycle
    for role in ("restored", "test"):
        known = server.stamp(cycle.database(role))
        assert (known.project, known.role) == ("shop", role)
    assert postgresql.rows("SELECT to_regclass('_dbcycle.claim')") == [(None,)]


OUTSIDE = """
CREATE EXTENSION postgres_fdw;
CREATE SERVER prod FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'prod.internal');
CREATE USER MAPPING FOR PUBLIC SERVER prod OPTIONS (user 'app', password 'hunter2');
CREATE FOREIGN TABLE remote (id integer) SERVER prod;
CREATE PUBLICATION everything FOR ALL TABLES;
"""


@case(64)
@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_what_would_call_production_is_left_out_and_listed(postgresql, kind):
    """Foreign servers with their passwords, publications and subscriptions stay behind."""
    dump = dumped(postgresql, f"--format={kind}", admin=OUTSIDE)
    give(postgresql, dump)
    told(postgresql.run("refresh"), 0, secrets=["hunter2"])
    record = postgresql.cycle.ledger.get("restored_db")
    notes = " ".join(record.facts["notes"])
    for word in ("prod", "remote", "everything"):
        assert word in notes, notes
    for role in ("restored", "test"):
        for table in (
            "pg_foreign_server",
            "pg_user_mappings",
            "pg_publication",
            "pg_foreign_table",
        ):
            assert postgresql.rows(f"SELECT count(*) FROM {table}", role) == [(0,)], (role, table)


@case(65)
@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_what_needs_a_search_path_names_function_and_table(postgresql, kind):
    """A generated column that calls an unqualified function: no empty table is accepted."""
    script = (
        SCHEMA
        + ROWS
        + """
    CREATE FUNCTION inner_one(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(t)';
    CREATE FUNCTION outer_one(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE
      AS 'BEGIN RETURN inner_one(t); END';
    CREATE TABLE derived (id integer PRIMARY KEY, t text,
      loud text GENERATED ALWAYS AS (outer_one(t)) STORED);
    INSERT INTO derived VALUES (1, 'x');
    """
    )
    give(postgresql, dumped(postgresql, f"--format={kind}", script=script))
    refused(postgresql, 7, "inner_one", "derived", "search path")


@case(66)
def test_rows_that_do_not_arrive_are_listed_by_table(postgresql):
    """Whatever swallowed them: the table, and both counts."""
    text = plain(postgresql)
    swallow = (
        "CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;\n"
        "CREATE TRIGGER t BEFORE INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.no();\n"
    )
    at = text.index("COPY public.orders")
    give(postgresql, text[:at] + swallow + text[at:])
    refused(postgresql, 7, "orders: 0 rows restored, 2 in the dump")


@case(67)
def test_programs_that_do_not_fit_are_named(postgresql, tmp_path):
    """Missing, too old, or failing: the exit code decides, never what is printed."""
    from dbcycle_assets.databases.postgres.clients import Clients, ProgramFailed, choose, run
    from dbcycle_assets.errors import ServerUnavailable

    with pytest.raises(ServerUnavailable, match="no pg_dump for PostgreSQL 99") as caught:
        choose(99, [Clients(tmp_path, 18)])
    assert "install the PostgreSQL 99" in caught.value.remedy
    program = tmp_path / "pg_restore"
    program.write_text("#!/bin/sh\necho 'pg_restore: warning: errors ignored: 3' >&2\nexit $1\n")
    program.chmod(0o755)
    run([program, "0"], {})
    with pytest.raises(ProgramFailed):
        run([program, "1"], {})
    with contextlib.suppress(FileNotFoundError):
        run([tmp_path / "absent"], {})
