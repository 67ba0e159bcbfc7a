"""Do everything on a machine that has Python 3.11 and pip and nothing else.

``python3 run.py demo`` installs the package into ``.venv`` and runs the main job of the default
project; ``python3 run.py test`` runs the tests; ``python3 run.py dbcycle plan`` runs any command.
Further words are handed on: ``python3 run.py test -k golden``.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):
    sys.exit(f"dbcycle needs Python 3.11 or later; this is {sys.version.split()[0]}")

import tomllib

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"


def main() -> None:
    """Install what is missing, then become the command."""
    words = sys.argv[1:]
    if not words or words[0] in {"-h", "--help"} or words[0] not in {"demo", "test", "dbcycle"}:
        print(__doc__)
        sys.exit(0 if words[:1] in (["-h"], ["--help"]) else 2)
    install()
    if words[0] == "test":
        command = [str(PYTHON), "-m", "pytest", "-n", "auto", "--dist=loadfile", *words[1:]]
    elif words[0] == "demo":
        command = [str(PYTHON), "-m", "dbcycle_assets", "refresh", *words[1:]]
    else:
        command = [str(PYTHON), "-m", "dbcycle_assets", *words[1:]]
    os.chdir(ROOT)
    os.execv(command[0], command)  # noqa: S606 - the words are the user's own


def install() -> None:
    """Bring ``.venv`` to the versions of the lock file; do nothing if it is there already."""
    inputs = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "uv.lock"))
    wanted = hashlib.sha256(inputs + sys.version.encode() + str(ROOT).encode()).hexdigest()
    if is_installed(wanted):
        return
    with alone():
        if is_installed(wanted):  # by the one that we waited for
            return
        print("installing into .venv; this happens once and takes a minute", file=sys.stderr)
        make_environment()
        constraints = VENV / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in locked_versions()))
        pip("install", "--upgrade", "pip>=25.1")  # the first that knows dependency groups
        pip("install", "--constraint", str(constraints), "--editable", ".", "--group", "dev")
        STAMP.write_text(wanted)


def is_installed(wanted: str) -> bool:
    """Tell whether ``.venv`` was completed from the same lock file, Python and place."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted


@contextmanager
def alone() -> Iterator[None]:
    """Let one installation run at a time."""
    with (ROOT / ".gitignore").open() as file:  # a lock on any file of ours will do
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def locked_versions() -> list[str]:
    """Return every version of the lock file as a constraint for pip."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = [package for package in lock["package"] if "registry" in package["source"]]
    return [f"{package['name']}=={package['version']}{condition(package)}" for package in packages]


def condition(package: dict[str, Any]) -> str:
    """Return when a version counts, for a package that has several."""
    markers = package.get("resolution-markers", [])
    return " ; " + " or ".join(f"({marker})" for marker in markers) if markers else ""


def make_environment() -> None:
    """Make an empty virtual environment, also where Python came without ``venv``."""
    # An environment that uv made is whole but has no pip.
    for check in (["pip", "--version"], ["ensurepip"]):
        if PYTHON.exists() and run([str(PYTHON), "-m", *check]):
            return
    shutil.rmtree(VENV, ignore_errors=True)
    if run([sys.executable, "-m", "venv", str(VENV)]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian ships venv apart; pip may put virtualenv beside us even where the system's Python is
    # externally managed, since --target leaves that installation alone.
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder]
        if not run([*command, "virtualenv"], show=True):
            sys.exit("neither the venv module nor pip works; install python3-venv")
        environment = {**os.environ, "PYTHONPATH": folder}
        if not run(
            [sys.executable, "-m", "virtualenv", "--quiet", str(VENV)], environment, show=True
        ):
            sys.exit("no virtual environment could be made; see the message above")


def pip(*words: str) -> None:
    """Run pip inside the environment; stop with its message if it fails."""
    command = [str(PYTHON), "-m", "pip", words[0], "--quiet", "--disable-pip-version-check"]
    # Without bytecode every start takes three to four times as long.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if not run([*command, *words[1:]], environment, show=True):
        sys.exit(
            "the installation failed; see pip's message above (is the package index reachable?)"
        )


def run(
    command: list[str], environment: dict[str, str] | None = None, *, show: bool = False
) -> bool:
    """Run a command in the repository and tell whether it went well."""
    quiet = None if show else subprocess.DEVNULL
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    main()
