"""Files that are whole or absent, on a disk or in any store that fsspec reaches."""

import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from ..errors import BadInput, DbCycleError, DiskUnavailable

if TYPE_CHECKING:  # it costs time to load, and few projects need it
    from upath import UPath

Place: TypeAlias = "Path | UPath"
"""A path on a disk, or one in a store."""

_BLOCK = 16 << 20
"""What is held in memory of a file on its way to a store; S3 takes 10,000 of them."""


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
def store_errors(place: Place) -> Iterator[None]:
    """Turn whatever a store answers into DiskUnavailable that names the place; a file that is not
    there stays FileNotFoundError.
    """
    try:
        yield
    except (DbCycleError, FileNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        raise DiskUnavailable(
            f"the store does not answer as it should ({type(error).__name__})",
            where=str(place),
            remedy="check `storage` in dbcycle.yaml, the variables with the store's credentials and"
            " that it can be reached; what was there before is untouched",
        ) from None


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
def write_atomically(place: Place, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name, flushed to disk, only if the block ends well."""
    if not isinstance(place, Path):
        with _upload(place) as stream:
            yield stream
        return
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        file, name = _part(place)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                name.chmod(mode)
                name.replace(place)
        finally:
            name.unlink(missing_ok=True)


def _part(place: Path) -> tuple[IO[bytes], Path]:
    """Return a new file beside a place, locked for as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if Path(name).exists():  # nobody took it for a leftover before it was locked
            return os.fdopen(handle, "wb"), Path(name)
        os.close(handle)


def remove_parts(folder: Path, name: str = "") -> None:
    """Remove the part files of writers that were killed, of all files or of one; those of living
    writers are locked.
    """
    for part in folder.glob(f".{glob.escape(name)}*.part"):
        with suppress(FileNotFoundError), part.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            part.unlink(missing_ok=True)


@contextmanager
def _upload(place: "UPath") -> Iterator[IO[bytes]]:
    """Send to a store as it is written; the store shows it when all of it is there."""
    stream = _Stream(place, "wb", autocommit=False)
    try:
        yield cast("IO[bytes]", stream)
        stream.commit()
    except BaseException:
        stream.discard()
        raise


class _Stream:
    """A file of a store, whose errors name the place."""

    def __init__(self, place: "UPath", mode: str, **options: Any) -> None:
        self._place = place
        with store_errors(place):
            fs = cast("Any", place.fs)
            self._file: Any = fs.open(place.path, mode, block_size=_BLOCK, **options)

    def write(self, block: bytes) -> int:
        with store_errors(self._place):
            return int(self._file.write(block))

    def read(self, size: int = -1) -> bytes:
        with store_errors(self._place):
            return bytes(self._file.read(size))

    def readline(self) -> bytes:
        with store_errors(self._place):
            return bytes(self._file.readline())

    def flush(self) -> None:
        """Do nothing: a store takes whole blocks."""

    def commit(self) -> None:
        with store_errors(self._place):
            self._file.close()
            self._file.commit()

    def discard(self) -> None:
        with suppress(Exception):  # the error that led here is the one to tell
            self._file.discard()
            self._file.closed = True  # else it is flushed when it is collected

    def close(self) -> None:
        with store_errors(self._place):
            self._file.close()


def read_bytes(place: Place) -> bytes:
    """Return what a file holds.

    Raises:
        FileNotFoundError: it is not there.
        DiskUnavailable: its store cannot be read.
    """
    if isinstance(place, Path):
        return place.read_bytes()
    with store_errors(place):
        return bytes(place.read_bytes())


@contextmanager
def open_binary(place: Place) -> Iterator[IO[bytes]]:
    """Open a file for reading from its beginning to its end."""
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    stream = _Stream(place, "rb", cache_type="readahead")
    try:
        yield cast("IO[bytes]", stream)
    finally:
        stream.close()


def exists(place: Place) -> bool:
    """Tell whether a file is there."""
    if isinstance(place, Path):
        return place.exists()
    with store_errors(place):
        return bool(place.exists())


def remove(place: Place) -> None:
    """Remove a file, if it is there."""
    if isinstance(place, Path):
        place.unlink(missing_ok=True)
        return
    with store_errors(place), suppress(FileNotFoundError):
        place.unlink(missing_ok=True)


def write_json(place: Place, document: object, mode: int = 0o644) -> None:
    """Write a JSON file, whole or not at all."""
    with write_atomically(place, mode) as file:
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


def mark_of(place: Place) -> tuple[object, ...] | None:
    """Return what is another for every file that is put in a place, without reading it, or None.

    Raises:
        DiskUnavailable: its store cannot be read.
    """
    try:
        if isinstance(place, Path):
            known = place.stat()
            return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns
        with store_errors(place):
            facts = cast("Any", place.fs).info(place.path)
    except OSError:
        return None
    return tuple(str(facts.get(name)) for name in ("ETag", "etag", "size", "mtime", "LastModified"))


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
