"""The keyed digests of originals on disk: written by extract, read by verify, never the values."""

import functools
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

from ..anonymizers.base import Key
from ..artifacts import DIGITS, Place, file_name, open_binary, write_atomically
from ..model.survivors import Digests, Originals

WIDTH = 8
_STORED = ">u8"
_AT_ONCE = 1 << 20
"""How many digests are read at once; more of one column stay on the disk."""


class Spill:
    """Runs of digests in a file that nobody else can open and that goes with the process."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []

    @functools.cached_property
    def _file(self) -> IO[bytes]:
        return tempfile.TemporaryFile()

    def add(self, run: Digests) -> None:
        """Put a run away."""
        self._runs.append((self._file.seek(0, os.SEEK_END), len(run)))
        self._file.write(run.tobytes())

    def whole(self) -> Digests:
        """Return all runs as one; they follow each other."""
        self._file.flush()
        return np.memmap(self._file, dtype=np.uint64, mode="r")

    def all(self) -> list[Digests]:
        """Return the runs, as far as they are looked at."""
        if not self._runs:
            return []
        self._file.flush()
        return [
            np.memmap(self._file, dtype=np.uint64, mode="r", offset=offset, shape=(count,))
            for offset, count in self._runs
        ]


def keep(state: Place, table: str, columns: Mapping[str, Originals], key: Key) -> None:
    """Write the digests of a table's originals, whole or not at all, and enciphered: whoever has
    the file but not the key cannot even tell whether somebody is among them.
    """
    nonce = secrets.token_hex(16)
    described = [_described(name, columns[name]) for name in sorted(columns)]
    head = {"table": table, "nonce": nonce, "columns": described}
    with write_atomically(path_of(state, table), 0o600) as file:
        file.write(json.dumps(head).encode() + b"\n")
        for name in sorted(columns):
            encipher = key.cipher("originals", f"{nonce} {name}")
            for part in _stored(columns[name]):
                file.write(encipher(part))


def _stored(found: Originals) -> Iterator[bytes]:
    for part in found.parts():
        yield part.astype(_STORED).tobytes()
    yield np.array(sorted(found.kept), dtype=_STORED).tobytes()


def _described(name: str, found: Originals) -> dict[str, object]:
    content, size = hashlib.sha256(), 0
    for part in _stored(found):
        content.update(part)
        size += len(part)
    return {
        "name": name,
        "digests": size // WIDTH - len(found.kept),
        "kinds": "".join(sorted(found.kinds)),
        "content": content.hexdigest()[:DIGITS],
        "kept": len(found.kept),
        "values": found.values,
        "unsearchable": found.unsearchable,
    }


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
                decipher = key.cipher("originals", f"{head['nonce']} {column['name']}")
                digests = _read(file, column["digests"], decipher)
                kept = _read(file, column["kept"], decipher)
                if digests is None or kept is None:
                    return None
                found[column["name"]] = Kept(
                    digests,
                    column["kinds"],
                    frozenset(kept.tolist()),
                    column["unsearchable"],
                    column["content"],
                )
    except (OSError, ValueError, KeyError):
        return None
    return found


def _read(file: IO[bytes], count: int, decipher: Callable[[bytes], bytes]) -> Digests | None:
    """Return so many numbers of a file, in memory if they are few; None if they are not there."""
    spill, parts = Spill(), []
    for start in range(0, count, _AT_ONCE):
        size = WIDTH * min(_AT_ONCE, count - start)
        data = file.read(size)
        if len(data) != size:
            return None
        parts.append(np.frombuffer(decipher(data), dtype=_STORED).astype(np.uint64))
        if count > _AT_ONCE:
            spill.add(parts.pop())
    if count > _AT_ONCE:
        return spill.whole()
    return parts[0] if parts else np.zeros(0, dtype=np.uint64)


def path_of(state: Place, table: str) -> Place:
    """Return where the digests of a table lie."""
    return state / "originals" / f"{file_name(table)}.bin"
