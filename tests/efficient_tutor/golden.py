"""The golden records of efficient_tutor. Written by `dbcycle constants`: do not edit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

AdminPrivilege = Literal[
    "master",
    "normal",
    "read_only",
]


@dataclass(frozen=True)
class Admin:
    """A row of admins."""

    user_id: UUID
    privilege: AdminPrivilege
    contact_history: list[Any]


ADMIN_GOLDEN_ADMIN = Admin(
    user_id=UUID("f0000000-0000-4000-8000-000000000001"),
    privilege="master",
    contact_history=[],
)
ALL_ADMINS = (ADMIN_GOLDEN_ADMIN,)

HomeworkStatus = Literal[
    "assigned",
    "submitted",
    "graded",
    "missed",
]


@dataclass(frozen=True)
class Homework:
    """A row of homeworks."""

    id: UUID
    log_id: UUID
    student_id: UUID
    title: str
    instructions: str
    status: HomeworkStatus
    grade: Decimal
    attachments: list[Any]
    due_at: datetime
    submitted_at: datetime
    created_at: datetime
    updated_at: datetime


HOMEWORK_GOLDEN_WORKSHEET = Homework(
    id=UUID("00000000-0000-4000-8000-000000000901"),
    log_id=UUID("00000000-0000-4000-8000-000000000601"),
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    title="Golden worksheet",
    instructions="Exercises one to three.",
    status="graded",
    grade=Decimal("87.5"),
    attachments=[{"uploaded_by": "golden.student@example.com", "pages": 2}],
    due_at=datetime(2024, 2, 12, 16, 0, tzinfo=UTC),
    submitted_at=datetime(2024, 2, 10, 12, 0, tzinfo=UTC),
    created_at=datetime(2024, 2, 5, 17, 0, tzinfo=UTC),
    updated_at=datetime(2024, 2, 11, 8, 0, tzinfo=UTC),
)
ALL_HOMEWORKS = (HOMEWORK_GOLDEN_WORKSHEET,)


@dataclass(frozen=True)
class Invoice:
    """A row of invoices."""

    number: int
    parent_id: UUID
    payment_id: UUID
    issued_on: date
    total: Decimal
    billing: dict[str, Any]


INVOICE_1 = Invoice(
    number=1,
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    payment_id=UUID("00000000-0000-4000-8000-000000000801"),
    issued_on=date(2024, 2, 6),
    total=Decimal("70.00"),
    billing={
        "name": "Golden Mother",
        "email": "golden.mother@example.com",
        "country": "GB",
        "lines": [],
    },
)
ALL_INVOICES = (INVOICE_1,)


@dataclass(frozen=True)
class MeetingLink:
    """A row of meeting_links."""

    tuition_id: UUID
    provider: str
    url: str
    host_email: str


MEETING_LINK_GOLDEN_MATHEMATICS = MeetingLink(
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    provider="meet",
    url="https://meet.example.com/golden",
    host_email="golden.teacher@example.com",
)
ALL_MEETING_LINKS = (MEETING_LINK_GOLDEN_MATHEMATICS,)

NoteVisibility = Literal[
    "staff",
    "family",
    "private",
]


@dataclass(frozen=True)
class Note:
    """A row of notes."""

    id: UUID
    author_id: UUID
    about_user_id: UUID
    body: str
    tags: tuple[str, ...]
    created_at: datetime
    visibility: NoteVisibility
    homework_id: UUID


NOTE_0C01 = Note(
    id=UUID("00000000-0000-4000-8000-000000000c01"),
    author_id=UUID("00000000-0000-4000-8000-000000000201"),
    about_user_id=UUID("00000000-0000-4000-8000-000000000401"),
    body="Golden note about Golden Student.",
    tags=("progress",),
    created_at=datetime(2024, 2, 7, 10, 0, tzinfo=UTC),
    visibility="family",
    homework_id=UUID("00000000-0000-4000-8000-000000000901"),
)
ALL_NOTES = (NOTE_0C01,)


@dataclass(frozen=True)
class Parent:
    """A row of parents."""

    user_id: UUID
    currency: str
    street: str | None
    city: str | None
    postal_code: str | None
    country: str


PARENT_GOLDEN_MOTHER = Parent(
    user_id=UUID("00000000-0000-4000-8000-000000000301"),
    currency="GBP",
    street="1 Golden Square",
    city="London",
    postal_code="W1F 9AA",
    country="GB",
)
PARENT_GOLDEN_FATHER = Parent(
    user_id=UUID("00000000-0000-4000-8000-000000000302"),
    currency="GBP",
    street=None,
    city=None,
    postal_code=None,
    country="GB",
)
ALL_PARENTS = (
    PARENT_GOLDEN_MOTHER,
    PARENT_GOLDEN_FATHER,
)

PaymentStatus = Literal[
    "pending",
    "settled",
    "refunded",
    "failed",
]
PaymentMethod = Literal[
    "bank_transfer",
    "card",
    "cash",
    "other",
]


@dataclass(frozen=True)
class Payment:
    """A row of payments."""

    id: UUID
    parent_id: UUID
    teacher_id: UUID
    amount: Decimal
    currency: str
    status: PaymentStatus
    payer_name: str
    reference: str
    note: str | None
    paid_at: datetime
    method: PaymentMethod


PAYMENT_0801 = Payment(
    id=UUID("00000000-0000-4000-8000-000000000801"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    amount=Decimal("70.00"),
    currency="GBP",
    status="settled",
    payer_name="Golden Mother",
    reference="GOLDEN-000001",
    note=None,
    paid_at=datetime(2024, 2, 6, 9, 0, tzinfo=UTC),
    method="bank_transfer",
)
ALL_PAYMENTS = (PAYMENT_0801,)


@dataclass(frozen=True)
class StudentParent:
    """A row of student_parents."""

    student_id: UUID
    parent_id: UUID
    relation: str
    is_primary: bool


STUDENT_PARENT_GOLDEN_STUDENT_GOLDEN_MOTHER = StudentParent(
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    relation="mother",
    is_primary=True,
)
STUDENT_PARENT_GOLDEN_STUDENT_GOLDEN_FATHER = StudentParent(
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    parent_id=UUID("00000000-0000-4000-8000-000000000302"),
    relation="father",
    is_primary=False,
)
STUDENT_PARENT_GOLDEN_SIBLING_GOLDEN_MOTHER = StudentParent(
    student_id=UUID("00000000-0000-4000-8000-000000000402"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    relation="mother",
    is_primary=True,
)
ALL_STUDENT_PARENTS = (
    STUDENT_PARENT_GOLDEN_STUDENT_GOLDEN_MOTHER,
    STUDENT_PARENT_GOLDEN_STUDENT_GOLDEN_FATHER,
    STUDENT_PARENT_GOLDEN_SIBLING_GOLDEN_MOTHER,
)

StudentStatus = Literal[
    "prospect",
    "active",
    "paused",
    "alumni",
    "unknown",
]


@dataclass(frozen=True)
class Student:
    """A row of students."""

    user_id: UUID
    date_of_birth: date | None
    grade: int | None
    profile: dict[str, Any] | None
    wanted_subjects: tuple[str, ...] | None
    preferred_teacher_ids: tuple[str, ...] | None
    status: StudentStatus


STUDENT_GOLDEN_STUDENT = Student(
    user_id=UUID("00000000-0000-4000-8000-000000000401"),
    date_of_birth=date(2010, 5, 4),
    grade=9,
    profile={
        "guardian": {"name": "Golden Mother", "email": "golden.mother@example.com"},
        "level": "high",
    },
    wanted_subjects=("Mathematics",),
    preferred_teacher_ids=("00000000-0000-4000-8000-000000000201",),
    status="active",
)
STUDENT_GOLDEN_SIBLING = Student(
    user_id=UUID("00000000-0000-4000-8000-000000000402"),
    date_of_birth=None,
    grade=7,
    profile=None,
    wanted_subjects=None,
    preferred_teacher_ids=None,
    status="active",
)
STUDENT_GOLDEN_NEWCOMER = Student(
    user_id=UUID("00000000-0000-4000-8000-000000000403"),
    date_of_birth=None,
    grade=None,
    profile=None,
    wanted_subjects=None,
    preferred_teacher_ids=None,
    status="prospect",
)
ALL_STUDENTS = (
    STUDENT_GOLDEN_STUDENT,
    STUDENT_GOLDEN_SIBLING,
    STUDENT_GOLDEN_NEWCOMER,
)


@dataclass(frozen=True)
class Subject:
    """A row of subjects."""

    id: UUID
    code: str
    name: str


SUBJECT_MATHEMATICS = Subject(
    id=UUID("00000000-0000-4000-8000-000000000a01"),
    code="mathematics",
    name="Mathematics",
)
ALL_SUBJECTS = (SUBJECT_MATHEMATICS,)


@dataclass(frozen=True)
class Teacher:
    """A row of teachers."""

    user_id: UUID
    hourly_rate: Decimal
    subjects: tuple[str, ...]
    bio: str | None
    primary_tuition_id: UUID | None


TEACHER_GOLDEN_TEACHER = Teacher(
    user_id=UUID("00000000-0000-4000-8000-000000000201"),
    hourly_rate=Decimal("40.00"),
    subjects=("Mathematics", "Physics"),
    bio="A golden teacher.",
    primary_tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
)
TEACHER_GOLDEN_SUBSTITUTE = Teacher(
    user_id=UUID("00000000-0000-4000-8000-000000000202"),
    hourly_rate=Decimal("35.50"),
    subjects=(),
    bio=None,
    primary_tuition_id=None,
)
ALL_TEACHERS = (
    TEACHER_GOLDEN_TEACHER,
    TEACHER_GOLDEN_SUBSTITUTE,
)


@dataclass(frozen=True)
class TuitionEnrolment:
    """A row of tuition_enrolments."""

    tuition_id: UUID
    student_id: UUID
    cost: Decimal
    joined_on: date


TUITION_ENROLMENT_GOLDEN_MATHEMATICS_GOLDEN_STUDENT = TuitionEnrolment(
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    cost=Decimal("40.00"),
    joined_on=date(2024, 1, 8),
)
TUITION_ENROLMENT_GOLDEN_MATHEMATICS_GOLDEN_SIBLING = TuitionEnrolment(
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    student_id=UUID("00000000-0000-4000-8000-000000000402"),
    cost=Decimal("30.00"),
    joined_on=date(2024, 1, 8),
)
ALL_TUITION_ENROLMENTS = (
    TUITION_ENROLMENT_GOLDEN_MATHEMATICS_GOLDEN_STUDENT,
    TUITION_ENROLMENT_GOLDEN_MATHEMATICS_GOLDEN_SIBLING,
)


@dataclass(frozen=True)
class TuitionLogCharge:
    """A row of tuition_log_charges."""

    id: UUID
    log_id: UUID
    student_id: UUID
    parent_id: UUID
    cost: Decimal


TUITION_LOG_CHARGE_0701 = TuitionLogCharge(
    id=UUID("00000000-0000-4000-8000-000000000701"),
    log_id=UUID("00000000-0000-4000-8000-000000000601"),
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    cost=Decimal("40.00"),
)
TUITION_LOG_CHARGE_0702 = TuitionLogCharge(
    id=UUID("00000000-0000-4000-8000-000000000702"),
    log_id=UUID("00000000-0000-4000-8000-000000000601"),
    student_id=UUID("00000000-0000-4000-8000-000000000402"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    cost=Decimal("30.00"),
)
TUITION_LOG_CHARGE_0703 = TuitionLogCharge(
    id=UUID("00000000-0000-4000-8000-000000000703"),
    log_id=UUID("00000000-0000-4000-8000-000000000603"),
    student_id=UUID("00000000-0000-4000-8000-000000000401"),
    parent_id=UUID("00000000-0000-4000-8000-000000000301"),
    cost=Decimal("60.00"),
)
ALL_TUITION_LOG_CHARGES = (
    TUITION_LOG_CHARGE_0701,
    TUITION_LOG_CHARGE_0702,
    TUITION_LOG_CHARGE_0703,
)

TuitionLogStatus = Literal[
    "ACTIVE",
    "CORRECTED",
    "VOID",
]


@dataclass(frozen=True)
class TuitionLog:
    """A row of tuition_logs."""

    id: UUID
    tuition_id: UUID
    teacher_id: UUID
    start_time: datetime
    end_time: datetime
    status: TuitionLogStatus
    summary: str | None
    attendee_emails: tuple[str, ...] | None
    corrected_from_log_id: UUID | None
    created_at: datetime
    updated_at: datetime


TUITION_LOG_0601 = TuitionLog(
    id=UUID("00000000-0000-4000-8000-000000000601"),
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    start_time=datetime(2024, 2, 5, 16, 0, tzinfo=UTC),
    end_time=datetime(2024, 2, 5, 17, 0, tzinfo=UTC),
    status="ACTIVE",
    summary="Golden lesson with Golden Student.",
    attendee_emails=("golden.student@example.com", "golden.sibling@example.com"),
    corrected_from_log_id=None,
    created_at=datetime(2024, 2, 5, 17, 0, tzinfo=UTC),
    updated_at=datetime(2024, 2, 5, 17, 0, tzinfo=UTC),
)
TUITION_LOG_0602 = TuitionLog(
    id=UUID("00000000-0000-4000-8000-000000000602"),
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    start_time=datetime(2024, 2, 12, 16, 0, tzinfo=UTC),
    end_time=datetime(2024, 2, 12, 17, 0, tzinfo=UTC),
    status="CORRECTED",
    summary=None,
    attendee_emails=None,
    corrected_from_log_id=None,
    created_at=datetime(2024, 2, 12, 17, 0, tzinfo=UTC),
    updated_at=datetime(2024, 2, 12, 18, 0, tzinfo=UTC),
)
TUITION_LOG_0603 = TuitionLog(
    id=UUID("00000000-0000-4000-8000-000000000603"),
    tuition_id=UUID("00000000-0000-4000-8000-000000000501"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    start_time=datetime(2024, 2, 12, 16, 0, tzinfo=UTC),
    end_time=datetime(2024, 2, 12, 17, 30, tzinfo=UTC),
    status="ACTIVE",
    summary=None,
    attendee_emails=None,
    corrected_from_log_id=UUID("00000000-0000-4000-8000-000000000602"),
    created_at=datetime(2024, 2, 12, 18, 0, tzinfo=UTC),
    updated_at=datetime(2024, 2, 12, 18, 0, tzinfo=UTC),
)
ALL_TUITION_LOGS = (
    TUITION_LOG_0601,
    TUITION_LOG_0602,
    TUITION_LOG_0603,
)

TuitionStatus = Literal[
    "active",
    "paused",
    "ended",
    "archived",
]


@dataclass(frozen=True)
class Tuition:
    """A row of tuitions."""

    id: UUID
    teacher_id: UUID
    title: str
    min_duration_minutes: int | None
    max_duration_minutes: int | None
    status: TuitionStatus
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime
    subject_id: UUID


TUITION_GOLDEN_MATHEMATICS = Tuition(
    id=UUID("00000000-0000-4000-8000-000000000501"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    title="Golden mathematics",
    min_duration_minutes=None,
    max_duration_minutes=None,
    status="active",
    ends_at=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    subject_id=UUID("00000000-0000-4000-8000-000000000a01"),
)
TUITION_GOLDEN_EXAM_COURSE = Tuition(
    id=UUID("00000000-0000-4000-8000-000000000502"),
    teacher_id=UUID("00000000-0000-4000-8000-000000000201"),
    title="Golden exam course",
    min_duration_minutes=90,
    max_duration_minutes=120,
    status="archived",
    ends_at=datetime(2024, 6, 30, 0, 0, tzinfo=UTC),
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 6, 30, 0, 0, tzinfo=UTC),
    subject_id=UUID("00000000-0000-4000-8000-000000000a01"),
)
ALL_TUITIONS = (
    TUITION_GOLDEN_MATHEMATICS,
    TUITION_GOLDEN_EXAM_COURSE,
)

UserRole = Literal[
    "admin",
    "teacher",
    "student",
    "parent",
]


@dataclass(frozen=True)
class User:
    """A row of users."""

    id: UUID
    email: str
    username: str | None
    password: str
    role: UserRole
    first_name: str
    last_name: str
    phone: str | None
    alternate_emails: tuple[str, ...] | None
    timezone: str
    settings: dict[str, Any] | None
    referred_by: UUID | None
    is_active: bool | None
    created_at: datetime
    updated_at: datetime
    must_reset_password: bool | None


USER_GOLDEN_ADMIN = User(
    id=UUID("f0000000-0000-4000-8000-000000000001"),
    email="golden.admin@example.com",
    username="golden_admin",
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="admin",
    first_name="Golden",
    last_name="Admin",
    phone="+1 202 555 0101",
    alternate_emails=None,
    timezone="UTC",
    settings={"display_name": "Golden Admin", "theme": "dark"},
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_TEACHER = User(
    id=UUID("00000000-0000-4000-8000-000000000201"),
    email="golden.teacher@example.com",
    username="golden_teacher",
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="teacher",
    first_name="Golden",
    last_name="Teacher",
    phone=None,
    alternate_emails=("golden.teacher.home@example.com",),
    timezone="Europe/London",
    settings=None,
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_SUBSTITUTE = User(
    id=UUID("00000000-0000-4000-8000-000000000202"),
    email="golden.substitute@example.com",
    username=None,
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="teacher",
    first_name="Golden",
    last_name="Substitute",
    phone=None,
    alternate_emails=(),
    timezone="UTC",
    settings=None,
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_MOTHER = User(
    id=UUID("00000000-0000-4000-8000-000000000301"),
    email="golden.mother@example.com",
    username=None,
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="parent",
    first_name="Golden",
    last_name="Mother",
    phone="+44 7700 900123",
    alternate_emails=None,
    timezone="Europe/London",
    settings=None,
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_FATHER = User(
    id=UUID("00000000-0000-4000-8000-000000000302"),
    email="golden.father@example.com",
    username=None,
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="parent",
    first_name="Golden",
    last_name="Father",
    phone=None,
    alternate_emails=None,
    timezone="Europe/London",
    settings=None,
    referred_by=UUID("00000000-0000-4000-8000-000000000301"),
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_STUDENT = User(
    id=UUID("00000000-0000-4000-8000-000000000401"),
    email="golden.student@example.com",
    username="golden_student",
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="student",
    first_name="Golden",
    last_name="Student",
    phone=None,
    alternate_emails=None,
    timezone="Europe/London",
    settings=None,
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_SIBLING = User(
    id=UUID("00000000-0000-4000-8000-000000000402"),
    email="golden.sibling@example.com",
    username=None,
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="student",
    first_name="Golden",
    last_name="Sibling",
    phone=None,
    alternate_emails=None,
    timezone="Europe/London",
    settings=None,
    referred_by=None,
    is_active=None,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=None,
)
USER_GOLDEN_NEWCOMER = User(
    id=UUID("00000000-0000-4000-8000-000000000403"),
    email="golden.newcomer@example.com",
    username=None,
    password="$2b$04$goldengoldengoldengolet5bQDxQXcPAJSi.VVYjpjSdEAnlGAhC",
    role="student",
    first_name="Golden",
    last_name="Newcomer",
    phone=None,
    alternate_emails=None,
    timezone="UTC",
    settings=None,
    referred_by=None,
    is_active=False,
    created_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    updated_at=datetime(2024, 1, 1, 0, 0, tzinfo=UTC),
    must_reset_password=True,
)
ALL_USERS = (
    USER_GOLDEN_ADMIN,
    USER_GOLDEN_TEACHER,
    USER_GOLDEN_SUBSTITUTE,
    USER_GOLDEN_MOTHER,
    USER_GOLDEN_FATHER,
    USER_GOLDEN_STUDENT,
    USER_GOLDEN_SIBLING,
    USER_GOLDEN_NEWCOMER,
)
