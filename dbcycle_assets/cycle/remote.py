"""Files of a store on this machine: streamed, resumed where they broke off, checked before use."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from ..artifacts import disk_errors, write_atomically, write_json
from ..errors import DbCycleError, DumpError, Unavailable

BLOCK = 4 << 20
"""What is held in memory of a file on its way."""


def version_of(uri: str) -> str:
    """Return what tells a file of a store from every other that had the same name.

    Raises:
        DumpError: it is not there, or its store cannot be used.
    """
    with _explained(uri):
        fs, path = fsspec.core.url_to_fs(uri, use_listings_cache=False)
        return _version(fs.info(path))


def fetch(uri: str, part: Path) -> str:
    """Bring a file of a store here; what an earlier call brought of the same version is not read
    again. A ``‹uri›.sha256`` beside it, if there is one, must fit. Return the version.

    Raises:
        DumpError: it is not there, was replaced meanwhile, or is not what its checksum says.
        Unavailable: the store broke off; what has come stays, for the next call.
    """
    with _explained(uri):
        fs, path = fsspec.core.url_to_fs(uri, use_listings_cache=False)
        facts = fs.info(path)
        version, size = _version(facts), facts.get("size")
        origin = _origin(part)
        if _read(origin) != {"uri": uri, "version": version}:
            part.unlink(missing_ok=True)
            write_json(origin, {"uri": uri, "version": version}, 0o600)
        _stream(fs, path, part, size)
        if _version(fs.info(path)) != version:
            forget(part)
            raise DumpError(
                "the file was replaced while it was read",
                where=uri,
                remedy="run again",
            )
        _verify(fs, uri, path, part)
    origin.unlink(missing_ok=True)
    return version


def keep_origin(file: Path, uri: str, version: str) -> None:
    """Write down which file of a store a local one is a copy of."""
    write_json(_origin(file), {"uri": uri, "version": version}, 0o600)


def is_copy(file: Path, uri: str, version: str) -> bool:
    """Tell whether a local file is there and a copy of that version."""
    return file.exists() and _read(_origin(file)) == {"uri": uri, "version": version}


def send(file: Path, uri: str) -> str:
    """Put a local file into a store, whole or not at all; return its version there.

    Raises:
        DiskUnavailable: the store does not take it.
    """
    from upath import UPath

    with file.open("rb") as source, write_atomically(UPath(uri)) as target:
        while block := source.read(BLOCK):
            target.write(block)
    return version_of(uri)


def _stream(fs: Any, path: str, part: Path, size: int | None) -> None:
    with disk_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as target:
        done = target.tell()
        with fs.open(path, "rb", block_size=BLOCK, cache_type="none") as source:
            if done:
                source.seek(done)
            while block := source.read(BLOCK):
                with disk_errors(part):
                    target.write(block)
                    target.flush()
    came = part.stat().st_size
    if size is not None and came != size:
        if came > size:
            forget(part)
        raise Unavailable(
            f"{came:,} bytes came of {size:,}",
            where=path,
            remedy="run again: it goes on from there",
        )


def _verify(fs: Any, uri: str, path: str, part: Path) -> None:
    if not fs.exists(f"{path}.sha256"):
        return
    wanted = fs.cat_file(f"{path}.sha256")[:64].decode("ascii", "replace").lower()
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted:
        forget(part)
        raise DumpError(
            "the file is not the one that its checksum was made of",
            where=f"{uri}.sha256",
            remedy="upload the file and its checksum again",
        )


def _version(facts: dict[str, Any]) -> str:
    known = {name: facts.get(name) for name in ("ETag", "etag", "VersionId", "size")}
    if not (known["ETag"] or known["etag"]):
        known["modified"] = facts.get("mtime") or facts.get("LastModified") or facts.get("created")
    return json.dumps({name: str(value) for name, value in known.items() if value is not None})


def _origin(file: Path) -> Path:
    return file.with_name(f"{file.name}.origin")


def _read(origin: Path) -> object:
    try:
        return json.loads(origin.read_bytes())
    except (OSError, ValueError):
        return None


def forget(part: Path) -> None:
    """Remove what was begun of a file, so that the next call begins anew."""
    part.unlink(missing_ok=True)
    _origin(part).unlink(missing_ok=True)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turn what a store answers into an error that names the address."""
    try:
        yield
    except DbCycleError:
        raise
    except (FileNotFoundError, ImportError, ValueError) as error:
        raise DumpError(
            f"cannot read the source ({type(error).__name__})",
            where=uri,
            remedy="check the address; some schemes need an extra package of fsspec",
        ) from None
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        raise Unavailable(
            f"the store broke off ({type(error).__name__})",
            where=uri,
            remedy="check the variables with the store's credentials and that it can be reached, "
            "then run again",
        ) from None
