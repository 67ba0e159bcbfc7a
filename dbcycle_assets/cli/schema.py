"""The JSON Schema of ``dbcycle.yaml``, by which editors complete and check it."""

import ast
import inspect
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..anonymizers import registry
from ..artifacts import write_atomically
from ..config import model
from ..config.load import FILE, OWN_KEYS
from ..config.model import Config
from .invocation import note, of

NAME = "dbcycle.schema.json"
"""The file that ``init`` puts beside the state, and the config's first line points to."""

Schema = dict[str, Any]


def schema(
    ctx: typer.Context,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there, not to stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of dbcycle.yaml, for completion and checks in your editor.

    Editors with the YAML language server read it if the config's first line is
    `# yaml-language-server: $schema=FILE`.
    """
    document = config_schema()
    if out is None:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    write(out)
    note(f"written: {out}")
    of(ctx).show({"schema": str(out)}, lambda: None)


def write(path: Path) -> None:
    """Write the schema into a file."""
    with write_atomically(path) as file:
        file.write(_text())


def is_fresh(path: Path) -> bool:
    """Tell whether a file holds the schema of this version."""
    try:
        return path.read_bytes() == _text()
    except OSError:
        return False


def _text() -> bytes:
    return json.dumps(config_schema(), indent=1, ensure_ascii=False).encode()


def config_schema() -> Schema:
    """Return what a config may hold, the short forms of rules and lists included."""
    found = Config.model_json_schema()
    found["$schema"] = "http://json-schema.org/draft-07/schema#"
    found["title"] = FILE
    parts = found["$defs"]
    _describe(found)
    parts["Anonymizer"] = {"enum": ["keep", *sorted(registry())]}
    parts["Rule"] = _rule(parts["Rule"])
    table = parts["TableConfig"]["properties"]
    rules = table["columns"]["additionalProperties"]
    table["columns"] = _nullable(
        {"type": "object", "additionalProperties": rules, "description": "Each column's rule."}
    )
    table["keep"] = _nullable(table["keep"])
    table["export"] = _either(table["export"], {"type": "string"})
    reference = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Reference"}]}
    table["references"]["additionalProperties"] = _either(
        {"type": "array", "items": reference}, reference
    )
    fields = found["properties"]
    fields["tables"] = _nullable(fields["tables"])
    fields["tables"]["anyOf"][0]["additionalProperties"] = _nullable(
        {"$ref": "#/$defs/TableConfig"}
    )
    fields["migrations"] = _either(fields["migrations"], {"$ref": "#/$defs/Version"})
    return found


def _describe(document: Schema) -> None:
    """Give every key the text that stands below it in the model."""
    schemas = {**document["$defs"], Config.__name__: document}
    for kind in ast.parse(inspect.getsource(model)).body:
        if not isinstance(kind, ast.ClassDef) or kind.name not in schemas:
            continue
        fields = schemas[kind.name]["properties"]
        for field, text in zip(kind.body, kind.body[1:], strict=False):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(words))),
                ) if name in fields:
                    fields[name]["description"] = inspect.cleandoc(words)


def _rule(given: Schema) -> Schema:
    """Return a rule as a name, as a name with its parameters, or as a list of rules to try."""
    own = {name: given["properties"][name] for name in sorted(OWN_KEYS)}
    own["per"] = _either(own["per"], {"type": "string"})
    own["anonymize"] = {"$ref": "#/$defs/Anonymizer"}
    single = {
        "type": "object",
        "required": ["anonymize"],
        "properties": own,
        "allOf": [_parameters(name, own) for name in sorted(registry())],
    }
    alone = {"anyOf": [{"$ref": "#/$defs/Anonymizer"}, single]}
    text = given["description"]
    return {
        "description": text,
        "anyOf": [*alone["anyOf"], {"type": "array", "items": alone}, NULL],
    }


def _parameters(name: str, own: Schema) -> Schema:
    """Return what may stand beside one anonymizer."""
    known = registry()[name].parameters.model_json_schema()
    inner = known.pop("$defs", {})
    properties = {key: _inlined(value, inner) for key, value in known.get("properties", {}).items()}
    return {
        "if": {"properties": {"anonymize": {"const": name}}, "required": ["anonymize"]},
        "then": {"properties": {**own, **properties}, "additionalProperties": False},
    }


def _inlined(value: Any, inner: Schema) -> Any:
    """Return a schema with its own definitions in place of the references to them."""
    if isinstance(value, list):
        return [_inlined(each, inner) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(inner[value["$ref"].rpartition("/")[2]], inner)
    return {key: _inlined(each, inner) for key, each in value.items()}


NULL = {"type": "null"}


def _either(given: Schema, other: Schema) -> Schema:
    described: Schema = {key: given[key] for key in ("description", "default") if key in given}
    kept = {key: value for key, value in given.items() if key not in described}
    return {**described, "anyOf": [kept, other]}


def _nullable(given: Schema) -> Schema:
    return _either(given, NULL)
