"""Extracts, golden records and seeds that cannot be: named, and nothing is half-loaded."""

import psycopg
import pytest

from dbcycle_assets.databases.postgres.session import connect

from .kit import ROWS, SCHEMA, TABLES, run, told

case = pytest.mark.case
GOOD = "-- version: 1.0.0\n-- depends:\nINSERT INTO a VALUES (1, 'one');\n"


@pytest.fixture
def seeds(place):
    """A migrated database, and a function that writes a seed."""

    def write(name, text):
        path = place.root / "seeds/base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    place.write({"1_a.sql": "CREATE TABLE a (id integer PRIMARY KEY, note text);\n"}).migrate()
    place.seed = write
    return place


def seed(place, *words):
    return run("--project", place.root, "db", "seed", *words)


def ids(place):
    return [number for (number,) in place.ask("SELECT id FROM a ORDER BY id")]


@pytest.fixture
def reader(postgresql):
    """A role that may read the migrated database, but not all of it; and a URL of its own."""
    server, name = postgresql.server, postgresql.cycle.database("migrated")
    with connect(server.admin_url, name) as connection:
        connection.execute("DROP ROLE IF EXISTS half_reader")
        connection.execute("CREATE ROLE half_reader LOGIN PASSWORD 'r3ader'")
        connection.execute("GRANT SELECT (id, user_id) ON orders TO half_reader")
        connection.execute("GRANT SELECT ON users TO half_reader")
    facts = psycopg.conninfo.conninfo_to_dict(server.url(name))
    yield f"postgresql://half_reader:r3ader@{facts['host']}:{facts['port']}/{name}"
    with connect(server.admin_url, name) as connection:
        connection.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
        connection.execute("DROP POLICY IF EXISTS few ON users")
        connection.execute("DROP OWNED BY half_reader")
        connection.execute("DROP ROLE half_reader")


@case(97)
def test_rows_that_a_policy_hides_are_no_subset(postgresql, reader):
    """Row level security of the reading role is an error, and never fewer rows."""
    server, name = postgresql.server, postgresql.cycle.database("migrated")
    with connect(server.admin_url, name) as connection:
        connection.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY few ON users USING (id = 1)")
    with postgresql.unchanged():
        words = ["extract", "--db-url", reader, "--table", "users", "--force"]
        told(postgresql.run(*words), 7, "users", "row-level security", secrets=["r3ader"])


@case(97)
def test_a_column_that_may_not_be_read_is_named(postgresql, reader):
    """A privilege that is missing stops the extract of its table."""
    with postgresql.unchanged():
        words = ["extract", "--db-url", reader, "--table", "orders", "--force"]
        told(postgresql.run(*words), 7, "orders", "permission denied", secrets=["r3ader"])


JSON = """
CREATE TABLE docs (id integer PRIMARY KEY, body json, wide text);
INSERT INTO docs VALUES (1, '{"a": "x\\u0000y"}', repeat('z', 5000000));
"""


@case(100)
def test_odd_and_large_values_come_back(postgresql):
    """A json with \\u0000 that jsonb would refuse, and a text of five million characters."""
    tables = TABLES + "  docs: {keep: [id, body, wide]}\n"
    postgresql.produce(SCHEMA + ROWS + JSON, tables)
    told(postgresql.run("refresh"), 0)
    found = postgresql.rows("SELECT body::text, length(wide) FROM docs")
    assert found == [('{"a": "x\\u0000y"}', 5_000_000)]


@case(100)
def test_sixteen_hundred_columns_come_back(postgresql):
    """As many as a table can have."""
    names = [f"c{n}" for n in range(1599)]
    script = (
        f"CREATE TABLE wide (id integer PRIMARY KEY, {', '.join(f'{n} smallint' for n in names)});"
    )
    script += f"INSERT INTO wide VALUES (1, {', '.join('1' for _ in names)});"
    tables = TABLES + f"  wide: {{keep: [id, {', '.join(names)}]}}\n"
    postgresql.produce(SCHEMA + ROWS + script, tables)
    told(postgresql.run("refresh"), 0)
    assert postgresql.rows("SELECT c0 + c1598 FROM wide") == [(2,)]


CYCLES = """
CREATE TABLE self (id integer PRIMARY KEY, boss integer NOT NULL REFERENCES self);
INSERT INTO self VALUES (1, 1);
INSERT INTO self SELECT n, n - 1 FROM generate_series(2, 10000) n;
CREATE TABLE l (id integer PRIMARY KEY, r integer NOT NULL);
CREATE TABLE r (id integer PRIMARY KEY, l integer NOT NULL REFERENCES l);
INSERT INTO l VALUES (1, 1), (2, 2);
INSERT INTO r VALUES (1, 2), (2, 1);
ALTER TABLE l ADD FOREIGN KEY (r) REFERENCES r;
CREATE TABLE c1 (id integer PRIMARY KEY, n integer NOT NULL);
CREATE TABLE c2 (id integer PRIMARY KEY, n integer NOT NULL REFERENCES c1);
CREATE TABLE c3 (id integer PRIMARY KEY, n integer NOT NULL REFERENCES c2);
CREATE TABLE c4 (id integer PRIMARY KEY, n integer NOT NULL REFERENCES c3);
CREATE TABLE c5 (id integer PRIMARY KEY, n integer NOT NULL REFERENCES c4);
INSERT INTO c1 VALUES (1, 1); INSERT INTO c2 VALUES (1, 1); INSERT INTO c3 VALUES (1, 1);
INSERT INTO c4 VALUES (1, 1); INSERT INTO c5 VALUES (1, 1);
ALTER TABLE c1 ADD FOREIGN KEY (n) REFERENCES c5;
CREATE TABLE pair (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE full_one (id integer PRIMARY KEY, a integer, b integer,
  FOREIGN KEY (a, b) REFERENCES pair MATCH FULL);
INSERT INTO pair VALUES (1, 2);
INSERT INTO full_one VALUES (1, 1, 2), (2, NULL, NULL);
"""
KEPT = {
    "self": "id, boss", "l": "id, r", "r": "id, l", "pair": "a, b", "full_one": "id, a, b",
    **{f"c{n}": "id, n" for n in range(1, 6)},
}  # fmt: skip


@case(103)
def test_cycles_of_foreign_keys_are_loaded_and_closed(postgresql):
    """Of 1, 2 and 5 tables, NOT NULL and not deferrable; 10,000 deep; composite; MATCH FULL."""
    tables = TABLES + "".join(f"  {t}: {{keep: [{c}]}}\n" for t, c in KEPT.items())
    postgresql.produce(SCHEMA + ROWS + CYCLES, tables)
    told(postgresql.run("refresh"), 0)
    assert postgresql.rows("SELECT count(*), sum(boss) FROM self") == [(10_000, 49_995_001)]
    assert postgresql.rows("SELECT l.id, r.id FROM l JOIN r ON r.id = l.r ORDER BY 1") == [
        (1, 1), (2, 2),
    ]  # fmt: skip
    keys = postgresql.rows("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
    assert keys == [(1 + 1 + 2 + 5 + 1,)]


@case(105)
@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{id: 9001, user_id: 424242}", ["orders", "users"]),
        ("{id: 9001, user: 1}", ["record 1", "`user_id`"]),
        ("{id: many, user_id: 1}", ["record 1", "id"]),
        ("{id: 9001, user_id: 1}\n- {id: 9001, user_id: 2}", ["record 2", "id"]),
    ],
)
def test_a_golden_record_that_cannot_be(sqlite, record, words):
    """File, number and field; nothing is published."""
    config = sqlite.root / "dbcycle.yaml"
    before = sqlite.state()
    config.write_text(config.read_text() + "golden: golden\n")
    (sqlite.root / "golden").mkdir(exist_ok=True)
    (sqlite.root / "golden/orders.yaml").write_text(f"- {record}\n")
    try:
        told(sqlite.run("refresh"), 7, "orders", *words, secrets=["424242", "many"])
        after = sqlite.state()
        assert after["test"] == before["test"]
        assert after["ledger test_db"] == before["ledger test_db"]
    finally:
        (sqlite.root / "golden/orders.yaml").unlink()


@case(106)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("orders.yaml", "- " + "[" * 20_000 + "]" * 20_000 + "\n"),
        ("orders.json", "[" * 200_000 + "]" * 200_000),
        ("orders.py", "X = " + "(" * 5_000 + "1" + ")" * 5_000),
        ("orders.py", "X = [__import__('os').system('touch owned')]"),
        ("orders.json", '["' + "x" * 21_000_000 + '"]'),
    ],
    ids=["yaml", "json", "python", "code", "large"],
)
def test_a_golden_file_that_is_no_plain_data(sqlite, name, text, tmp_path, monkeypatch):
    """Deep nesting, code and huge literals are refused by the parser; nothing runs."""
    monkeypatch.chdir(tmp_path)
    config = sqlite.root / "dbcycle.yaml"
    config.write_text(config.read_text() + "golden: golden\n")
    (sqlite.root / "golden").mkdir(exist_ok=True)
    path = sqlite.root / "golden" / name
    path.write_text(text)
    try:
        told(sqlite.run("refresh"), 7, name)
    finally:
        path.unlink()
    assert not (tmp_path / "owned").exists()


@case(107)
def test_a_seed_that_fails_late_leaves_no_row(seeds):
    """At the ten-thousandth row: none stays, the history says why, and no value is told."""
    sql = "".join(f"INSERT INTO a VALUES ({n % 9_999}, 'Grace {n}');\n" for n in range(10_000))
    seeds.seed("00_many.sql", f"-- version: 1.0.0\n-- depends:\n{sql}")
    told(seed(seeds), 7, "00_many.sql:10002")
    assert ids(seeds) == []


@case(109)
def test_a_seed_that_moved_between_environments(seeds):
    """It is an orphan of the one it left, and its new name is suggested."""
    seeds.seed("00_one.sql", GOOD)
    assert seed(seeds).code == 0
    (seeds.root / "seeds/development").mkdir()
    (seeds.root / "seeds/base/00_one.sql").rename(seeds.root / "seeds/development/00_one.sql")
    done = run("--project", seeds.root, "db", "seed-check")
    told(done, 8, "base/00_one", "development/00_one")
    assert ids(seeds) == [1]


@case(110)
@pytest.mark.parametrize(
    ("depends", "words"),
    [
        ("base/09_absent", ["base/00_one", "base/09_absent"]),
        ("base/01_two", ["base/00_one", "base/01_two"]),
        ("development/00_dev", ["base/00_one", "development/00_dev"]),
    ],
)
def test_a_dependency_that_cannot_be(seeds, depends, words):
    """Missing, in a circle, or of a later environment: the path is told and nothing runs."""
    seeds.seed("00_one.sql", GOOD.replace("depends:", f"depends: {depends}"))
    seeds.seed("01_two.sql", "-- version: 1.0.0\n-- depends: base/00_one\nSELECT 1;\n")
    (seeds.root / "seeds/development").mkdir()
    (seeds.root / "seeds/development/00_dev.sql").write_text("-- version: 1.0.0\nSELECT 1;\n")
    told(seed(seeds), 7, *words)
    assert ids(seeds) == []


@case(111)
@pytest.mark.parametrize("word", ["prodution", "live", "dev elopment"])
def test_an_environment_that_is_none(seeds, monkeypatch, word):
    """Wherever it is named: never development."""
    seeds.seed("00_one.sql", GOOD)
    told(seed(seeds, "--env", word), 2, "development")
    monkeypatch.setenv("DBCYCLE_ENV", word)
    told(seed(seeds), 2, "development")
    assert ids(seeds) == []


SEQUENCES = """
CREATE SEQUENCE shared;
CREATE TABLE s1 (id integer PRIMARY KEY DEFAULT nextval('shared'));
CREATE TABLE s2 (id integer PRIMARY KEY DEFAULT nextval('shared'));
INSERT INTO s1 VALUES (1), (7); INSERT INTO s2 VALUES (3), (9);
SELECT setval('shared', 9);
CREATE TABLE s3 (id serial PRIMARY KEY, x integer); INSERT INTO s3 VALUES (5, 1);
CREATE TABLE s4 (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x integer);
INSERT INTO s4 OVERRIDING SYSTEM VALUE VALUES (5, 1);
CREATE TABLE s5 (id integer GENERATED BY DEFAULT AS IDENTITY (CACHE 20) PRIMARY KEY, x integer);
INSERT INTO s5 VALUES (5, 1);
CREATE TABLE s6 (id integer GENERATED ALWAYS AS IDENTITY
  (START WITH -1 INCREMENT BY -1 MINVALUE -1000 MAXVALUE -1) PRIMARY KEY, x integer);
INSERT INTO s6 OVERRIDING SYSTEM VALUE VALUES (-5, 1);
"""


@case(112)
def test_the_next_row_of_every_kind_of_sequence(postgresql):
    """Serial, identity, shared, cached, descending: the next insert finds a free number."""
    kept = {"s1": "id", "s2": "id", **{f"s{n}": "id, x" for n in range(3, 7)}}
    tables = TABLES + "".join(f"  {t}: {{keep: [{c}]}}\n" for t, c in kept.items())
    postgresql.produce(SCHEMA + ROWS + SEQUENCES, tables)
    told(postgresql.run("refresh"), 0)
    url = postgresql.server.url(postgresql.cycle.database("test"))
    with psycopg.connect(url) as connection:
        made = [
            connection.execute(f"INSERT INTO s{n} DEFAULT VALUES RETURNING id").fetchone()[0]
            for n in range(1, 7)
        ]
        connection.rollback()
    assert made[0] != made[1]
    assert made[0] > 9
    assert made[1] > 9
    assert made[2:5] >= [6, 6, 6]
    assert made[5] < -5


@case(113)
def test_triggers_do_not_run_while_rows_are_loaded(postgresql):
    """One that inserts and one that raises: the rows are production's, and both are there after."""
    script = """
    CREATE TABLE log (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN INSERT INTO log (what) VALUES ('x'); RETURN NEW; END$$;
    CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
    CREATE TRIGGER note AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER never BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION never();
    """
    postgresql.produce(SCHEMA + ROWS + script, TABLES + "  log: {keep: [id, what]}\n")
    told(postgresql.run("refresh"), 0)
    assert postgresql.rows("SELECT count(*) FROM log") == [(0,)]
    assert postgresql.rows("SELECT count(*) FROM orders") == [(2,)]
    names = postgresql.rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1")
    assert names == [("never",), ("note",)]


@case(114)
@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO a VALUES (1, 'x');\nCOMMIT;\nSELECT nope;\n",
        "INSERT INTO a VALUES (1, 'x');\nROLLBACK;\n",
    ],
)
def test_a_seed_does_not_end_its_transaction(seeds, text):
    """COMMIT and ROLLBACK in a seed are refused, or keep nothing."""
    seeds.seed("00_one.sql", f"-- version: 1.0.0\n-- depends:\n{text}")
    told(seed(seeds), 7, "00_one.sql")
    assert ids(seeds) == []


@case(114)
def test_a_python_seed_does_not_commit(seeds):
    """What it commits on its connection is undone with it, or it is refused."""
    text = (
        "DEPENDS = []\n\n\ndef run(seed):\n    seed.upsert('a', {'id': 1})\n"
        "    seed.connection.exec_driver_sql('COMMIT')\n    raise ValueError('Grace')\n"
    )
    seeds.seed("00_one.py", text)
    told(seed(seeds), 7, "00_one.py")
    assert ids(seeds) == []


@case(122)
def test_what_a_seed_prints_is_redacted_and_no_result(seeds):
    """A password in it shows nowhere, and stdout stays the document."""
    text = (
        "DEPENDS = []\nprint('postgresql://app:hunter2@db.internal/shop')\n\n\n"
        "def run(seed):\n    print('password=hunter2 host=db.internal')\n"
    )
    seeds.seed("00_one.py", text)
    done = told(seed(seeds, "--json"), 0, "db.internal", secrets=["hunter2"])
    assert done.out.startswith("{")


@case(114)
def test_what_a_seed_sets_ends_with_it(seeds):
    """The search path of one is not that of the next; DDL of a seed is part of it."""
    if seeds.engine == "sqlite":
        first = "CREATE TABLE more (id integer);\nPRAGMA foreign_keys = OFF;\n"
    else:
        first = "CREATE TABLE more (id integer);\nSET search_path = pg_catalog;\n"
    seeds.seed("00_set.sql", f"-- version: 1.0.0\n-- depends:\n{first}")
    seeds.seed("01_one.sql", GOOD.replace("depends:", "depends: base/00_set"))
    assert seed(seeds).code == 0
    assert ids(seeds) == [1]


@case(115)
def test_two_hundred_files_at_once_are_one_change(seeds):
    """As a checkout of another branch makes them; deleted and made again counts as made."""
    import threading

    from dbcycle_assets import load_project
    from dbcycle_assets.upkeep import seeding

    from .kit import wait_until

    said, stop = [], threading.Event()
    project = load_project(seeds.root)
    seeds.seed("00_one.sql", GOOD)
    watching = threading.Thread(
        target=seeding.watch, args=(project, said.append), kwargs={"stop": stop.is_set}
    )
    watching.start()
    try:
        wait_until(lambda: seeding.registry_path(project).exists(), 30)
        before = len(said)
        for n in range(1, 201):
            seeds.seed(f"{n:02}_x.sql", GOOD)
        (seeds.root / "seeds/base/00_one.sql").unlink()
        seeds.seed("00_one.sql", GOOD.replace("1.0.0", "2.0.0"))
        wait_until(lambda: '"2.0.0"' in seeding.registry_path(project).read_text(), 30)
        wait_until(lambda: "base/200_x" in seeding.registry_path(project).read_text(), 30)
        assert len(said) - before <= 3
    finally:
        stop.set()
        watching.join(10)


@case(116)
def test_parallel_seeds_of_which_one_fails(postgres):
    """The others are whole, what follows does not run, and the status says so exactly."""
    postgres.write({"1_a.sql": "CREATE TABLE a (id integer PRIMARY KEY, note text);\n"}).migrate()
    folder = postgres.root / "seeds/base"
    folder.mkdir(parents=True)
    for n in range(4):
        text = f"DEPENDS = []\n\n\ndef run(seed):\n    seed.upsert('a', {{'id': {n}}})\n"
        (folder / f"0{n}_s.py").write_text(text + ("    1 / 0\n" if n == 2 else ""))
    (folder / "09_last.sql").write_text(
        "-- version: 1.0.0\n-- depends: base/02_s\nINSERT INTO a VALUES (9);\n"
    )
    told(seed(postgres, "--workers", "4"), 7, "02_s.py:6", "ZeroDivisionError")
    assert ids(postgres) == [0, 1, 3]
    states = {each["seed"]: each["state"] for each in postgres.status.seeds}
    assert [states[f"base/0{n}_s"] for n in (0, 1, 3)] == ["applied"] * 3
    assert "applied" not in {states["base/02_s"], states["base/09_last"]}


@case(98)
def test_rows_that_change_meanwhile_stay_out(postgresql):
    """One snapshot for the whole of a reading session, and its counts tie out."""
    name = postgresql.cycle.database("migrated")
    with postgresql.server.open(name, read_only=True) as database:
        table = database.catalog().tables["users"]
        before = database.count(table)
        with connect(postgresql.server.base_url, name) as other:
            other.execute("INSERT INTO users VALUES (99, 'late@x.example', 'Late One', 'x')")
        rows = b"".join(database.read(table, table.columns)).count(b"\n")
        assert rows == before == database.count(table)
    with connect(postgresql.server.base_url, name) as other:
        other.execute("DELETE FROM users WHERE id = 99")


@case(101)
@pytest.mark.parametrize("place_of_it", ["default", "enum", "comment", "view"])
def test_a_person_in_the_schema_itself(postgresql, place_of_it):
    """A default, a label, a view: found and refused; a comment stays behind."""
    more = {
        "default": "ALTER TABLE orders ALTER note SET DEFAULT 'ada@lovelace.example.net';",
        "enum": "CREATE TYPE who AS ENUM ('ada@lovelace.example.net');",
        "comment": "COMMENT ON TABLE orders IS 'ask ada@lovelace.example.net';",
        "view": "CREATE VIEW v AS SELECT 'ada@lovelace.example.net' AS x;",
    }[place_of_it]
    postgresql.produce(SCHEMA + ROWS + more, TABLES)
    if place_of_it == "comment":
        told(postgresql.run("refresh"), 0)
        assert postgresql.rows("SELECT count(*) FROM pg_description WHERE objoid > 16384") == [(0,)]
    else:
        told(postgresql.run("refresh"), 8, "schema")


@case(118)
def test_tables_that_a_seed_does_not_name_keep_their_rows(seeds):
    """No cascade empties what nobody listed."""
    with seeds.connect() as connection:
        connection.execute("CREATE TABLE other (id integer PRIMARY KEY, a integer REFERENCES a)")
        connection.execute("INSERT INTO a VALUES (5, 'x')")
        connection.execute("INSERT INTO other VALUES (1, 5)")
    seeds.seed("00_one.sql", GOOD)
    assert seed(seeds).code == 0
    assert seeds.ask("SELECT id, a FROM other") == [(1, 5)]
