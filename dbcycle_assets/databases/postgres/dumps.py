"""Dump files: what one is, told from its content, and what it needs."""

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from ...errors import DumpError, on_one_line
from .clients import Clients, ProgramFailed, stream

Format = Literal["custom", "tar", "directory", "plain"]

_CHUNK = 1 << 20
_AGAIN = "make the dump again; pg_dump --format=custom is the safest kind"
_SQLITE = b"SQLite format 3\0"
_UNSUSPICIOUS = 64 << 20
_RATIO = 200
"""How many times its packed size a dump may be; SQL packs to a tenth, a bomb to a thousandth."""
_PART = re.compile(r"(?P<id>\d+)\.dat(\.\w+)?|toc\.dat|blobs(_\d+)?\.toc|blob_\d+\.dat(\.\w+)?")
_CHANGING = (b"-- Started on ", b"-- Completed on ", b"\\restrict ", b"\\unrestrict ")
_ENTRY = re.compile(r"^\d+; \d+ \d+ (?P<rest>.+)$")
_HEADER = re.compile(r"^;\s+(?P<name>[A-Za-z _]+?): (?P<value>.*)$")

KINDS = (
    "TABLE DATA", "MATERIALIZED VIEW DATA", "EVENT TRIGGER", "PROCEDURAL LANGUAGE", "EXTENSION",
    "COMMENT", "SCHEMA", "PUBLICATION TABLE", "PUBLICATION", "SUBSCRIPTION TABLE", "SUBSCRIPTION",
    "FOREIGN DATA WRAPPER", "SERVER", "USER MAPPING", "FOREIGN TABLE", "SECURITY LABEL",
    "DATABASE PROPERTIES", "DATABASE",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One line of an archive's table of contents."""

    line: str
    kind: str
    rest: str


@dataclass(frozen=True)
class Diagnosis:
    """What a dump is and needs. ``notes`` are for people; plain dumps tell little beforehand."""

    format: Format
    server: str = ""
    pg_dump: str = ""
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def named(self, kind: str) -> list[str]:
        """Return what the entries of one kind are about."""
        return [entry.rest for entry in self.entries if entry.kind == kind]


def sniff(path: Path) -> Format:
    """Return a dump's format from its content, never from its name.

    Raises:
        DumpError: it is missing, empty or no PostgreSQL dump.
    """
    where = str(path)
    if path.is_dir():
        if (path / "toc.dat").is_file():
            return "directory"
        raise DumpError("the folder is no dump: it has no toc.dat", where=where, remedy=_AGAIN)
    if not path.exists():
        raise DumpError("there is no dump", where=where, remedy="copy one there")
    with content_of(path) as file:
        head = file.read(4096)
    if not head:
        raise DumpError("the dump is empty (0 bytes)", where=where, remedy=_AGAIN)
    if head.startswith(b"PGDMP"):
        return "custom"
    if head[257:262] == b"ustar" and head.startswith(b"toc.dat\0"):
        return "tar"
    _refuse_foreign(head, where)
    return "plain"


def _refuse_foreign(head: bytes, where: str) -> None:
    """Refuse what is certainly something else than SQL of PostgreSQL."""
    if head.startswith(_SQLITE):
        raise DumpError(
            "this is an SQLite database", where=where, remedy="set `engine: sqlite` in dbcycle.yaml"
        )
    if head.startswith((b"-- MySQL dump", b"-- MariaDB dump", b"/*M!")):
        raise DumpError("this is a dump of MySQL", where=where, remedy="PostgreSQL dumps only")
    if b"\0" in head:
        raise DumpError("this is no PostgreSQL dump", where=where, remedy=_AGAIN)


def is_packed(path: Path) -> bool:
    """Tell whether a file is packed with gzip."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


class _Bounded(io.RawIOBase):
    """What a packed file unpacks to, up to a size that no dump reaches."""

    def __init__(self, unpacked: gzip.GzipFile, path: Path) -> None:
        self._unpacked = unpacked
        self._path = path
        self._left = max(_UNSUSPICIOUS, _RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._unpacked.read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise DumpError(
                f"the dump unpacks to more than {_RATIO} times its size",
                where=str(self._path),
                remedy="unpack it yourself if it is truly one of yours",
            )
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def content_of(path: Path) -> Iterator[IO[bytes]]:
    """Open a dump file for reading, unpacked if it is packed with gzip.

    Raises:
        DumpError: it cannot be read, or the packed file is damaged.
    """
    try:
        with path.open("rb") as file:
            if is_packed(path):
                with gzip.open(file) as unpacked:
                    yield io.BufferedReader(_Bounded(unpacked, path), _CHUNK)
            else:
                yield file
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DumpError(
            "the packed dump is truncated or damaged", where=str(path), remedy=_AGAIN
        ) from None
    except OSError as error:
        raise DumpError(
            f"cannot read the dump: {error.strerror}", where=str(path), remedy="check the file"
        ) from None


def dump_digest(path: Path) -> str:
    """Return 24 hex digits for what a dump holds; when it was made does not count.

    Raises:
        DumpError: it is missing, empty or no dump.
    """
    digest = hashlib.sha256()
    kind = sniff(path)
    if kind == "directory":
        for part in sorted(part for part in path.rglob("*") if part.is_file()):
            digest.update(str(part.relative_to(path)).encode() + b"\0")
            with part.open("rb") as file:
                _add_archive(digest, file)
    elif kind == "tar":
        _add_tar(digest, path)
    else:
        with content_of(path) as file:
            if kind == "custom":
                _add_archive(digest, file)
            else:
                for line in file:
                    if not line.startswith(_CHANGING):
                        digest.update(line)
    return digest.hexdigest()[:24]


def _add_tar(digest: "hashlib._Hash", path: Path) -> None:
    try:
        with content_of(path) as file, tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                if not member.isfile() or not _PART.fullmatch(
                    member.name.replace("restore.sql", "toc.dat")
                ):
                    raise _foreign(path, member.name)
                digest.update(f"{member.name}\0{member.size}\0".encode())
                inner = archive.extractfile(member)
                if inner is not None:
                    _add_archive(digest, inner)
    except tarfile.TarError:
        raise DumpError(
            "the tar dump is truncated or damaged", where=str(path), remedy=_AGAIN
        ) from None


def _foreign(path: Path, name: str) -> DumpError:
    return DumpError(
        f"`{on_one_line(name)}` in it is no part of a dump", where=str(path), remedy=_AGAIN
    )


def _require_parts(folder: Path, entries: Sequence[Entry]) -> None:
    """Refuse a dump's folder with a file too few or too many, or that is no plain file.

    Raises:
        DumpError: the file is named.
    """
    ids = {entry.line.split(";", 1)[0] for entry in entries}
    present = set()
    for part in sorted(folder.iterdir()):
        match = _PART.fullmatch(part.name)
        if part.is_symlink() or not part.is_file() or match is None:
            raise _foreign(folder, part.name)
        if match["id"] is not None and match["id"] not in ids:
            raise _foreign(folder, part.name)
        present.add(match["id"])
    for entry in entries:
        number = entry.line.split(";", 1)[0]
        if entry.kind == "TABLE DATA" and number not in present:
            raise DumpError(
                f"`{number}.dat`, the rows of {entry.rest.rpartition(' ')[0]}, is missing",
                where=str(folder),
                remedy=_AGAIN,
            )


def _add_archive(digest: "hashlib._Hash", file: IO[bytes]) -> None:
    """Add a file; of an archive's header the seven numbers of its date are left out."""
    head = file.read(256)
    if head.startswith(b"PGDMP") and len(head) > 11:  # noqa: PLR2004 - the fixed part
        version, width = (head[5], head[6]), head[8]
        # Magic 5, version 3, integer and offset width 2, format 1, then the compression: one
        # byte since 1.15, a signed integer before.
        start = 11 + (1 if version >= (1, 15) else 1 + width)
        head = head[:start] + head[start + 7 * (1 + width) :]
    digest.update(head)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)


def diagnose(path: Path, clients: Clients) -> Diagnosis:
    """Return what a dump is and needs.

    Raises:
        DumpError: it cannot be read with these programs; the message says what can.
    """
    kind = sniff(path)
    if kind == "plain":
        return Diagnosis(kind)
    try:
        with stream([clients.program("pg_restore"), "--list", path], {}) as output:
            text = output.read().decode("utf-8", "replace")
    except ProgramFailed as error:
        raise _unreadable(path, clients, error) from None
    header = {}
    entries = []
    for line in text.splitlines():
        if (match := _HEADER.match(line)) is not None:
            header[match["name"].strip()] = match["value"]
        elif (match := _ENTRY.match(line)) is not None:
            rest = match["rest"]
            known = next((kind_ for kind_ in KINDS if rest.startswith(kind_ + " ")), "")
            entries.append(Entry(line, known, rest.removeprefix(known).strip()))
    if kind == "directory":
        _require_parts(path, entries)
    return Diagnosis(
        kind,
        header.get("Dumped from database version", ""),
        header.get("Dumped by pg_dump version", ""),
        tuple(entries),
    )


def _unreadable(path: Path, clients: Clients, error: ProgramFailed) -> DumpError:
    version = re.search(r"unsupported version \((\d+)\.(\d+)\)", error.raw)
    if version is not None:
        minor = int(version[2])
        needed = {14: "12", 15: "16", 16: "17"}.get(minor, "a newer PostgreSQL")
        return DumpError(
            f"the archive's version {version[1]}.{minor} is too new for pg_restore {clients.major}",
            where=str(path),
            remedy=f"it needs pg_restore of PostgreSQL {needed} or newer",
        )
    return DumpError(
        f"the dump is truncated or damaged: {error.lines[0]}", where=str(path), remedy=_AGAIN
    )
