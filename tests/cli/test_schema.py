"""The JSON Schema of dbcycle.yaml takes what we take, and points at what we refuse."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from dbcycle_assets.cli.schema import config_schema
from dbcycle_assets.config.document import parse, plain

ROOT = Path(__file__).parents[2]
BASE = {"name": "shop", "source": {"dump": "prod.dump"}}
CONFIGS = sorted(ROOT.glob("data/*/dbcycle.yaml"))


@pytest.fixture(scope="module")
def validator():
    """The schema, which is valid itself."""
    jsonschema.Draft7Validator.check_schema(config_schema())
    return jsonschema.Draft7Validator(config_schema())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.parent.name)
def test_the_projects_are_valid(validator, path):
    """What loads is valid for an editor too."""
    assert list(validator.iter_errors(plain(parse(path)))) == []


@pytest.mark.parametrize("number", range(4))
def test_the_examples_of_the_docs_are_valid(validator, number):
    """Each block of the docs that is a config."""
    pages = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"])
    blocks = [block for page in pages for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]  # fmt: skip
    configs = [block for block in blocks if re.search(r"^tables:", block, re.MULTILINE)]
    assert len(configs) >= 10
    for block in configs[number::4]:
        document = {**BASE, **_read(block)}
        assert list(validator.iter_errors(document)) == [], block


def _read(block):
    from ruamel.yaml import YAML

    return json.loads(json.dumps(YAML(typ="safe").load(block), default=str))


@pytest.mark.parametrize(
    "rules",
    [
        {"email": "email"},
        {"email": None},
        {"email": {"anonymize": "email", "domain": "map"}},
        {"email": ["keep"]},
        {"email": [{"anonymize": "email", "when": {"kind": "person"}}, "keep"]},
    ],
)
def test_every_form_of_a_rule_is_valid(validator, rules):
    """A name, nothing, a name with parameters, and a list of them."""
    document = {**BASE, "tables": {"users": {"columns": rules, "keep": None}, "logs": None}}
    assert list(validator.iter_errors(document)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"tables": {"users": {"columns": {"email": "emial"}}}},
        {"tables": {"users": {"columns": {"email": {"anonymize": "email", "domian": "map"}}}}},
        {"tables": {"users": {"kep": ["id"]}}},
        {"engine": "mysql"},
        {"schedule": {"nightli": "0 2 * * *"}},
        {"tabels": {}},
    ],
)
def test_a_mistake_is_seen(validator, change):
    """A misspelt anonymizer, parameter or key, and a value that there is not."""
    assert list(validator.iter_errors({**BASE, **change}))


def test_keys_and_anonymizers_are_described():
    """An editor shows what a key means."""
    found = config_schema()
    assert "schema that the migrations begin with" in found["properties"]["baseline"]["description"]
    assert {"email", "full_name", "keep"} <= set(found["$defs"]["Anonymizer"]["enum"])


def test_the_command_prints_and_writes_it(dbcycle, tmp_path):
    """To stdout, or into a file that is there whole."""
    assert dbcycle("schema").json == config_schema()
    path = tmp_path / "x" / "s.json"
    assert dbcycle("schema", "--out", path).code == 0
    assert json.loads(path.read_text()) == config_schema()
