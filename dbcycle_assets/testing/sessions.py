"""Sessions whose every commit is taken back: all they do is inside one outer transaction.

A commit of the tested code releases a savepoint; what it wrote is seen by later statements of the
same session and by nobody else, and is gone at the end. Method: SQLAlchemy, "Joining a Session into
an External Transaction (such as for test suites)".
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import orm

from ..errors import Unavailable, UsageError

if TYPE_CHECKING:
    from sqlalchemy.ext import asyncio as sa

    from ..upkeep.temporary import TemporaryDatabase

ASYNC_DRIVERS = {"postgresql": ("psycopg", "asyncpg"), "sqlite": ("aiosqlite",)}


class TakenBack(orm.Session):
    """A session that connects when it is first used, and begins the outer transaction then."""

    def __init__(self, bind: sqlalchemy.Engine, **options: Any) -> None:
        options["join_transaction_mode"] = "create_savepoint"
        super().__init__(bind, **options)
        self._engine = bind
        self.outer: sqlalchemy.Connection | None = None

    def get_bind(self, *_args: Any, **_options: Any) -> sqlalchemy.Connection:
        """Return the one connection, inside the outer transaction."""
        if self.outer is None:
            self.outer = self._engine.connect()
            self.outer.begin()
        return self.outer


@contextmanager
def taken_back(database: "TemporaryDatabase", **options: Any) -> Iterator[orm.Session]:
    """Give a session on a database; nothing that it did is there afterwards."""
    session = TakenBack(database.engine, **options)
    try:
        yield session
    finally:
        session.close()
        if session.outer is not None:
            session.outer.close()  # the outer transaction goes with it


@contextmanager
def async_taken_back(
    database: "TemporaryDatabase", driver: str | None = None, **options: Any
) -> "Iterator[sa.AsyncSession]":
    """Give an async session on a database; nothing that it did is there afterwards.

    It connects in the event loop in which it is first used, and is ended without one, so that it
    serves any plugin for async tests.

    Raises:
        UsageError: there is no such driver for the engine; Unavailable: it is not installed.
    """
    from sqlalchemy.ext import asyncio

    engine = _async_engine(database, driver)
    session = asyncio.AsyncSession(
        engine, sync_session_class=TakenBack, **{"expire_on_commit": False, **options}
    )
    try:
        yield session
    finally:
        inner: Any = session.sync_session
        if inner.outer is not None:
            _hang_up(inner.outer)


def _hang_up(connection: sqlalchemy.Connection) -> None:
    """End a connection at once, without the event loop: the server then takes everything back."""
    with suppress(Exception):  # the tested code may have closed it
        pooled: Any = connection.connection
        raw = pooled.driver_connection
        pooled.detach()
        if hasattr(raw, "pgconn"):  # psycopg
            raw.pgconn.finish()
        elif hasattr(raw, "terminate"):  # asyncpg, whose loop may be closed by now
            transport = raw._transport  # noqa: SLF001 - it offers no other way to its socket
            transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            raw.terminate()
        else:  # aiosqlite
            raw.stop()


def _async_engine(database: "TemporaryDatabase", driver: str | None) -> "sa.AsyncEngine":
    from sqlalchemy.ext import asyncio

    url = sqlalchemy.make_url(database.url)
    known = ASYNC_DRIVERS[url.get_backend_name()]
    name = driver or known[0]
    if name not in known:
        raise UsageError(
            f"`{name}` is no async driver of {url.get_backend_name()}",
            where="dbcycle_async_driver",
            remedy=f"use {' or '.join(known)}",
        )
    try:
        engine = asyncio.create_async_engine(
            url.set(drivername=f"{url.get_backend_name()}+{name}"),
            poolclass=sqlalchemy.pool.NullPool,
            hide_parameters=True,
        )
        import greenlet  # type: ignore[import-untyped] # noqa: F401 - async sessions run in one
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"{error.name} is not installed", remedy="pip install 'dbcycle-assets[testing]'"
        ) from None
    if name == "aiosqlite":
        sqlalchemy.event.listen(engine.sync_engine, "connect", _enforced)
        sqlalchemy.event.listen(engine.sync_engine, "begin", _begun)
    return engine


def _enforced(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we begin; else DDL and savepoints would stand outside
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begun(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
