"""Files on disk: extracts, the ledger and the lock. A file is whole or absent."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import zstandard

from .config.state import make_state
from .errors import BadInput, DiskUnavailable, Locked
from .model.catalog import Catalog
from .model.ledger import Record

BLOCK = 1 << 20
RAW = "raw"
"""What the manifest of a raw extract says in the place of rules."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full, read-only or failing disk into DiskUnavailable that names the path."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError, FileNotFoundError) as error:
        raise BadInput(
            f"cannot write there: {os.strerror(error.errno or 0)}",
            where=str(path),
            remedy="give another place",
        ) from None
    except OSError as error:
        if error.errno in DiskUnavailable.ERRNOS:
            raise DiskUnavailable(
                f"cannot write: {os.strerror(error.errno)}",
                where=str(path),
                remedy="free space or fix the permissions, then run again; what was there before "
                "is untouched",
            ) from None
        raise


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Do what nobody else does meanwhile, waiting for whoever does; locks end with processes."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def write_atomically(path: Path, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name, flushed to disk, only if the block ends well."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def write_json(path: Path, document: object, mode: int = 0o644) -> None:
    """Write a JSON file, whole or not at all."""
    with write_atomically(path, mode) as file:
        file.write(json.dumps(document, indent=1, sort_keys=True, default=str).encode() + b"\n")


def require_folder(file: Path, state: Path, named_by: str) -> None:
    """Refuse to write a file into a folder that is not there, but for the project's own state:
    whoever mistypes a path would look for the file where it is not.

    Raises:
        BadInput: it is not there.
    """
    folder = file.resolve().parent
    if not folder.exists() and not folder.is_relative_to(state.resolve()):
        raise BadInput(
            f"there is no folder `{folder}`",
            where=named_by,
            remedy="make it, or correct the path",
        )


def digest_of_file(path: Path) -> str:
    """Return 24 hex digits for the content of a file, or nothing if it is not there."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:24]
    return ""


def file_name(table: str) -> str:
    """Return a file name for a table id that no other id shares on any file system."""
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,80}", table):
        return table
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", table)[:60]
    return f"{safe}-{hashlib.sha256(table.encode()).hexdigest()[:8]}"


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


class ExtractWriter:
    """Receives copy text and counts it; use through :meth:`Extracts.write`."""

    def __init__(self, stream: IO[bytes], columns: tuple[tuple[str, str], ...]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256(json.dumps(columns).encode())
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
        return self._hash.hexdigest()[:24]


class Extracts:
    """The folder of extracts: for each table the compressed rows and their manifest."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self.folder = folder
        self._mode = 0o600 if private else 0o644
        self._private = private

    def rows_path(self, table: str) -> Path:
        """Return where a table's rows lie."""
        return self.folder / f"{file_name(table)}.copy.zst"

    def manifest_path(self, table: str) -> Path:
        """Return where a table's manifest lies."""
        return self.folder / f"{file_name(table)}.json"

    @contextmanager
    def write(
        self, table: str, columns: tuple[tuple[str, str], ...], rules: Mapping[str, str]
    ) -> Iterator[ExtractWriter]:
        """Replace a table's extract if the block ends well; otherwise the old one stays.

        The new rows appear before the new manifest; a reader between the two sees a mismatch.
        """
        if self._private:
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
            document = json.loads(self.manifest_path(table).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return None
        document["columns"] = tuple((name, kind) for name, kind in document["columns"])
        return Manifest(**document) if self.rows_path(table).exists() else None

    def read(self, table: str) -> Iterator[bytes]:
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
        if not self._private and RAW in manifest.rules.values():
            raise BadInput(
                "these are raw rows, not anonymized, and nothing loads them",
                where=str(self.rows_path(table)),
                remedy=f"run `dbcycle extract --table {table} --force`",
            )
        content = hashlib.sha256(json.dumps(manifest.columns).encode())
        rest = b""
        with self.rows_path(table).open("rb") as file:
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
        if rest or content.hexdigest()[:24] != manifest.digest:
            raise BadInput(
                "the extract does not match its manifest; it was cut or edited",
                where=str(self.rows_path(table)),
                remedy=f"run `dbcycle extract --table {table} --force`",
            )

    def remove_leftovers(self) -> None:
        """Remove part files of runs that were killed; call while holding the project's lock."""
        for part in self.folder.glob(".*.part"):
            part.unlink(missing_ok=True)


class Ledger:
    """The records of a project, one JSON file for each asset."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "ledger"

    def path(self, asset: str) -> Path:
        """Return where an asset's record lies."""
        stage, _, table = asset.partition("/")
        return self.folder / stage / f"{file_name(table or stage)}.json"

    def get(self, asset: str) -> Record | None:
        """Return an asset's record, or None; an unreadable record counts as none."""
        try:
            return Record.from_json(json.loads(self.path(asset).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, record: Record) -> None:
        """Write an asset's record."""
        write_json(self.path(record.asset), record.to_json())

    def forget(self, asset: str) -> None:
        """Remove an asset's record, before its artifact is replaced."""
        self.path(asset).unlink(missing_ok=True)


def read_catalog(state: Path) -> Catalog | None:
    """Return the catalog that the last migration left, or None."""
    try:
        return Catalog.from_json(json.loads((state / "catalog.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def catalog_mark(state: Path) -> tuple[int, ...] | None:
    """Return what is another for every catalog that is kept, without reading it, or None."""
    try:
        known = (state / "catalog.json").stat()
    except OSError:
        return None
    return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns


def write_catalog(state: Path, catalog: Catalog) -> None:
    """Keep the catalog that a migration left."""
    write_json(state / "catalog.json", catalog.to_json())


def write_source(state: Path, identity: str) -> None:
    """Keep what tells the database that a dump was taken from, wherever its address leads."""
    write_json(state / "source.json", {"identity": identity})


def read_source(state: Path) -> str | None:
    """Return the identity of the database that the last dump was taken from, if it is known."""
    try:
        return str(json.loads((state / "source.json").read_bytes())["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


_held: dict[Path, int] = {}


@contextmanager
def project_lock(state: Path, action: str) -> Iterator[None]:
    """Hold the project for one run; the same process may enter again.

    Raises:
        Locked: another process holds it; the message says who and since when.
    """
    path = state / "lock"
    if _held.get(path):
        _held[path] += 1
        try:
            yield
        finally:
            if path in _held:  # an interrupted step's generator may be closed after the run's own
                _held[path] -= 1
        return
    with disk_errors(path):
        make_state(state)
        file = path.open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                f"another run holds this project: {_holder(path)}",
                remedy="wait for it to end, or stop it; the lock goes with its process",
            ) from None
        file.truncate(0)
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "action": action,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        file.write(json.dumps(holder))
        file.flush()
        _held[path] = 1
        try:
            yield
        finally:
            _held.pop(path, None)
            file.truncate(0)


def _holder(path: Path) -> str:
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return "{action}, process {pid} on {host}, since {since}".format(**known)
    except (OSError, ValueError, KeyError):
        return "its process has only just started"


def replace_dump(part: Path, dump: Path) -> None:
    """Put a downloaded dump in place, once it is on the disk; the one before it is kept beside it
    as ``.previous``. At every moment there is one under the name.
    """
    previous = dump.with_name(dump.name + ".previous")
    with disk_errors(dump):
        if part.is_file():
            with part.open("rb") as file:
                os.fsync(file.fileno())
        if dump.exists():
            if previous.is_dir():
                shutil.rmtree(previous)
            if dump.is_file() and part.is_file() and not dump.is_symlink():
                previous.unlink(missing_ok=True)
                os.link(dump, previous)
            else:
                dump.rename(previous)
        part.replace(dump)
