"""The real rows of the public databases in the repository, as samples of their labelled schemas."""

import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.postgres.clients import installed

from .detection import Labelled, labelled

ROOT = Path(__file__).parents[2]
DUMPS = {
    "pagila": "tests/data/pagila.dump",
    "chinook_pg": "tests/data/chinook.dump",
    "common_pg14": "tests/data/common_pg14.dump",
    "efficient_tutor": "data/efficient_tutor/dumps",
}
SQLITE = {"chinook_sqlite": "tests/data/chinook.sqlite"}
SAMPLE = 2000
"""As many distinct values as the product samples."""

_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}

Samples = dict[tuple[str, str], list[str]]


def databases() -> list[Labelled]:
    """Return the labelled databases with their real rows."""
    found = []
    for data in labelled(with_values=False):
        if data.name in SQLITE:
            found.append(replace(data, samples=_sqlite(data, ROOT / SQLITE[data.name])))
        elif data.name in DUMPS:
            path = ROOT / DUMPS[data.name]
            newest = max(path.glob("*.dump")) if path.is_dir() else path
            found.append(replace(data, samples=_dump(newest)))
    return found


def _sqlite(data: Labelled, path: Path) -> Samples:
    samples: Samples = {}
    with closing(sqlite3.connect(path)) as connection:
        for name, table in data.catalog.tables.items():
            for column in table.columns:
                query = (
                    f'SELECT DISTINCT CAST("{column.name}" AS TEXT) FROM "{name}" '
                    f'WHERE "{column.name}" IS NOT NULL LIMIT {SAMPLE}'
                )
                samples[name, column.name] = [value for (value,) in connection.execute(query)]
    return samples


def _dump(path: Path) -> Samples:
    program = installed(embedded.programs())[-1].program("pg_restore")
    script = subprocess.run(
        [program, "--data-only", "-f", "-", path], check=True, capture_output=True, text=True
    ).stdout
    seen: dict[tuple[str, str], dict[str, None]] = {}
    places: list[tuple[str, str]] = []
    for line in script.splitlines():
        if line.startswith("COPY "):
            table, _, rest = line[5:].partition(" (")
            name = table.rpartition(".")[2].strip('"')
            columns = rest.partition(")")[0].split(", ")
            places = [(name, column.strip('"')) for column in columns]
        elif line == "\\.":
            places = []
        else:
            for place, value in zip(places, line.split("\t"), strict=False):
                if value != "\\N":
                    seen.setdefault(place, {})[_unescaped(value)] = None
    return {place: list(values)[:SAMPLE] for place, values in seen.items()}


def _unescaped(value: str) -> str:
    for written, meant in _ESCAPES.items():
        value = value.replace(written, meant)
    return value
