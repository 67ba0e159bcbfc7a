"""The keyed digests of originals on disk: written by extract, read by verify, never the values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..artifacts import Place, file_name, open_binary, write_atomically
from ..model.survivors import Originals

WIDTH = 8


def keep(state: Place, table: str, columns: Mapping[str, Originals]) -> None:
    """Write the digests of a table's originals, whole or not at all."""
    order = sorted(columns)
    head = {
        "table": table,
        "columns": [
            {
                "name": name,
                "digests": len(columns[name].digests),
                "kept": len(columns[name].kept),
                "values": columns[name].values,
                "unsearchable": columns[name].unsearchable,
            }
            for name in order
        ],
    }
    with write_atomically(path_of(state, table), 0o600) as file:
        file.write(json.dumps(head).encode() + b"\n")
        for name in order:
            file.write(b"".join(sorted(columns[name].digests)))
            file.write(b"".join(sorted(columns[name].kept)))


@dataclass(frozen=True)
class Kept:
    """What is kept of one column's originals: digests to search for, digests of values that a
    condition keeps, and how many values were too short to search.
    """

    digests: list[bytes]
    excused: frozenset[bytes]
    unsearchable: int


def read(state: Place, table: str) -> dict[str, Kept] | None:
    """Return what is kept of the originals of each column.

    None if the file is missing or broken: verification must then fail, not pass.
    """
    try:
        with open_binary(path_of(state, table)) as file:
            head = json.loads(file.readline())
            found = {}
            for column in head["columns"]:
                size = WIDTH * column["digests"]
                data = file.read(size + WIDTH * column["kept"])
                if len(data) != size + WIDTH * column["kept"]:
                    return None
                found[column["name"]] = Kept(
                    list(_split(data[:size])),
                    frozenset(_split(data[size:])),
                    column["unsearchable"],
                )
    except (OSError, ValueError, KeyError):
        return None
    return found


def _split(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), WIDTH):
        yield data[start : start + WIDTH]


def path_of(state: Place, table: str) -> Place:
    """Return where the digests of a table lie."""
    return state / "originals" / f"{file_name(table)}.bin"
