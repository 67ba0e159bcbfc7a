"""The HTTP face of the sample application."""

import datetime
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated

import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from . import lessons
from .database.models import User

app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give a request its session; :func:`use` says where from."""
    message = "no database is configured"
    raise RuntimeError(message)
    yield


def use(sessions: object) -> None:
    """Let every request take its session from there."""
    app.dependency_overrides[get_session] = sessions


Session = Annotated[AsyncSession, Depends(get_session)]


class Credentials(BaseModel):
    """What a user signs in with."""

    email: str
    password: str


class Lesson(BaseModel):
    """A lesson that was held."""

    start: datetime.datetime
    end: datetime.datetime
    summary: str | None = None


@app.post("/login")
async def login(credentials: Credentials, session: Session) -> dict[str, object]:
    """Let a user in, and remember when."""
    user = await session.scalar(select(User).where(User.email == credentials.email))
    if user is None or not bcrypt.checkpw(credentials.password.encode(), user.password.encode()):
        raise HTTPException(401, "wrong e-mail address or password")
    answer = {"id": user.id, "role": user.role, "name": user.full_name}
    user.last_login_at = datetime.datetime.now(datetime.UTC)
    await session.flush()  # from here on the generated name would have to be read again
    return answer


@app.post("/tuitions/{tuition_id}/lessons", status_code=201)
async def log_lesson(tuition_id: uuid.UUID, lesson: Lesson, session: Session) -> dict[str, object]:
    """Write down that a lesson was held."""
    try:
        log = await lessons.log_lesson(
            session, tuition_id, lesson.start, lesson.end, lesson.summary
        )
    except lessons.Refused as refused:
        raise HTTPException(409, str(refused)) from None
    return {"id": log.id}


@app.get("/parents/{parent_id}/owed")
async def owed(parent_id: uuid.UUID, session: Session) -> dict[str, Decimal]:
    """Return what a parent was charged."""
    return {"owed": await lessons.owed(session, parent_id)}
