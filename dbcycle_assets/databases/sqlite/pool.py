"""Sessions for an application: a pool on one file, foreign keys enforced in every one."""

import sqlite3
from pathlib import Path

import sqlalchemy

from ...errors import ServerUnavailable
from .references import explain
from .session import failure

_PATIENCE = 30.0


def pool(
    path: Path, mode: str, *, size: int, foreign_keys: bool, echo: bool = False
) -> sqlalchemy.Engine:
    """Return a pool of at most ``size`` sessions; the file is opened by the first one."""
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}",
        creator=lambda: _session(path, mode, foreign_keys=foreign_keys),
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        echo=echo,
    )

    # The driver begins nothing by itself here, so that DDL is inside the transaction too.
    @sqlalchemy.event.listens_for(engine, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    @sqlalchemy.event.listens_for(engine, "handle_error")
    def _explained(context: sqlalchemy.engine.ExceptionContext) -> None:
        error, shown = context.original_exception, context.sqlalchemy_exception
        told = _told(error, context, path) if isinstance(error, sqlite3.Error) else ""
        if told and shown is not None:
            shown.add_detail(told)

    return engine


def _told(error: sqlite3.Error, context: sqlalchemy.engine.ExceptionContext, path: Path) -> str:
    """Return what SQLite's few words mean here, and what to do; nothing where they say it all."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return str(failure(error, str(path)))
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY and context.connection is not None:
        raw = context.connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            return explain(raw, context.statement or "")
    return ""


def _session(path: Path, mode: str, *, foreign_keys: bool) -> sqlite3.Connection:
    """Open a session; SQLite enforces foreign keys only where each session asks for it.

    Raises:
        ServerUnavailable: the file is not there, or keys are not enforced as they should be.
    """
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        connection.execute("PRAGMA trusted_schema = OFF")
        enforced = connection.execute("PRAGMA foreign_keys").fetchone()
    except sqlite3.Error as error:
        raise failure(error, str(path)) from None
    if enforced is None or bool(enforced[0]) is not foreign_keys:
        connection.close()
        raise ServerUnavailable(
            "this SQLite was built without foreign keys, so that none would be enforced",
            where=str(path),
            remedy="use a Python whose SQLite has them",
        )
    return connection
