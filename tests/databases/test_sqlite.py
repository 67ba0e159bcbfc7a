"""SQLite databases are files that travel whole, whatever odd values they hold."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy
from hypothesis import strategies as st

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.cycle import blocks
from dbcycle_assets.databases.port import Database, Stamp
from dbcycle_assets.databases.sqlite import SqliteServer, dump_digest
from dbcycle_assets.databases.sqlite import values as forms
from dbcycle_assets.databases.sqlite.lexer import statements
from dbcycle_assets.errors import (
    BadInput,
    DbCycleError,
    DumpError,
    GoldenError,
    GuardRefused,
    MigrationError,
    ServerUnavailable,
)
from dbcycle_assets.model.catalog import Catalog, ForeignKey, UniqueKey
from dbcycle_assets.model.migration import Entry

from .kit import DATA, PROJECT, heap_of, scratch, silent, stamp

ODD = """
CREATE TABLE everything (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    words TEXT COLLATE NOCASE,
    code VARCHAR(12) NOT NULL DEFAULT 'none',
    price DECIMAL(10, 2),
    ratio REAL,
    born DATE,
    seen DATETIME,
    active BOOLEAN DEFAULT 1,
    document JSON,
    token UUID,
    raw BLOB,
    anything,
    letters INTEGER GENERATED ALWAYS AS (length(words)) STORED,
    CHECK (code <> 'forbidden')
);
CREATE UNIQUE INDEX everything_code ON everything (lower(code) DESC, price) WHERE active;
CREATE INDEX everything_born ON everything (born);
CREATE TABLE [Order Items] (
    everything_id INTEGER REFERENCES Everything,
    "line" INTEGER,
    note TEXT UNIQUE,
    PRIMARY KEY (everything_id, "line")
) WITHOUT ROWID;
CREATE TABLE log (at TEXT, what TEXT);
CREATE VIEW recent AS SELECT * FROM everything WHERE seen > '2020';
CREATE TRIGGER notes AFTER INSERT ON "Order Items" BEGIN
    INSERT INTO log VALUES ('now; then', new.note);
    UPDATE everything SET active = 0 WHERE id = new.everything_id;
END;
PRAGMA user_version = 7;
"""

ROWS = [
    ("words",), ("",), ("a\0b",), ("tab\tline\nback\\slash\r\b\f\v",), ("\\N",), ("\\x41",),
    ("\x1b'x",), (12,), (-(2**63),), (2**63 - 1,), (1.5,), (12.0,), (1e300,), (0.1 + 0.2,),
    (5e-324,), (float("inf"),), (float("-inf"),), (b"",), (b"\x00\xff",), ("12",), ("012",),
    ("1e5",), ("Infinity",), (None,), ("ü€😀",), ("2021-02-03",), ('{"a": 1}',),
]  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> SqliteServer:
    return SqliteServer(tmp_path / "databases")


@pytest.fixture
def odd(server: SqliteServer) -> Catalog:
    """The odd schema, with every odd value in every column that takes it."""
    server.create("source", stamp())
    with server.open("source") as database:
        database.run_sql(ODD, Path("odd.sql"))
        catalog = database.catalog()
    with closing(raw(server, "source")) as connection, connection:
        for number, (value,) in enumerate(ROWS, 1):
            connection.execute(
                "INSERT INTO everything (words, code, price, ratio, born, seen, document, token,"
                " raw, anything) VALUES (?1, ?2, ?1, ?1, ?1, ?1, ?1, ?1, ?1, ?1)",
                [value, f"c{number}"],
            )
        connection.execute("INSERT INTO everything (words) VALUES (CAST(x'61ff62' AS TEXT))")
        connection.execute("INSERT INTO log VALUES ('b', 1), ('a', NULL), ('a', 'x'), ('a', 'x')")
        connection.execute("INSERT INTO [Order Items] VALUES (2, 1, 'n'), (1, 2, 'm')")
        connection.execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'everything'")
    return catalog


def raw(server: SqliteServer, name: str) -> sqlite3.Connection:
    return sqlite3.connect(server.url(name).removeprefix("sqlite:///"))


def stored(server: SqliteServer, name: str) -> list[tuple[object, ...]]:
    """Every value with its storage class, as SQLite itself tells it."""
    parts = ("words", "price", "ratio", "born", "document", "token", "raw", "anything", "active")
    shown = ", ".join(f"typeof({p}), quote(CAST({p} AS BLOB)), quote({p})" for p in parts)
    with closing(raw(server, name)) as connection:
        connection.text_factory = bytes
        return connection.execute(f"SELECT {shown} FROM everything ORDER BY id").fetchall()


@pytest.mark.case(99)
def test_every_value_survives_the_round_trip(server: SqliteServer, odd: Catalog) -> None:
    """Each value arrives with the storage class it had, and the schema is the same at the end."""
    heap_of(server, "source", "heap")
    with server.open("source", read_only=True) as source, server.open("heap") as heap:
        before = source.fingerprints(odd.tables.values())
        for name, table in odd.tables.items():
            found = b"".join(source.read(table, table.stored_columns))
            frame = blocks.parse(found, len(table.stored_columns))
            assert blocks.render(frame) == found
            done = heap.replace_rows(table, table.stored_columns, [found], [], f"c-{name}")
            assert done.rows == before[name].rows, name
            assert heap.fingerprints([table])[name] == before[name], name
            assert b"".join(heap.read(table, table.stored_columns)) == found
        assert heap.loaded_content() == {name: f"c-{name}" for name in sorted(odd.tables)}
    assert stored(server, "heap") == stored(server, "source")
    server.copy_schema("source", "heap", "post-data", silent)
    with server.open("heap") as whole:
        assert whole.set_sequences() == 1
        assert whole.refresh_views() == 0
        whole.analyze(whole.catalog().tables.values())
        assert whole.fingerprints(odd.tables.values()) == before
        assert whole.catalog() == odd
        whole.run_sql("INSERT INTO [Order Items] VALUES (3, 1, 'fires')", Path("next.sql"))
        assert whole.count(odd.tables["log"]) == 7
        whole.run_sql("INSERT INTO everything (code) VALUES ('next')", Path("next.sql"))
        ids = b"".join(whole.read(odd.tables["everything"], [odd.tables["everything"].columns[0]]))
        assert ids.endswith(b"\n901\n")


@hypothesis.given(
    value=st.one_of(
        st.none(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.binary(),
        st.text(),
        st.from_regex(r"\\x[0-9a-f]*|\x1b.*|-?[0-9.e]+", fullmatch=True),
        st.binary().map(forms.text_of),
    ),
    kind=st.sampled_from(["TEXT", "NUMERIC", "INTEGER", "REAL", "BLOB"]),
)
def test_the_text_form_is_exact(value: forms.Value, kind: str) -> None:
    """Any value of any storage class comes back from its text form as it was, in any column."""
    if kind == "REAL" and isinstance(value, int):
        value = float(value)  # such a column stores no integers
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
    line = forms.line_of([value], [kind])
    back = next(forms.rows_of([line.encode() + b"\n"], [kind], ""))[0]
    assert (type(back), repr(back)) == (type(value), repr(value))


def test_a_marked_value_shows_its_words() -> None:
    """A search for words finds them in a value that carries a mark of its storage class."""
    assert forms.encode("\x1bJohn", "TEXT") == "\x1b'\x1bJohn"
    assert forms.encode("5551234", "BLOB") == "\x1b'5551234"


def test_the_catalog_tells_what_anonymizers_need(odd: Catalog) -> None:
    """Kinds come from declared types; keys, collations and generated columns are known."""
    table = odd.tables["everything"]
    kinds = {column.name: column.kind for column in table.columns}
    assert kinds == {
        "id": Kind.INTEGER, "words": Kind.TEXT, "code": Kind.TEXT, "price": Kind.NUMERIC,
        "ratio": Kind.FLOAT, "born": Kind.DATE, "seen": Kind.TIMESTAMP, "active": Kind.BOOLEAN,
        "document": Kind.JSON, "token": Kind.UUID, "raw": Kind.BYTES, "anything": Kind.TEXT,
        "letters": Kind.INTEGER,
    }  # fmt: skip
    by_name = {column.name: column for column in table.columns}
    assert by_name["id"].identity
    assert not by_name["id"].nullable
    assert by_name["words"].case_insensitive
    assert by_name["code"].max_length == 12
    assert by_name["code"].has_default
    assert by_name["letters"].generated
    assert table.checks == ("CHECK (code <> 'forbidden')",)
    assert table.unique_keys == (
        UniqueKey(
            "everything_code", ("code", "price", "active"), "(lower(code), price) WHERE active"
        ),
    )
    items = odd.tables["Order Items"]
    assert items.primary_key == ("everything_id", "line")
    assert not any(column.nullable for column in items.columns[:2])
    assert items.unique_keys == (UniqueKey("unique (note)", ("note",)),)
    assert odd.foreign_keys == (
        ForeignKey(
            "Order Items_everything_id_fkey", "Order Items", ("everything_id",), "everything", ("id",)
        ),
    )  # fmt: skip
    assert odd.views == ("recent",)
    assert odd.triggers == ("Order Items.notes",)
    assert Catalog.from_json(odd.to_json()) == odd


def test_reading_is_ordered_by_content(server: SqliteServer, odd: Catalog) -> None:
    """Without a primary key the order of insertion does not show."""
    log = odd.tables["log"]
    with server.open("source", read_only=True) as database:
        assert b"".join(database.read(log, log.columns)) == (
            b"a\t\\N\na\tm\na\tn\na\tx\na\tx\nb\t1\n".replace(b"a\tm\na\tn\n", b"")
            + b"now; then\tm\nnow; then\tn\n"
        )
        sampled = database.sample(log, log.columns[1], 2)
        assert len(sampled) == len(set(sampled)) == 2
        assert sampled == database.sample(log, log.columns[1], 2)


def test_virtual_tables_are_refused_by_name(server: SqliteServer) -> None:
    """A full-text table is named, and gone after the migration that the message asks for."""
    with scratch(server, "CREATE VIRTUAL TABLE search USING fts5(body)") as database:
        with pytest.raises(BadInput, match="search"):
            database.catalog()
        database.run_sql("DROP TABLE search; CREATE TABLE t (a)", Path("m.sql"))
        assert list(database.catalog().tables) == ["t"]


def test_a_reference_to_nothing_is_no_key(server: SqliteServer) -> None:
    """A key to a table that does not exist stays part of the table's shape only."""
    script = "CREATE TABLE c (a REFERENCES gone (id), b REFERENCES c (nope))"
    with scratch(server, script) as database:
        table = database.catalog().tables["c"]
    assert table.foreign_keys == ()
    assert len(table.extra) == 2


PEOPLE = """
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    email TEXT COLLATE NOCASE UNIQUE,
    nick TEXT,
    age INTEGER NOT NULL DEFAULT 7 CHECK (age > 0),
    gone BOOLEAN DEFAULT 0
);
CREATE UNIQUE INDEX people_nick ON people (lower(nick)) WHERE NOT gone;
CREATE TABLE profiles (
    person_id INTEGER PRIMARY KEY REFERENCES people,
    email TEXT REFERENCES people (email),
    note TEXT
);
CREATE TABLE teams (
    person_id INTEGER REFERENCES people (id), team TEXT, PRIMARY KEY (person_id, team)
) WITHOUT ROWID;
INSERT INTO people VALUES (1, 'One@x.org', 'Ann', 30, 0), (2, 'two@x.org', 'Bob', 31, 0),
    (3, NULL, NULL, 32, 0), (4, 'four@x.org', 'cy', 33, 1);
INSERT INTO profiles VALUES (1, NULL, 'a'), (2, 'two@x.org', 'b'), (4, NULL, 'd');
INSERT INTO teams VALUES (1, 'red'), (2, 'red'), (2, 'blue');
"""


@pytest.fixture
def people(server: SqliteServer) -> Catalog:
    server.create("source", stamp())
    with server.open("source") as database:
        database.run_sql(PEOPLE, Path("people.sql"))
    return heap_of(server, "source", "heap")


@pytest.mark.case(104)
def test_golden_records_win_by_every_unique_key(server: SqliteServer, people: Catalog) -> None:
    """A golden record displaces rows with its key, e-mail (whatever its case) or partial key, and
    references follow where the primary key changed."""
    table, profiles, teams = (people.tables[name] for name in ("people", "profiles", "teams"))
    golden = [
        {"id": "3", "email": "three@x.org"},
        {"id": "10", "email": "ONE@X.org", "age": "5"},
        {"id": "11", "nick": "BOB", "email": "bob@new.org"},
        {"id": "12", "nick": "CY"},
    ]
    with server.open("source") as source, server.open("heap") as heap:
        done = heap.replace_rows(
            table, table.columns, source.read(table, table.columns), golden, "c"
        )
        assert (done.rows, done.golden, done.replaced) == (5, 4, 3)
        assert done.displaced == ((("1",), ("10",)), (("2",), ("11",)))
        ages = b"".join(heap.read(table, [table.columns[0], table.columns[3]]))
        assert ages == b"3\t7\n4\t33\n10\t5\n11\t7\n12\t7\n"
        heap.replace_rows(
            profiles, profiles.columns, source.read(profiles, profiles.columns),
            [{"person_id": "10", "note": "golden"}], "c",
        )  # fmt: skip
        heap.replace_rows(
            teams, teams.columns, source.read(teams, teams.columns),
            [{"person_id": "11", "team": "red"}], "c",
        )  # fmt: skip
        keys = {(key.table, key.columns): key for key in people.foreign_keys}
        for pair, wrong in {
            ("profiles", ("person_id",)): 2, ("profiles", ("email",)): 1, ("teams", ("person_id",)): 3,
        }.items():  # fmt: skip
            assert heap.orphans(keys[pair]) == wrong
            assert heap.repoint(keys[pair], done.displaced) == wrong
            assert heap.orphans(keys[pair]) == 0
        notes = b"".join(heap.read(profiles, profiles.columns))
        assert notes == b"4\t\\N\td\n10\t\\N\tgolden\n11\tbob@new.org\tb\n"
        assert b"".join(heap.read(teams, teams.columns)) == b"10\tred\n11\tblue\n11\tred\n"
    server.copy_schema("source", "heap", "post-data", silent)


@pytest.mark.parametrize(
    ("golden", "where", "what"),
    [
        ([{"id": "1"}, {"id": "x\u00e9cret"}], "record 2, field id", "number"),
        ([{"id": "1", "age": "-5"}], "record 1", "CHECK"),
        ([{"id": "1", "age": None}], "record 1, field age", "NOT NULL"),
        ([{"id": "1", "nik": "x"}], "record 1", "did you mean `nick`"),
        ([{"id": "1", "email": "a@x"}, {"id": "2", "email": "A@x"}], "record 2", "as record 1"),
        ([{"id": "1", "nick": "a"}, {"id": "2", "nick": "A"}], "record 2", "people_nick"),
        ([{"id": "1"}, {"id": "1"}], "record 2", "primary key"),
    ],
)
def test_a_golden_record_that_does_not_fit_is_named_without_its_values(
    server: SqliteServer,
    people: Catalog,
    golden: list[dict[str, str | None]],
    where: str,
    what: str,
) -> None:
    """The message has the record's number and field; the table keeps the rows it had."""
    table = people.tables["people"]
    with server.open("heap") as heap:
        heap.replace_rows(table, table.columns, [b"9\t\\N\t\\N\t1\t0\n"], [], "kept")
        with pytest.raises(GoldenError) as caught:
            heap.replace_rows(table, table.columns, [], golden, "new")
        assert caught.value.where == where
        assert what in caught.value.what
        assert "cret" not in str(caught.value)
        assert heap.count(table) == 1
        assert heap.loaded_content() == {"people": "kept"}


@pytest.mark.parametrize(
    ("extract", "what"),
    [
        (b"1\t\\N\t\\N\t5\t0\n2\t\\N\tsecret\t-1\t0\n", "row 2: a row does not fit"),
        (b"1\t\\N\n", "2 fields where 5 columns"),
        (b"1\t\\N\t\x1b!secret\t5\t0\n", "cannot be read"),
    ],
)
def test_a_row_that_does_not_fit_is_named_without_its_values(
    server: SqliteServer, people: Catalog, extract: bytes, what: str
) -> None:
    """An extract's bad row is told by table and number."""
    table = people.tables["people"]
    with server.open("heap") as heap:
        with pytest.raises(BadInput) as caught:
            heap.replace_rows(table, table.columns, [extract], [], "c")
        assert heap.loaded_content() == {}
    assert what in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_unique_index_that_no_longer_holds_is_named(
    server: SqliteServer, people: Catalog
) -> None:
    """Masked values that collide are told by the index, before anything is published."""
    table = people.tables["people"]
    with server.open("heap") as heap:
        twins = b"1\t\\N\tsecret\t5\t0\n2\t\\N\tSECRET\t5\t0\n"
        heap.replace_rows(table, table.columns, [twins], [], "c")
    with pytest.raises(BadInput, match="people_nick") as caught:
        server.copy_schema("source", "heap", "post-data", silent)
    assert "secret" not in str(caught.value).lower()


def test_what_a_table_held_before_is_not_left_in_the_file(
    server: SqliteServer, people: Catalog
) -> None:
    """Replaced rows are gone from the file's free pages too, not only from the table."""
    table = people.tables["people"]
    with server.open("heap") as heap:
        old = b"".join(b"%d\t\\N\tcanary%d\t5\t0\n" % (n, n) for n in range(1, 500))
        heap.replace_rows(table, table.columns, [old], [], "old")
        heap.replace_rows(table, table.columns, [b"1\t\\N\tnew\t5\t0\n"], [], "new")
    server.clone("heap", "copy", stamp())
    for name in ("heap", "copy"):
        assert b"canary" not in (server.folder / f"{name}.db").read_bytes()


def test_nothing_without_our_stamp_is_touched(server: SqliteServer) -> None:
    """A file that we did not make is never replaced, dropped or switched, nor another project's."""
    server.folder.mkdir()
    path = server.folder / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (a)")
    (server.folder / "text.db").write_text("no database")
    (server.folder / "link.db").symlink_to("nowhere.db")
    server.create("ours", stamp())
    before = path.read_bytes()
    for name in ("theirs", "text", "link"):
        assert server.stamp(name) is None
        for action in (
            lambda name: server.create(name, stamp()),
            lambda name: server.drop(name, PROJECT),
            lambda name: server.set_stamp(name, stamp()),
            lambda name: server.clone("ours", name, stamp()),
            lambda name: server.switch("ours", name, "previous", PROJECT),
            lambda name: server.restore(DATA / "chinook.sqlite", name, stamp(), silent),
        ):
            with pytest.raises(GuardRefused):
                action(name)
    assert path.read_bytes() == before
    with pytest.raises(GuardRefused, match="contract"):
        server.drop("ours", "other")
    with pytest.raises(DbCycleError, match="cannot name"):
        server.create("../outside", stamp())
    server.drop("absent", PROJECT)
    with pytest.raises(ServerUnavailable), server.open("absent"):
        pass
    assert not list(server.folder.glob("*.part"))


def test_a_blank_file_is_in_nobody_s_way(server: SqliteServer) -> None:
    """A program that opened the URL too early leaves an empty file, which holds nothing."""
    server.create("new", stamp())
    (server.folder / "live.db").touch()
    server.switch("new", "live", "previous", PROJECT)
    assert server.stamp("live") == stamp()
    server.create("new", stamp())
    server.switch("new", "live", "previous", PROJECT)
    assert server.stamp("previous") == stamp()


def test_a_switch_keeps_the_former_database(server: SqliteServer) -> None:
    """The new database answers under the live name at once, the former under the previous one."""
    for content in ("1", "2", "3"):
        server.create("new", Stamp(PROJECT, "test", content))
        server.switch("new", "live", "previous", PROJECT)
    found = [server.stamp(name) for name in ("new", "live", "previous")]
    assert [each.content if each else None for each in found] == [None, "3", "2"]
    with pytest.raises(DbCycleError, match="no database"):
        server.switch("new", "live", "previous", PROJECT)


def test_an_interrupted_switch_is_finished(server: SqliteServer) -> None:
    """Wherever a kill stopped a switch, the same call again ends it with nothing lost."""
    for name in ("new", "live", "previous"):
        server.create(name, Stamp(PROJECT, "test", name))
    (server.folder / "live.db").replace(server.folder / "previous.db")
    server.switch("new", "live", "previous", PROJECT)
    assert [server.stamp(name).content for name in ("live", "previous")] == ["new", "live"]  # type: ignore[union-attr]
    server.create("new", Stamp(PROJECT, "test", "newer"))
    (server.folder / "previous.db").unlink()
    os.link(server.folder / "live.db", server.folder / "previous.db")
    server.switch("new", "live", "previous", PROJECT)
    assert [server.stamp(name).content for name in ("live", "previous")] == ["newer", "new"]  # type: ignore[union-attr]


def test_a_log_of_the_former_database_is_not_replayed(server: SqliteServer) -> None:
    """An application that put the live database into WAL mode and was killed leaves a log; it goes
    with its own database."""
    for name in ("new", "live"):
        server.create(name, Stamp(PROJECT, "test", name))
    path = server.folder / "live.db"
    killed_writer(path)
    assert path.with_name("live.db-wal").stat().st_size > 0
    server.switch("new", "live", "previous", PROJECT)
    with server.open("live") as live, server.open("previous") as previous:
        assert list(live.catalog().tables) == []
        assert list(previous.catalog().tables) == ["late"]


def killed_writer(path: Path) -> None:
    """Write in WAL mode and die without a checkpoint, as a killed process does."""
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute('CREATE TABLE late (a)');"
        "c.execute('INSERT INTO late VALUES (1)'); c.commit(); os._exit(9)"
    )
    subprocess.run(["python3", "-c", script, str(path)], check=False, timeout=30)


def test_a_busy_database_is_not_switched(server: SqliteServer) -> None:
    """Another program's open transaction stops the switch before anything moved."""
    for name in ("new", "live"):
        server.create(name, Stamp(PROJECT, "test", name))
    with closing(raw(server, "live")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServerUnavailable, match="nothing was switched"):
            server.switch("new", "live", "previous", PROJECT)
    assert server.stamp("live").content == "live"  # type: ignore[union-attr]


def test_a_dump_is_restored_without_a_trace(server: SqliteServer, tmp_path: Path) -> None:
    """The rows arrive, the stamp is ours, and neither the dump nor its folder changes."""
    folder = tmp_path / "dumps"
    folder.mkdir()
    dump = folder / "chinook.sqlite"
    shutil.copy(DATA / "chinook.sqlite", dump)
    with closing(sqlite3.connect(dump)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("VACUUM")
    before = hashlib.sha256(dump.read_bytes()).digest()
    folder.chmod(0o500)
    told: list[str] = []
    done = server.restore(dump, "restored", stamp("restored"), told.append)
    folder.chmod(0o700)
    assert done.rows["Invoice"] == 412
    assert done.notes == ()
    assert told
    assert hashlib.sha256(dump.read_bytes()).digest() == before
    assert [each.name for each in folder.iterdir()] == ["chinook.sqlite"]
    assert server.stamp("restored") == Stamp(PROJECT, "restored")
    assert sorted(each.name for each in server.folder.iterdir()) == ["restored.db"]
    assert (server.folder / "restored.db").stat().st_mode & 0o077 == 0
    with server.open("restored", read_only=True) as database:
        catalog = database.catalog()
        assert len(catalog.tables) == 11
        assert len(catalog.foreign_keys) == 11
        assert all(database.orphans(key) == 0 for key in catalog.foreign_keys)
        counts = {name: database.count(table) for name, table in catalog.tables.items()}
        assert counts == dict(done.rows)


def test_a_log_beside_the_dump_counts(server: SqliteServer, tmp_path: Path) -> None:
    """Rows that a crash left in the log are restored, and change the dump's digest."""
    dump = tmp_path / "live.db"
    shutil.copy(DATA / "chinook.sqlite", dump)
    alone = dump_digest(dump)
    killed_writer(dump)
    assert dump_digest(dump) != alone
    for lost in ((), ("-shm",)):
        for suffix in lost:
            (tmp_path / f"live.db{suffix}").unlink()
        files = sorted(each.name for each in tmp_path.iterdir() if each.is_file())
        done = server.restore(dump, "restored", stamp(), silent)
        assert done.rows["late"] == 1
        assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == files


def test_the_digest_is_of_content(tmp_path: Path) -> None:
    """Writing the same again changes the header's counters and not the digest."""
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    for path in (first, second):
        shutil.copy(DATA / "chinook.sqlite", path)
    content = bytearray(second.read_bytes())
    content[24:28] = content[92:96] = (1234).to_bytes(4, "big")
    second.write_bytes(content)
    assert dump_digest(first) == dump_digest(second)
    with closing(sqlite3.connect(second)) as connection, connection:
        connection.execute("UPDATE Genre SET Name = 'x' WHERE GenreId = 1")
    assert dump_digest(first) != dump_digest(second)


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + b"\xff" * 9000 + content[middle + 9000 :]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda _: b"", "0 bytes"),
        (lambda content: content[: len(content) // 2], "truncated"),
        (lambda content: content[: 4096 * 3], "truncated"),
        (lambda content: content[:50], "no SQLite file"),
        (damaged, "damaged"),
        (lambda _: b"CREATE TABLE t (a);\n" * 9, "text"),
        (lambda _: b"PGDMP\x01\x0e", "PostgreSQL"),
        (lambda content: b"\0" + content[1:], "no SQLite file"),
    ],
    ids=["empty", "half", "pages", "header", "damaged", "script", "postgresql", "other"],
)  # fmt: skip
def test_a_bad_dump_leaves_nothing_behind(server, tmp_path, change, what) -> None:
    """Whatever is wrong with a dump, the message names it and the former database stays."""
    server.create("restored", Stamp(PROJECT, "restored", "before"))
    dump = tmp_path / "bad.db"
    dump.write_bytes(change((DATA / "chinook.sqlite").read_bytes()))
    with pytest.raises(DumpError, match=what) as caught:
        server.restore(dump, "restored", stamp(), silent)
    assert caught.value.remedy
    assert server.stamp("restored").content == "before"
    assert [each.name for each in server.folder.iterdir()] == ["restored.db"]
    with pytest.raises(DumpError, match="no dump"):
        server.restore(tmp_path / "absent.db", "restored", stamp(), silent)
    with pytest.raises(DumpError, match="folder"):
        server.restore(tmp_path, "restored", stamp(), silent)


def test_production_quirks_are_notes(server: SqliteServer, tmp_path: Path) -> None:
    """Orphans and rows that break a CHECK are carried and reported; the bookkeeping of another
    project's database is not taken over."""
    dump = tmp_path / "quirks.db"
    with closing(sqlite3.connect(dump)) as connection, connection:
        connection.executescript(
            "CREATE TABLE p (id INTEGER PRIMARY KEY);"
            "CREATE TABLE c (p REFERENCES p, n CHECK (n > 0)); CREATE TABLE _dbcycle_stamp (x);"
            "PRAGMA ignore_check_constraints = ON; INSERT INTO c VALUES (5, -1), (6, 1);"
        )
    done = server.restore(dump, "restored", stamp(), silent)
    assert done.notes == ("2 rows of c (p) refer to no row of p",)
    assert dict(done.rows) == {"c": 2, "p": 0}
    assert server.stamp("restored") == stamp()


def test_a_migration_error_has_its_place_and_no_value(server: SqliteServer) -> None:
    """The message has file, line and column; quoted values and texts of triggers are left out."""
    script = """
    CREATE TABLE t (a INTEGER PRIMARY KEY, b REFERENCES t);
    INSERT INTO t VALUES (5, 5);
    CREATE TRIGGER no BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'hidden'); END;
    """
    with scratch(server, script) as database:
        cases = {
            "SELECT 1;\nSELECT\n  nope FROM t;": ("m.sql:2:1", "nope"),
            "\n INSERT INTO t VALUES (7, 5), (5, 5);": ("m.sql:2:2", "t.a"),
            "DELETE FROM t;": ("m.sql:1:1", "withheld"),
            "SELECT 'open": ("m.sql:1:1", ""),
            "INSERT INTO t VALUES (8, 8);\nROLLBACK;": ("m.sql:2:1", "roll"),
            "INSERT INTO t VALUES (8, 8), (9, 1);": ("m.sql", "1 more rows of t"),
            "VACUUM;": ("m.sql:1:1", "transaction"),
            "SELECT\n\0": ("m.sql:2", "NUL"),
        }
        for text, (where, what) in cases.items():
            with pytest.raises(MigrationError) as caught:
                database.run_sql(text, Path("m.sql"))
            assert caught.value.where == where
            assert what in caught.value.what
            assert "hidden" not in str(caught.value)
        assert database.count(database.catalog().tables["t"]) == 1
        database.run_sql("-- dbcycle: no-transaction\nVACUUM;\n-- end", Path("m.sql"))


@pytest.mark.case(84)
def test_rebuilding_a_table_keeps_its_children(server: SqliteServer) -> None:
    """The usual rebuild of a parent drops no child through ON DELETE CASCADE."""
    with scratch(
        server, PEOPLE.replace("REFERENCES people,", "REFERENCES people ON DELETE CASCADE,")
    ) as db:
        rebuild = """
        PRAGMA foreign_keys = OFF;
        BEGIN TRANSACTION;
        CREATE TABLE new_people (id INTEGER PRIMARY KEY, email TEXT UNIQUE);  -- less; now
        INSERT INTO new_people SELECT id, email FROM people;
        DROP TABLE people;
        ALTER TABLE new_people RENAME TO people;
        COMMIT;
        PRAGMA foreign_keys = ON
        """
        db.run_sql(rebuild, Path("rebuild.sql"))
        catalog = db.catalog()
        assert db.count(catalog.tables["profiles"]) == 3
        assert all(db.orphans(key) == 0 for key in catalog.foreign_keys)
        with pytest.raises(
            MigrationError, match=r"3 more rows of profiles \([^)]*\) refer to no row of people"
        ):
            db.run_sql("DELETE FROM people WHERE id < 3; DELETE FROM teams", Path("m.sql"))
        assert db.count(catalog.tables["people"]) == 4


def test_statements_are_split_as_the_shell_would() -> None:
    """Semicolons in texts, comments, names and trigger bodies end nothing."""
    script = "-- a; b\nSELECT ';' AS \"x;y\", [a;b] /* ; */ ;;\n" + ODD
    found = [statement.text.split()[:3] for statement in statements(script)]
    assert len(found) == 9
    assert found[0][0] == "SELECT"
    assert found[7] == ["CREATE", "TRIGGER", "notes"]


def fails_half_way(database: Database) -> None:
    with database.sqlalchemy() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE made"))
        connection.execute(sqlalchemy.text("SELECT nope"))


def test_a_python_step_is_one_transaction(server: SqliteServer) -> None:
    """What a step did through SQLAlchemy, tables included, is kept or undone as a whole."""
    with scratch(server, PEOPLE) as database:
        with database.sqlalchemy() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE made (a)"))
            connection.execute(sqlalchemy.text("INSERT INTO made VALUES (:a)"), {"a": "x"})
        with pytest.raises(sqlalchemy.exc.OperationalError):
            fails_half_way(database)
        with pytest.raises(MigrationError), database.sqlalchemy() as connection:
            connection.execute(sqlalchemy.text("DELETE FROM people"))
        catalog = database.catalog()
        assert database.count(catalog.tables["made"]) == 1
        assert database.count(catalog.tables["people"]) == 4
        migrations = database.migrations()
        assert migrations.entries() == []
        migrations.prepare()
        migrations.write(Entry("v1/b.sql", "1"))
        migrations.write(Entry("v1/a.sql", "2"))
        assert [(e.step, e.checksum) for e in migrations.entries()] == [
            ("v1/b.sql", "1"),
            ("v1/a.sql", "2"),
        ]


def test_a_read_only_session_changes_nothing(server: SqliteServer) -> None:
    """Verification cannot write, even by mistake."""
    server.create("one", stamp())
    with server.open("one", read_only=True) as database, pytest.raises(DbCycleError):
        database.migrations().prepare()


def test_a_server_tells_how_to_reach_it(server: SqliteServer) -> None:
    """The URL and the shell's command lead to the same file."""
    server.create("one", stamp())
    assert server.describe().startswith("SQLite 3.")
    with sqlalchemy.create_engine(server.url("one")).connect() as connection:
        found = connection.execute(sqlalchemy.text("SELECT count(*) FROM _dbcycle_stamp"))
        assert found.scalar() == 1
    command, extra = server.shell_command("one")
    assert command[-1] == str(server.folder / "one.db")
    assert extra == {}
    server.stop()
