"""Every mistake has one clear message, its exit code, and costs nothing."""

import multiprocessing
import sqlite3

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import project_lock

from .conftest import production


def test_outside_any_project_the_command_says_what_to_do(dbcycle):
    """Without a project there is a usage error that names `dbcycle init`."""
    done = dbcycle("plan")
    assert done.code == 2
    assert "dbcycle init" in done.err
    assert "Traceback" not in done.err


def test_an_unknown_project_is_a_usage_error(dbcycle):
    """A wrong --project is told apart from a broken one."""
    assert dbcycle("--project", "nowhere", "url").code == 2


def test_a_misspelt_key_is_named_with_its_line(dbcycle, shop):
    """A misspelt key is rejected with a suggestion and exit code 7."""
    path = shop / "dbcycle.yaml"
    path.write_text(path.read_text().replace("golden:", "goldn:"))
    done = dbcycle("--project", shop, "plan", "--json")
    assert done.code == 7
    assert "golden" in done.json["error"]["message"]
    assert "dbcycle.yaml:" in done.err


@pytest.mark.parametrize("words", [["refesh"], ["see"], ["db", "migarte"], ["refresh", "--al"]])
def test_what_was_meant_is_suggested_once(dbcycle, words):
    """However many layers of the command line have the same idea."""
    done = dbcycle(*words)
    assert done.code == 2
    assert done.err.count("Did you mean") == 1
    assert done.err.count("(") == done.err.count(")")


def test_a_misspelt_anonymizer_is_named_with_its_line(dbcycle, shop):
    """So is a parameter that it does not take; all of them are told at once."""
    path = shop / "dbcycle.yaml"
    text = path.read_text().replace("email: email", "email: emial")
    path.write_text(text.replace("name: full_name", "name: {anonymize: full_name, lang: de}"))
    lines = path.read_text().splitlines()
    at = {
        word: 1 + next(n for n, line in enumerate(lines) if word in line)
        for word in ("emial", "lang:")
    }
    for words in (["plan"], ["refresh"], ["migrate"]):
        done = dbcycle("--project", shop, *words)
        assert done.code == 7
        told = "tables.users.columns.email: there is no anonymizer `emial`; did you mean `email`?"
        assert f"dbcycle.yaml:{at['emial']}: {told}" in done.err
        assert (
            f"dbcycle.yaml:{at['lang:']}: tables.users.columns.full_name: full_name: lang: "
            in done.err
        )


def test_an_unknown_column_is_named(dbcycle, shop):
    """A column that the database does not have is an error of the config."""
    path = shop / "dbcycle.yaml"
    path.write_text(path.read_text().replace("  orders:\n", "  orders:\n    keep_: []\n", 1))
    assert dbcycle("--project", shop, "plan").code == 7


def test_a_missing_dump_is_bad_input(dbcycle, shop, tmp_path):
    """Without its dump the refresh stops with exit code 7 and names the path."""
    (tmp_path / "prod.db").unlink()
    done = dbcycle("--project", shop, "restore")
    assert done.code == 7
    assert "prod.db" in done.err


@pytest.mark.parametrize("content", [b"", b"this is no dump\n"])
def test_init_from_what_is_no_dump_leaves_nothing(dbcycle, tmp_path, content):
    """A failed init can be repeated: nothing half-made is left behind."""
    (tmp_path / "broken.db").write_bytes(content)
    done = dbcycle("init", "shop", "--from", "broken.db", "--json")
    assert done.code == 7
    assert done.json["error"]["kind"] == "DumpError"
    assert not (tmp_path / "shop").exists()


def test_init_from_another_engine_is_refused(dbcycle):
    """A database that no engine of ours can read is named, and its password is not."""
    done = dbcycle("init", "shop", "--from", "mysql://root:hunter2@localhost/shop")
    assert done.code == 7
    assert "mysql" in done.err
    assert "hunter2" not in done.err + done.out


def test_init_does_not_overwrite_a_project(dbcycle, shop, tmp_path):
    """A second init of the same folder is refused and changes nothing."""
    before = (shop / "dbcycle.yaml").read_text()
    done = dbcycle("init", "shop", "--from", tmp_path / "prod.db")
    assert done.code == 2
    assert (shop / "dbcycle.yaml").read_text() == before


def test_a_project_name_that_does_not_serve_brings_one_that_does(dbcycle, tmp_path):
    """The message proposes a name that would work."""
    production(tmp_path / "prod.db")
    done = dbcycle("init", "My-Shop", "--from", "prod.db")
    assert done.code == 2
    assert "my_shop" in done.err


def test_a_stage_before_its_time_names_the_one_to_run_first(dbcycle, shop):
    """A single stage without what it builds on is bad input, not a crash."""
    for command, first in (
        (["seed-test-db"], "dbcycle extract"),
        (["publish"], "dbcycle extract"),
        (["verify"], "dbcycle refresh"),
        (["url"], "dbcycle refresh"),
    ):
        done = dbcycle("--project", shop, *command)
        assert done.code == 7, (command, done.err)
        assert first.replace("dbcycle", f"dbcycle --project {shop}") in done.err


@pytest.mark.case(125)
def test_raw_rows_are_refused_outside_development(dbcycle, shop):
    """--no-anonymize is for a developer's own machine: exit code 3 elsewhere."""
    done = dbcycle("--project", shop, "--env", "staging", "extract", "--no-anonymize")
    assert done.code == 3
    assert not (shop / ".dbcycle/raw").exists()


def test_an_unknown_table_brings_a_suggestion(dbcycle, shop):
    """A misspelt --table names the nearest one."""
    done = dbcycle("--project", shop, "extract", "--table", "user")
    assert done.code == 2
    assert "`users`" in done.err


def test_an_unknown_environment_is_a_usage_error(dbcycle, shop):
    """There is no fallback for a word that is no environment."""
    done = dbcycle("--project", shop, "--env", "prodution", "extract", "--no-anonymize")
    assert done.code == 2


def _hold(state, held, done):
    with project_lock(state, "refresh"):
        held.set()
        done.wait(60)


@pytest.mark.parametrize("command", [["restore"], ["refresh"], ["publish", "--previous"]])
def test_a_second_run_is_told_who_holds_the_project(dbcycle, shop, command):
    """While one run holds the project another ends with exit code 4 and names the holder."""
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(shop / ".dbcycle", held, done))
    holder.start()
    try:
        assert held.wait(30)
        result = dbcycle("--project", shop, *command, "--json")
    finally:
        done.set()
        holder.join()
    assert result.code == 4
    assert f"process {holder.pid}" in result.json["error"]["message"]


def test_an_unexpected_error_shows_no_values(dbcycle, shop, monkeypatch):
    """The text of a foreign exception may hold a row, so only its class is shown."""

    def explode(_path):
        message = "ada@lovelace.example.net"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("dbcycle_assets.cli.invocation.load_project", explode)
    done = dbcycle("--project", shop, "plan")
    assert done.code == 1
    assert "ZeroDivisionError" in done.err
    assert "--debug" in done.err
    assert "lovelace" not in done.err


def test_a_stop_by_the_user_is_one_line(dbcycle, shop, monkeypatch):
    """Ctrl-C ends with exit code 130, one line, and no traceback."""

    def stop(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr("dbcycle_assets.cli.invocation.load_project", stop)
    done = dbcycle("--project", shop, "plan")
    assert done.code == 130
    assert done.err.count("\n") == 1


def test_an_unjudged_column_stops_the_plan_with_a_proposal(dbcycle, tmp_path):
    """A column that nobody has judged: exit code 8, and the proposed rule for each."""
    production(tmp_path / "prod.db")
    assert dbcycle("init", "shop", "--from", "prod.db").code == 0
    done = dbcycle("--project", "shop", "plan", "--json")
    assert done.code == 8
    unjudged = {(e["table"], e["column"]): e["proposed"] for e in done.json["unjudged"]}
    assert unjudged["users", "email"] == "email"
    assert len(unjudged) == 7


def test_a_new_column_in_the_dump_stops_the_next_refresh(dbcycle, shop, tmp_path):
    """A column that appeared since is a finding of the refresh, not a silent pass."""
    connection = sqlite3.connect(tmp_path / "prod.db")
    connection.execute("ALTER TABLE users ADD COLUMN phone TEXT")
    connection.close()
    done = dbcycle("--project", shop, "refresh", "--json")
    assert done.code == 8
    assert done.json["ok"] is False
    assert done.json["published"] is False
    assert "users.phone" in done.json["failed"][0]["error"]
    judged = dbcycle("--project", shop, "judge", "--accept-all", "--json")
    assert judged.code == 0
    assert [entry["column"] for entry in judged.json["judged"]] == ["phone"]


def test_a_dump_that_is_gone_is_never_fresh(dbcycle, shop):
    """Whatever was made of it before: a nightly run must not stay green without it."""
    assert dbcycle("--project", shop, "refresh").code == 0
    (shop.parent / "prod.db").rename(shop.parent / "elsewhere.db")
    planned = dbcycle("--project", shop, "plan", "--json").json["stale"]
    assert planned[0]["asset"] == "shop/prod_dump"
    assert "the dump is gone" in planned[0]["reasons"]
    done = dbcycle("--project", shop, "refresh")
    assert done.code == 7
    assert "prod.db" in done.err


def test_a_mistyped_folder_is_named_and_not_made(dbcycle, shop, tmp_path, monkeypatch):
    """Whoever mistypes a path would look for the file where it is not."""
    assert dbcycle("--project", shop, "refresh").code == 0
    wrong, right = tmp_path / "dvelopment", tmp_path / "development"
    right.mkdir()
    export = ["--project", shop, "export", "--table", "users", "--to"]
    done = dbcycle(*export, right / "users.csv", "--to", wrong / "users.csv")
    assert (done.code, f"--to: there is no folder `{wrong}`" in done.err) == (7, True)
    assert not list(right.iterdir())
    done = dbcycle("--project", shop, "db", "migrate", "--db-url", f"sqlite:///{wrong}/dev.db")
    assert (done.code, f"--db-url: there is no folder `{wrong}`" in done.err) == (7, True)
    monkeypatch.setenv("DB_PATH", str(wrong / "dev.db"))
    done = dbcycle("--project", shop, "db", "migrate")
    assert (done.code, f"DB_PATH: there is no folder `{wrong}`" in done.err) == (7, True)
    assert not wrong.exists()
    monkeypatch.setenv("DB_PATH", str(right / "dev.db"))
    assert dbcycle("--project", shop, "db", "migrate").code == 0
    own = load_project(shop).state / "more" / "dev.db"
    monkeypatch.setenv("DB_PATH", str(own))
    assert dbcycle("--project", shop, "db", "migrate").code == 0
    assert own.is_file()


def test_a_selection_that_dagster_does_not_understand_is_explained(dbcycle, shop):
    done = dbcycle("--project", shop, "refresh", "--select", "key:((")
    assert done.code == 2
    assert 'key:"shop/extracts/users"+' in done.err


def test_commands_in_a_message_are_about_the_same_project(dbcycle, shop):
    """They can be pasted."""
    done = dbcycle("--project", shop, "publish")
    assert done.code == 7
    assert f"`dbcycle --project {shop} " in done.err


def test_a_place_that_cannot_be_is_explained(dbcycle, shop):
    assert dbcycle("--project", shop, "refresh").code == 0
    (shop.parent / "file.csv").write_text("")
    inside = shop.parent / "file.csv" / "x.csv"
    done = dbcycle("--project", shop, "export", "--table", "users", "--to", inside)
    assert done.code == 7
    assert "cannot write there" in done.err
