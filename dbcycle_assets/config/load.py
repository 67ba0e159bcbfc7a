"""Read ``dbcycle.yaml`` and report every mistake at once, each with its line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

import pydantic
import ruamel.yaml
import ruamel.yaml.error
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..errors import ConfigError, did_you_mean
from .model import Config, Project

FILE = "dbcycle.yaml"
MAX_BYTES = 5_000_000
MAX_NODES = 500_000
CRON_FIELDS = 5


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
    document = _parse(path)
    problems = [*_duplicates(document)]
    try:
        config = Config.model_validate(_plain(_expand(document)))
    except pydantic.ValidationError as error:
        problems += [_problem(document, detail) for detail in error.errors(include_url=False)]
    else:
        problems += _meaning(document, config, root)
        if not problems:
            return Project(root=root.resolve(), config=config)
    lines = "\n  - ".join(f"{FILE}:{line}: {text}" for line, text in sorted(set(problems)))
    raise ConfigError(
        f"{len(set(problems))} mistake{'s' if len(set(problems)) > 1 else ''}:\n  - {lines}",
        where=str(path),
    )


def _parse(path: Path) -> CommentedMap:
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes", where=str(path))
    yaml = ruamel.yaml.YAML()
    try:
        document = yaml.load(path.read_text(encoding="utf-8-sig"))
        count = sum(1 for _ in _nodes(document))
    except ruamel.yaml.error.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = "duplicate key" if "duplicate key" in str(error.problem) else error.problem
        raise ConfigError(f"is not valid YAML: {problem}", where=where) from None
    except (ruamel.yaml.error.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"is not valid YAML ({type(error).__name__})", where=str(path)) from None
    if count > MAX_NODES:
        raise ConfigError("has too many values; are its aliases a mistake?", where=str(path))
    if not isinstance(document, CommentedMap):
        raise ConfigError("must be a mapping that starts with `name:`", where=str(path))
    return document


def _nodes(value: Any) -> Iterator[None]:
    """Count every value, aliases expanded, and stop counting past the limit."""
    stack, seen = [value], 0
    while stack and seen <= MAX_NODES:
        node = stack.pop()
        seen += 1
        yield
        if isinstance(node, Mapping):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, ruamel.yaml.comments.TaggedScalar):
            raise ruamel.yaml.error.YAMLError


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _expand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the short forms of rules into the long one."""
    expanded = dict(document)
    tables = document.get("tables")
    if isinstance(tables, Mapping):
        expanded["tables"] = {str(name): _expand_table(table) for name, table in tables.items()}
    return expanded


def _expand_table(table: Any) -> Any:
    if table is None:
        return {}
    if not isinstance(table, Mapping) or not isinstance(table.get("columns"), Mapping):
        return table
    columns = {str(name): _rule(rule) for name, rule in table["columns"].items()}
    return {**table, "columns": columns}


def _rule(rule: Any) -> Any:
    if rule is None:
        return {"anonymize": "null"}
    if isinstance(rule, str):
        return {"anonymize": rule}
    if isinstance(rule, Mapping) and "anonymize" in rule:
        options = {name: value for name, value in rule.items() if name != "anonymize"}
        return {"anonymize": rule["anonymize"], "options": options}
    return rule


def _duplicates(document: CommentedMap) -> Iterator[tuple[int, str]]:
    """Yield columns that are both kept and anonymized."""
    tables = document.get("tables")
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        if not isinstance(table, Mapping):
            continue
        columns, keep = table.get("columns"), table.get("keep")
        if isinstance(columns, Mapping) and isinstance(keep, list):
            for column in sorted({*map(str, columns)} & {*map(str, keep)}):
                where = ["tables", name, "columns", column]
                yield _line(document, where), f"tables.{name}.{column}: both kept and anonymized"


def _problem(document: CommentedMap, detail: Any) -> tuple[int, str]:
    place = [str(part) for part in detail["loc"]]
    where = ".".join(place)
    line = _line(document, place)
    if detail["type"] == "extra_forbidden":
        known = _known_fields(place[:-1])
        return line, f"{where}: unknown key{did_you_mean(place[-1], known)}"
    if detail["type"] == "missing":
        return line, f"{where}: is missing"
    return line, f"{where}: {detail['msg'].removeprefix('Value error, ')}"


def _known_fields(place: Sequence[str]) -> list[str]:
    """Return the keys that are allowed at a place of the document."""
    model: type[pydantic.BaseModel] = Config
    parts = iter(place)
    for part in parts:
        known = model.model_fields.get(part)
        found = _model_inside(known.annotation) if known else None
        if found is None:
            return []
        model = found
        if get_origin(known.annotation if known else None) in {dict, tuple}:
            next(parts, None)  # the name of a table, or a position in a list
    return sorted(model.model_fields)


def _model_inside(annotation: Any) -> type[pydantic.BaseModel] | None:
    """Return the model in ``X``, ``X | None``, ``dict[str, X]`` or ``tuple[X, ...]``."""
    for found in (annotation, *get_args(annotation)):
        if isinstance(found, type) and issubclass(found, pydantic.BaseModel):
            return found
    return None


def _line(document: Any, place: Sequence[str]) -> int:
    """Return the line (from 1) of the deepest part of a place that the document has."""
    line, node = 1, document
    for part in place:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
            node = node[part]
        elif isinstance(node, CommentedSeq) and part.isdigit() and int(part) < len(node):
            line = node.lc.item(int(part))[0] + 1
            node = node[int(part)]
        else:
            break
    return line


def _meaning(document: CommentedMap, config: Config, root: Path) -> Iterator[tuple[int, str]]:
    """Yield mistakes that the types cannot see."""
    schedule = config.schedule
    fields = schedule.nightly.split()
    if len(fields) != CRON_FIELDS or not re.fullmatch(r"[\d*/,\-A-Za-z ]+", schedule.nightly):
        yield (
            _line(document, ["schedule", "nightly"]),
            "schedule.nightly: is not a cron line of five fields",
        )
    try:
        ZoneInfo(schedule.timezone)
    except (KeyError, ValueError, OSError):
        yield (
            _line(document, ["schedule", "timezone"]),
            "schedule.timezone: is not an IANA time zone",
        )
    if config.golden is not None and not (root / config.golden).resolve().is_relative_to(
        root.resolve()
    ):
        yield _line(document, ["golden"]), "golden: must lie inside the project"
    seen: set[str] = set()
    for version in config.migrations:
        if version.version in seen:
            yield (
                _line(document, ["migrations"]),
                f"migrations: version {version.version} occurs twice",
            )
        seen.add(version.version)
        for step in version.steps:
            inside = Path(step).name == step
            if not inside or not step.endswith((".sql", ".py")):
                yield (
                    _line(document, ["migrations"]),
                    f"migrations.{version.version}: a step is the name of an .sql or .py file there",
                )
