"""What a newcomer meets: the questions of `init` on a terminal, completion, and `doctor --fix`."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from .conftest import production


class Terminal:
    """A command on a terminal of its own, as a person at the keys."""

    def __init__(self, folder, *words):
        self._own, other = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dbcycle_assets", *map(str, words)],
            stdin=other, stdout=other, stderr=other, cwd=folder, close_fds=True,
        )  # fmt: skip
        os.close(other)
        self.seen = ""

    def answer(self, question, words):
        """Wait for a question and type an answer."""
        end = time.monotonic() + 120
        while question not in self.seen:
            assert time.monotonic() < end, self.seen
            self._read()
        self.seen = self.seen.partition(question)[2]
        os.write(self._own, f"{words}\n".encode())

    def end(self):
        """Read the rest and return the exit code."""
        while self._process.poll() is None or select.select([self._own], [], [], 0)[0]:
            if not self._read():
                break
        code = self._process.wait(60)
        os.close(self._own)
        return code

    def _read(self):
        try:
            if select.select([self._own], [], [], 1)[0]:
                data = os.read(self._own, 65536)
                self.seen += data.decode(errors="replace")
                return bool(data)
        except OSError:  # the other end is closed
            return False
        return self._process.poll() is None


@pytest.fixture
def place(dbcycle, tmp_path):
    """A folder with a production database."""
    folder = tmp_path / "work"
    folder.mkdir()
    production(folder / "Shop-prod.db")
    (folder / "notes.txt").write_text("no dump")
    return folder


def test_the_interview(place):
    """It offers the dumps that lie there, proposes a name, and asks about each column."""
    terminal = Terminal(place, "init")
    terminal.answer("number, path or URL [1]:", "")
    terminal.answer("name of the project [shop_prod]:", "shop")
    terminal.answer("[1/7]", "a")
    terminal.answer("[2/7]", "A")
    assert terminal.end() == 0, terminal.seen
    config = (place / "shop/dbcycle.yaml").read_text()
    assert "email: email" in config
    assert config.startswith("# yaml-language-server: $schema=.dbcycle/dbcycle.schema.json\n")
    assert (place / "shop/.dbcycle/dbcycle.schema.json").is_file()
    assert "dbcycle --project" in terminal.seen
    assert "refresh" in terminal.seen


def test_nobody_to_ask(dbcycle, place):
    """Off a terminal the missing source is named, and nothing is made."""
    shown = dbcycle("init")
    assert (shown.code, "--from" in shown.err) == (2, True)
    made = dbcycle("init", "--from", place / "Shop-prod.db", "--accept-all")
    assert made.code == 0, made.err
    assert made.out.count("shop_prod/dbcycle.yaml: 7 columns judged") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dbcycle", "db", "mi"], "migrate"),
        (["dbcycle", "--project", "x", "pla"], "plan"),
        (["dbcycle", "refresh", "--dow"], "--download-recent"),
    ],
)
def test_completion(dbcycle, tmp_path, words, expected):
    """The script, sourced by a real shell, completes commands, groups and options."""
    script = tmp_path / "completion.bash"
    script.write_text(dbcycle("completion", "bash").out)
    command = tmp_path / "dbcycle"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dbcycle_assets "$@"\n')
    command.chmod(0o755)
    lines = [
        f"source {script}",
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}",
        f'_dbcycle_completion {command}; echo "${{COMPREPLY[@]}}"',
    ]
    done = subprocess.run(
        [shutil.which("bash"), "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [expected], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_every_shell(dbcycle, shell):
    """Each names the program and the variable by which it asks."""
    shown = dbcycle("completion", shell)
    assert shown.code == 0
    assert "_DBCYCLE_COMPLETE=complete_" + shell in shown.out
    assert dbcycle("completion", "tcsh").code == 2


def test_doctor_mends_what_needs_no_decision(shop, dbcycle):
    """A lost definitions file, an old schema and a key that others can read; it says what it did."""
    key = next(shop.parent.rglob("keys/*"))
    key.chmod(0o644)
    (shop / "definitions.py").unlink()
    (shop / ".dbcycle/dbcycle.schema.json").write_text("{}")
    sick = dbcycle("--project", shop, "doctor")
    assert sick.code == 9
    assert "others can read" in sick.out
    assert "dbcycle --project" in sick.err or "doctor --fix" in sick.err
    mended = dbcycle("--project", shop, "doctor", "--fix", "--json")
    assert mended.code == 0
    assert all(check["ok"] for check in mended.json["checks"] if check["essential"])
    assert key.stat().st_mode & 0o777 == 0o600
    assert "build_definitions" in (shop / "definitions.py").read_text()
    assert [line for line in mended.err.splitlines() if "mended" in line] == [
        "mended: key",
        "mended: definitions.py",
        "mended: editor schema",
    ]
