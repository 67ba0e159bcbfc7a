"""Read ``dbcycle.yaml`` and report every mistake at once, each with its line."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

import pydantic

from ..errors import ConfigError, did_you_mean
from .document import line_of, parse, plain
from .model import EXPORTS, Config, Project
from .schedule import cron_fault

FILE = "dbcycle.yaml"

Fault = tuple[Sequence[str], str]
"""A place in the document, and what is wrong there."""


def load_project(root: Path) -> Project:
    """Return the project in a folder.

    Raises:
        ConfigError: no file, or every mistake in it with its line.
    """
    path = root / FILE
    if not path.is_file():
        raise ConfigError(
            "there is no such file",
            where=str(path),
            remedy="`dbcycle init NAME --from DUMP` makes a project",
        )
    document = parse(path)
    content = plain(document)
    faults = list(_faults(content, root))
    config: Config | None = None
    try:
        config = Config.model_validate(_expand(content))
    except pydantic.ValidationError as error:
        faults += [_fault(detail) for detail in error.errors(include_url=False)]
    if config is not None and not faults:
        return Project(root=root.resolve(), config=config)
    raise mistakes(root, faults)


def mistakes(root: Path, faults: Iterable[Fault]) -> ConfigError:
    """Return the error that tells what is wrong in the config of a folder, each with its line."""
    path = root / FILE
    document = parse(path)
    found = sorted({(line_of(document, place), ".".join(place), what) for place, what in faults})
    lines = "\n  - ".join(f"{FILE}:{line}: {place}: {what}" for line, place, what in found)
    return ConfigError(
        f"{len(found)} mistake{'s' if len(found) > 1 else ''}:\n  - {lines}",
        where=str(path),
        remedy="correct the lines named; nothing was done",
    )


def _expand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the short forms of rules into the long one."""
    expanded = dict(document)
    if isinstance(document.get("migrations"), Mapping):
        expanded["migrations"] = [document["migrations"]]
    tables = document.get("tables")
    if tables is None:
        expanded.pop("tables", None)
    elif isinstance(tables, Mapping):
        expanded["tables"] = {name: _expand_table(table) for name, table in tables.items()}
    return expanded


def _expand_table(table: Any) -> Any:
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        return table
    given = {
        key: value
        for key, value in table.items()
        if not (key in {"columns", "keep"} and value is None)
    }
    if isinstance(given.get("columns"), Mapping):
        given["columns"] = {name: _rule(rule) for name, rule in given["columns"].items()}
    if isinstance(given.get("references"), Mapping):
        given["references"] = {name: _targets(to) for name, to in given["references"].items()}
    if isinstance(given.get("export"), str):
        given["export"] = [given["export"]]
    return given


OWN_KEYS = frozenset({"anonymize", "domain", "per", "when", "otherwise"})
"""The keys of a rule that are not parameters of its anonymizer."""


def _rule(rule: Any) -> Any:
    if rule is None:
        return {"anonymize": "null"}
    if isinstance(rule, str):
        return {"anonymize": rule}
    if isinstance(rule, list) and rule:
        first, *others = rule
        made = _rule(first)
        if others and isinstance(made, Mapping):
            return {**made, "otherwise": _rule(others)}
        return made
    if isinstance(rule, Mapping) and "anonymize" in rule:
        own = {name: value for name, value in rule.items() if name in OWN_KEYS}
        if isinstance(own.get("per"), str):
            own["per"] = [own["per"]]
        if "otherwise" in own:
            own["otherwise"] = _rule(own["otherwise"])
        options = {name: value for name, value in rule.items() if name not in OWN_KEYS}
        return {**own, "options": options}
    return rule


def _targets(references: Any) -> Any:
    found = references if isinstance(references, list) else [references]
    return [{"to": entry} if isinstance(entry, str) else entry for entry in found]


def _fault(detail: Any) -> Fault:
    place = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        return place, f"unknown key{did_you_mean(place[-1], _known_fields(place[:-1]))}"
    if detail["type"] == "missing":
        return place, "is missing"
    if detail["type"] in {"model_type", "dict_type"}:
        return place, "must be a mapping"
    return place, str(detail["msg"]).removeprefix("Value error, ")


def _known_fields(place: Sequence[str]) -> list[str]:
    """Return the keys that are allowed at a place of the document."""
    model: type[pydantic.BaseModel] = Config
    parts = iter(place)
    for part in parts:
        known = model.model_fields.get(part)
        found = _model_inside(known.annotation) if known else None
        if known is None or found is None:
            return []
        model = found
        if get_origin(known.annotation) in {dict, tuple}:
            next(parts, None)  # the name of a table, or a position in a list
    return sorted(model.model_fields)


def _model_inside(annotation: Any) -> type[pydantic.BaseModel] | None:
    """Return the model in ``X``, ``X | None``, ``dict[str, X]`` or ``tuple[X, ...]``."""
    for found in (annotation, *get_args(annotation)):
        if isinstance(found, type) and issubclass(found, pydantic.BaseModel):
            return found
    return None


def _faults(content: Mapping[str, Any], root: Path) -> Iterator[Fault]:
    """Yield the mistakes that the types cannot see; what has the wrong type is theirs."""
    yield from _schedule_faults(_mapping(content.get("schedule")))
    yield from _path_faults(content, root)
    yield from _migration_faults(content.get("migrations"))
    for name, table in _mapping(content.get("tables")).items():
        columns, keep = _mapping(table).get("columns"), _mapping(table).get("keep")
        kept = [column for column in _list(keep) if isinstance(column, str)]
        for column in sorted(set(_mapping(columns)) & set(kept)):
            yield ["tables", name, "columns", column], "both kept and anonymized"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _schedule_faults(schedule: Mapping[str, Any]) -> Iterator[Fault]:
    nightly, zone = schedule.get("nightly"), schedule.get("timezone")
    if isinstance(nightly, str) and (fault := cron_fault(nightly)):
        yield ["schedule", "nightly"], fault
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            yield ["schedule", "timezone"], "is not an IANA time zone"


def _path_faults(content: Mapping[str, Any], root: Path) -> Iterator[Fault]:
    """Yield what would lie outside the project; only dumps and migrations may."""
    golden = content.get("golden")
    if isinstance(golden, str) and not _inside(root, golden):
        yield ["golden"], "must lie inside the project"
    for name, table in _mapping(content.get("tables")).items():
        given = _mapping(table).get("export")
        for path in _list([given] if isinstance(given, str) else given):
            if isinstance(path, str) and not _inside(root, path):
                yield ["tables", name, "export"], "must lie inside the project"
            elif isinstance(path, str) and not path.endswith(EXPORTS):
                yield ["tables", name, "export"], f"`{path}` must end with {', '.join(EXPORTS)}"


def _inside(root: Path, path: str) -> bool:
    return "\0" not in path and (root / path).resolve().is_relative_to(root.resolve())


def _migration_faults(versions: Any) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, version in enumerate(_list(versions)):
        place = ["migrations", str(number)]
        name = _mapping(version).get("version")
        if isinstance(name, str) and name in seen:
            yield [*place, "version"], f"version {name} occurs twice"
        seen |= {name} if isinstance(name, str) else set()
        steps = _mapping(version).get("steps")
        for position, step in enumerate(_list(steps)):
            if isinstance(step, str) and not re.fullmatch(r"[^/\0]+\.(sql|py)", step):
                yield (
                    [*place, "steps", str(position)],
                    "a step is the name of a .sql or .py file in the version's directory",
                )
