"""Extracts as files: what is read back is what was extracted, to the last character."""

import csv
import json
import math
from pathlib import Path

import polars as pl
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import read_catalog
from dbcycle_assets.config import load
from dbcycle_assets.cycle import blocks
from dbcycle_assets.cycle.golden import read_golden
from dbcycle_assets.errors import ConfigError

from ..cli.conftest import run
from .kit import Shop

TYPES = (Path(__file__).parents[1] / "databases/types.sql").read_text()
EVERYTHING = [
    "id", "email", "code", "mood", "moods", "grid", "labels", "codes", "address", "amount",
    "ratio", "day", "moment", "span", "clock", "token", "document", "markup", "content", "words",
    "host", "period", "boxes",
]  # fmt: skip
CONFIG = f"""\
tables:
  everything:
    keep: [{", ".join(EVERYTHING)}]
    export: [auto/auto_everything.py, auto/everything.jsonl, auto/everything.csv]
  parts:
    keep: [id, day, note]
    export: parts.parquet
  animals: {{keep: [name]}}
  dogs: {{keep: [name, breed]}}
  sales.Order Items:
    keep: ['the "id"', 100%, everything_id]
    export: order_items.py
  nothing: {{extract: none}}
"""
SQLITE = """
CREATE TABLE odd (id INTEGER PRIMARY KEY, flag BOOLEAN, big INTEGER, ratio REAL, note TEXT, raw BLOB);
INSERT INTO odd VALUES
  (1, 1, 9223372036854775807, 0.1, 'tab' || char(9) || 'and ' || char(8238) || 'turned', x'00ff'),
  (2, 0, -5, NULL, '', NULL),
  (3, NULL, 'no number', 1e300, 'a "quoted" \\ line' || char(10) || 'more', x'');
"""
ODD = """\
tables:
  odd: {keep: [id, flag, big, ratio, note, raw], export: [odd.py, odd.jsonl, odd.csv, odd.parquet]}
"""


def extracted(project, table):
    """Return the rows of an extract as lists of text and null."""
    store = Shop("", project.root, None).cycle.extracts
    width = len(store.manifest(table).columns)
    return [
        [None if field is None else blocks.unescape(field) for field in row]
        for block in store.read(table)
        for row in blocks.parse(block, width).iter_rows()
    ]


def golden(project, name, table):
    """Return the rows of a Python module, as golden records are read."""
    found = read_catalog(project.state).tables[table]
    records = read_golden(project.root / name, found, project.config.engine)
    return [[row[column.name] for column in found.stored_columns] for row in records]


def lines(path):
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


@pytest.fixture(scope="module")
def types(server, tmp_path_factory):
    """The whole cycle over one of every type."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_SERVER", server.url("postgres"))
        made = Shop("postgresql", tmp_path_factory.mktemp("types") / "shop", server)
        made.produce(TYPES, CONFIG)
        done = made.refresh()
        assert done.ok, done.failed
        yield load_project(made.root)
        made.close()


@pytest.fixture
def odd(tmp_path):
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce(SQLITE, ODD)
    done = made.refresh()
    assert done.ok, done.failed
    return load_project(made.root)


def test_a_module_gives_every_type_back_exactly(types):
    rows = extracted(types, "everything")
    assert len(rows) == 3
    assert golden(types, "auto/auto_everything.py", "everything") == rows
    text = (types.root / "auto/auto_everything.py").read_text()
    assert "\nAUTO_EVERYTHING_DATA = [\n" in text
    assert text.count("\n    {") == 3
    assert golden(types, "order_items.py", "sales.Order Items") == extracted(
        types, "sales.Order Items"
    )


def test_json_lines_and_csv_keep_null_apart_from_empty(types):
    rows = extracted(types, "everything")
    objects = lines(types.root / "auto/everything.jsonl")
    assert [list(each) for each in objects] == [EVERYTHING] * 3
    assert [each["host"] for each in objects] == [row[EVERYTHING.index("host")] for row in rows]
    assert objects[0]["document"] == {"a": [1, {"b": "x\ny"}]}
    assert objects[1]["document"] is None
    assert objects[1]["markup"] is None
    assert objects[1]["content"] == "\\x"
    assert objects[1]["ratio"] == "NaN"
    assert objects[2]["ratio"] == 0.1
    text = (types.root / "auto/everything.csv").read_text()
    with (types.root / "auto/everything.csv").open(newline="") as file:
        head, *body = csv.reader(file)
    assert head == EVERYTHING
    assert [[field or None for field in row] for row in body] == [
        [field or None for field in row] for row in rows
    ]
    assert text.splitlines()[-1].startswith('3,,,"ok",,')


def test_parquet_has_types_where_they_lose_nothing(types):
    frame = pl.read_parquet(types.root / "parts.parquet")
    assert frame.schema == {"id": pl.Int64, "day": pl.Date, "note": pl.String}
    assert [[str(value) for value in row] for row in frame.iter_rows()] == extracted(types, "parts")
    assert frame.height == 400


def test_sqlite_values_that_are_not_of_their_type_stay_what_they_are(odd):
    rows = extracted(odd, "odd")
    assert golden(odd, "odd.py", "odd") == rows
    text = (odd.root / "odd.py").read_text()
    assert "\u202e" not in text
    assert '"big": 9223372036854775807' in text
    assert [each["note"] for each in lines(odd.root / "odd.jsonl")] == [row[4] for row in rows]
    frame = pl.read_parquet(odd.root / "odd.parquet")
    assert frame["big"].to_list() == ["9223372036854775807", "-5", "no number"]
    assert frame["flag"].to_list() == [True, False, None]
    assert math.isclose(frame["ratio"][2], 1e300)


def test_an_export_is_written_again_only_when_it_must_be(odd):
    shop = Shop("sqlite", odd.root, None)
    assert "shop/exports/odd" not in shop.refresh().materialized
    before = (odd.root / "odd.py").read_bytes()
    (odd.root / "odd.py").write_text("edited")
    (odd.root / "odd.csv").unlink()
    assert [stale.asset for stale in shop.cycle.stale()] == ["exports/odd"]
    assert shop.refresh().materialized == ["shop/exports/odd"]
    assert (odd.root / "odd.py").read_bytes() == before
    assert (odd.root / "odd.csv").exists()


def test_the_command_writes_one_table_anywhere(odd, tmp_path):
    done = run("--project", odd.root, "export", "--table", "odd", "--to", tmp_path / "x.jsonl")
    assert done.code == 0, done.err
    assert len(lines(tmp_path / "x.jsonl")) == 3
    wrong = run("--project", odd.root, "export", "--to", tmp_path / "x.xls", "--json")
    assert wrong.code == 7
    assert ".parquet" in wrong.err
    assert not (tmp_path / "x.xls").exists()
    assert run("--project", odd.root, "export").code == 0


@pytest.mark.parametrize("path", ["../out.py", "users.xls"])
def test_a_wrong_export_is_named_with_its_line(odd, path):
    text = (odd.root / load.FILE).read_text()
    (odd.root / load.FILE).write_text(text.replace("odd.csv", path))
    with pytest.raises(ConfigError, match=r"dbcycle\.yaml:\d+: tables\.odd\.export"):
        load_project(odd.root)
