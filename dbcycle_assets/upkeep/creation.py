"""New migration steps: the next number, in the way the directory is laid out."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ..config.edit import add_step
from ..config.load import FILE
from ..config.model import Project, Version
from ..databases.scripting import HEADER
from ..errors import BadInput, UsageError

_WIDTH = 3
_STAMPED = 14
"""Numbers of so many digits are moments."""


def create_step(project: Project, name: str, *, transaction: bool, now: datetime) -> list[Path]:
    """Write the files of a new step, to be filled in, and return them; a version that lists its
    steps gets it as its last.

    Raises:
        UsageError: the name is not made of small letters, digits and underscores.
        BadInput: the config names no directory of migrations, or a file is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,60}", name):
        raise UsageError(
            "the name of a step is made of small letters, digits and underscores",
            remedy="for example: dbcycle db create add_user_table",
        )
    version = _last(project)
    folder = project.path(version.directory or ".")
    texts = dict(_texts(version, folder, name, transaction=transaction, now=now))
    for path in texts:
        if path.exists():
            raise BadInput("there is such a file already", where=str(path))
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if version.steps is not None:
        step = next(path.name for path in texts if not path.name.endswith(".down.sql"))
        add_step(project.root / FILE, version.version, step)
    return list(texts)


def _last(project: Project) -> Version:
    found = [each for each in project.config.migrations if each.directory is not None]
    if not found:
        raise BadInput(
            "the config names no directory of migrations",
            where=FILE,
            remedy="write `migrations: [{version: v1, directory: migrations}]`",
        )
    return found[-1]


def _texts(
    version: Version, folder: Path, name: str, *, transaction: bool, now: datetime
) -> Iterator[tuple[Path, str]]:
    up = f"-- {name}\n" if transaction else f"{HEADER}\n-- {name}\n"
    down = f"-- undoes {name}\n" if transaction else f"{HEADER}\n-- undoes {name}\n"
    number = _next(folder, now)
    if version.layout == "dbmate":
        option = "" if transaction else " transaction:false"
        text = f"-- migrate:up{option}\n\n-- migrate:down{option}\n"
        yield folder / f"{now:%Y%m%d%H%M%S}_{name}.sql", text
    elif version.layout == "prisma":
        yield folder / f"{now:%Y%m%d%H%M%S}_{name}" / "migration.sql", up
    elif version.layout == "diesel":
        place = folder / f"{now:%Y-%m-%d-%H%M%S}_{name}"
        yield place / "up.sql", up
        yield place / "down.sql", down
    elif version.layout == "golang-migrate":
        yield folder / f"{number}_{name}.up.sql", up
        yield folder / f"{number}_{name}.down.sql", down
    elif version.layout == "flyway":
        yield folder / f"V{number.lstrip('0')}__{name}.sql", up
    else:
        yield folder / f"{number}_{name}.sql", up
        yield folder / f"{number}_{name}.down.sql", down


def _next(folder: Path, now: datetime) -> str:
    """Return the number after the largest of the directory, as wide as that one."""
    paths = folder.iterdir() if folder.is_dir() else []
    found = [match[1] for path in paths if (match := re.match(r"V?(\d+)", path.name))]
    if not found:
        return "1".zfill(_WIDTH)
    largest = max(found, key=int)
    if len(largest) >= _STAMPED:
        return f"{now:%Y%m%d%H%M%S}"
    return str(int(largest) + 1).zfill(len(largest))
