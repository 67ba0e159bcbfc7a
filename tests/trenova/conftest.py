"""Trenova on the tests' own server: a copy of the project, and `dbcycle db` on it."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from ..cli.conftest import run

ROOT = Path(__file__).parents[2]
VARIABLES = (
    "DBCYCLE_ENV", "DBCYCLE_PROJECT", "TRENOVA_DATABASE_URL", "TRENOVA_ADMIN_PASSWORD",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(server, tmp_path_factory):
    """Give a copy of the project, whose databases lie on the tests' server."""
    place = tmp_path_factory.mktemp("trenova")
    ignore = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__")
    for part in ("data/trenova", "sql/trenova"):
        shutil.copytree(ROOT / part, place / part, ignore=ignore)
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        patch.setenv("DATABASE_URL_TEST", server.url("postgres"))
        yield place / "data/trenova"


@pytest.fixture
def db(place):
    """Give a function that runs `dbcycle db` in an environment."""

    def command(*words, env="development"):
        before = os.environ.get("DBCYCLE_ENV")
        try:
            return run("--project", place, "--env", env, "db", *words)
        finally:
            os.environ.pop("DBCYCLE_ENV", None)
            if before is not None:
                os.environ["DBCYCLE_ENV"] = before

    return command


@pytest.fixture(scope="module")
def world():
    """Give the class of the generator's companies."""
    sys.path.insert(0, str(ROOT / "data/trenova"))
    try:
        from carrier import World

        yield World
    finally:
        sys.path.remove(str(ROOT / "data/trenova"))
        sys.modules.pop("carrier", None)
