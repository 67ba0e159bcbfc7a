"""The generator of production data."""

import re
import subprocess
import sys

import psycopg

from .conftest import ROOT

SIZE = 120


def rows_of(world, seed):
    return {name: rows for name, _, rows in world(SIZE, seed).tables()}


def test_a_seed_always_gives_the_same_rows(world):
    """The same seed gives the same company, another seed another one."""
    first, other = rows_of(world, 7), rows_of(world, 8)
    assert rows_of(world, 7) == first
    assert {name for name in first if first[name] == other[name]} == {"us_states"}


def test_one_command_writes_a_dump(server, tmp_path):
    """The generator leaves a restorable custom dump, no scratch database and the row counts."""
    out = tmp_path / "prod.dump"
    command = [sys.executable, ROOT / "data/trenova/generate.py", "--shipments", str(SIZE)]
    done = subprocess.run(
        [*command, "--out", out, "--stats", "--url", server.url("postgres")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.read_bytes().startswith(b"PGDMP")
    assert re.search(rf"^shipments +{SIZE}$", done.stdout, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == ["prod.dump"]
    with psycopg.connect(server.url("postgres")) as connection:
        left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'trenova_generate%'"
        assert connection.execute(left).fetchone() == (0,)
