"""A fresh dump: pg_dump in one snapshot, the user's own command, or a file from anywhere."""

import shutil
import subprocess
from pathlib import Path

import fsspec

from ..artifacts import disk_errors, replace_dump, write_source
from ..config import credentials
from ..databases import dump_database, dump_digest, identity_of
from ..errors import ConfigError, DumpError
from .session import Cycle


def download(cycle: Cycle) -> Path:
    """Fetch a fresh dump; the former one stays until the new one is whole, then beside it.

    Raises:
        ConfigError: the project does not say where a dump comes from.
        DumpError: the download failed or brought no dump.
    """
    source = cycle.project.config.source.download
    dump = cycle.project.dump
    if source is None:
        raise ConfigError(
            "nothing says where a fresh dump comes from",
            where="dbcycle.yaml",
            remedy="add `download: {url_env: PROD_DATABASE_URL}`, `{command: [...]}` or "
            "`{uri: ...}` under `source`",
        )
    part = dump.with_name(f".{dump.name}.part")
    _remove(part)
    try:
        with disk_errors(dump):
            dump.parent.mkdir(parents=True, exist_ok=True)
            cycle.progress("downloading a fresh dump")
            if source.url_env is not None:
                url = credentials.source_url(cycle.project)
                dump_database(url, part, cycle.progress)
                write_source(cycle.project.state, identity_of(url))
            elif source.command is not None:
                _run(list(source.command), part, cycle.project.root)
            elif source.uri is not None:
                _copy(source.uri, part)
        if not part.exists():
            raise DumpError("the download brought no file", where=str(dump))
        dump_digest(part)  # refuses what is no dump
        replace_dump(part, dump)
    finally:
        _remove(part)
    return dump


def _run(command: list[str], part: Path, root: Path) -> None:
    """Run the user's command; ``{output}`` in it is the file to write, else stdout is the dump."""
    words = [word.replace("{output}", str(part)) for word in command]
    try:
        if words != command:
            subprocess.run(words, cwd=root, check=True, stdout=subprocess.DEVNULL)
        else:
            with part.open("wb") as file:
                subprocess.run(words, cwd=root, check=True, stdout=file)
    except FileNotFoundError:
        raise DumpError(f"there is no command {words[0]}", where="source.download") from None
    except subprocess.CalledProcessError as error:
        raise DumpError(
            f"{words[0]} ended with exit code {error.returncode}", where="source.download"
        ) from None


def _copy(uri: str, part: Path) -> None:
    try:
        with fsspec.open(uri, "rb") as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except (FileNotFoundError, ImportError, ValueError) as error:
        raise DumpError(
            f"cannot read the source ({type(error).__name__})",
            where="source.download.uri",
            remedy="check the address; some schemes need an extra package of fsspec",
        ) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
