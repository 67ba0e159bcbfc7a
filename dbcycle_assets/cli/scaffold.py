"""What ``init`` writes: the folder of a new project, whole or not at all."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ..artifacts import disk_errors, project_lock, write_atomically
from ..config import load_project
from ..config.edit import new_config
from ..config.load import FILE
from ..config.model import Project
from ..cycle.session import Cycle
from ..errors import BadInput, DumpError, UsageError
from ..model.detect import Proposal
from . import schema

SQLITE = b"SQLite format 3\0"
DOWNLOADED = "dumps/prod_backup.dump"

DEFINITIONS_FILE = "definitions.py"
DEFINITIONS = '''\
"""The Dagster definitions of this project."""

from pathlib import Path

from dbcycle_assets import build_definitions, load_project

defs = build_definitions(load_project(Path(__file__).parent))
'''

GOLDEN = """\
# Golden records

Rows that must exist in every test database, one file for each table: `users.yaml`, `users.json` or
`users.py` (one list of mappings, read as data and never run). Each record needs its primary key.
A golden record wins over an extracted row with the same primary key or the same unique value.

```yaml
- {id: 1, email: admin@example.com, role: admin}
```
"""

IGNORED = """\
# Generated: the key, the state, and what is made from production.
.dbcycle/
dumps/
extracts/
"""


def make(
    name: str, source: str, directory: Path | None, progress: Callable[[str], None]
) -> tuple[Project, list[Proposal]]:
    """Make the folder of a project, restore its dump, and propose a rule for every column.

    Raises:
        UsageError: the name does not serve, or there is a project already.
        BadInput: the source is missing or cannot be restored; nothing is left behind.
    """
    _check_name(name)
    root = (directory or Path(name)).resolve()
    if (root / FILE).exists():
        raise UsageError(
            "there is a project already",
            where=str(root),
            remedy=f"`dbcycle --project {root} judge` judges what is new in it",
        )
    local, engine = _source(source)
    with _undone_on_failure(root), disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        dump = _reference(local, root) if local is not None else DOWNLOADED
        new_config(root / FILE, name=name, engine=engine, dump=dump)
        write_definitions(root)
        _write(root / "golden" / "README.md", GOLDEN)
        _write(root / ".gitignore", IGNORED)
        project = load_project(root)
        schema.write(project.state / schema.NAME)
        with project_lock(project.state, "init"):
            if local is None:
                _download(source, project.dump, progress)
            return project, _look(Cycle(project, progress=progress))


def _look(cycle: Cycle) -> list[Proposal]:
    from ..cycle.migrate import migrate
    from ..cycle.plan import proposals
    from ..cycle.restore import restore, take_dump, take_key

    take_dump(cycle)
    take_key(cycle)
    restore(cycle)
    migrate(cycle)
    cycle.progress("looking at every column")
    return proposals(cycle)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        wanted = _fitting(name)
        raise UsageError(
            f"`{name}` cannot be a project's name",
            remedy="use up to 40 small letters, digits and underscores, starting with a letter: "
            f"`{wanted}`",
        )


def name_of(source: str) -> str:
    """Return a project's name that fits a dump or the database of a URL."""
    path = urlsplit(source).path if "://" in source else source
    return _fitting(Path(path).name.partition(".")[0])


def _fitting(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.casefold()).strip("_0123456789")[:40] or "shop"


def _source(source: str) -> tuple[Path | None, str]:
    """Return the dump's path (None: a URL to dump) and the engine, known from its content."""
    scheme = urlsplit(source).scheme if "://" in source else ""
    if scheme in {"postgresql", "postgres"}:
        return None, "postgresql"
    if scheme == "sqlite":
        source = source.removeprefix("sqlite:///")
    elif scheme:
        raise BadInput(
            f"a {scheme} database cannot be read",
            where="--from",
            remedy="give a postgresql:// URL, a dump of pg_dump, or a SQLite file",
        )
    path = Path(source).expanduser().resolve()
    if not path.exists():
        raise DumpError("there is no such file", where=str(path), remedy="check --from")
    if path.is_dir():
        return path, "postgresql"
    with path.open("rb") as file:
        head = file.read(len(SQLITE))
    if not head:
        raise DumpError("the dump is empty (0 bytes)", where=str(path), remedy="dump again")
    return path, "sqlite" if head == SQLITE else "postgresql"


def _reference(dump: Path, root: Path) -> str:
    """Return how the config names the dump: relative where both lie under one folder."""
    near = dump.is_relative_to(root.parent)
    return os.path.relpath(dump, root) if near else str(dump)


def _download(url: str, dump: Path, progress: Callable[[str], None]) -> None:
    from ..databases import dump_database

    progress("dumping the database")
    dump.parent.mkdir(parents=True, exist_ok=True)
    part = dump.with_name(f".{dump.name}.part")
    try:
        dump_database(url, part, progress)
        part.rename(dump)
    finally:
        part.unlink(missing_ok=True)


def write_definitions(root: Path) -> None:
    """Write what Dagster loads of a project, unless there is something."""
    _write(root / DEFINITIONS_FILE, DEFINITIONS)


def _write(path: Path, text: str) -> None:
    """Write a file unless the user has one there."""
    if not path.exists():
        with write_atomically(path) as file:
            file.write(text.encode())


@contextmanager
def _undone_on_failure(root: Path) -> Iterator[None]:
    """Remove what a failed init wrote, and nothing that was there before."""
    from shutil import rmtree

    from ..databases import embedded

    before = {path.name for path in root.iterdir()} if root.is_dir() else None
    try:
        yield
    except BaseException:
        if root.is_dir():
            embedded.remove(root / ".dbcycle")
            for path in root.iterdir():
                if before is None or path.name not in before:
                    rmtree(path) if path.is_dir() else path.unlink()
            if before is None:
                root.rmdir()
        raise
