"""A whole cycle on either engine, from a script and a config to a published database."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dbcycle_assets import load_project
from dbcycle_assets.cycle import extract, migrate, plan, publish, restore, seed, subset
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import dump_database
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.defs.run import refresh


def _require(outcome):
    if isinstance(outcome, extract.Failure):
        raise outcome.error


HEAD = "name: shop\nengine: {engine}\nsource: {{dump: prod.dump}}\n"


@dataclass
class Shop:
    """One project on one engine, and the server that its tests share."""

    engine: str
    root: Path
    server: object

    @classmethod
    def on(cls, request, tmp_path, monkeypatch):
        """Return a shop on the engine that is the parameter of a fixture."""
        server = request.getfixturevalue("server") if request.param == "postgresql" else None
        if server is not None:
            monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
        return cls(request.param, tmp_path / "shop", server)

    def produce(self, script, config):
        """Write the production dump and the config."""
        self.root.mkdir(exist_ok=True)
        dump = self.root / "prod.dump"
        dump.unlink(missing_ok=True)
        if self.engine == "sqlite":
            with contextlib.closing(sqlite3.connect(dump)) as connection:
                connection.executescript(script)
        else:
            self.server.create("production_of_shop", Stamp("tests", "production"))
            url = self.server.url("production_of_shop")
            with psycopg.connect(url) as connection:
                connection.execute(script)
            dump_database(url, dump, lambda _told: None)
            self.server.drop("production_of_shop", "tests")
        self.configure(config)

    def configure(self, config):
        """Write the config below the head that the engine needs."""
        text = HEAD.format(engine=self.engine) + config
        if self.engine == "postgresql":
            text += "targets: {test: {url_env: SHOP_SERVER, beside_production: true}}\n"
        (self.root / "dbcycle.yaml").write_text(text)

    @property
    def cycle(self):
        """A new session."""
        return Cycle(load_project(self.root))

    def refresh(self, **kwargs):
        """Run what is stale."""
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        return refresh(load_project(self.root), instance_home=home, **kwargs)

    def build(self):
        """Run every stage in turn, without Dagster; return the session.

        Raises:
            DbCycleError: the first failure.
        """
        cycle = self.cycle
        tables = sorted(cycle.project.config.tables)
        restore.take_dump(cycle)
        restore.take_key(cycle)
        restore.restore(cycle)
        migrate.migrate(cycle)
        plan.decide(cycle)
        subset.draw(cycle)
        for outcome in [*extract.extract(cycle, tables), *seed.take_golden(cycle)]:
            _require(outcome)
        for outcome in seed.seed(cycle, tables):
            _require(outcome)
        publish.publish(cycle)
        return cycle

    def rows(self, query, role="test"):
        """Return the rows of a query on one of the databases, as the driver gives them."""
        cycle = self.cycle
        url = cycle.server.url(cycle.database(role))
        if self.engine == "sqlite":
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(url) as connection:
            return connection.execute(query).fetchall()

    def close(self):
        """Drop every database of the project."""
        cycle = self.cycle
        for role in ("restored", "migrated", "seeded", "staging", "test", "previous"):
            cycle.server.drop(cycle.database(role), "shop")
