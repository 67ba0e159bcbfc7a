"""Extracts: for each table the compressed rows and their manifest, on a disk or in a store."""

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import zstandard

from ..errors import BadInput
from .files import (
    Place,
    disk_errors,
    exists,
    file_name,
    open_binary,
    read_bytes,
    remove_parts,
    write_atomically,
    write_json,
)

BLOCK = 4 << 20
RAW = "raw"
"""What the manifest of a raw extract says in the place of rules."""


@dataclass(frozen=True)
class Manifest:
    """What an extract holds; a reader trusts the rows only if they match it.

    ``digest`` covers the uncompressed copy text and the columns; ``size`` is in bytes of the
    uncompressed text.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    size: int
    digest: str
    rules: Mapping[str, str]

    @property
    def raw(self) -> bool:
        """Whether its rows are not anonymized."""
        return RAW in self.rules.values()


DIGITS = 24
"""The hex digits of a content's digest that are kept."""


def content_digest(columns: tuple[tuple[str, str], ...]) -> "hashlib._Hash":
    """Return the beginning of an extract's digest: update it with the copy text."""
    return hashlib.sha256(json.dumps(columns).encode())


class ExtractWriter:
    """Receives copy text and counts it; use through :meth:`Extracts.write`."""

    def __init__(self, stream: IO[bytes], columns: tuple[tuple[str, str], ...]) -> None:
        self._stream = stream
        self._hash = content_digest(columns)
        self.rows = 0
        self.size = 0

    def write(self, block: bytes, rows: int) -> None:
        """Append whole lines."""
        self._stream.write(block)
        self._hash.update(block)
        self.rows += rows
        self.size += len(block)

    @property
    def digest(self) -> str:
        """The digest of what was written so far."""
        return self._hash.hexdigest()[:DIGITS]


class Extracts:
    """The folder of extracts: for each table the compressed rows and their manifest."""

    def __init__(self, folder: Place, *, private: bool = False) -> None:
        self.folder = folder
        self._mode = 0o600 if private else 0o644
        self._private = private

    def rows_path(self, table: str) -> Place:
        """Return where a table's rows lie."""
        return self.folder / f"{file_name(table)}.copy.zst"

    def manifest_path(self, table: str) -> Place:
        """Return where a table's manifest lies."""
        return self.folder / f"{file_name(table)}.json"

    @contextmanager
    def write(
        self, table: str, columns: tuple[tuple[str, str], ...], rules: Mapping[str, str]
    ) -> Iterator[ExtractWriter]:
        """Replace a table's extract if the block ends well; otherwise the old one stays.

        The new manifest appears before the new rows: whoever is killed between the two leaves no
        manifest that a record of the former rows could be taken to agree with.
        """
        if self._private and isinstance(self.folder, Path):
            with disk_errors(self.folder):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.folder.chmod(0o700)
        with write_atomically(self.rows_path(table), self._mode) as file:
            compressor = zstandard.ZstdCompressor(level=1)
            with compressor.stream_writer(file, closefd=False) as stream:
                writer = ExtractWriter(stream, columns)
                yield writer
            manifest = Manifest(table, columns, writer.rows, writer.size, writer.digest, rules)
            write_json(self.manifest_path(table), asdict(manifest), self._mode)

    def manifest(self, table: str) -> Manifest | None:
        """Return a table's manifest, or None if there is no extract."""
        try:
            document = json.loads(read_bytes(self.manifest_path(table)))
            columns = tuple((str(name), str(kind)) for name, kind in document["columns"])
            found = Manifest(**{**document, "columns": columns, "rules": {**document["rules"]}})
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if exists(self.rows_path(table)) else None

    def read(self, table: str) -> Generator[bytes]:
        """Yield a table's copy text in blocks of whole lines.

        Raises:
            BadInput: the rows are not those of the manifest (raised at the end of the stream).
        """
        manifest = self.manifest(table)
        if manifest is None:
            raise BadInput(
                "there is no complete extract",
                where=table,
                remedy=f"run `dbcycle extract --table {table}`",
            )
        if not self._private and manifest.raw:
            raise BadInput(
                "these are raw rows, not anonymized, and nothing loads them",
                where=str(self.rows_path(table)),
                remedy=f"run `dbcycle extract --table {table} --force`",
            )
        content = content_digest(manifest.columns)
        rest = b""
        with open_binary(self.rows_path(table)) as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file)
            try:
                while block := reader.read(BLOCK):
                    content.update(block)
                    whole, newline, tail = block.rpartition(b"\n")
                    if newline:
                        yield rest + whole + newline
                        rest = tail
                    else:
                        rest += tail
            except zstandard.ZstdError:
                content.update(b"broken")
        if rest or content.hexdigest()[:DIGITS] != manifest.digest:
            raise BadInput(
                "the extract does not match its manifest; it was cut or edited",
                where=str(self.rows_path(table)),
                remedy=f"run `dbcycle extract --table {table} --force`",
            )

    def remove_leftovers(self) -> None:
        """Remove part files of writers that were killed; a store shows none in the first place."""
        if isinstance(self.folder, Path):
            remove_parts(self.folder)
