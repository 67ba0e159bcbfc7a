"""The JSON that scripts rely on: fields may be added, never renamed."""

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.config import credentials

from .conftest import SECRETS, production


@pytest.fixture
def published(dbcycle, shop):
    """Give a project that has been refreshed, and the document of that refresh."""
    done = dbcycle("--project", shop, "refresh", "--json")
    assert done.code == 0, done.err
    return shop, done.json


def test_init_says_what_it_judged(dbcycle, tmp_path):
    """`init --accept-all --json` lists every column with rule, confidence and reason."""
    production(tmp_path / "prod.db")
    done = dbcycle("init", "shop", "--from", "prod.db", "--accept-all", "--json")
    assert done.code == 0
    judged = done.json["judged"]
    assert {(e["table"], e["column"]) for e in judged} >= {("users", "email"), ("orders", "note")}
    assert all(set(e) >= {"table", "column", "rule", "confidence", "reason"} for e in judged)
    assert (tmp_path / "shop/definitions.py").is_file()
    assert (tmp_path / "shop/golden/README.md").is_file()


def test_plan_before_the_first_refresh(dbcycle, shop):
    """`plan --json` names every stale asset with its reasons and what each column becomes."""
    done = dbcycle("plan", "--project", shop, "--json")
    assert done.code == 0
    document = done.json
    assert set(document) >= {"stale", "fresh", "unjudged", "findings", "columns"}
    assert {entry["asset"] for entry in document["stale"]} >= {
        "shop/extracts/users",
        "shop/test_db",
    }
    assert all(entry["reasons"] for entry in document["stale"])
    columns = {(e["table"], e["column"]): e for e in document["columns"]}
    assert columns["users", "email"]["rule"] == "email"
    assert columns["users", "email"]["class"] == "email"
    assert dbcycle("plan", "--project", shop, "--check").code == 8


def test_refresh_publishes(dbcycle, published):
    """`refresh --json` says what was made and where the test database is."""
    shop, document = published
    assert set(document) >= {
        "run_id", "ok", "materialized", "memoized", "failed", "seconds", "published", "url",
    }  # fmt: skip
    assert document["ok"]
    assert document["published"]
    assert document["failed"] == []
    assert "shop/test_db" in document["materialized"]
    assert dbcycle("--project", shop, "url").out.strip() == document["url"]


def test_after_a_refresh_nothing_is_stale(dbcycle, published):
    """What was just made is fresh: no selection on stdout, and --check passes."""
    shop, _ = published
    assert dbcycle("--project", shop, "plan", "--json").json["stale"] == []
    assert dbcycle("--project", shop, "plan", "--check").code == 0
    selection = dbcycle("--project", shop, "plan", "--select")
    assert (selection.code, selection.out) == (0, "")
    assert "nothing is stale" in selection.err
    again = dbcycle("--project", shop, "refresh", "--json").json
    assert again["ok"]
    assert again["materialized"] == []


def test_the_selection_names_what_is_stale(dbcycle, published):
    """`plan --select` prints a Dagster selection of exactly the stale assets."""
    shop, _ = published
    path = shop / "dbcycle.yaml"
    text = path.read_text()
    assert "role" in text
    path.write_text(text + "execution: {workers: 1}\nverify: {coincidences: [users.role]}\n")
    done = dbcycle("--project", shop, "plan", "--select")
    assert 'key:"shop/test_db"' in done.out
    assert "extracts" not in done.out


def test_verify_states_its_coverage(dbcycle, published):
    """`verify --json` says how much was compared; nothing compared would be a failure."""
    shop, _ = published
    done = dbcycle("--project", shop, "verify", "--json")
    assert done.code == 0
    assert done.json["passed"]
    assert set(done.json) >= {"passed", "coverage", "survivors", "orphans", "schema_drift"}
    assert set(done.json["coverage"]) >= {
        "tables", "columns", "rows", "leaves_compared", "leaves_skipped", "skipped_reasons",
    }  # fmt: skip
    assert done.json["coverage"]["leaves_compared"] > 0


def test_url_names_role_engine_and_version(dbcycle, published):
    """`url --json` has what a client needs to know."""
    shop, _ = published
    document = dbcycle("--project", shop, "url", "--role", "migrated", "--json").json
    assert set(document) >= {"role", "url", "engine", "version"}
    assert (document["role"], document["engine"]) == ("migrated", "sqlite")


def test_detect_decides_nothing(dbcycle, shop, tmp_path):
    """`detect --json` shows what the detector sees, on the project's or any other database."""
    before = (shop / "dbcycle.yaml").read_text()
    own = dbcycle("--project", shop, "detect", "--json").json["columns"]
    keys = {"table", "column", "class", "personal", "confidence", "reason"}
    assert all(set(entry) >= keys for entry in own)
    personal = {(e["table"], e["column"]) for e in own if e["personal"]}
    assert ("users", "email") in personal
    other = production(tmp_path / "other.db", "CREATE TABLE extra (phone_number TEXT);")
    found = dbcycle("--project", shop, "detect", "--db-url", f"sqlite:///{other}", "--json").json
    assert "extra" in {entry["table"] for entry in found["columns"]}
    assert (shop / "dbcycle.yaml").read_text() == before


def test_single_stages_one_after_another(dbcycle, shop):
    """The stages alone do what the refresh does, and the refresh finds nothing left to do."""
    stages = ("restore", "migrate", "extract", "seed-test-db", "publish")
    made = set()
    for stage in stages:
        done = dbcycle("--project", shop, stage, "--json")
        assert done.code == 0, (stage, done.err)
        made |= set(done.json["materialized"])
    assert made >= {"shop/extracts/users", "shop/seeded/orders", "shop/test_db"}
    assert dbcycle("--project", shop, "plan", "--json").json["stale"] == []


def test_the_former_test_database_can_be_brought_back(dbcycle, published):
    """`publish --previous` makes the database before this one live again."""
    shop, _ = published
    assert dbcycle("--project", shop, "publish", "--previous").code == 7
    assert dbcycle("--project", shop, "refresh", "--all").code == 0
    done = dbcycle("--project", shop, "publish", "--previous", "--json")
    assert done.code == 0
    assert done.json["ok"]


def test_raw_extracts_stay_private_and_unrecorded(dbcycle, published):
    """`extract --no-anonymize` writes for its owner alone, and nothing becomes stale or fresh."""
    shop, _ = published
    done = dbcycle("--project", shop, "extract", "--table", "users", "--no-anonymize")
    assert done.code == 0, done.err
    assert "RAW" in done.err
    assert all(path.stat().st_mode & 0o077 == 0 for path in (shop / ".dbcycle/raw").iterdir())
    assert dbcycle("--project", shop, "plan", "--json").json["stale"] == []


def test_extracting_elsewhere_is_seen_as_stale(dbcycle, published, tmp_path):
    """Rows of another database never pass for those of the dump: the next plan says so."""
    shop, _ = published
    other = production(tmp_path / "other.db")
    words = ["extract", "--table", "users", "--db-url", f"sqlite:///{other}"]
    done = dbcycle("--project", shop, *words)
    assert done.code == 0, done.err
    stale = {e["asset"] for e in dbcycle("--project", shop, "plan", "--json").json["stale"]}
    assert "shop/extracts/users" in stale
    assert "shop/extracts/orders" not in stale


def test_doctor_finds_a_sound_project(dbcycle, shop):
    """`doctor --json` lists what it looked at; each failure brings the command that fixes it."""
    done = dbcycle("--project", shop, "doctor", "--json")
    assert done.code == 0, done.out
    names = {entry["name"] for entry in done.json["checks"]}
    assert names >= {"python", "dagster", "dump", "state", "disk", "key", "server"}


def test_doctor_names_what_is_missing(dbcycle, shop, tmp_path):
    """Without the dump, and with a key that others can read, the exit code is 9."""
    (tmp_path / "prod.db").unlink()
    credentials.key_file(load_project(shop)).chmod(0o644)
    done = dbcycle("--project", shop, "doctor", "--json")
    assert done.code == 9
    failed = {entry["name"]: entry["fix"] for entry in done.json["checks"] if not entry["ok"]}
    assert {"dump", "key"} <= set(failed)
    assert "chmod 600" in failed["key"]


def test_a_sqlite_project_has_no_server_to_start(dbcycle, shop):
    """`server start` says so instead of starting something that nobody needs."""
    assert dbcycle("--project", shop, "server", "status", "--json").json["running"] is False
    assert dbcycle("--project", shop, "server", "start").code == 2


def test_nothing_printed_holds_a_raw_value(dbcycle, published):
    """No command's output, in either form, holds a word of the production rows."""
    shop, _ = published
    for words in (["plan", "-v"], ["detect"], ["verify"], ["report"], ["refresh", "--all"]):
        for form in ([], ["--json"]):
            done = dbcycle("--project", shop, *words, *form)
            assert done.code == 0, (words, done.err)
            for secret in SECRETS:
                assert secret not in done.out + done.err, words


def test_the_key_is_shown_by_its_id_and_rotated_on_demand(dbcycle, published):
    """A rotation makes stale what used the key; a question that nobody can answer changes nothing."""
    shop, _ = published
    before = dbcycle("--project", shop, "key", "show", "--json").json
    secret = credentials.anonymization_secret(load_project(shop)).decode()
    assert sorted(before["used_by"]) == ["extracts/orders", "extracts/users"]
    assert dbcycle("--project", shop, "key", "rotate").code == 3
    assert (
        dbcycle("--project", shop, "key", "rotate", "--dry-run", "--json").json["rotated"] is False
    )
    assert dbcycle("--project", shop, "key", "show", "--json").json == before
    done = dbcycle("--project", shop, "key", "rotate", "--yes", "--json")
    assert done.json == {"rotated": True, "stale": before["used_by"]}
    assert dbcycle("--project", shop, "key", "show", "--json").json["id"] != before["id"]
    assert secret not in done.out + done.err
    stale = dbcycle("--project", shop, "plan", "--json").json["stale"]
    assert {entry["asset"] for entry in stale} >= {"shop/extracts/orders", "shop/extracts/users"}
    other = dbcycle("key", "new").out.strip()
    assert len(bytes.fromhex(other)) == 32
