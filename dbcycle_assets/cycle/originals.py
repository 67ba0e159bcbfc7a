"""The keyed digests of originals on disk: written by extract, read by verify, never the values."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..artifacts import file_name, write_atomically
from ..model.survivors import Originals

WIDTH = 8


def keep(state: Path, table: str, columns: Mapping[str, Originals]) -> None:
    """Write the digests of a table's originals, whole or not at all."""
    order = sorted(columns)
    head = {
        "table": table,
        "columns": [
            {
                "name": name,
                "digests": len(columns[name].digests),
                "values": columns[name].values,
                "unsearchable": columns[name].unsearchable,
            }
            for name in order
        ],
    }
    with write_atomically(_path(state, table), 0o600) as file:
        file.write(json.dumps(head).encode() + b"\n")
        for name in order:
            file.write(b"".join(sorted(columns[name].digests)))


def read(state: Path, table: str) -> dict[str, tuple[list[bytes], int, int]] | None:
    """Return for each column its digests, how many values it had and how many were unsearchable.

    None if the file is missing or broken: verification must then fail, not pass.
    """
    try:
        with _path(state, table).open("rb") as file:
            head = json.loads(file.readline())
            found = {}
            for column in head["columns"]:
                data = file.read(WIDTH * column["digests"])
                if len(data) != WIDTH * column["digests"]:
                    return None
                digests = list(_split(data))
                found[column["name"]] = (digests, column["values"], column["unsearchable"])
    except (OSError, ValueError, KeyError):
        return None
    return found


def _split(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), WIDTH):
        yield data[start : start + WIDTH]


def _path(state: Path, table: str) -> Path:
    return state / "originals" / f"{file_name(table)}.bin"
