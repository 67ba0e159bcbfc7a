"""`dbcycle db seed` and its kin, as a person runs them, on SQLite."""

import threading
import time

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.upkeep import seeding

from ..cli.conftest import run

CONFIG = """\
name: seeded
engine: sqlite
source: {dump: prod.db}
migrations: [{version: v1, directory: migrations, steps: [001_states.sql]}]
"""
STATES = "# version: 1.0.0\n# depends:\nstates:\n  - {code: AL, name: Alabama}\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give the folder of a project with one migration and one seed; nothing has run."""
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT", "DATABASE_URL_TEST"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "seeded"
    for folder in ("migrations", "seeds/base"):
        (root / folder).mkdir(parents=True)
    (root / "dbcycle.yaml").write_text(CONFIG)
    (root / "migrations/001_states.sql").write_text(
        "CREATE TABLE states (code TEXT PRIMARY KEY, name TEXT NOT NULL);\n"
    )
    (root / "seeds/base/00_states.yaml").write_text(STATES)
    return root


def db(project, *words):
    return run("--project", project, "db", *words)


def test_setup_migrates_and_seeds_and_is_repeatable(project):
    """One command from nothing to a seeded database; again, it changes nothing."""
    first = db(project, "setup", "--json")
    assert first.code == 0, first.err
    assert first.json["applied"] == ["v1/001_states.sql"]
    assert [(s["seed"], s["action"], s["created"]) for s in first.json["seeds"]] == [
        ("base/00_states", "apply", 1)
    ]
    again = db(project, "setup", "--json").json
    assert again["applied"] == []
    assert [s["action"] for s in again["seeds"]] == ["skip"]


def test_a_dry_run_says_what_it_would_do(project):
    """Nothing is written, not even the history."""
    assert db(project, "migrate").code == 0
    dry = db(project, "seed", "--dry-run", "--json").json
    assert [(s["seed"], s["action"]) for s in dry["seeds"]] == [("base/00_states", "apply")]
    assert [s["state"] for s in db(project, "status", "--json").json["seeds"]] == ["pending"]
    assert db(project, "seed").code == 0
    assert [s["state"] for s in db(project, "status", "--json").json["seeds"]] == ["applied"]


def test_an_edited_seed_is_drift(project):
    """Exit code 5, and what to do; --force applies it again."""
    assert db(project, "setup").code == 0
    (project / "seeds/base/00_states.yaml").write_text(STATES.replace("Alabama", "ALABAMA"))
    done = db(project, "seed")
    assert done.code == 5
    assert "raise its version" in done.err
    assert db(project, "status", "--json").json["seeds"][0]["state"] == "edited"
    assert db(project, "seed", "--force").code == 0


def test_a_deleted_seed_is_found_and_marked(project):
    """seed-check ends with 8, seed-clean asks, and afterwards there is nothing to find."""
    assert db(project, "setup").code == 0
    (project / "seeds/base/00_states.yaml").rename(project / "seeds/base/05_states.yaml")
    checked = db(project, "seed-check", "--json")
    assert checked.code == 8
    assert checked.json["orphans"] == [
        {"seed": "base/00_states", "version": "1.0.0", "perhaps": "moved to base/05_states?"}
    ]
    assert db(project, "seed-clean").code == 3
    assert db(project, "seed-check").code == 8
    assert db(project, "seed-clean", "--force").code == 0
    assert db(project, "seed-check").code == 0


def test_a_seed_is_taken_back_after_a_backup(project):
    """The backup is listed, and a question that nobody can answer changes nothing."""
    assert db(project, "setup").code == 0
    assert db(project, "seed-rollback", "base/00_states").code == 3
    done = db(project, "seed-rollback", "base/00_states", "--force", "--json")
    assert done.json["reason"] == "1 rows deleted"
    assert len(db(project, "backup", "list", "--json").json["backups"]) == 1
    assert db(project, "seed", "--json").json["seeds"][0]["action"] == "apply"


def test_reset_makes_a_backup_and_begins_anew(project):
    """Everything is made from the migrations again; the seeds only if asked for."""
    assert db(project, "setup").code == 0
    assert db(project, "reset").code == 3
    done = db(project, "reset", "--force", "--json")
    assert done.code == 0, done.err
    assert done.json["applied"] == ["v1/001_states.sql"]
    assert done.json["backup"]
    assert done.json["seeds"] is None
    assert db(project, "status", "--json").json["seeds"][0]["state"] == "pending"
    seeded = db(project, "reset", "--force", "--seed", "--json").json
    assert [s["created"] for s in seeded["seeds"]] == [1]
    assert len(db(project, "backup", "list", "--json").json["backups"]) == 2


@pytest.mark.parametrize("place", ["production", "prod", "staging"])
@pytest.mark.case(119)
def test_reset_is_refused_where_it_would_hurt(project, monkeypatch, place):
    """--force skips the question, never the guard."""
    (project / "dbcycle.yaml").write_text(
        CONFIG + "targets: {production: {url_env: LIVE}, staging: {url_env: LIVE}}\n"
    )
    monkeypatch.setenv("LIVE", f"sqlite:///{project}/live.db")
    done = run("--project", project, "--env", place, "db", "reset", "--force", "--yes")
    assert done.code == 3, done.err
    assert "never reset" in done.err


@pytest.mark.case(111)
def test_an_unknown_environment_is_no_development(project):
    """A misspelt environment is refused."""
    done = run("--project", project, "--env", "prodution", "db", "seed")
    assert done.code == 2


def test_a_new_seed_is_in_the_registry_at_once(project):
    """create-seed writes the file with the next number; the registry is the list to commit."""
    made = db(project, "create-seed", "us_roles", "--json").json["file"]
    assert made.endswith("seeds/base/01_us_roles.py")
    assert db(project, "create-seed", "orders", "--test", "--kind", "sql").code == 0
    assert db(project, "create-seed", "x", "--dev", "--test").code == 2
    assert db(project, "create-seed", "../x").code == 7
    assert db(project, "seed-sync", "--check").code == 0
    (project / "seeds/base/01_us_roles.py").unlink()
    outdated = db(project, "seed-sync", "--check", "--json")
    assert outdated.code == 5
    assert outdated.json["changed"] == ["base/01_us_roles"]
    assert db(project, "seed-sync").code == 0
    assert db(project, "seed-sync", "--check").code == 0


def test_every_action_is_in_the_audit_log(project):
    """Who did what on which database, with which result; failures too."""
    assert db(project, "setup").code == 0
    (project / "seeds/base/01_bad.py").write_text("def run(seed):\n    1 / 0\n")
    assert db(project, "seed").code == 7
    log = (project / ".dbcycle/audit.jsonl").read_text()
    assert '"seed"' in log
    assert "ZeroDivisionError" in log


@pytest.mark.case(115)
def test_the_last_save_counts_while_watching(project):
    """A half-written seed is told and the registry stays; the last state of it wins."""
    told, stop = [], threading.Event()
    loaded = load_project(project)
    watching = threading.Thread(
        target=seeding.watch, args=(loaded, told.append), kwargs={"stop": stop.is_set}
    )
    watching.start()
    try:
        wait(lambda: seeding.registry_path(loaded).exists())
        draft = project / "seeds/base/01_draft.py"
        draft.write_text("def (")
        wait(lambda: any("not valid Python" in line for line in told))
        assert "01_draft" not in seeding.registry_path(loaded).read_text()
        for number in range(5):
            part = draft.with_suffix(".tmp")
            part.write_text(f'VERSION = "{number + 1}.0"\n\n\ndef run(seed):\n    pass\n')
            part.replace(draft)
        wait(lambda: '"5.0"' in seeding.registry_path(loaded).read_text())
    finally:
        stop.set()
        watching.join(10)


def wait(holds):
    """Wait until something holds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
