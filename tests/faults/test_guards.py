"""Guards and secrets: nothing destructive passes, and no password is shown."""

import json
import stat
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from dbcycle_assets.databases.postgres.session import connect

from .kit import ROWS, SCHEMA, TABLES, database_digest, run, started, told

case = pytest.mark.case
DOWN = {"1_a.sql": "CREATE TABLE a (id integer PRIMARY KEY);\n", "1_a.down.sql": "DROP TABLE a;"}
DESTRUCTIVE = [
    ["rollback"],
    ["reset"],
    ["backup", "restore"],
    ["seed-rollback", "base/00_one"],
    ["migrate"],
    ["seed"],
    ["setup"],
    ["baseline", "--step", "1_a.sql", "--forget"],
]


@pytest.fixture
def production(place, monkeypatch):
    """A production database that somebody made and that says what it is."""
    name = f"{place.name}_prod"
    if place.engine == "sqlite":
        path = place.root / f"{name}.db"
        path.touch()
        url = f"sqlite:///{path}"
    else:
        with place.target.server._administer() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = place.target.server.url(name)
    monkeypatch.setenv("UPKEEP_PROD", url)
    (place.root / "seeds/base").mkdir(parents=True)
    (place.root / "seeds/base/00_one.sql").write_text(
        "-- version: 1.0.0\n-- depends:\nINSERT INTO a VALUES (1);\n"
    )
    place.write(DOWN)
    place.environment, place.prod_name, place.prod_url = "production", name, url
    for words in (["migrate"], ["seed"]):
        done = db(place, *words, "--prod", "--confirm", name)
        assert done.code == 0, done.err
    return place


def db(place, *words):
    return run("--project", place.root, "db", *words)


def digest(place):
    return database_digest(place.target.server, place.prod_name)


@case(119)
@pytest.mark.parametrize("words", DESTRUCTIVE, ids=" ".join)
def test_no_flag_opens_production(production, monkeypatch, words):
    """Every verb x every agreement that is not the name: exit code 3, nothing changed."""
    before = digest(production)
    force = [] if words[0] in {"baseline", "setup"} else ["--force"]
    flagged = [["--prod"], ["--prod", *force], ["--prod", "--confirm", "other"]]
    for flags in ([], force, *(flagged if words[0] != "reset" else [])):
        for url in ([], ["--db-url", production.prod_url]):
            monkeypatch.setenv("CI", "1")
            if not url and "--prod" not in flags:
                monkeypatch.setenv("DBCYCLE_ENV", "production")
            else:
                monkeypatch.delenv("DBCYCLE_ENV", raising=False)
            done = run("--yes", "--project", production.root, "db", *words, *flags, *url)
            assert done.code == 3, (flags, url, done.err)
    assert digest(production) == before
    told(done, 3, "there is no")


@case(120)
def test_no_other_address_opens_production(postgres, tmp_path, monkeypatch):
    """By name, by number, several hosts, a service, a variable: the server says what it is."""
    server, name = postgres.target.server, f"{postgres.name}_prod"
    with server._administer() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    postgres.write(DOWN)
    url = server.url(name)
    monkeypatch.setenv("UPKEEP_PROD", url)
    assert db(postgres, "migrate", "--prod", "--confirm", name).code == 0
    before = database_digest(server, name)
    facts = psycopg.conninfo.conninfo_to_dict(url)
    login = f"{facts['user']}:{facts['password']}"
    port, host = facts["port"], facts["host"]
    service = tmp_path / "service.conf"
    service.write_text(
        f"[prod]\nhost={host}\nport={port}\nuser={facts['user']}\npassword={facts['password']}\n"
        f"dbname={name}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    addresses = [
        f"postgresql://{login}@localhost:{port}/{name}",
        f"postgresql://{login}@127.0.0.1:{port}/{name}",
        f"postgresql://{login}@prod.invalid:{port}/{name}?hostaddr=127.0.0.1",
        f"postgresql://{login}@127.0.0.1:1,127.0.0.1:{port}/{name}",
        f"postgresql:///{name}?service=prod",
        f"postgresql+psycopg://{login}@{host}:{port}/{name}",
    ]
    for address in addresses:
        for words in (["rollback", "--force"], ["reset", "--force"], ["migrate"]):
            done = db(postgres, *words, "--db-url", address)
            told(done, 3, "says that it is production", secrets=[facts["password"]])
    assert database_digest(server, name) == before


@case(120)
def test_the_source_is_known_through_a_tunnel(postgresql, monkeypatch):
    """The server that a dump was taken from is told by its own identity, not by its address."""
    server, name = postgresql.server, "tunnelled_source"
    with server._administer() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        with psycopg.connect(server.url(name)) as connection:
            connection.execute(SCHEMA + ROWS)
        config = postgresql.root / "dbcycle.yaml"
        config.write_text(
            config.read_text().replace(
                "{dump: prod.dump}", "{dump: prod.dump, download: {url_env: TUNNEL}}"
            )
        )
        monkeypatch.setenv("TUNNEL", server.url(name))
        assert postgresql.run("restore", "--download-recent").code == 0
        before = database_digest(server, name)
        monkeypatch.setenv("TUNNEL", "postgresql://x@prod.internal/shop")
        (postgresql.root / "sql").mkdir(exist_ok=True)
        (postgresql.root / "sql/1_a.sql").write_text(DOWN["1_a.sql"])
        config.write_text(config.read_text() + "migrations: [{version: v1, directory: sql}]\n")
        for words in (["migrate"], ["setup"], ["reset", "--force"]):
            done = postgresql.run("db", *words, "--db-url", server.url(name))
            told(done, 3, "the project's source")
        assert database_digest(server, name) == before
    finally:
        with server._administer() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@case(121)
@pytest.mark.parametrize("change", ["missing", "double", "unreadable"])
def test_a_stamp_that_says_nothing_clear(production, change):
    """No stamp, two of them, or one that cannot be read: nothing may be lost here."""
    production.environment, production.url = "development", production.prod_url
    table = "_dbcycle.claim" if production.engine == "postgresql" else "_dbcycle_claim"
    second = "INSERT INTO {} SELECT * FROM {}"
    with production.connect() as connection:
        if change == "missing":
            connection.execute(f"DELETE FROM {table}")
        elif change == "double":
            connection.execute(second.format(table, table))
        else:
            value = "'[1]'"
            connection.execute(f"UPDATE {table} SET document = {value}")
    before = digest(production)
    for words in (["rollback", "--force"], ["reset", "--force"], ["backup", "restore", "--force"]):
        done = told(
            db(production, *words, "--db-url", production.prod_url), 3, "db claim --confirm"
        )
    if change != "missing":
        told(db(production, "migrate", "--db-url", production.prod_url), 3)
        done = told(db(production, "seed", "--db-url", production.prod_url), 3)
    assert digest(production) == before
    assert done.code == 3


HARD = "p@:/%#'\" \n?&=é"


@case(122)
def test_a_password_of_any_characters_works_and_never_shows(postgresql, monkeypatch, tmp_path):
    """It logs in, and is in no argument, log, event, file or message."""
    server = postgresql.server
    with connect(server.admin_url) as connection:
        connection.execute("DROP ROLE IF EXISTS hard")
        connection.execute(
            sql.SQL("CREATE ROLE hard LOGIN CREATEDB PASSWORD {}").format(sql.Literal(HARD))
        )
    facts = psycopg.conninfo.conninfo_to_dict(server.base_url)
    url = f"postgresql://hard:{quote(HARD, safe='')}@{facts['host']}:{facts['port']}/postgres"
    other = tmp_path / "shop2"
    other.mkdir()
    (other / "prod.dump").write_bytes(postgresql.dump.read_bytes())
    text = (postgresql.root / "dbcycle.yaml").read_text()
    (other / "dbcycle.yaml").write_text(text.replace("name: shop", "name: hardshop"))
    seen = set()
    try:
        with started("--project", other, "refresh", "--verbose", env={"SHOP_SERVER": url}) as going:
            while going.poll() is None:
                for pid in Path("/proc").glob("[0-9]*"):
                    try:
                        words = (pid / "cmdline").read_bytes()
                    except OSError:
                        continue
                    if b"hard" in words:
                        seen.add(words)
                time.sleep(0.01)
            out, err = going.communicate()
        assert going.returncode == 0, err
        assert any(b"pg_restore" in words for words in seen)
        files = [path for path in other.rglob("*") if path.is_file()]
        texts = [path.read_bytes() for path in files] + [out.encode(), err.encode(), *seen]
        for form in (HARD, quote(HARD, safe=""), HARD.split("\n", maxsplit=1)[0]):
            assert not [text for text in texts if form.encode() in text]
    finally:
        with connect(server.admin_url) as connection:
            for row in connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE '%hardshop%'"
            ).fetchall():
                connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
            connection.execute("DROP ROLE hard")


@case(123)
@pytest.mark.parametrize("where", ["../outside", "link", "~/outside", "$HOME/outside"])
def test_a_path_that_leads_out_of_the_project(sqlite, tmp_path, where):
    """Upwards, through a link, or to somebody's home: refused with where it leads."""
    outside = sqlite.root.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "users.yaml").write_text("[]\n")
    if where == "link" and not (sqlite.root / "link").exists():
        (sqlite.root / "link").symlink_to(outside)
    config = sqlite.root / "dbcycle.yaml"
    before = sqlite.state()
    text = config.read_text()
    config.write_text(f"{text}golden: {where}\n")
    told(sqlite.run("refresh"), 7, "golden")
    config.write_text(text)
    assert sqlite.state() == before


@case(123)
@pytest.mark.parametrize(
    "text",
    [
        "golden: !!python/object/apply:os.system [id]\n",
        "a: &a [x]\nb: [*a, *a]\n",
        "golden: !x y\n",
    ],
)
def test_a_config_that_is_more_than_data(sqlite, text):
    """Tags and unknown anchors are refused with their line."""
    config = sqlite.root / "dbcycle.yaml"
    config.write_text(config.read_text() + text)
    told(sqlite.run("plan"), 7, "dbcycle.yaml")


NAMES = [
    "users; DROP TABLE users; --",
    'a"b',
    "x" * 63,
    "Users",
    "per%s cent",
    "ünïcödé",
    "back\\slash",
]


@case(124)
def test_names_of_any_kind_are_only_names(shop):
    """Tables and columns called anything are cycled; case twins stay two; nothing is injected."""
    twins = NAMES if shop.engine == "postgresql" else [n for n in NAMES if n != "Users"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in twins]
    script = "".join(
        f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {name} text);"
        f"INSERT INTO {name} VALUES (1, 'kept');"
        for name in quoted
    )
    ids = {name: name for name in twins}
    if shop.engine == "postgresql":
        ids['a"b'] = '"a""b"'
    tables = TABLES + "".join(
        f"  {json.dumps(ids[name], ensure_ascii=False)}: "
        f"{{keep: [id, {json.dumps(name, ensure_ascii=False)}]}}\n"
        for name in twins
    )
    shop.produce(SCHEMA + ROWS + script, tables)
    told(shop.run("refresh"), 0)
    for name in quoted:
        assert shop.rows(f"SELECT {name} FROM {name}") == [("kept",)]
    assert shop.rows("SELECT count(*) FROM users") == [(2,)]


@case(124)
def test_a_name_that_is_too_long_is_refused(shop):
    """Rather than cut off, where two would become one."""
    config = shop.root / "dbcycle.yaml"
    text = config.read_text()
    config.write_text(text.replace("tables:\n", f"tables:\n  {'y' * 70}: {{keep: [id]}}\n"))
    with_shop = shop.state()
    told(shop.run("plan"), 7, "y" * 70)
    assert shop.state()["test"] == with_shop["test"]


@case(125)
def test_raw_rows_are_private_and_nothing_loads_them(shop):
    """Only their owner can read them; put in the place of extracts they are refused."""
    done = shop.run("extract", "--no-anonymize")
    assert done.code == 0, done.err
    raw = shop.root / ".dbcycle/raw"
    for path in [raw, *raw.iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    folder = shop.root / "extracts"
    kept = {path: path.read_bytes() for path in folder.iterdir() if (raw / path.name).exists()}
    before = shop.state()["test"]
    try:
        for path in kept:
            path.write_bytes((raw / path.name).read_bytes())
        done = shop.run("seed-test-db", "--force")
        told(done, 7, "raw")
        assert shop.state()["test"] == before
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert shop.run("refresh").code == 0


@case(125)
def test_raw_rows_are_kept_out_of_git(sqlite, tmp_path):
    """The folder of a project that `init` makes ignores them, and so does its own."""
    assert sqlite.run("extract", "--no-anonymize").code == 0
    subprocess.run(["git", "init", "-q", str(sqlite.root)], check=True)
    subprocess.run(["git", "-C", str(sqlite.root), "add", "-A"], check=True)
    staged = subprocess.run(
        ["git", "-C", str(sqlite.root), "ls-files"], check=True, capture_output=True, text=True
    ).stdout
    assert "raw" not in staged, staged
