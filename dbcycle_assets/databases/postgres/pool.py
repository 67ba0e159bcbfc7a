"""Sessions for an application: a pool on one database, foreign keys enforced in every one."""

from typing import Any, cast

import psycopg
import sqlalchemy

from ...errors import BadInput, ServerUnavailable
from .references import explain
from .session import connection_facts, message_of, place, why


def pool(url: str, name: str, *, size: int, foreign_keys: bool, echo: bool) -> sqlalchemy.Engine:
    """Return a pool of at most ``size`` sessions; the first use connects.

    Raises:
        BadInput: foreign keys are not to be enforced.
    """
    if not foreign_keys:
        raise BadInput(
            "PostgreSQL enforces foreign keys always",
            where="foreign_keys",
            remedy="leave it away, or set it to true",
        )
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: _session(url, name),
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        echo=echo,
    )

    @sqlalchemy.event.listens_for(engine, "handle_error")
    def _explained(context: sqlalchemy.engine.ExceptionContext) -> None:
        error, shown = context.original_exception, context.sqlalchemy_exception
        if not isinstance(error, psycopg.Error) or shown is None or error.sqlstate is None:
            return
        # The driver's text ends with the server's DETAIL, which quotes rows; `diag` still has it.
        kind, told = type(error), message_of(error)
        error.args, shown.args = (told,), (f"({kind.__module__}.{kind.__name__}) {told}",)
        if isinstance(error, psycopg.errors.ForeignKeyViolation):
            with _session(url, name) as further:
                shown.add_detail(explain(further, error))

    return engine


def _session(url: str, name: str) -> psycopg.Connection[Any]:
    """Open a session; foreign keys hold in it unless it plays a replica.

    Raises:
        ServerUnavailable: cannot connect, or keys are not enforced.
    """
    facts = connection_facts(url)
    facts["dbname"] = name
    facts.setdefault("connect_timeout", "10")
    try:
        connection = psycopg.connect(**cast("Any", facts))
    except psycopg.Error as error:
        raise ServerUnavailable(
            f"cannot connect to database `{name}`: {why(error)}",
            where=place(facts),
            remedy="check the URL and that the server runs; `dbcycle doctor` tells more",
        ) from None
    role = connection.execute("SHOW session_replication_role").fetchone()
    connection.rollback()
    if role is None or role[0] == "replica":
        connection.close()
        raise ServerUnavailable(
            "sessions on this database play a replica, so that no foreign key is enforced",
            where=f"{place(facts)} {name}",
            remedy="ALTER DATABASE or ALTER ROLE … RESET session_replication_role",
        )
    return connection
