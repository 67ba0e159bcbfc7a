"""A new table in efficient_tutor: one migration and one judged entry are all it takes."""

import shutil
from pathlib import Path

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import embedded
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.testing import factories

from ..cli.conftest import run

ROOT = Path(__file__).parents[2]
ROOMS = """\
CREATE TABLE rooms (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  teacher_id uuid NOT NULL REFERENCES teachers (user_id),
  street varchar(120) NOT NULL,
  seats smallint NOT NULL CHECK (seats BETWEEN 1 AND 30)
);
INSERT INTO rooms (teacher_id, street, seats)
SELECT user_id, 'Kastanienallee 12', 4 FROM teachers;
"""


@pytest.fixture
def place(tmp_path):
    """A copy of the repository's project, whose cycle has run."""
    ignore = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__")
    for part in ("data/efficient_tutor", "sql/efficient_tutor", "tests/sample_app/database"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignore)
    for folder in ("tests", "tests/sample_app"):
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "home").mkdir()
    root = tmp_path / "data/efficient_tutor"
    done = refresh(load_project(root), instance_home=tmp_path / "home")
    assert done.published, done.failed
    yield tmp_path
    embedded.remove(load_project(root).state)


def files(place):
    """Return the content of every file that a person writes."""
    made = {".dbcycle", "extracts", "home", "__pycache__"}
    return {
        path.relative_to(place): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and not made & set(path.relative_to(place).parts)
    }


def test_one_migration_and_one_judged_entry_are_enough(place):
    """What remains to be done by hand is named, and only what the table reaches runs again."""
    root = place / "data/efficient_tutor"
    before = files(place)
    assert run("--project", root, "db", "create", "rooms").code == 0
    (step,) = [path for path in files(place) if path.name.endswith("rooms.sql")]
    down = place / step.with_name(step.name.replace(".sql", ".down.sql"))
    (place / step).write_text(ROOMS)
    down.write_text("DROP TABLE rooms;\n")

    stopped = refresh(load_project(root), instance_home=place / "home")
    assert not stopped.ok
    told = str(stopped.failed)
    assert "rooms.street: unjudged; proposed: street_address" in told
    assert "rooms.seats: unjudged; proposed: keep" in told
    judged = run("--project", root, "judge", "--accept-all")
    assert judged.code == 0, judged.err

    done = refresh(load_project(root), instance_home=place / "home")
    assert done.published, done.failed
    extracts = [asset for asset in done.materialized if "/extracts/" in asset]
    assert extracts == ["efficient_tutor/extracts/rooms"]
    changed = {path for path, content in files(place).items() if before.get(path) != content}
    assert changed == {step, down.relative_to(place), Path("data/efficient_tutor/dbcycle.yaml")}

    cycle = Cycle(load_project(root))
    with cycle.server.pool(cycle.database("test"), size=1).connect() as connection:
        streets = connection.exec_driver_sql("SELECT street FROM rooms").scalars().all()
        assert len(streets) > 1
        assert "Kastanienallee 12" not in streets
        room = factories(cycle.project, connection).rooms()
        assert 1 <= room.seats <= 30
        connection.rollback()

    missing = run("--project", root, "models", "--check")
    assert missing.code == 8
    assert "rooms" in missing.out
