"""Directories of migrations as people and other tools lay them out, read as one list of steps."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..databases.scripting import asks_to_be_alone
from ..errors import MigrationError
from ..model.migration import Script, Step

_DBMATE = re.compile(rb"^--[ \t]*migrate:(up|down)\b([^\r\n]*)", re.MULTILINE)
_INDENTED = re.compile(rb"^[ \t]+--[ \t]*migrate:(?:up|down)\b", re.MULTILINE)
_FLYWAY = re.compile(r"(?P<kind>[VRU])(?P<version>[\w.]*?)__(?P<what>.+)\.sql")
_GOLANG = re.compile(r"(?P<name>\d+_.*)\.(?P<way>up|down)\.(?P<end>.*)")
_NUMBER = re.compile(r"[VU]?(\d+(?:-\d+)*)")


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key by which names sort as people count: 2 before 10."""
    return [
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def read_layout(layout: str, folder: Path, version: str) -> list[Step]:
    """Return the steps of a directory in their order.

    Raises:
        MigrationError: the directory is missing or laid out otherwise, a number occurs twice, or a
            file is malformed.
    """
    if not folder.is_dir():
        raise MigrationError(
            "there is no such directory of migrations",
            where=str(folder),
            remedy="correct `directory` under `migrations` in dbcycle.yaml",
        )
    steps = list(_LAYOUTS[layout](folder))
    if not steps and any(folder.rglob("*.sql")):
        raise MigrationError(
            f"no migration here is laid out as {layout} has them, though there are .sql files",
            where=str(folder),
            remedy="correct `layout` or `directory` under `migrations` in dbcycle.yaml",
        )
    if layout != "prisma":  # its folders are ordered by their whole names
        _unique(steps, folder)
    return [
        replace(step, name=f"{version}/{step.name}" if version else step.name, version=version)
        for step in steps
    ]


def _unique(steps: Sequence[Step], folder: Path) -> None:
    """Refuse two steps with one number.

    Raises:
        MigrationError: it names both.
    """
    seen: dict[str, str] = {}
    for step in steps:
        match = _NUMBER.match(step.name)
        if match is None:
            continue
        number = match[1].lstrip("0") or "0"
        if re.match(r"[VU]", step.name):
            number = step.name.split("__")[0].replace("_", ".")
        if number in seen:
            raise MigrationError(
                f"the number {match[1]} occurs twice: {seen[number]} and {step.name}",
                where=str(folder),
                remedy="give one of them another number; where they are applied already, list the "
                "files in their order under `steps` instead",
            )
        seen[number] = step.name


def read_script(path: Path, *, lenient: bool = False, alone: bool = False) -> Script:
    """Return the script in a file.

    Raises:
        MigrationError: it cannot be read, or is no UTF-8 text.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise MigrationError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return checked(Script(path, text, alone=alone, lenient=lenient))


def checked(script: Script) -> Script:
    """Return a script, outside a transaction if its text asks for that.

    Raises:
        MigrationError: it is no UTF-8 text.
    """
    try:
        text = script.text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = script.text[: error.start].count(b"\n") + 1
        raise MigrationError(
            "the file is not UTF-8", where=f"{script.path}:{line}", remedy="save it as UTF-8"
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise MigrationError(
            "the file holds a NUL character",
            where=f"{script.path}:{line}",
            remedy="save it as plain text",
        )
    if asks_to_be_alone(text):
        return replace(script, alone=True)
    return script


def step_of(name: str, path: Path, *, down: Path | None = None) -> Step:
    """Return the step that one file of our own layout holds."""
    if path.suffix == ".py":
        script = read_script(path)
        return Step(
            name, "", script, "python", down=script if b"def revert(" in script.text else None
        )
    beside = down or path.with_name(f"{path.stem.removesuffix('.up')}.down.sql")
    return Step(name, "", read_script(path), down=_down(beside))


def _down(path: Path, *, lenient: bool = False) -> Script | None:
    return read_script(path, lenient=lenient) if path.is_file() else None


def _visible(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if not path.name.startswith((".", "_"))]
    return sorted(found, key=lambda path: (natural(path.name), path.name))


def _plain(folder: Path) -> Iterator[Step]:
    """Yield ``x.sql`` (with ``x.down.sql``), ``x.up.sql``, ``x.py`` and folders with ``up.sql``."""
    for path in _visible(folder):
        if path.is_dir() and (path / "up.sql").is_file():
            yield step_of(path.name, path / "up.sql", down=path / "down.sql")
        elif path.name.endswith(".down.sql"):
            if not any(
                path.with_name(path.name.replace(".down.sql", end)).is_file()
                for end in (".sql", ".up.sql")
            ):
                raise MigrationError("a way down without a way up", where=str(path))
        elif path.is_file() and path.suffix in {".sql", ".py"}:
            yield step_of(path.name, path)


def _folders(up: str, down: str) -> Callable[[Path], Iterator[Step]]:
    def read(folder: Path) -> Iterator[Step]:
        for path in _visible(folder):
            if not path.is_dir():
                continue
            if not (path / up).is_file():
                raise MigrationError(
                    f"holds no {up}", where=str(path), remedy="add it, or remove the folder"
                )
            metadata = path / "metadata.toml"  # diesel's
            alone = metadata.is_file() and re.search(
                r"(?m)^\s*run_in_transaction\s*=\s*false", metadata.read_text(encoding="utf-8")
            )
            script = read_script(path / up, lenient=True, alone=bool(alone))
            yield Step(path.name, "", script, down=_down(path / down, lenient=True))

    return read


def _dbmate(folder: Path) -> Iterator[Step]:
    for path in _visible(folder):
        if path.suffix != ".sql":
            continue
        whole = read_script(path, lenient=True)
        if hidden := _INDENTED.search(whole.text):
            line = whole.text[: hidden.start()].count(b"\n") + 1
            raise MigrationError(
                "dbmate does not see this line, because it is indented, and takes what follows "
                "for the direction before it",
                where=f"{path}:{line}",
                remedy="put it at the start of the line, and end the statement before it",
            )
        sections = _sections(whole)
        if "up" not in sections:
            raise MigrationError(
                "has no `-- migrate:up` line",
                where=str(path),
                remedy="add it before the statements",
            )
        # The checksum is the file's, so that an edit of either direction is seen.
        checksum = Step("", "", whole).checksum
        yield Step(path.name, "", sections["up"], down=sections.get("down"), checksum=checksum)


def _sections(whole: Script) -> dict[str, Script]:
    """Return the parts of a dbmate file; lines before each are left blank."""
    matches = list(_DBMATE.finditer(whole.text))
    found = {}
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        end = following.start() if following else len(whole.text)
        body = b"\n" * whole.text[: match.start()].count(b"\n") + whole.text[match.start() : end]
        alone = re.search(rb"transaction:\s*false", match[2]) is not None
        direction = match[1].decode()
        if direction == "down" and not _has_code(body):
            continue
        found[direction] = replace(whole, text=body, alone=alone or whole.alone)
    return found


def _has_code(body: bytes) -> bool:
    return any(line.strip() and not line.strip().startswith(b"--") for line in body.splitlines())


def _golang(folder: Path) -> Iterator[Step]:
    """Yield what golang-migrate takes for a migration, whatever comes after ``.up.``."""
    found = [(match, path) for path in _visible(folder) if (match := _GOLANG.fullmatch(path.name))]
    downs = {match["name"]: path for match, path in found if match["way"] == "down"}
    for match, path in found:
        if match["way"] == "up":
            name = match["name"]
            down = _down(downs[name], lenient=True) if name in downs else None
            yield Step(name, "", read_script(path, lenient=True), down=down)


@dataclass(frozen=True)
class _Flyway:
    path: Path
    kind: str
    version: tuple[int, ...]
    what: str


def _flyway(folder: Path) -> Iterator[Step]:
    files = []
    for path in sorted(folder.rglob("*.sql")):
        match = _FLYWAY.fullmatch(path.name)
        if match is None:
            continue
        numbers = tuple(int(part) for part in re.findall(r"\d+", match["version"]))
        files.append(_Flyway(path, match["kind"], numbers, match["what"]))
    undo = {file.version: file.path for file in files if file.kind == "U"}
    for file in sorted(files, key=lambda each: (each.version, each.path.name)):
        if file.kind == "V":
            down = read_script(undo[file.version], lenient=True) if file.version in undo else None
            yield Step(file.path.name, "", read_script(file.path, lenient=True), down=down)
    for file in sorted(files, key=lambda each: each.what):
        if file.kind == "R":
            script = read_script(file.path, lenient=True)
            yield Step(file.path.name, "", script, repeatable=True)


_LAYOUTS: dict[str, Callable[[Path], Iterator[Step]]] = {
    "plain": _plain,
    "prisma": _folders("migration.sql", "down.sql"),
    "diesel": _folders("up.sql", "down.sql"),
    "dbmate": _dbmate,
    "golang-migrate": _golang,
    "flyway": _flyway,
}
