"""The shared options, the help, and how long a command takes to say it."""

import subprocess
import sys

import pytest
from typer.main import get_command

from dbcycle_assets.cli import text
from dbcycle_assets.cli.app import app, hoisted

COMMANDS = sorted(get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(dbcycle, command):
    """The help of a command ends with lines that can be copied."""
    shown = dbcycle(command, "--help")
    assert shown.code == 0
    assert "Examples:" in shown.out
    assert f"dbcycle {command}" in shown.out.split("Examples:")[1]


def test_a_row_in_a_pipe_is_one_line(capsys):
    """A script that reads names must not find them broken, however long they are."""
    name = "dbcycle_" + "x" * 63 + "_db_development_backup_20260101_120000_1a2b3c"
    text.table(("backup", "before", "rows"), [(name, "a reset " * 20, 5), ("b", "", 10)])
    text.say(f"{name} is what {name} was")
    headings, first, second, last = capsys.readouterr().out.splitlines()
    assert headings.split() == ["backup", "before", "rows"]
    assert first.split() == [name, *["a", "reset"] * 20, "5"]
    assert second.split() == ["b", "10"]
    assert last == f"{name} is what {name} was"


@pytest.mark.parametrize("command", ["status", "start", "stop"])
def test_the_server_commands_show_an_example(dbcycle, command):
    """So do the commands inside the group."""
    assert f"dbcycle server {command}" in dbcycle("server", command, "--help").out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["plan", "--json"], ["--json", "plan"]),
        (["plan", "--project", "shop", "--check"], ["--project", "shop", "plan", "--check"]),
        (["url", "--env=test", "-y"], ["--env=test", "-y", "url"]),
        (["shell", "--", "--json"], ["shell", "--", "--json"]),
        (["plan", "--project"], ["--project", "plan"]),
    ],
)
def test_shared_options_may_stand_on_either_side(words, expected):
    """Scripts write `dbcycle plan --json`, people `dbcycle --json plan`; both mean the same."""
    assert hoisted(words) == expected


def test_help_imports_nothing_heavy():
    """Asking for help loads neither Dagster nor polars nor pandas."""
    code = (
        "import sys\nfrom dbcycle_assets.cli import main\nmain(['--help'])\n"
        "heavy = {'dagster', 'polars', 'pandas', 'faker'} & set(sys.modules)\n"
        "sys.exit(f'imported: {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command():
    """`python -m dbcycle_assets` is the same as `dbcycle`."""
    command = [sys.executable, "-m", "dbcycle_assets", "plan", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Usage: dbcycle plan" in done.stdout


def test_a_misspelt_command_is_a_usage_error_with_a_suggestion(dbcycle):
    """A wrong word costs one line, exit code 2, and names the nearest command."""
    done = dbcycle("refrsh")
    assert done.code == 2
    assert done.out == ""
    assert "refresh" in done.err


def test_a_usage_error_is_a_document_too(dbcycle):
    """With --json a script can read every error from stdout."""
    done = dbcycle("plan", "--no-such-option", "--json")
    assert done.code == 2
    assert done.json["error"]["exit_code"] == 2
    assert done.json["error"]["kind"] == "UsageError"
