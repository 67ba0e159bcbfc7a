"""What the pending steps would lock or rewrite in production: squawk's warnings, for PostgreSQL."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.model import Project
from ..errors import Unavailable
from ..model.migration import Step

_OURS = ("prefer-", "require-lock-timeout", "require-statement-timeout", "require-timeout-settings")
_ELSEWHERE = ("syntax-error", "ban-char-field", "require-table-schema", "unused-ignore")
"""Rules about style, and about what our engine does by itself: it sets timeouts, and a step that
failed runs again as a whole or from where it was."""

NO_LINTER = "not linted: pip install 'dbcycle-assets[lint]'"


@dataclass(frozen=True)
class Lint:
    """One warning about a statement; ``line`` counts from 1."""

    step: str
    line: int
    rule: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.step}:{self.line}: {self.what}{f' → {self.remedy}' if self.remedy else ''}"


def lint(project: Project, steps: Sequence[Step], version: str) -> list[Lint] | None:
    """Return the warnings about SQL steps, in order, or None where no linter is installed.

    ``version`` is that of the server. A project's own ``.squawk.toml`` and ``-- squawk-ignore``
    comments are honoured.

    Raises:
        Unavailable: squawk did not end well.
    """
    program = _program()
    if program is None or project.config.engine != "postgresql":
        return None
    return [
        warning
        for step in steps
        if step.kind == "sql"
        for warning in _of_step(project, program, step, version)
    ]


def _program() -> str | None:
    beside = Path(sys.executable).with_name("squawk")
    return str(beside) if beside.is_file() else shutil.which("squawk")


def _of_step(project: Project, program: str, step: Step, version: str) -> list[Lint]:
    words = [program, "--reporter", "Json", "--stdin-filepath", step.script.path.name]
    words += ["--pg-version", version] if version else []
    words += [] if step.script.alone else ["--assume-in-transaction"]
    done = subprocess.run(
        words, input=step.script.text, cwd=project.root, capture_output=True, check=False
    )
    try:
        found = json.loads(done.stdout or b"[]")
    except json.JSONDecodeError:
        raise Unavailable(
            f"squawk ended with exit code {done.returncode} and no report",
            where=str(step.script.path),
            remedy="run it on the file to see why",
        ) from None
    return [
        Lint(step.name, each["line"] + 1, each["rule_name"], each["message"], each["help"] or "")
        for each in found
        if not each["rule_name"].startswith((*_OURS, *_ELSEWHERE))
    ]
