"""Whether the project's models are in step with a schema."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config import credentials
from ..config.model import Models, Project
from ..databases.port import Progress
from ..errors import BadInput, ConfigError, DbCycleError, Unavailable
from ..model.digest import digest_of, digest_of_text
from ..model.likeness import Mismatch
from .generate import MISSING

PATIENCE = 300.0
"""Seconds that the application's import and the comparison may take together."""

_START = """
import sys
sys.path.append(sys.argv[1])
from dbcycle_assets.mapping.child import main
main()
"""


@dataclass(frozen=True)
class Compared:
    """What was compared, and every difference. It passes only if something was compared."""

    tables: int
    columns: int
    enums: int
    findings: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        """Whether the models are in step with the schema."""
        return bool(self.tables) and not self.findings

    def to_json(self) -> Mapping[str, Any]:
        """Return it as plain JSON values."""
        findings = [{**asdict(each), "sentence": str(each)} for each in self.findings]
        return {"passed": self.passed, **asdict(self), "findings": findings}


def models_of(project: Project) -> Models:
    """Return where the project's models are.

    Raises:
        ConfigError: the config does not say.
    """
    found = project.config.models
    if found is None:
        raise ConfigError(
            "nothing says where the models are",
            where=str(project.root / "dbcycle.yaml"),
            remedy="write `models: {module: app.database.models, path: ../../src}`",
        )
    return found


def compare_models(project: Project, url: str, progress: Progress) -> Compared:
    """Hold the project's models against the database at ``url``, in a process of its own: the
    application is never imported here. The database is only read.

    Raises:
        BadInput: the models do not import or configure; the message names the place, no value.
        Unavailable: Alembic is not installed, or the process came to no end.
    """
    models = models_of(project)
    if importlib.util.find_spec("alembic") is None:
        raise Unavailable("Alembic is not installed", remedy=MISSING)
    progress(f"comparing {models.module} with the schema")
    request = {
        "module": models.module,
        "base": models.base,
        "enums": models.enums,
        "path": str(project.path(models.path)),
        "engine": project.config.engine,
        "url": url,
    }
    answer = _asked(request, models, project)
    if "unusable" in answer:
        raise BadInput(
            answer["unusable"],
            where=str(project.root / "dbcycle.yaml") + ": models",
            remedy=f"the message is withheld, since it may hold values; "
            f"run `python -c 'import {models.module}'` in {project.path(models.path)} to see it",
        )
    if "refused" in answer:
        what, where, remedy = answer["refused"]
        raise Unavailable(what, where=where, remedy=remedy)
    if "failed" in answer:
        raise DbCycleError(
            f"the comparison ended with {answer['failed']}",
            where=models.module,
            remedy="please report it: the models import, and it is no fault of theirs",
        )
    findings = [Mismatch(**each) for each in answer["findings"]]
    if not answer["tables"]:
        what = "no table was compared"
        why = "maps no table" if not answer["mapped"] else "maps no table of this schema"
        remedy = f"`{models.base}` of {models.module} {why}: correct `models` in dbcycle.yaml"
        findings.insert(0, Mismatch("", "", "nothing", what, remedy))
    return Compared(answer["tables"], answer["columns"], answer["enums"], tuple(findings))


def _asked(request: Mapping[str, Any], models: Models, project: Project) -> dict[str, Any]:
    package = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _START, str(package)],
            input=json.dumps(request).encode(),
            cwd=project.path(models.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=credentials.handed_over({}),
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"importing and comparing took longer than {PATIENCE:.0f} s",
            where=models.module,
            remedy="see that importing the models waits for nothing",
        ) from None
    except (NotADirectoryError, FileNotFoundError):
        raise BadInput(
            "there is no such folder",
            where=str(project.path(models.path)),
            remedy="correct `models.path` in dbcycle.yaml",
        ) from None
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Unavailable(
            f"the process that compares ended with exit code {done.returncode} and no answer",
            where=models.module,
            remedy="see that importing the models does not end the process",
        ) from None
    return found


def models_digest(project: Project) -> str:
    """Return a digest of the files of the models and enums, for whoever remembers a comparison."""
    models = models_of(project)
    texts: list[Any] = [models.model_dump()]
    for module in (models.module, models.enums):
        if module is None:
            continue
        place = project.path(models.path).joinpath(*module.split("."))
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        texts += [digest_of_text(file.read_bytes()) for file in files if file.is_file()]
    return digest_of(texts)
