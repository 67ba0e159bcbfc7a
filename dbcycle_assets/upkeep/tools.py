"""The user's own migration tool, run on a database: Alembic through its API, or any command."""

import io
import logging
import re
import subprocess
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..config import credentials
from ..config.model import Project, Version
from ..databases import stopping
from ..databases.port import Progress
from ..errors import MigrationError, Unavailable
from ..model.digest import digest_of, digest_of_text

_SKIPPED = {".git", ".dbcycle", "node_modules", "__pycache__", ".venv"}
_LINES = 8


def tool_digest(project: Project, version: Version) -> str:
    """Return a digest of what the tool would apply: its files, and how it is called."""
    texts = [
        (str(path.relative_to(project.root)), digest_of_text(path.read_bytes()))
        if path.is_relative_to(project.root)
        else (path.name, digest_of_text(path.read_bytes()))
        for path in sorted(set(_files(project, version)))
    ]
    return digest_of([version.tool, list(version.run), texts])


def _files(project: Project, version: Version) -> Iterator[Path]:
    for pattern in version.files:
        yield from (path for path in project.root.glob(pattern) if _wanted(path))
    if version.config is not None:
        config = project.path(version.config)
        if config.is_file():
            yield config
            for folder in _scripts(config):
                yield from (path for path in folder.rglob("*.py") if _wanted(path))


def _wanted(path: Path) -> bool:
    return path.is_file() and not _SKIPPED & set(path.parts)


def _scripts(config: Path) -> list[Path]:
    """Return the folder of an Alembic environment; the file is read without Alembic."""
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config, encoding="utf-8")
    place = parser.get("alembic", "script_location", fallback="")
    place = place.replace("%(here)s", str(config.parent))
    return [config.parent / place] if place and ":" not in place else []


def run_tool(project: Project, version: Version, url: str, report: Progress) -> None:
    """Bring a database to the tool's newest version.

    Raises:
        MigrationError: the tool failed; its own last lines are shown, without passwords.
        Unavailable: the tool is not installed.
    """
    if version.tool == "alembic":
        _alembic(project.path(version.config or "alembic.ini"), url)
    else:
        _command(project, version, url, report)


def _alembic(path: Path, url: str) -> None:
    try:
        from alembic import command
        from alembic.config import Config
    except ModuleNotFoundError:
        raise Unavailable(
            "Alembic is not installed", remedy="pip install 'dbcycle-assets[alembic]'"
        ) from None
    if not path.is_file():
        raise MigrationError("there is no such file", where=str(path))
    config = Config(str(path), stdout=io.StringIO())
    # The driver that we bring; env.py connects to it as it always does.
    address = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    try:
        with _same_logging(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            command.upgrade(config, "heads")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the environment is the user's code
        raise MigrationError(
            f"Alembic raised {type(error).__name__}{_file_of(error, path.parent)}",
            where=str(path),
            remedy="the message is withheld, since it may hold values; run "
            "`alembic upgrade heads` on a copy to see it",
        ) from None


def _file_of(error: BaseException, folder: Path) -> str:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder) and "site-packages" not in frame.filename
    ]
    return f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


@contextmanager
def _same_logging() -> Iterator[None]:
    """Undo what an env.py does to logging, which belongs to the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = [
        x for x in logging.Logger.manager.loggerDict.values() if isinstance(x, logging.Logger)
    ]
    states = [(logger, logger.disabled, logger.level) for logger in loggers]
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for logger, disabled, former in states:
            logger.disabled = disabled
            logger.setLevel(former)


def _command(project: Project, version: Version, url: str, report: Progress) -> None:
    environment = credentials.handed_over({version.url_env: url})
    try:
        done = stopping.run(
            list(version.run),
            cwd=project.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise Unavailable(
            f"cannot run {version.run[0]}: {error.strerror}",
            where="migrations.run",
            remedy="install it, or correct the command",
        ) from None
    lines = credentials.redact(done.stdout.decode("utf-8", "replace")).splitlines()
    for line in lines[-_LINES:] if not done.returncode else []:
        report(f"{version.run[0]}: {line.strip()}")
    if done.returncode:
        told = "".join(f"\n  {line}" for line in lines[-_LINES:])
        raise MigrationError(
            f"ended with exit code {done.returncode}:{told}", where=" ".join(version.run)
        )
