"""Temporary databases: the migrations' schema in a copy of one's own, and nothing of it left."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from dbcycle_assets import load_project, temporary_database
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.errors import BadInput, MigrationError
from dbcycle_assets.upkeep import temporary
from dbcycle_assets.upkeep.schema import schema_drift

from .kit import silent

A = "CREATE TABLE a (id integer PRIMARY KEY, note text);\nCREATE INDEX a_note ON a (note);\n"
B = "CREATE TABLE b (id integer PRIMARY KEY, a_id integer NOT NULL REFERENCES a (id));\n"
SEED = "# version: 1.0.0\n# description: x\n# depends:\na:\n  rows: [{id: %s}]\n"


@pytest.fixture
def shop(place, monkeypatch):
    """A project with two migrations and seeds, on each engine."""
    monkeypatch.delenv("DBCYCLE_KEEP", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    place.write({"1_a.sql": A, "2_b.sql": B})
    for group, number in (("base", 1), ("development", 2), ("test", 3)):
        (place.root / "seeds" / group).mkdir(parents=True)
        (place.root / "seeds" / group / "01_a.yaml").write_text(SEED % number)
    return place


def copies(shop):
    project = load_project(shop.root)
    return [name for name, _ in temporary.server_of(project).duplicates(temporary.COPY)]


def templates(shop):
    project = load_project(shop.root)
    return [name for name, _ in temporary.server_of(project).duplicates(temporary.TEMPLATE)]


def ids(made):
    with made.engine.connect() as connection:
        return [number for (number,) in connection.execute(sa.text("SELECT id FROM a ORDER BY id"))]


def test_two_of_them_know_nothing_of_each_other(shop):
    """Each is alone with its own."""
    with temporary_database(shop.root) as one, temporary_database(shop.root) as other:
        with one.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO a (id) VALUES (1)"))
        assert (ids(one), ids(other)) == ([1], [])
        assert one.url != other.url


@pytest.mark.case(128)
def test_it_is_gone_at_the_end_also_when_the_block_raises(shop):
    """With sessions still open on it, too."""
    with temporary_database(shop.root) as made:
        left_open = made.engine.connect()
        assert copies(shop) == [made.name]
    assert not made.server.exists(made.name)
    with pytest.raises(ZeroDivisionError), temporary_database(shop.root):
        raise ZeroDivisionError
    assert copies(shop) == []
    left_open.invalidate()
    left_open.close()


def test_the_schema_is_exactly_that_of_a_database_that_was_migrated(shop):
    """Same files, same result: nothing to choose from."""
    shop.migrate()
    assert schema_drift(shop.target, silent) == []
    with shop.connect() as connection:
        connection.execute("DROP INDEX a_note")
        connection.execute("CREATE TABLE stray (id integer)")
    told = [str(each) for each in schema_drift(shop.target, silent)]
    assert [line for line in told if line.startswith("- index a ")]
    assert "+ table stray" in told
    done = shop.run("db", "status", "--schema")
    assert done.returncode == 5
    assert "a_note" in done.stdout
    shop.write({"3_c.sql": "CREATE TABLE c (id integer);"})
    assert schema_drift(shop.target, silent) is None


def test_foreign_keys_are_enforced(shop):
    """As in production."""
    with (
        temporary_database(shop.root) as made,
        pytest.raises(sa.exc.IntegrityError, match="no row of a"),
        made.engine.begin() as connection,
    ):
        connection.execute(sa.text("INSERT INTO b VALUES (1, 1)"))


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [(None, []), ("development", [1, 2]), ("test", [1, 2, 3]), ("prod", [1])],
)
def test_seeds_come_with_it_if_asked_for(shop, seeds, expected):
    """Those of an environment by any of its names."""
    with temporary_database(shop.root, seeds=seeds) as made:
        assert ids(made) == expected


@pytest.mark.case(127)
def test_the_template_is_made_once_for_each_content(shop):
    """Another step, another seed or other seeds are another template; the same is none."""
    for _ in range(3):
        with temporary_database(shop.root):
            pass
    first = templates(shop)
    assert len(first) == 1
    with temporary_database(shop.root, seeds="test"):
        assert len(templates(shop)) == 2
    shop.write({"3_c.sql": "CREATE TABLE c (id integer);"})
    with temporary_database(shop.root) as made:
        assert "c" in sa.inspect(made.engine).get_table_names()
    shop.write({"3_c.sql": None})
    with temporary_database(shop.root) as made:
        assert "c" not in sa.inspect(made.engine).get_table_names()
    assert len(templates(shop)) == 3
    assert first[0] in templates(shop)


def test_migrations_that_begin_with_a_schema_are_given_it(shop):
    """Production's at the time of the first step, as a file; an edit of it is another template."""
    shop.write({"1_a.sql": "ALTER TABLE old RENAME TO a;"})
    with pytest.raises(MigrationError, match=r"1_a\.sql"), temporary_database(shop.root):
        pass
    shop.configure(more="baseline: old.sql\n")
    with pytest.raises(BadInput, match="correct `baseline`"), temporary_database(shop.root):
        pass
    for column in ("one", "other"):
        text = f"CREATE TABLE old (id integer PRIMARY KEY, note text, {column} integer);"
        (shop.root / "old.sql").write_text(text)
        with temporary_database(shop.root) as made:
            assert column in [each["name"] for each in sa.inspect(made.engine).get_columns("a")]


@pytest.mark.case(127)
def test_old_templates_make_way(shop):
    """A few stay, for branches that come back."""
    for number in range(temporary.KEPT + 2):
        shop.write({"3_c.sql": f"CREATE TABLE c{number} (id integer);"})
        with temporary_database(shop.root):
            pass
    assert len(templates(shop)) == temporary.KEPT


@pytest.mark.case(20)
def test_a_template_that_was_cut_off_is_made_anew(shop):
    """What it says it holds, it says at the end alone."""
    project = load_project(shop.root)
    template = temporary.template_of(project)
    stamp = Stamp(project.name, temporary.TEMPLATE, "")
    template.server.create(template.name, stamp)
    with temporary_database(project) as made:
        assert ids(made) == []


def test_a_migration_that_fails_leaves_no_template(shop):
    """And its error is the migration's own."""
    shop.write({"3_bad.sql": "CREATE TABLE;"})
    with pytest.raises(MigrationError, match=r"3_bad\.sql:1"), temporary_database(shop.root):
        pass
    assert templates(shop) == []
    assert copies(shop) == []


@pytest.mark.case(127)
def test_many_at_once_share_one_template(shop):
    """Threads here, processes elsewhere: the lock is the operating system's."""
    seen, failed = [], []

    def use():
        try:
            with temporary_database(shop.root, seeds="test") as made:
                seen.append((made.name, tuple(ids(made))))
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len({name for name, _ in seen}) == 8
    assert {found for _, found in seen} == {(1, 2, 3)}
    assert len(templates(shop)) == 1
    assert copies(shop) == []


HANG = """
import sys, time
from dbcycle_assets import temporary_database
with temporary_database(sys.argv[1]) as made:
    print(made.name, flush=True)
    time.sleep(600)
"""


@pytest.mark.case(21)
def test_what_a_killed_process_left_is_swept_by_the_next(shop):
    """The owner's death is the sign; a living owner's copy stays."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, str(shop.root)], stdout=subprocess.PIPE, text=True
    )
    name = process.stdout.readline().strip()
    try:
        with temporary_database(shop.root):
            assert name in copies(shop), "its owner lives"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    with temporary_database(shop.root) as made:
        assert copies(shop) == [made.name]


def test_a_forgotten_one_of_another_machine_goes_after_a_day(shop):
    """Whether its owner lives cannot be seen from here."""
    project = load_project(shop.root)
    template = temporary.template_of(project)
    for at, left in (("2020-01-01T00:00:00+00:00", []), ("2999-01-01T00:00:00+00:00", [1])):
        made = template.copy()
        facts = {"pid": 1, "host": "elsewhere", "at": at}
        template.server.set_stamp(made.name, Stamp(project.name, temporary.COPY, "", facts))
        temporary.sweep(project)
        assert len(copies(shop)) == len(left)


def test_a_database_can_be_kept_to_look_at(shop, capsys, monkeypatch):
    """It is said where it is and how to open it, without a password; sweeping keeps it too."""
    with temporary_database(shop.root, keep=True, seeds="test") as made:
        pass
    told = capsys.readouterr().err
    assert made.name in told
    assert "open it: " in told
    facts = sa.make_url(made.url)
    assert facts.password is None or facts.password not in told
    monkeypatch.setenv("DBCYCLE_KEEP", "1")
    with temporary_database(shop.root) as other:
        pass
    assert sorted(copies(shop)) == sorted([made.name, other.name])
    assert ids(made) == [1, 2, 3]
    made.close()
    assert temporary.sweep(load_project(shop.root)) == []
    done = shop.run("sweep", "--kept")
    assert done.returncode == 0, done.stderr
    assert copies(shop) == []
    monkeypatch.setenv("DBCYCLE_KEEP", "maybe")
    with pytest.raises(BadInput, match="DBCYCLE_KEEP"), temporary_database(shop.root):
        pass


def test_the_databases_of_the_environment_are_never_touched(shop, monkeypatch):
    """Not read, not migrated, not named: whatever DATABASE_URL says."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    (shop.root / "config.test.toml").write_text("[database]\nauto_migrate = true\n")
    with temporary_database(shop.root) as made:
        assert ids(made) == []
    monkeypatch.delenv("DATABASE_URL")
    assert not shop.target.server.exists(shop.target.name)


def test_a_file_that_was_cut_off_while_copied_goes_after_an_hour(place_on):
    """Nobody can be writing to it any more."""
    place = place_on("sqlite").write({"1_a.sql": A})
    project = load_project(place.root)
    server = temporary.server_of(project)
    with temporary_database(project) as made:
        folder = made.path.parent
    old, new = folder / "x_tmp_1.db.part", folder / "x_tmp_2.db.part"
    for part in (old, new):
        part.touch()
    os.utime(old, (0, 0))
    temporary.sweep(project, server)
    assert (old.exists(), new.exists()) == (False, True)
