"""Who judged each column, and when: as git remembers the lines of ``dbcycle.yaml``."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..config.document import line_of, parse
from ..config.load import FILE
from ..config.model import Config

PATIENCE = 30
UNCOMMITTED = "0" * 40


@dataclass(frozen=True)
class Judge:
    """The author of a line and the day, or neither for a line that is not committed yet."""

    name: str
    day: str

    def __str__(self) -> str:
        return f"{self.name}, {self.day}" if self.day else self.name


def judges(root: Path, config: Config) -> Mapping[tuple[str, str], Judge]:
    """Return who last wrote the judgement of each (table, column); nothing where git knows nothing.

    Runs ``git blame`` once; it reads the file and changes nothing.
    """
    blamed = _blame(root)
    if not blamed:
        return {}
    document = parse(root / FILE)
    found: dict[tuple[str, str], Judge] = {}
    for table, settings in config.tables.items():
        places = {column: ("columns", column) for column in settings.columns}
        places |= {column: ("keep", str(number)) for number, column in enumerate(settings.keep)}
        for column, place in places.items():
            judge = blamed.get(line_of(document, ("tables", table, *place)))
            if judge is not None:
                found[(table, column)] = judge
    return found


def _blame(root: Path) -> dict[int, Judge]:
    """Return the author of each line (from 1)."""
    # A file system monitor is a program that the repository's own settings could name.
    settings = ["--no-optional-locks", "-c", "core.fsmonitor=false"]
    command = ["git", *settings, "blame", "--line-porcelain", "--", FILE]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return read_porcelain(done.stdout.decode(errors="replace")) if not done.returncode else {}


def read_porcelain(text: str) -> dict[int, Judge]:
    """Return the author of each line from what ``git blame --line-porcelain`` printed."""
    found: dict[int, Judge] = {}
    commit, line, facts = "", 0, dict[str, str]()
    for entry in text.split("\n"):
        if entry.startswith("\t"):
            found[line] = _judge(commit, facts)
            commit, facts = "", {}
        elif not commit:
            commit, _, rest = entry.partition(" ")
            line = int(rest.split(" ")[1]) if rest else 0
        else:
            word, _, value = entry.partition(" ")
            facts[word] = value
    return found


def _judge(commit: str, facts: Mapping[str, str]) -> Judge:
    if commit == UNCOMMITTED:
        return Judge("not committed", "")
    at = datetime.fromtimestamp(int(facts.get("author-time", "0")), UTC)
    return Judge(facts.get("author", ""), at.strftime("%Y-%m-%d"))
