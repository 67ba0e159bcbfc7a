"""The engine, and the one place that commits: everything else flushes."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)


def engine_of(url: str) -> AsyncEngine:
    """Return the engine of a PostgreSQL URL."""
    return create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


class Sessions:
    """Gives every request a session; what the request did is committed once it has ended well."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._make = async_sessionmaker(engine, expire_on_commit=False)

    async def __call__(self) -> AsyncIterator[AsyncSession]:
        """Yield a session, and commit; or roll back what a failed request did."""
        async with self._make() as session, session.begin():
            yield session
