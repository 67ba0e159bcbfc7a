"""Write judgements into ``dbcycle.yaml``, keeping comments, order and everything else."""

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ruamel.yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq

HEADER = """\
# The cycle of {name}. Every column of every table is judged: it has an anonymizer under `columns`,
# or it is listed under `keep`. A column that is in neither place stops `dbcycle plan`.
"""


@dataclass(frozen=True)
class Judgement:
    """One decision: a rule for one column (``keep``, or an anonymizer with its options)."""

    table: str
    column: str
    rule: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def apply_judgements(path: Path, judgements: Sequence[Judgement]) -> None:
    """Add judgements to a config; what is judged already is replaced, the rest stays as it is."""
    yaml = _yaml()
    document = yaml.load(path.read_text(encoding="utf-8"))
    tables = document.get("tables")
    if tables is None:
        tables = document["tables"] = CommentedMap()
    for judgement in judgements:
        _apply(tables, judgement)
    _write(path, yaml, document)


def new_config(
    path: Path, *, name: str, engine: str, dump: str, judgements: Sequence[Judgement] = ()
) -> None:
    """Write the config of a new project."""
    yaml = _yaml()
    document = CommentedMap()
    document["name"] = name
    document["engine"] = engine
    document["source"] = CommentedMap({"dump": dump})
    document["source"].fa.set_flow_style()
    document["migrations"] = CommentedSeq()
    document["migrations"].fa.set_flow_style()
    document["golden"] = "golden"
    document["targets"] = _flow({"test": _flow({"url_env": "DATABASE_URL_TEST", "default": "embedded"})})
    document["schedule"] = _flow({"nightly": "0 2 * * *", "timezone": "UTC"})
    document["tables"] = CommentedMap()
    for judgement in judgements:
        _apply(document["tables"], judgement)
    document.yaml_set_start_comment(HEADER.format(name=name).replace("# ", ""))
    _write(path, yaml, document)


def _flow(content: Mapping[str, Any]) -> CommentedMap:
    mapping = CommentedMap(content)
    mapping.fa.set_flow_style()
    return mapping


def _apply(tables: CommentedMap, judgement: Judgement) -> None:
    table = tables.get(judgement.table)
    if table is None:
        table = tables[judgement.table] = CommentedMap()
    columns, keep = table.get("columns"), table.get("keep")
    if judgement.rule == "keep":
        if columns is not None:
            columns.pop(judgement.column, None)
        if keep is None:
            keep = table["keep"] = CommentedSeq()
            keep.fa.set_flow_style()
        if judgement.column not in keep:
            keep.append(judgement.column)
    else:
        if keep is not None and judgement.column in keep:
            keep.remove(judgement.column)
        if columns is None:
            columns = CommentedMap()
            table.insert(0, "columns", columns)
        columns[judgement.column] = _rule(judgement)
        if judgement.reason:
            columns.yaml_add_eol_comment(_comment(judgement.reason), judgement.column)
    if columns is not None and not columns:
        del table["columns"]
    if keep is not None and not keep and "keep" in table:
        del table["keep"]


def _rule(judgement: Judgement) -> Any:
    if not judgement.options:
        return judgement.rule
    return _flow({"anonymize": judgement.rule, **judgement.options})


def _comment(reason: str) -> str:
    return "".join(char if char.isprintable() else " " for char in reason)


def _yaml() -> ruamel.yaml.YAML:
    yaml = ruamel.yaml.YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _write(path: Path, yaml: ruamel.yaml.YAML, document: object) -> None:
    text = io.StringIO()
    yaml.dump(document, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
