"""Versioned seeds on both engines: whole or not at all, once, in order, and back again."""

import threading

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.databases import open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.errors import Drift, SeedError
from dbcycle_assets.upkeep.seed_files import new_seed
from dbcycle_assets.upkeep.seeds import SeedRunner

SCHEMA = """
CREATE TABLE states (code VARCHAR(2) PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, state VARCHAR(2) REFERENCES states (code),
  role TEXT
);
"""
STATES = """\
# version: 1.0.0
# description: Two states
# depends:
states:
  - {code: AL, name: Alabama}
  - {code: AK, name: Alaska}
"""
USERS = '''\
"""A user of Alabama."""

VERSION = "1.0.0"
DEPENDS = ["base/00_states"]


def run(seed):
    state = seed.find("states", code="AL")
    seed.upsert(
        "users",
        {"id": 1, "email": "ada@example.com", "state": state["code"], "role": "admin"},
        key=["email"],
    )
'''
EXTRA = "-- version: 1.0.0\n-- depends: base/01_users\nINSERT INTO users VALUES (2, 'b@example.com', NULL, 'x');\n"


class Bench:
    """A project with seeds and one database on one engine."""

    def __init__(self, engine, server, root):
        self.engine, self.server, self.root = engine, server, root
        root.mkdir()
        (root / "dbcycle.yaml").write_text(f"name: seeded\nengine: {engine}\nsource: {{dump: x}}\n")
        self.write("base/00_states.yaml", STATES)
        self.write("base/01_users.py", USERS)
        self.write("test/00_extra.sql", EXTRA)
        server.create("seeds_bench", Stamp("seeded", "test"))
        with server.open("seeds_bench") as database:
            database.run_sql(SCHEMA, root / "schema.sql")

    def write(self, name, text):
        path = self.root / "seeds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def runner(self, environment="test", **kwargs):
        project = load_project(self.root)
        return SeedRunner(
            project, self.server, "seeds_bench", environment, progress=lambda _told: None, **kwargs
        )

    def rows(self, query):
        import sqlalchemy as sa

        with self.server.open("seeds_bench") as database, database.sqlalchemy() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request, tmp_path):
    """Give a bench on each engine."""
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
    else:
        server = open_server("sqlite", url=None, state=tmp_path / "state")
    made = Bench(request.param, server, tmp_path / "seeded")
    yield made
    server.drop("seeds_bench", "seeded")


def kinds(outcome):
    return {done.seed: done.kind for done in outcome.done}


def test_seeds_apply_once_and_in_order(bench):
    """Base, then test; the second run does nothing and the history says who, when and what."""
    first = bench.runner().run()
    assert first.failed is None
    assert list(kinds(first)) == ["base/00_states", "base/01_users", "test/00_extra"]
    assert set(kinds(first).values()) == {"apply"}
    assert [done.created for done in first.done] == [2, 1, 0]
    assert set(kinds(bench.runner().run()).values()) == {"skip"}
    assert bench.rows("SELECT count(*) FROM users") == [(2,)]
    history = bench.runner().history()
    assert [row.status for row in history] == ["Active"] * 3
    assert all("@" in row.applied_by and row.applied_at and row.checksum for row in history)
    assert history[0].details["created"][0]["table"] == "states"
    assert history[0].details["seconds"] >= 0


def test_alone_seeds_keep_to_their_numbers(bench):
    """Base first, then test, even where nothing but the order asks for it."""
    bench.write("base/10_late.sql", "-- version: 1.0.0\n-- depends: base/01_users\n")
    bench.write("test/00_extra.sql", EXTRA.replace("base/01_users", "base/00_states"))
    wanted = ["base/00_states", "base/01_users", "base/10_late", "test/00_extra"]
    assert list(kinds(bench.runner().run())) == wanted


def test_production_gets_base_alone(bench):
    """The environment decides; each has a history of its own."""
    assert list(kinds(bench.runner("production").run())) == ["base/00_states", "base/01_users"]
    assert [action.kind for action in bench.runner("test").plan()] == ["apply"] * 3


def test_forced_seeds_make_no_duplicates(bench):
    """What upserts can be applied as often as one likes."""
    bench.runner("staging").run()
    for _ in range(3):
        outcome = bench.runner("staging").run(force=True)
        assert outcome.failed is None
        assert [done.created for done in outcome.done] == [0, 0]
    assert bench.rows("SELECT count(*) FROM states") == [(2,)]
    active = [row for row in bench.runner("staging").history() if row.status == "Active"]
    assert len(active) == 2


@pytest.mark.case(107)
def test_a_seed_that_fails_leaves_nothing(bench):
    """Rolled back whole, recorded with its error, and what comes after it does not run."""
    bench.write("base/01_users.py", USERS + "    raise RuntimeError('ada@example.com')\n")
    outcome = bench.runner().run()
    assert "RuntimeError" in str(outcome.failed)
    assert "ada@" not in str(outcome.failed)
    assert list(kinds(outcome)) == ["base/00_states"]
    assert bench.rows("SELECT count(*) FROM users") == [(0,)]
    failed = [row for row in bench.runner().history() if row.error]
    assert [(row.name, row.status) for row in failed] == [("base/01_users", "Inactive")]
    assert "ada@" not in str(failed)
    bench.write("base/01_users.py", USERS)
    assert kinds(bench.runner().run()) == {
        "base/00_states": "skip",
        "base/01_users": "apply",
        "test/00_extra": "apply",
    }


@pytest.mark.case(107)
def test_a_row_that_the_database_refuses_is_not_quoted(bench):
    """A constraint is told by its kind alone."""
    bench.write("base/00_states.yaml", STATES.replace("Alaska", "null").replace("# depends:", ""))
    outcome = bench.runner().run()
    assert "00_states.yaml" in str(outcome.failed)
    assert "AK" not in str(outcome.failed)
    assert bench.rows("SELECT count(*) FROM states") == [(0,)]


def test_a_failure_names_the_line_and_the_constraint(bench):
    """Neither says anything of a row."""
    twice = USERS + "    seed.upsert('users', {'id': 2, 'email': 'ada@example.com'})\n"
    path = bench.write("base/01_users.py", twice)
    told = str(bench.runner().run().failed)
    assert f"{path}:{twice.count(chr(10))}: the database refused a row" in told
    assert "ada@" not in told
    if bench.engine == "postgresql":
        assert "users_email_key" in told


@pytest.mark.case(108)
def test_an_edited_seed_is_drift_until_its_version_rises(bench):
    """The content is compared, and a new version supersedes the old one."""
    bench.runner().run()
    bench.write("base/00_states.yaml", STATES.replace("Alaska", "ALASKA"))
    with pytest.raises(Drift, match="base/00_states"):
        bench.runner().run()
    bench.write("base/00_states.yaml", STATES.replace("Alaska", "ALASKA").replace("1.0.0", "1.1.0"))
    outcome = bench.runner().run()
    assert kinds(outcome)["base/00_states"] == "upgrade"
    assert outcome.done[0].updated == 1
    rows = [row for row in bench.runner().history() if row.name == "base/00_states"]
    assert sorted((row.version, row.status) for row in rows) == [
        ("1.0.0", "Inactive"),
        ("1.1.0", "Active"),
    ]


def test_a_new_version_may_have_a_migration_of_its_own(bench):
    """`upgrade` is called with the version that was applied before."""
    bench.runner().run()
    text = USERS.replace('"1.0.0"', '"2.0.0"')
    text += "\n\ndef upgrade(seed, former):\n    assert former == '1.0.0'\n"
    text += "    seed.upsert('users', {'id': 1, 'email': 'ada@example.com', 'role': 'owner'})\n"
    bench.write("base/01_users.py", text)
    assert bench.runner().run().failed is None
    assert bench.rows("SELECT role FROM users WHERE id = 1") == [("owner",)]


def test_a_seed_can_be_taken_back(bench):
    """The rows it made go, once nobody needs it; a SQL seed brings its own way back."""
    bench.runner().run()
    with pytest.raises(SeedError, match="other seeds depend on it: base/01_users"):
        bench.runner().rollback("base/00_states")
    with pytest.raises(SeedError, match="did you mean"):
        bench.runner().rollback("base/01_user")
    with pytest.raises(SeedError, match="not known what it made"):
        bench.runner().rollback("test/00_extra")
    bench.write(
        "test/00_extra.sql", EXTRA + "-- dbcycle: rollback\nDELETE FROM users WHERE id = 2;\n"
    )
    bench.runner().rollback("test/00_extra")
    assert bench.rows("SELECT id FROM users") == [(1,)]
    assert bench.runner().rollback("base/01_users").reason == "1 rows deleted"
    assert bench.rows("SELECT count(*) FROM users") == [(0,)]
    assert kinds(bench.runner().run()) == {
        "base/00_states": "skip",
        "base/01_users": "apply",
        "test/00_extra": "apply",
    }


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        ("UPDATE states SET name = 'Edited' WHERE code = 'AK'", "edited or deleted"),
        ("DELETE FROM states WHERE code = 'AK'", "edited or deleted"),
        ("INSERT INTO users VALUES (9, 'z@example.com', 'AL', NULL)", "refer to what it made"),
    ],
)
@pytest.mark.case(117)
def test_a_rollback_refuses_what_it_would_destroy(bench, edit, word):
    """Edited rows and rows referred to stay, and so does everything else."""
    (bench.root / "seeds/base/01_users.py").unlink()
    (bench.root / "seeds/test/00_extra.sql").unlink()
    bench.runner().run()
    with bench.server.open("seeds_bench") as database, database.sqlalchemy() as connection:
        connection.exec_driver_sql(edit)
    before = bench.rows("SELECT * FROM states ORDER BY 1")
    with pytest.raises(SeedError, match=word):
        bench.runner().rollback("base/00_states")
    assert bench.rows("SELECT * FROM states ORDER BY 1") == before
    assert [row.status for row in bench.runner().history()] == ["Active"]


@pytest.mark.case(109)
def test_orphans_are_found_and_marked(bench):
    """A deleted file is an orphan; a renamed one is told as such."""
    bench.runner().run()
    text = (bench.root / "seeds/test/00_extra.sql").read_text()
    (bench.root / "seeds/test/00_extra.sql").unlink()
    bench.write("test/05_more.sql", text)
    (orphan,) = bench.runner().orphans()
    assert (orphan.row.name, orphan.renamed) == ("test/00_extra", "test/05_more")
    assert [found.row.name for found in bench.runner().clean()] == ["test/00_extra"]
    assert not bench.runner().orphans()
    marked = [row for row in bench.runner().history() if row.status == "Orphaned"]
    assert [row.name for row in marked] == ["test/00_extra"]


def test_independent_seeds_run_at_once_on_postgresql(bench):
    """Two seeds that declare no dependency meet each other; a failing one stops what follows."""
    bench.write("base/00_states.yaml", STATES)
    meet = (
        "DEPENDS = []\nimport threading\n\n\ndef run(seed):\n"
        "    seed.report('here')\n    barrier.wait(10)\n"
    )
    for name in ("02_left", "03_right"):
        bench.write(f"base/{name}.py", meet.replace("barrier", "threading.meeting"))
    threading.meeting = threading.Barrier(2 if bench.engine == "postgresql" else 1)
    try:
        outcome = bench.runner("staging", workers=2).run()
        assert outcome.failed is None
        assert kinds(outcome)["base/03_right"] == "apply"
    finally:
        del threading.meeting


def test_a_new_seed_has_the_next_number_and_runs(bench):
    """What is made can be applied as it is."""
    path = new_seed(load_project(bench.root), "roles", "base")
    assert path.name == "02_roles.py"
    outcome = bench.runner("staging").run()
    assert outcome.failed is None
    assert kinds(outcome)["base/02_roles"] == "apply"
    with pytest.raises(SeedError, match="letters"):
        new_seed(load_project(bench.root), "../x", "base")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("statse:\n  - {code: AL, name: x}\n", "did you mean `states`"),
        ("states:\n  - {code: AL, nam: x}\n", "did you mean `name`"),
        ("states:\n  - {name: x}\n", "no code"),
        ("states: {row: []}\n", "unknown key row"),
        ("- 1\n", "must name tables"),
        ("states: [\n", "not valid YAML"),
        ("states: [1]\n", "row 1 is no mapping"),
    ],
)
def test_a_wrong_seed_is_explained(bench, text, word):
    """Misspelt tables and columns get a suggestion; nothing is written."""
    bench.write("base/00_states.yaml", text)
    outcome = bench.runner().run()
    assert word in str(outcome.failed)
    assert bench.rows("SELECT count(*) FROM states") == [(0,)]


def test_a_constraint_that_is_checked_at_commit_is_not_quoted(bench):
    """A deferred key fails when the seed is over; it is told and recorded like any other."""
    constraint = {"postgresql": ", UNIQUE (code)", "sqlite": "REFERENCES states (code)"}
    with bench.server.open("seeds_bench") as database, database.sqlalchemy() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE once (code text {constraint[bench.engine]} DEFERRABLE INITIALLY DEFERRED)"
        )
    (bench.root / "seeds/base/01_users.py").unlink()
    (bench.root / "seeds/test/00_extra.sql").unlink()
    insert = "INSERT INTO once VALUES ('secret-7'), ('secret-7')"
    bench.write(
        "base/01_once.py", f"def run(seed):\n    seed.connection.exec_driver_sql({insert!r})\n"
    )
    outcome = bench.runner().run()
    assert "01_once.py" in str(outcome.failed)
    assert "secret-7" not in str(outcome.failed)
    (failed,) = [row for row in bench.runner().history() if row.error]
    assert (failed.name, failed.status) == ("base/01_once", "Inactive")
    assert "secret-7" not in str(failed)
