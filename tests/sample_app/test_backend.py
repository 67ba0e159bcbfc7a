"""The sample application's suite: each test on the published rows, and none sees another's."""

import datetime
from decimal import Decimal

import pytest
from httpx import ASGITransport, AsyncClient
from sqlalchemy import func, select, text

from dbcycle_assets.testing import factories

from ..efficient_tutor import constants, golden
from .backend import app, get_session, use
from .database.models import Tuition, TuitionLog, TuitionLogCharge, User
from .engine import Sessions, engine_of

pytestmark = pytest.mark.anyio

START = datetime.datetime(2025, 3, 3, 16, tzinfo=datetime.UTC)


def lesson(minutes):
    end = START + datetime.timedelta(minutes=minutes)
    return {"start": START.isoformat(), "end": end.isoformat(), "summary": "fractions"}


async def test_every_account_has_the_one_password(client, async_db_session):
    """Golden ones, and those that production had under other names."""
    emails = (await async_db_session.scalars(select(User.email).limit(5))).all()
    for email in ["golden.admin@example.com", *emails]:
        answer = await client.post("/login", json={"email": email, "password": "testtest"})
        assert answer.status_code == 200, email
    answer = await client.post("/login", json={"email": emails[0], "password": "guess"})
    assert answer.status_code == 401


@pytest.mark.parametrize("number", range(3))
async def test_a_lesson_is_charged_to_the_parent_who_pays(client, async_db_session, number):
    """Three times the same, since nothing of the time before is there."""
    owed = f"/parents/{constants.MOTHER}/owed"
    before = Decimal((await client.get(owed)).json()["owed"])
    answer = await client.post(f"/tuitions/{constants.TUITION}/lessons", json=lesson(60))
    assert answer.status_code == 201
    log = answer.json()["id"]
    costs = await async_db_session.scalars(
        select(TuitionLogCharge.cost).where(TuitionLogCharge.log_id == log)
    )
    assert sorted(costs) == [Decimal("30.00"), Decimal("40.00")]
    assert Decimal((await client.get(owed)).json()["owed"]) - before == Decimal("70.00")
    same = select(func.count()).where(TuitionLog.start_time == START)
    assert await async_db_session.scalar(same) == 1


@pytest.mark.parametrize("minutes", [15, 600])
async def test_a_lesson_is_as_long_as_agreed(client, minutes):
    answer = await client.post(f"/tuitions/{constants.TUITION}/lessons", json=lesson(minutes))
    assert (answer.status_code, answer.json()["detail"]) == (409, "a lesson takes 60 to 90 minutes")


async def test_a_family_of_the_tests_own(client, async_db_session, dbcycle_project):
    """Rows that only this test needs come from the factories of their tables."""

    def family(session):
        made = factories(dbcycle_project, session)
        tuition = made.tuitions(status="active", min_duration_minutes=30, max_duration_minutes=45)
        bond = made.student_parents(is_primary=True)
        made.tuition_enrolments(tuition_id=tuition.id, student_id=bond.student_id, cost="12.50")
        return tuition.id, bond.parent_id

    tuition, parent = await async_db_session.run_sync(family)
    assert (await client.get(f"/parents/{parent}/owed")).json() == {"owed": "0"}
    answer = await client.post(f"/tuitions/{tuition}/lessons", json=lesson(30))
    assert answer.status_code == 201
    assert (await client.get(f"/parents/{parent}/owed")).json() == {"owed": "12.50"}


def test_golden_records_are_there_as_the_constants_say(db_session):
    """What a test relies on is a typed constant."""
    for tuition in golden.ALL_TUITIONS:
        found = db_session.get(Tuition, tuition.id)
        assert (found.title, found.teacher_id) == (tuition.title, tuition.teacher_id)


def test_a_new_student_has_no_lessons(db_session, made):
    student = made.students()
    count = select(func.count()).where(TuitionLogCharge.student_id == student.user_id)
    assert db_session.scalar(count) == 0


async def test_an_archived_tuition_has_no_lessons(client):
    answer = await client.post(f"/tuitions/{constants.ARCHIVED_TUITION}/lessons", json=lesson(100))
    assert answer.status_code == 409


async def test_a_request_commits_and_a_failed_one_does_not(dbcycle_db):
    """The one place that commits, on a database of the test's own: nothing here is taken back."""
    engine = engine_of(dbcycle_db.url)
    use(Sessions(engine).__call__)
    count = text("SELECT count(*) FROM tuition_logs")
    try:
        async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
            with dbcycle_db.engine.connect() as connection:
                before = connection.scalar(count)
            path = f"/tuitions/{constants.TUITION}/lessons"
            assert (await client.post(path, json=lesson(60))).status_code == 201
            assert (await client.post(path, json=lesson(5))).status_code == 409
            with dbcycle_db.engine.connect() as connection:
                assert connection.scalar(count) == before + 1
    finally:
        app.dependency_overrides.pop(get_session)
        await engine.dispose()


def test_nobody_of_production_is_here(db_session):
    """Every address is invented."""
    emails = db_session.scalars(select(User.email)).all()
    assert len(emails) > 100
    assert all(
        email.endswith((".example", ".test", "example.com", "example.org", "example.net"))
        for email in emails
    )
