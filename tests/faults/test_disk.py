"""Disks that are full, read-only or failing, and files that are in the way."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import pytest

from dbcycle_assets.artifacts import Extracts, file_name
from dbcycle_assets.upkeep import backups

from .kit import apart, ended, run, started, told

case = pytest.mark.case
A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
MANY = "INSERT INTO a WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000) SELECT n, hex(randomblob(40)) FROM s;\n"


def full(limit):
    """Let the kernel refuse files beyond a size, as a full disk does."""

    def restrict():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return restrict


@pytest.fixture
def place(place_on):
    """A project on SQLite with rows."""
    made = place_on("sqlite")
    made.write({"1_a.sql": A + MANY, "1_a.down.sql": "DROP TABLE a;"}).migrate()
    return made


@case(37)
@pytest.mark.parametrize("words", [["backup"], ["rollback", "--force"], ["reset", "--force"]])
def test_no_room_for_a_backup(place, words):
    """The destructive step is not started; no half-written backup is listed."""
    before = place.ask("SELECT count(*), sum(id) FROM a")
    command = ["--project", place.root, "db", *words]
    told(apart(*command, preexec_fn=full(60_000)), 9)
    assert place.ask("SELECT count(*), sum(id) FROM a") == before
    assert backups.list_backups(place.target) == []
    assert run(*command).code == 0


@case(37)
def test_no_room_for_the_registry_or_a_dump(place, sqlite):
    """What was there before is whole."""
    folder = place.root / "seeds/base"
    folder.mkdir(parents=True)
    (folder / "00_a.sql").write_text("-- version: 1.0.0\nSELECT 1;\n")
    assert run("--project", place.root, "db", "seed-sync").code == 0
    registry = place.root / "seeds/registry.json"
    before = registry.read_bytes()
    (folder / "01_b.sql").write_text(f"-- version: 1.0.0\n-- description: {'x' * 900}\nSELECT 1;\n")
    told(apart("--project", place.root, "db", "seed-sync", preexec_fn=full(600)), 9, "registry")
    assert registry.read_bytes() == before
    config = sqlite.root / "dbcycle.yaml"
    big = sqlite.root.parent / "big.db"
    big.write_bytes(sqlite.dump.read_bytes() + b"\0" * 900_000)
    text = config.read_text().replace(
        "{dump: prod.dump}", f"{{dump: prod.dump, download: {{uri: 'file:{big}'}}}}"
    )
    config.write_text(text)
    dump = sqlite.dump.read_bytes()
    with sqlite.unchanged():
        command = sqlite.words("restore", "--download-recent")
        told(apart(*command, preexec_fn=full(300_000)), 9, "prod.dump")
    assert sqlite.dump.read_bytes() == dump


@case(46)
@pytest.mark.parametrize("words", [["backup"], ["rollback", "--force"], ["reset", "--force"]])
def test_a_database_larger_than_the_free_space(place, words):
    """Seen before anything begins, with both sizes."""
    path = Path(place.target.server.file(place.target.name))
    whole = path.stat().st_size
    os.truncate(path, 8 << 40)  # a file with a hole: eight terabytes that use no room
    try:
        told(run("--project", place.root, "db", *words), 9, "bytes, and", "are free")
    finally:
        os.truncate(path, whole)
    assert place.ask("SELECT count(*) FROM a") == [(3000,)]
    assert backups.list_backups(place.target) == []


@case(39)
def test_a_disk_that_cannot_keep_what_it_took(sqlite, monkeypatch):
    """A failing flush is not tried again: the new file goes, the old one stays; exit code 9."""
    calls = []

    def failing(handle):
        if str(Path(f"/proc/self/fd/{handle}").readlink()).startswith(str(sqlite.root)):
            calls.append(handle)
            raise OSError(errno.EIO, "Input/output error")

    with sqlite.unchanged():
        monkeypatch.setattr(os, "fsync", failing)
        told(sqlite.run("extract", "--force"), 9, "put/output error")
        monkeypatch.undo()
    assert len(calls) <= 4


@case(40)
def test_a_folder_that_cannot_be_written(sqlite):
    """It is named, and nothing changed. (/sys takes no files, not even from root.)"""
    with sqlite.unchanged():
        told(sqlite.run("export", "--table", "users", "--to", "/sys/users.csv"), 9, "/sys/")
        told(sqlite.run("export", "--table", "users", "--to", "/sys/no/users.csv"), 7, "/sys/no")


@case(41)
def test_a_link_in_the_way_is_replaced_and_never_followed(sqlite, tmp_path):
    """Where a file should be: what it leads to keeps its content."""
    target = tmp_path / "target"
    target.write_text("precious")
    for name in ("users.copy.zst", "users.json"):
        path = sqlite.root / "extracts" / name
        path.unlink()
        path.symlink_to(target)
    assert sqlite.run("extract", "--table", "users", "--force").code == 0
    assert target.read_text() == "precious"
    assert not (sqlite.root / "extracts/users.json").is_symlink()
    export = tmp_path / "users.csv"
    export.symlink_to(target)
    assert sqlite.run("export", "--table", "users", "--to", export).code == 0
    assert target.read_text() == "precious"
    sqlite.run("refresh")


@case(42, 95)
def test_two_publishers_at_once(shop):
    """One publishes the whole of it; the other is told who holds the project."""
    words = shop.words("refresh", "--all")
    with started(*words) as one, started(*words) as other:
        codes = {ended(one).code, ended(other).code}
    assert codes == {0, 4}
    assert shop.rows("SELECT count(*) FROM users") == [(2,)]
    assert shop.run("verify").code == 0
    shop.no_leftovers()


@case(43)
def test_a_hundred_files_that_killed_runs_left(sqlite):
    """They go with the next run that holds the project, and nothing else does."""
    folder = sqlite.root / "extracts"
    for number in range(100):
        (folder / f".users.copy.zst.{number:03}.part").write_bytes(b"x")
    (folder / "README").write_text("mine")
    assert sqlite.run("extract", "--force").code == 0
    assert not list(folder.glob(".*.part"))
    assert (folder / "README").read_text() == "mine"
    (folder / "README").unlink()


@case(44)
def test_backups_of_one_second_are_all_kept(place):
    """None takes the place of another, however quickly they are asked for."""
    names = []
    threads = [
        threading.Thread(target=lambda: names.append(backups.make_backup(place.target, "x").name))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 5
    assert {each.name for each in backups.list_backups(place.target)} == set(names)


@case(45)
def test_tables_that_a_file_system_takes_for_one():
    """Case twins and composed twins have files that no system folds into one."""
    twins = [
        "users",
        "Users",
        "USERS",
        "stra\xdfe",
        "strasse",
        "\xe9",
        "e\u0301",
        "a.b",
        'a"b',
        "a_b",
    ]
    names = [file_name(name) for name in twins]
    folded = {unicodedata.normalize("NFC", name).casefold() for name in names}
    assert len(folded) == len(twins)
    assert all(name.isascii() and "/" not in name for name in names)


@case(45)
def test_twins_have_extracts_of_their_own(tmp_path):
    """And each is read back as itself."""
    store = Extracts(tmp_path)
    for name in ("users", "Users"):
        with store.write(name, (("id", "integer"),), {"id": "keep"}) as writer:
            writer.write(f"{name}\n".encode(), 1)
    assert [b"".join(store.read(name)) for name in ("users", "Users")] == [b"users\n", b"Users\n"]


FULL_LATER = """
import os, resource, signal, sqlite3, sys
from pathlib import Path
import sqlalchemy
from dbcycle_assets import load_project
from dbcycle_assets.defs.run import refresh

home, unlimited = Path(os.environ["DAGSTER_HOME"]), (resource.RLIM_INFINITY,) * 2
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
full = False

@sqlalchemy.event.listens_for(sqlalchemy.Engine, "handle_error")
def refused(context):
    if isinstance(context.original_exception, sqlite3.OperationalError):
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

def told(message):
    global full
    if message.startswith("extracting") and not full:
        full = True
        newest = max((home / "history/runs").glob("*-*.db"), key=os.path.getmtime)
        limit = newest.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

done = refresh(load_project(Path(sys.argv[1])), force=True, progress=told, instance_home=home)
print(done.error)
sys.exit(done.error.exit_code)
"""
"""A refresh that cannot write down one of Dagster's events, and all others."""


@case(37)
def test_no_room_for_what_dagster_writes_down(sqlite):
    """It is told as the disk's fault, not as a defect; afterwards the same run ends well."""
    before = sqlite.state()["test"]
    done = subprocess.run(
        [sys.executable, "-c", FULL_LATER, sqlite.root], capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stdout + done.stderr
    assert "Dagster's storage" in done.stdout
    assert "untouched" in done.stdout
    assert sqlite.state()["test"] == before
    assert sqlite.run("refresh").code == 0
    sqlite.no_leftovers()
