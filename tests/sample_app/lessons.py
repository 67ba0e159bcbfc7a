"""What the backend knows of lessons: who may hold one, and what each student's family owes."""

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from .database.db_enums import LogStatus, TuitionStatus
from .database.models import (
    StudentParent,
    Tuition,
    TuitionEnrolment,
    TuitionLog,
    TuitionLogCharge,
)


class Refused(Exception):
    """The request cannot be granted; the message is for the user."""


async def log_lesson(
    session: AsyncSession,
    tuition_id: uuid.UUID,
    start: datetime.datetime,
    end: datetime.datetime,
    summary: str | None = None,
) -> TuitionLog:
    """Write down that a lesson was held, and charge everybody who takes part in the tuition.

    Raises:
        Refused: the tuition is over, or the lesson is shorter or longer than agreed.
    """
    tuition = await session.get(
        Tuition, tuition_id, options=[selectinload(Tuition.tuition_enrolments)]
    )
    if tuition is None or tuition.status is not TuitionStatus.ACTIVE:
        message = "there is no such tuition"
        raise Refused(message)
    minutes = (end - start).total_seconds() / 60
    if not tuition.min_duration_minutes <= minutes <= tuition.max_duration_minutes:
        message = (
            f"a lesson takes {tuition.min_duration_minutes} to "
            f"{tuition.max_duration_minutes} minutes"
        )
        raise Refused(message)
    log = TuitionLog(
        tuition_id=tuition.id,
        teacher_id=tuition.teacher_id,
        start_time=start,
        end_time=end,
        summary=summary,
    )
    session.add(log)
    await session.flush()
    payers = await _payers(session, tuition.tuition_enrolments)
    session.add_all(
        TuitionLogCharge(
            log_id=log.id,
            student_id=enrolment.student_id,
            parent_id=payers[enrolment.student_id],
            cost=enrolment.cost,
        )
        for enrolment in tuition.tuition_enrolments
        if enrolment.student_id in payers
    )
    await session.flush()
    return log


async def _payers(
    session: AsyncSession, enrolments: Sequence[TuitionEnrolment]
) -> dict[uuid.UUID, uuid.UUID]:
    students = [enrolment.student_id for enrolment in enrolments]
    found = await session.execute(
        select(StudentParent.student_id, StudentParent.parent_id).where(
            StudentParent.student_id.in_(students), StudentParent.is_primary
        )
    )
    return dict(found.all())


async def owed(session: AsyncSession, parent_id: uuid.UUID) -> Decimal:
    """Return what a parent was charged for lessons that count."""
    total = await session.scalar(
        select(func.sum(TuitionLogCharge.cost))
        .join(TuitionLog, TuitionLog.id == TuitionLogCharge.log_id)
        .where(TuitionLogCharge.parent_id == parent_id, TuitionLog.status == LogStatus.ACTIVE)
    )
    return total or Decimal(0)
