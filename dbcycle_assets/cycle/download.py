"""A fresh dump: pg_dump in one snapshot, the user's own command, or a file from anywhere."""

import shutil
import subprocess
from pathlib import Path

from ..artifacts import disk_errors, replace_dump, write_source
from ..config import credentials
from ..config.model import Download, Project
from ..databases import dump_database, dump_digest, identity_of, stopping
from ..databases.port import Progress
from ..errors import ConfigError, DiskUnavailable, DumpError
from .remote import fetch, forget, is_copy, keep_origin, send, version_of
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
    part = _part(dump)
    if source.uri is None:  # what broke off there goes on where it was
        _remove(part)
    cycle.progress("downloading a fresh dump")
    try:
        with disk_errors(dump):
            dump.parent.mkdir(parents=True, exist_ok=True)
            _load(cycle.project, source, part, cycle.progress)
        dump_digest(part)  # refuses what is no dump
        replace_dump(part, dump)
    except BaseException as error:
        if source.uri is None:
            _remove(part)
        elif isinstance(error, DumpError | DiskUnavailable):  # a full disk needs the room
            forget(part)
        raise
    if (uri := cycle.project.dump_uri) is not None:
        cycle.progress("storing the dump")
        keep_origin(dump, uri, send(dump, uri))
    return dump


def _load(project: Project, source: Download, part: Path, progress: Progress) -> None:
    if source.url_env is not None:
        url = credentials.source_url(project)
        dump_database(url, part, progress)
        write_source(project.state, identity_of(url))
    elif source.command is not None:
        _run(list(source.command), part, project.root)
    elif source.uri is not None:
        fetch(source.uri, part)
    if not part.exists():
        raise DumpError("the download brought no file", where=str(project.dump))


def _part(dump: Path) -> Path:
    return dump.with_name(f".{dump.name}.part")


def bring(cycle: Cycle) -> None:
    """Have the dump here as its store has it now, if it lies in one.

    Raises:
        DumpError: it is not there.
        Unavailable: the store broke off; the next call goes on from there.
    """
    uri, dump = cycle.project.dump_uri, cycle.project.dump
    if uri is None or is_copy(dump, uri, version_of(uri)):
        return
    cycle.progress(f"fetching {dump.name}")
    part = _part(dump)
    version = fetch(uri, part)
    with disk_errors(dump):
        part.replace(dump)
    keep_origin(dump, uri, version)


def _run(command: list[str], part: Path, root: Path) -> None:
    """Run the user's command; ``{output}`` in it is the file to write, else stdout is the dump."""
    words = [word.replace("{output}", str(part)) for word in command]
    try:
        if words != command:
            done = stopping.run(words, cwd=root, stdout=subprocess.DEVNULL)
        else:
            with part.open("wb") as file:
                done = stopping.run(words, cwd=root, stdout=file)
    except FileNotFoundError:
        raise DumpError(f"there is no command {words[0]}", where="source.download") from None
    if done.returncode:
        raise DumpError(
            f"{words[0]} ended with exit code {done.returncode}", where="source.download"
        )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
