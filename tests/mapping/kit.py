"""Databases with a schema, models beside them, and how the two are compared."""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from dbcycle_assets import Project
from dbcycle_assets.config.model import Config, Models, Source
from dbcycle_assets.databases.port import Server, Stamp
from dbcycle_assets.mapping.check import Compared, compare_models
from dbcycle_assets.mapping.generate import generate


def silent(_message):
    pass


@dataclass
class Place:
    """One database, and a folder of modules."""

    server: Server
    name: str
    folder: Path

    def run(self, script: str) -> None:
        """Run SQL."""
        with self.server.open(self.name) as database:
            database.run_sql(script, self.folder / "script.sql")

    def write(self, **options) -> None:
        """Write the models of the database."""
        with self.server.open(self.name) as database:
            found = generate(database, **options)
        (self.folder / "models.py").write_text(found.models)
        (self.folder / "db_enums.py").write_text(found.enums)

    def edit(self, *pairs: tuple[str, str]) -> None:
        """Edit the modules; every text that is replaced must be there."""
        for old, new in pairs:
            holders = [p for p in self.folder.glob("*.py") if old in p.read_text()]
            assert holders, old
            for path in holders:
                path.write_text(path.read_text().replace(old, new))

    @property
    def project(self) -> Project:
        models = Models(module="models", enums="db_enums")
        config = Config(
            name="shop", engine=self.server.engine, source=Source(dump="x"), models=models
        )
        return Project(root=self.folder, config=config)

    def compare(self) -> Compared:
        """Hold the models against the database."""
        return compare_models(self.project, self.server.url(self.name), silent)

    @property
    def sentences(self) -> list[str]:
        """What was found."""
        return [str(each) for each in self.compare().findings]

    def create_all(self, name: str, prepare: str = "") -> "Place":
        """Give a database made by the models alone, with the same folder."""
        self.server.create(name, Stamp("shop", "restored"))
        made = Place(self.server, name, self.folder)
        if prepare:
            made.run(prepare)
        metadata = self.load().Base.metadata
        with self.server.open(name) as database, database.sqlalchemy() as connection:
            metadata.create_all(connection)
        return made

    def load(self):
        """Import the models into this process under a name of their own."""
        sys.path.insert(0, str(self.folder))
        try:
            spec = importlib.util.spec_from_file_location(
                f"models_{self.name}", self.folder / "models.py"
            )
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module  # SQLAlchemy looks annotations up there
            spec.loader.exec_module(module)
            sqlalchemy.orm.configure_mappers()
        finally:
            sys.path.remove(str(self.folder))
            sys.modules.pop("db_enums", None)
        return module


def ruff(folder: Path) -> str:
    """Return what ruff says under its default settings, about style and layout."""
    program = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))
    done = [
        subprocess.run(
            [program, *words, "--isolated", "--target-version", "py311", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        for words in (["check"], ["format", "--diff"])
    ]
    return "".join(each.stdout for each in done if each.returncode)
