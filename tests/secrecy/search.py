"""The search: many needles, in every form that one may take, in bytes of any kind."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
import zstandard

WINDOW = 6
"""So many bytes of a secret are too many."""
_CHUNK = 1 << 22


@dataclass(frozen=True)
class Hit:
    """Something that was found: where, what, and in which form."""

    where: str
    what: str
    form: str


def forms(text):
    """Yield the forms of a text, each with its name."""
    raw = text.encode()
    yield "as it is", raw
    yield "reversed", raw[::-1]
    yield "utf-16", text.encode("utf-16-le")
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "in JSON", json.dumps(text)[1:-1].encode()
    yield "in a URL", quote(text, safe="").encode()
    yield "in COPY", text.replace("\\", "\\\\").encode()
    yield "lower case", text.lower().encode()
    for shift in range(3):  # where in a group of three bytes it begins is chance
        whole = base64.b64encode(bytes(shift) + raw)
        yield f"base64, {shift}", whole[(0, 2, 3)[shift] : len(whole) - 4]


def needles_of_secret(text):
    """Yield every window of a secret, plain and reversed, and halves of its other forms."""
    raw = text.encode()
    for at in range(len(raw) - WINDOW + 1):
        yield "six bytes", raw[at : at + WINDOW]
        yield "six bytes reversed", raw[at : at + WINDOW][::-1]
    for form, found in forms(text):
        if form not in {"as it is", "reversed", "lower case"}:
            yield from ((form, part) for part in _halves(found))


def needles_of_person(text):
    """Yield halves of every form of a person's mark."""
    for form, found in forms(text):
        yield from ((form, part) for part in _halves(found))


def _halves(found):
    middle = max(len(found) // 2, WINDOW)
    return [part for part in (found[:middle], found[-middle:]) if len(part) >= WINDOW]


class Search:
    """Looks for all needles at once, and keeps the account of what it looked at."""

    def __init__(self):
        self._needles = {}
        self._table = None
        self.hits = set()
        self.looked_at = {}

    def add(self, name, needles):
        for form, needle in needles:
            self._needles.setdefault(needle[:WINDOW], set()).add((needle, name, form))
        self._table = None

    def look(self, kind, where, content):
        """Look at bytes, and inside them where they are packed; return the new hits."""
        before = len(self.hits)
        self.looked_at[kind] = self.looked_at.get(kind, 0) + 1
        if content[:4] == b"\x28\xb5\x2f\xfd":
            content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        for start in range(0, max(len(content), 1), _CHUNK):
            self._chunk(where, content[start : start + _CHUNK + 256])
        return len(self.hits) - before

    def _chunk(self, where, content):
        if self._table is None:
            self._table = np.zeros(1 << 24, dtype=bool)
            for key in self._needles:
                self._table[int.from_bytes(key[:3])] = True
        data = np.frombuffer(content, dtype=np.uint8).astype(np.uint32)
        if len(data) < WINDOW:
            return
        starts = self._table[(data[:-2] << 16) | (data[1:-1] << 8) | data[2:]]
        for at in np.flatnonzero(starts).tolist():
            for needle, name, form in self._needles.get(content[at : at + WINDOW], ()):
                if content.startswith(needle, at):
                    self.hits.add(Hit(where, name, form))
