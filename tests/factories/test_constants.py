"""Golden records as a module of typed constants."""

import ast
import importlib.util
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from dbcycle_assets.cycle.constants import check_constants, constants_module
from dbcycle_assets.databases.postgres.catalog import read_catalog
from dbcycle_assets.databases.postgres.session import connect
from dbcycle_assets.errors import BadInput
from dbcycle_assets.model.source import literal

from .conftest import project_of

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
CREATE TABLE people (
  id uuid PRIMARY KEY, email text NOT NULL, mood mood, born date, at timestamptz, paid numeric(6, 2),
  tags text[], doc jsonb, "class" text, active boolean NOT NULL DEFAULT true, rank integer NOT NULL,
  "date" date
);
CREATE TABLE badges (person_id uuid REFERENCES people (id), nr integer, PRIMARY KEY (person_id, nr));
CREATE TABLE classes (id integer PRIMARY KEY, name text NOT NULL);
"""
PEOPLE = r"""
- id: 00000000-0000-4000-8000-00000000a001
  email: ada@example.com
  mood: it's "ok"
  born: 1990-05-04
  at: "2024-01-01 10:00:00+02"
  paid: 1.50
  tags: [a, "b\"c"]
  doc: {long: [one, two, three, four, five, six, seven, eight, nine, ten], text: "line\nbreak"}
  class: first
- {id: 00000000-0000-4000-8000-00000000a002, email: bob@example.org, rank: 7, active: false}
"""


@pytest.fixture
def records(postgres, server, tmp_path):
    """Give (project, catalog) with golden records of many types."""
    postgres(SCHEMA)
    connection = connect(server.url("factories_0"))
    connection.execute("SET search_path = pg_catalog")
    catalog = read_catalog(connection)
    connection.close()
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "people.yaml").write_text(PEOPLE)
    (golden / "classes.json").write_text(
        json.dumps([{"id": 1, "name": "A"}, {"id": 2, "name": "A"}])
    )
    (golden / "badges.py").write_text(
        'BADGES = [{"person_id": "00000000-0000-4000-8000-00000000a001", "nr": 3}]\n'
    )
    tables = {"people": {}, "badges": {}, "classes": {}}
    return project_of("postgresql", root=tmp_path, golden="golden", tables=tables), catalog


def loaded(path):
    """Return a module by its path."""
    spec = importlib.util.spec_from_file_location("made_constants", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_constants"] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["made_constants"]
    return module


def test_constants_have_types_and_names(records, tmp_path):
    """Each record is a constant with the values of its columns, named for what a person knows."""
    path = tmp_path / "golden.py"
    path.write_text(constants_module(*records))
    made = loaded(path)

    ada, bob = made.ALL_PEOPLE
    assert (ada, bob) == (made.PEOPLE_ADA, made.PEOPLE_BOB)
    assert ada.id == UUID("00000000-0000-4000-8000-00000000a001")
    assert ada.born == date(1990, 5, 4)
    assert ada.at == datetime(2024, 1, 1, 8, tzinfo=UTC)
    assert ada.paid == Decimal("1.5")
    assert ada.tags == ("a", 'b"c')
    assert ada.doc["text"] == "line\nbreak"
    assert (ada.class_, ada.mood) == ("first", 'it\'s "ok"')
    assert (ada.active, bob.active, bob.born) == (None, False, None)
    assert isinstance(ada.rank, int)
    assert made.BADGE_ADA_3.nr == 3
    assert [item.id for item in made.ALL_CLASSES] == [1, 2]
    assert (made.CLASS_A_1.id, made.CLASS_A_2.id) == (1, 2)
    with pytest.raises(AttributeError):
        ada.email = "changed"


def test_constants_pass_ruff(records, tmp_path):
    """The module is as ruff would write it, with its default rules."""
    path = tmp_path / "golden.py"
    path.write_text(constants_module(*records))
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            ["ruff", *command, "--isolated", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_constants_that_are_old_are_told(records, tmp_path):
    """Every name that came or went is told; the same records make the same module."""
    project, catalog = records
    path = tmp_path / "golden.py"
    text = constants_module(project, catalog)
    assert text == constants_module(project, catalog)
    assert "no such file" in check_constants(path, text)[0]
    path.write_text(text)
    assert check_constants(path, text) == []
    people = tmp_path / "golden/people.yaml"
    people.write_text(PEOPLE.replace("bob@", "eve@"))
    found = check_constants(path, constants_module(project, catalog))
    assert [line.rpartition(": ")[2] for line in found] == [
        "PEOPLE_BOB is no golden record any more",
        "PEOPLE_EVE is missing",
    ]
    path.write_text("def (")
    assert check_constants(path, text)[0].endswith("is not Python")


def test_a_project_without_golden_records_has_no_constants(records):
    """It is told how to begin."""
    with pytest.raises(BadInput, match="no golden records"):
        constants_module(project_of("postgresql"), records[1])


@pytest.mark.parametrize(
    "value", ["it's", 'say "so"', 'it\'s "both"', "tab\t", b"\x00\xff", b"ab", 1.5, None, (1,), ()]
)
def test_sources_read_back(value):
    """What is written reads back as it was."""
    source = literal(value)
    assert eval(source) == value  # noqa: S307 - our own words
    assert ast.parse(source)
