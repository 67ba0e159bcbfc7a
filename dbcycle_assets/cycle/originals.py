"""The keyed digests of originals on disk: written by extract, read by verify, never the values."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..anonymizers.base import Key
from ..artifacts import DIGITS, Place, file_name, open_binary, write_atomically
from ..model.survivors import Digests, Originals

WIDTH = 8
_STORED = ">u8"


def keep(state: Place, table: str, columns: Mapping[str, Originals], key: Key) -> None:
    """Write the digests of a table's originals, whole or not at all, and enciphered: whoever has
    the file but not the key cannot even tell whether somebody is among them.
    """
    order = sorted(columns)
    digests = {name: columns[name].digests for name in order}
    nonce = secrets.token_hex(16)
    stored = {
        name: np.concatenate([digests[name], np.array(sorted(columns[name].kept), dtype=np.uint64)])
        .astype(_STORED)
        .tobytes()
        for name in order
    }
    head = {
        "table": table,
        "nonce": nonce,
        "columns": [
            {
                "name": name,
                "digests": len(digests[name]),
                "kinds": "".join(sorted(columns[name].kinds)),
                "content": hashlib.sha256(stored[name]).hexdigest()[:DIGITS],
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
            file.write(key.enciphered("originals", f"{nonce} {name}", stored[name]))


@dataclass(frozen=True)
class Kept:
    """What is kept of one column's originals: digests to search for and the kinds of their marks,
    digests of values that a condition keeps, how many values were too short to search, and a
    digest of all that.
    """

    digests: Digests
    kinds: str
    excused: frozenset[int]
    unsearchable: int
    content: str


def read(state: Place, table: str, key: Key) -> dict[str, Kept] | None:
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
                data = key.enciphered("originals", f"{head['nonce']} {column['name']}", data)
                found[column["name"]] = Kept(
                    np.frombuffer(data[:size], dtype=_STORED).astype(np.uint64),
                    column["kinds"],
                    frozenset(np.frombuffer(data[size:], dtype=_STORED).tolist()),
                    column["unsearchable"],
                    column["content"],
                )
    except (OSError, ValueError, KeyError):
        return None
    return found


def path_of(state: Place, table: str) -> Place:
    """Return where the digests of a table lie."""
    return state / "originals" / f"{file_name(table)}.bin"
