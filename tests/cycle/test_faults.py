"""Bad input and bad luck: a clear message, its exit code, and the published database as it was."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import embedded
from dbcycle_assets.defs.runs import RUNNING

DATA = Path(__file__).parents[1] / "data"

CONFIG = """\
name: films
source: {{dump: {dump}}}
golden: golden
targets: {{test: {{url_env: FILMS_URL, default: embedded}}}}
"""


def dbcycle(root, *words, limit=None, **variables):
    """Run one command in a process of its own; ``limit`` is the largest file it may write."""

    def restrict():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return subprocess.run(
        [sys.executable, "-m", "dbcycle_assets", "--project", str(root), *words],
        capture_output=True,
        text=True,
        env=environment | variables,
        preexec_fn=restrict,
        check=False,
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Give a published project of films on an embedded server of its own."""
    root = tmp_path_factory.mktemp("films") / "films"
    (root / "golden").mkdir(parents=True)
    shutil.copy(DATA / "chinook.dump", root / "prod.dump")
    (root / "dbcycle.yaml").write_text(CONFIG.format(dump="prod.dump"))
    for words in (["restore"], ["migrate"], ["judge", "--accept-all"], ["refresh"]):
        done = dbcycle(root, *words)
        assert done.returncode == 0, done.stderr
    try:
        yield root
    finally:
        embedded.remove(root / ".dbcycle")


@pytest.fixture
def films(published):
    """Give the published project; its files are put back and its database must be as it was."""
    kept = {name: (published / name).read_bytes() for name in ("dbcycle.yaml", "prod.dump")}
    before = state_of(published)
    yield published
    assert state_of(published) == before
    for name, content in kept.items():
        (published / name).write_bytes(content)
    for file in (published / "golden").iterdir():
        file.unlink()
    assert dbcycle(published, "refresh").returncode == 0


def state_of(root):
    """Return what a tester sees: the published rows, by table."""
    cycle = Cycle(load_project(root)) if (root / "dbcycle.yaml").exists() else None
    url = cycle.server.url(cycle.database("test"))
    with psycopg.connect(url) as connection:
        (oid,) = connection.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        (artists,) = connection.execute("SELECT count(*) FROM artist").fetchone()
        return oid, artists


def no_leftovers(root):
    """No half-made file, and no scratch database under a passing name."""
    assert not list(root.rglob("*.part"))
    cycle = Cycle(load_project(root))
    for role in ("restoring", "migrating", "staging", "replaced"):
        assert not cycle.server.exists(cycle.database(role)), role


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.case(48)
def test_a_truncated_dump_is_refused(films, share):
    """A dump that was cut anywhere never becomes a test database."""
    content = (films / "prod.dump").read_bytes()
    (films / "prod.dump").write_bytes(content[: int(len(content) * share)])
    done = dbcycle(films, "refresh")
    assert done.returncode == 7, done.stderr
    assert "prod.dump" in done.stderr
    (films / "prod.dump").write_bytes(content)
    no_leftovers(films)


@pytest.mark.case(47)
def test_an_empty_dump_is_refused(films):
    """Zero bytes are no dump."""
    content = (films / "prod.dump").read_bytes()
    (films / "prod.dump").write_bytes(b"")
    assert dbcycle(films, "refresh").returncode == 7
    (films / "prod.dump").write_bytes(content)


@pytest.mark.case(31)
def test_a_wrong_password_is_named_and_not_shown(films):
    """The message says that the login failed; it does not repeat the password."""
    cycle = Cycle(load_project(films))
    url = re.sub(r":[^:@/]+@", ":wr0ng-secret@", cycle.server.url("postgres"))
    done = dbcycle(films, "refresh", FILMS_URL=url)
    assert done.returncode == 9, done.stderr
    assert "wr0ng-secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_unavailable(films):
    """Nothing listens: exit 9, with the address and without a traceback."""
    done = dbcycle(films, "refresh", FILMS_URL="postgresql://u:p4ssw0rd@127.0.0.1:9/none")
    assert done.returncode == 9, done.stderr
    assert "p4ssw0rd" not in done.stderr


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{album_id: 9001, title: Golden, artist_id: 424242}", ["album", "artist"]),
        ("{album_id: 9001, titel: Golden, artist_id: 1}", ["titel", "title", "record 1"]),
        ("{album_id: many, title: Golden, artist_id: 1}", ["album_id", "record 1"]),
        ("{title: Golden, artist_id: 1}", ["primary key", "record 1"]),
        ("[1, 2]", ["record 1", "mapping"]),
        ("!!python/object/apply:os.system [true]", ["album.yaml"]),
    ],
)
@pytest.mark.case(105, 106)
def test_a_golden_record_that_cannot_be_is_named(films, record, words):
    """File, record and field are named, and nothing is published."""
    (films / "golden/album.yaml").write_text(f"- {record}\n")
    done = dbcycle(films, "refresh")
    assert done.returncode == 7, done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr
    assert "Golden" not in done.stderr
    no_leftovers(films)


def test_a_golden_file_for_no_table_is_refused(films):
    """A misspelt file name would be ignored in silence."""
    (films / "golden/albun.yaml").write_text("[]\n")
    done = dbcycle(films, "refresh")
    assert done.returncode == 7
    assert "album" in done.stderr


@pytest.mark.parametrize("words", [["extract", "--force"], ["refresh", "--all"]])
@pytest.mark.case(37)
def test_a_full_disk_leaves_the_former_extracts(films, words):
    """The kernel refuses to write more: exit 9, and every extract is whole.

    The first fails in an extract, the second in Dagster's own storage.
    """
    before = {path.name: path.read_bytes() for path in (films / "extracts").iterdir()}
    done = dbcycle(films, *words, limit=20_000)
    assert done.returncode == 9, done.stderr
    assert "untouched" in done.stderr
    cycle = Cycle(load_project(films))
    for table in cycle.catalog.tables:
        assert b"".join(cycle.extracts.read(table)) is not None
    assert {path.name for path in (films / "extracts").iterdir()} == set(before)
    no_leftovers(films)


@pytest.mark.case(96)
def test_an_unjudged_column_stops_everything_at_once(films):
    """Every unjudged column is named, each with a proposal."""
    text = (films / "dbcycle.yaml").read_text()
    kept = [line for line in text.splitlines() if "email: email" not in line]
    (films / "dbcycle.yaml").write_text("\n".join(kept) + "\n")
    done = dbcycle(films, "refresh")
    assert done.returncode == 8, done.stderr
    for column in ("customer.email", "employee.email"):
        assert re.search(rf"{column}: unjudged; proposed: email", done.stderr), done.stderr


@pytest.mark.case(95)
def test_a_second_refresh_is_told_who_holds_the_project(films):
    """The second one ends at once with exit 4 and names the first."""
    words = ["--project", str(films), "refresh", "--all"]
    first = subprocess.Popen(
        [sys.executable, "-m", "dbcycle_assets", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(first, "restoring")
        second = dbcycle(films, "refresh")
        assert second.returncode == 4, second.stderr
        assert str(first.pid) in second.stderr
        assert "since" in second.stderr
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=120)


def wait_for(process, word):
    """Read progress until a word occurs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        line = process.stderr.readline()
        if word in line:
            return
        if not line and process.poll() is not None:
            pytest.fail(f"ended before `{word}`")
    pytest.fail(f"never saw `{word}`")


STAGES = ["restoring", "cloning the restored", "fingerprinting", "extracting", "seeding"]
STAGES += ["cloning the seeded", "adding indexes", "searching every value"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.case(15)
def test_a_stop_in_any_stage_loses_nothing(films, stage):
    """Ctrl-C ends with exit 130 and one line; the next refresh goes on and ends well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dbcycle_assets", "--project", str(films), "refresh", "--all"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(process, stage)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    no_leftovers(films)


def test_a_killed_refresh_leaves_nothing_that_the_next_does_not_clear(films):
    """Its scratch database, its part files, and its run, which Dagster would take for alive."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dbcycle_assets", "--project", str(films), "refresh", "--all"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(process, "searching every value")
    process.kill()
    process.communicate(timeout=60)
    part = films / ".dbcycle/ledger/seeded/.film.json.killed.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    assert len(alive(films)) == 1
    assert Cycle(load_project(films)).server.exists("dbcycle_films_staging")

    done = dbcycle(films, "refresh")
    assert done.returncode == 0, done.stderr
    assert alive(films) == []
    no_leftovers(films)


def alive(root):
    """Return the runs that Dagster takes for under way."""
    with dg.DagsterInstance.from_config(str(root / ".dbcycle/dagster")) as instance:
        return instance.get_runs(dg.RunsFilter(statuses=RUNNING))
