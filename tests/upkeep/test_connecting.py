"""An application's way in: which database it is, what is done before, and what holds in each session."""

import re
import subprocess
import sys
import threading

import psycopg
import pytest
import sqlalchemy as sa

from dbcycle_assets import Settings, load_project, load_settings, open_engine
from dbcycle_assets.errors import BadInput, DbCycleError, Drift, GuardRefused, ServerUnavailable
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.target import resolve

A = "CREATE TABLE a (id integer PRIMARY KEY);\n"
B = "CREATE TABLE b (id integer PRIMARY KEY, a_id integer NOT NULL REFERENCES a (id));\n"
SEED = "# version: 1.0.0\n# description: x\n# depends:\na:\n  rows: [{id: %s}]\n"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("URL", "MAX_CONNECTIONS", "AUTO_MIGRATE", "FOREIGN_KEYS"):
        monkeypatch.delenv(f"DATABASE_{name}", raising=False)
    monkeypatch.delenv("DB_PATH", raising=False)


@pytest.fixture
def shop(place):
    """A project with two migrations and seeds, on each engine."""
    place.write({"1_a.sql": A, "2_b.sql": B})
    for group, number in (("base", 1), ("development", 2)):
        (place.root / "seeds" / group).mkdir(parents=True)
        (place.root / "seeds" / group / "01_a.yaml").write_text(SEED % number)
    return place


@pytest.fixture
def production(shop, request):
    """The URL of a production database that somebody made, empty; it holds no password."""
    name = f"{shop.name}_prod"
    if shop.engine == "sqlite":
        path = shop.root / f"{name}.db"
        path.touch()
        return f"sqlite:///{path}"
    server = shop.target.server
    with server._administer() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.url(name)


def settings(shop, text, environment="development"):
    path = shop.root / f"config.{environment}.toml"
    path.write_text(text)
    return path


def tables(engine):
    try:
        found = sa.inspect(engine).get_table_names()
        return sorted(name for name in found if not name.startswith("_dbcycle"))
    finally:
        engine.dispose()


AUTO = "[database]\nauto_migrate = true\n"


def test_a_pool_of_the_current_schema(shop):
    """Migrations first, then as many sessions as the settings say, and no more."""
    settings(shop, f"{AUTO}max_connections = 2\n")
    engine = open_engine(shop.root)
    assert engine.pool.size() == 2
    assert engine.pool._max_overflow == 0
    assert tables(engine) == ["a", "b"]
    assert shop.applied == ["v1/1_a.sql", "v1/2_b.sql"]


def test_a_schema_that_is_behind_is_an_error_that_names_what_to_run(shop):
    """A database without tables too: what is missing, where, and the command."""
    shop.target.ensure()
    with pytest.raises(Drift, match="it has no tables: 2 migrations are not applied") as caught:
        open_engine(shop.root)
    assert "v1/2_b.sql" in str(caught.value)
    assert "dbcycle db migrate --env development" in str(caught.value)
    shop.migrate(target="1_a.sql")
    with pytest.raises(Drift, match="1 migrations are not applied"):
        open_engine(shop.root)
    assert shop.tables() == ["a"]
    shop.migrate()
    assert tables(open_engine(shop.root)) == ["a", "b"]


def test_a_database_that_is_not_there_is_not_made_by_looking(shop):
    """Without auto_migrate nothing is made."""
    with pytest.raises(BadInput, match="there is no database"):
        open_engine(shop.root)
    assert not shop.target.server.exists(shop.target.name)


def test_foreign_keys_hold_in_every_session(shop):
    """Not in the first alone; the error names tables and columns, and no value."""
    settings(shop, f"{AUTO}max_connections = 3\n")
    engine = open_engine(shop.root)
    connections = [engine.connect() for _ in range(3)]
    for connection in connections:
        with pytest.raises(sa.exc.IntegrityError) as caught:
            connection.execute(sa.text("INSERT INTO b VALUES (1, :parent)"), {"parent": 4711})
        assert "a row of b (a_id) would refer to no row of a" in str(caught.value)
        assert "4711" not in f"{caught.value} {caught.value.orig}"
        connection.close()
    engine.dispose()


@pytest.mark.parametrize("suffix", ["py", "sql", "yaml"])
def test_a_seed_that_refers_to_nothing_names_the_key(shop, suffix):
    """Its file, the table with the column, the parent's table, and no value."""
    head = "version: 1.0.0\n{0}description: x\n{0}depends:\n"
    texts = {
        "py": "def run(seed):\n    seed.upsert('b', {'id': 1, 'a_id': 4711})\nVERSION = '1.0.0'\n",
        "sql": "-- " + head.format("-- ") + "INSERT INTO b VALUES (1, 4711);\n",
        "yaml": "# " + head.format("# ") + "b:\n  rows: [{id: 1, a_id: 4711}]\n",
    }
    path = shop.root / "seeds/development" / f"02_b.{suffix}"
    path.write_text(texts[suffix])
    settings(shop, f"{AUTO}[production]\nauto_seed = true\n")
    with pytest.raises(DbCycleError) as caught:
        open_engine(shop.root)
    told = str(caught.value)
    assert path.name in told
    assert re.search(r"b \(a_id\).* refer to no row of a", told)
    assert "4711" not in told
    assert shop.ask("SELECT count(*) FROM b") == [(0,)]


def test_a_parent_that_is_referred_to_stays(shop):
    """The error of a deletion names who refers to it."""
    settings(shop, AUTO)
    engine = open_engine(shop.root)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO a VALUES (1)"))
        connection.execute(sa.text("INSERT INTO b VALUES (1, 1)"))
    with pytest.raises(sa.exc.IntegrityError, match=r"b \(a_id\)"), engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM a"))
    engine.dispose()


def test_parameters_are_never_shown(shop):
    """An error of the driver would quote them."""
    settings(shop, AUTO)
    engine = open_engine(shop.root)
    with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO nothing VALUES (:x)"), {"x": "secret-4711"})
    assert "secret-4711" not in str(caught.value)
    engine.dispose()


def test_ddl_is_rolled_back_with_its_transaction(shop):
    """On SQLite too, where the driver would commit it."""
    settings(shop, AUTO)
    engine = open_engine(shop.root)
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE c (id integer)"))
        raise ZeroDivisionError
    assert tables(engine) == ["a", "b"]


def test_seeds_are_applied_if_asked_for(shop):
    """Those of the environment; twice is once."""
    settings(shop, f"{AUTO}[production]\nauto_seed = true\n")
    for _ in range(2):
        engine = open_engine(shop.root)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT id FROM a ORDER BY id")).all() == [(1,), (2,)]
        engine.dispose()


def test_production_is_migrated_only_where_its_own_file_says_so(shop, production, monkeypatch):
    """A variable cannot turn it on, nor settings made in code; it can turn it off."""
    monkeypatch.setenv("DATABASE_URL", production)
    settings(shop, "", "production")
    with pytest.raises(Drift, match="db migrate --prod"):
        open_engine(shop.root, "production")
    monkeypatch.setenv("DATABASE_AUTO_MIGRATE", "true")
    with pytest.raises(GuardRefused, match=r"config.production.toml"):
        open_engine(shop.root, "production")
    with pytest.raises(GuardRefused, match="auto_migrate is on"):
        open_engine(shop.root, "prod", settings=Settings(url=production, auto_migrate=True))
    settings(shop, AUTO, "production")
    monkeypatch.setenv("DATABASE_AUTO_MIGRATE", "false")
    with pytest.raises(Drift):
        open_engine(shop.root, "production")
    monkeypatch.delenv("DATABASE_AUTO_MIGRATE")
    assert tables(open_engine(shop.root, "production")) == ["a", "b"]
    with pytest.raises(GuardRefused, match="says that it is production"):
        open_engine(shop.root, "development", settings=Settings(url=production, auto_seed=True))


def test_production_gets_the_base_seeds_alone(shop, production, monkeypatch):
    """And those only where its own file says so."""
    monkeypatch.setenv("DATABASE_URL", production)
    settings(shop, AUTO, "production")
    engine = open_engine(shop.root, "production")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM a")).scalar() == 0
    engine.dispose()
    given = Settings(url=production, auto_seed=True)
    with pytest.raises(GuardRefused, match="auto_seed is on"):
        open_engine(shop.root, "production", settings=given)
    settings(shop, f"{AUTO}[production]\nauto_seed = true\n", "production")
    engine = open_engine(shop.root, "production")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT id FROM a")).all() == [(1,)]
    engine.dispose()


def test_production_that_does_not_say_whose_it_is_is_not_migrated(shop, production, monkeypatch):
    """Tables of unknown make: a person looks first."""
    monkeypatch.setenv("DATABASE_URL", production)
    settings(shop, AUTO, "production")
    shop.environment, shop.url = "production", production
    with shop.connect() as connection:
        connection.execute("CREATE TABLE theirs (id integer)")
    with pytest.raises(GuardRefused, match="does not say whose it is"):
        open_engine(shop.root, "production")
    assert shop.tables() == ["theirs"]
    name = resolve(load_project(shop.root), "production").name
    shop.migrate(prod=True, confirm=name)
    shop.write({"3_c.sql": A.replace("a (", "c (")})
    assert "c" in tables(open_engine(shop.root, "production"))


def test_the_first_place_that_names_a_database_wins(place_on, tmp_path, monkeypatch):
    """The one order: a URL, settings given, DB_PATH, targets, DATABASE_URL, the file, our own."""
    place = place_on("sqlite")
    config = place.root / "dbcycle.yaml"
    config.write_text(
        config.read_text().replace("targets: {", "targets: {development: {url_env: SHOP_URL}, ")
    )
    project = load_project(place.root)

    def found(**given):
        return resolve(project, "development", **given).name

    assert found() == f"dbcycle_{place.name}_db_development"
    settings(place, '[database]\nurl = "sqlite:///./five.db"\n')
    assert found() == "five"
    assert resolve(project, "development").server.file("five") == place.root / "five.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///four.db?mode=rwc")
    assert found() == "four"
    monkeypatch.setenv("SHOP_URL", "sqlite:///three.db")
    assert found() == "three"
    monkeypatch.setenv("DB_PATH", str(tmp_path / "two.db"))
    assert found() == "two"
    assert found(settings=Settings(url="sqlite:///one.db")) == "one"
    assert found(url="sqlite:///zero.db", settings=Settings(url="sqlite:///one.db")) == "zero"
    monkeypatch.delenv("DATABASE_URL")
    settings(place, '[database]\nurl = "sqlite:///./five.db"\n', "production")
    assert resolve(project, "production").name == "five", "DB_PATH is development's"


def test_db_commands_obey_the_same_file(shop, monkeypatch):
    """``dbcycle db`` and the application mean one database."""
    if shop.engine == "postgresql":
        settings(shop, AUTO)
        monkeypatch.setenv("DATABASE_URL", shop.target.server.url(f"{shop.name}_dev"))
    else:
        settings(shop, f'{AUTO}url = "sqlite:///./shop_dev.db?mode=rwc"\n')
    done = shop.run("db", "setup")
    assert done.returncode == 0, done.stderr
    assert tables(open_engine(shop.root)) == ["a", "b"]
    assert shop.target.name.endswith("_dev")
    assert (shop.root / "shop_dev.db").exists() is (shop.engine == "sqlite")


def test_a_mistake_in_the_settings_stops_every_command(place_on):
    """It is told with its line; the exit code is that of bad input."""
    place = place_on("sqlite")
    settings(place, "[database]\nurll = 'x'\n")
    wrong = place.run("db", "status")
    assert wrong.returncode == 7
    told = "config.development.toml:2: database.urll: unknown key; did you mean `url`?"
    assert told in wrong.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite://", "names no SQLite file"),
        ("postgresql://x@localhost/shop", "names no SQLite file"),
        ("sqlite:///./x.db?mode=memory", "more than a mode"),
        ("sqlite:///./x.db?cache=shared", "more than a mode"),
    ],
)
def test_a_url_that_is_not_understood_is_an_error(place_on, url, told):
    """Never another database than the one meant."""
    place = place_on("sqlite").write({"1_a.sql": A})
    with pytest.raises(BadInput, match=told):
        open_engine(place.root, settings=Settings(url=url, auto_migrate=True))


def test_the_mode_of_a_sqlite_url_is_obeyed(place_on, monkeypatch):
    """rwc makes the file, in production too; rw and none do not; ro writes nothing."""
    place = place_on("sqlite").write({"1_a.sql": A})
    file = place.root / "tokens.db"
    for mode in ("?mode=rw", "?mode=ro", ""):
        settings(place, f'{AUTO}url = "sqlite:///./tokens.db{mode}"\n', "production")
        with pytest.raises(BadInput, match="there is no database"):
            open_engine(place.root, "production")
        assert not file.exists()
    settings(place, f'{AUTO}url = "sqlite:///./tokens.db?mode=rwc"\n', "production")
    assert tables(open_engine(place.root, "production")) == ["a"]
    target = resolve(load_project(place.root), "production")
    assert target.server.stamp("tokens") is None, "production is never disposable"
    place.write({"2_b.sql": B})
    settings(place, f'{AUTO}url = "sqlite:///./tokens.db?mode=ro"\n', "production")
    with pytest.raises(GuardRefused, match="standby or read-only"):
        open_engine(place.root, "production")
    place.write({"2_b.sql": None})
    engine = open_engine(place.root, "production")
    with pytest.raises(sa.exc.OperationalError, match="readonly"), engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO a VALUES (1)"))
    engine.dispose()


def test_foreign_keys_can_be_switched_off_on_sqlite_alone(shop):
    """PostgreSQL enforces them always, and says so."""
    settings(shop, f"{AUTO}foreign_keys = false\n")
    if shop.engine == "postgresql":
        with pytest.raises(BadInput, match="enforces foreign keys always"):
            open_engine(shop.root)
        return
    engine = open_engine(shop.root)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO b VALUES (1, 2)"))
    engine.dispose()


def test_sessions_without_foreign_keys_are_refused(postgres, server):
    """A role or database that plays a replica would let orphans in."""
    postgres.write({"1_a.sql": A}).migrate()
    name = postgres.target.name
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET session_replication_role = replica')
    engine = open_engine(postgres.root)
    with pytest.raises(ServerUnavailable, match="no foreign key is enforced"):
        engine.connect()
    engine.dispose()


def test_ten_applications_starting_at_once_migrate_once(shop):
    """They wait for the lock, and find nothing left to do."""
    settings(shop, AUTO)
    shop.target.ensure()
    failed = []

    def start():
        try:
            open_engine(load_project(shop.root)).dispose()
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [entry.step for entry in operations.status(shop.target).applied] == [
        "v1/1_a.sql",
        "v1/2_b.sql",
    ]


def test_settings_can_be_loaded_and_given(shop):
    """By environment, or from a file of any name."""
    path = settings(shop, "[database]\nmax_connections = 7\nauto_migrate = true\n", "elsewhere")
    found = load_settings(shop.root, file=path)
    assert found.max_connections == 7
    assert load_settings(shop.root).max_connections == 10
    engine = open_engine(shop.root, settings=path)
    assert engine.pool.size() == 7
    assert tables(engine) == ["a", "b"]


def test_importing_the_package_loads_no_engine():
    """Dagster, pandas and SQLAlchemy cost half a second each."""
    code = "import sys, dbcycle_assets; print([m for m in ('dagster', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
