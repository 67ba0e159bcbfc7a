"""Seeds as files: found, made, and run inside a transaction that is open."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ruamel.yaml
import sqlalchemy as sa

from ..config.document import UNREADABLE
from ..config.model import Project
from ..databases.port import Database
from ..errors import SeedError
from ..model.seeds import GROUPS, SUFFIXES, Seed, read_seed
from .seed_context import SeedContext, row_digest
from .seed_modules import checksum_with_modules, functions_of

FOLDER = "seeds"
EDITORS = ("~", ".tmp", ".swp", ".part")
"""How the names end of what editors leave behind."""
_BACK = re.compile(rb"^--[ \t]*dbcycle:[ \t]*rollback[ \t]*\r?$", re.MULTILINE)


def seed_files(project: Project) -> dict[Seed, Path]:
    """Return every seed of the project with its file.

    Raises:
        SeedError: a file is no seed, or malformed.
    """
    folder = project.path(project.config.seeds or FOLDER)
    found: dict[Seed, Path] = {}
    for group in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not group.is_dir() or group.name.startswith((".", "_")):
            continue
        for path in sorted(group.iterdir()):
            left_over = path.name.startswith((".", "_")) or path.name.endswith(EDITORS)
            if path.is_file() and not left_over:
                text = path.read_bytes()
                seed = read_seed(path.relative_to(folder), text)
                if seed.kind == "python":
                    seed = replace(seed, checksum=checksum_with_modules(text, folder))
                found[seed] = path
    return found


def run_seed(path: Path, database: Database, context: SeedContext) -> None:
    """Run the file of a seed inside the transaction of its context.

    Raises:
        SeedError: the file is malformed.
        MigrationError: a SQL statement failed.
    """
    if path.suffix == ".py":
        _run_python(path, context)
    elif path.suffix == ".sql":
        database.run_within(context.connection, _sections(path)[0], path)
    else:
        _run_yaml(path, context)


def run_back(path: Path, database: Database, context: SeedContext) -> bool:
    """Run a seed's own way back; return whether it has one."""
    if path.suffix == ".py":
        undo = functions_of(path).get("rollback")
        if undo is not None:
            undo(context)
        return undo is not None
    back = _sections(path)[1] if path.suffix == ".sql" else b""
    if back:
        database.run_within(context.connection, back, path)
    return bool(back)


def has_way_back(path: Path) -> bool:
    """Tell whether a seed brings a way back of its own."""
    if path.suffix == ".py":
        return "rollback" in functions_of(path)
    return path.suffix == ".sql" and bool(_sections(path)[1])


def has_check(path: Path) -> bool:
    """Tell whether a seed brings a ``check`` of its own."""
    return path.suffix == ".py" and b"def check(" in path.read_bytes()


def run_check(path: Path, context: SeedContext) -> list[str]:
    """Return what a seed's own ``check`` finds wrong with what it made."""
    return [str(told) for told in functions_of(path)["check"](context) or ()]


def _sections(path: Path) -> tuple[bytes, bytes]:
    """Return what a SQL seed does, and its way back (below a line that says so), if any."""
    content = path.read_bytes()
    match = _BACK.search(content)
    return (content, b"") if match is None else (content[: match.start()], content[match.end() :])


def _run_python(path: Path, context: SeedContext) -> None:
    module = functions_of(path)
    run = module.get("run")
    if run is None:
        raise SeedError("has no function `run(seed)`", where=str(path))
    upgrade = module.get("upgrade")
    if context.from_version is not None and upgrade is not None:
        upgrade(context, context.from_version)
    else:
        run(context)


def _run_yaml(path: Path, context: SeedContext) -> None:
    try:
        document = ruamel.yaml.YAML(typ="safe", pure=True).load(
            path.read_text(encoding="utf-8-sig")
        )
    except UNREADABLE:
        raise SeedError("is not valid YAML", where=str(path)) from None
    if not isinstance(document, dict):
        raise SeedError("must name tables with their rows", where=str(path))
    for table, content in document.items():
        settings = content if isinstance(content, dict) else {"rows": content}
        if unknown := sorted(set(settings) - {"rows", "key", "existing"}):
            raise SeedError(f"{table}: unknown key {', '.join(unknown)}", where=str(path))
        keep = settings.get("existing", "update") == "keep"
        put = context.insert_missing if keep else context.upsert
        for number, row in enumerate(settings.get("rows") or (), 1):
            if not isinstance(row, dict):
                raise SeedError(f"{table}: row {number} is no mapping", where=str(path))
            put(str(table), row, key=tuple(settings.get("key") or ()))


def delete_created(connection: sa.Connection, name: str, details: Mapping[str, Any]) -> int:
    """Delete the rows that a seed made, last first; none if any of them is not as it was made."""
    if details.get("updated"):
        raise SeedError(
            f"it updated {details['updated']} rows that were there before",
            where=name,
            remedy="give the seed a `rollback(seed)` function, or restore a backup",
        )
    context = SeedContext(connection, "", name, lambda _told: None)
    edited = []
    created = list(details.get("created", ()))
    for entry in created:
        table = context.table(entry["table"])
        held = connection.execute(sa.select(table).where(_by_key(table, entry))).mappings().first()
        if held is None or row_digest(dict(held)) != entry["digest"]:
            edited.append(f"{entry['table']} ({', '.join(sorted(entry['key']))})")
    if edited:
        counted = {place: edited.count(place) for place in sorted(set(edited))}
        listed = ", ".join(f"{number} of {place}" for place, number in counted.items())
        raise SeedError(
            f"rows were edited or deleted since: {listed}",
            where=name,
            remedy="nothing was changed; undo the edits, or restore a backup",
        )
    for entry in reversed(created):
        table = context.table(entry["table"])
        try:
            connection.execute(table.delete().where(_by_key(table, entry)))
        except sa.exc.IntegrityError:
            raise SeedError(
                f"other rows refer to what it made in {entry['table']}",
                where=name,
                remedy="nothing was changed; delete those rows first",
            ) from None
    return len(created)


def _by_key(table: sa.Table, entry: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(
        *(sa.cast(table.c[name], sa.Text) == value for name, value in entry["key"].items())
    )


def new_seed(project: Project, name: str, group: str, suffix: str = ".py") -> Path:
    """Write a new seed with the next number of its folder and return its path.

    Raises:
        SeedError: the name is no name.
    """
    if not name.isidentifier() or group not in GROUPS or suffix not in SUFFIXES:
        raise SeedError("a seed's name has letters, digits and underscores", where=name)
    taken = [seed.number for seed in seed_files(project) if seed.group == group]
    number = max(taken, default=-1) + 1
    folder = project.path(project.config.seeds or FOLDER) / group
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:02d}_{name}{suffix}"
    with path.open("x", encoding="utf-8") as file:
        file.write(TEMPLATES[suffix].format(title=name.replace("_", " ").capitalize()))
    return path


TEMPLATES = {
    ".py": '''"""{title}."""

VERSION = "1.0.0"
DEPENDS = []


def run(seed):
    """Make the rows; run again, it changes nothing."""
    # seed.upsert("users", {{"email": "ada@example.com", "role": "admin"}}, key=["email"])
''',
    ".sql": "-- version: 1.0.0\n-- description: {title}\n-- depends:\n\n",
    ".yaml": "# version: 1.0.0\n# description: {title}\n# depends:\n\n",
}
