"""The sample application's tables: written by `dbcycle models`, then refined by hand.

Nothing is loaded lazily: a query says what it needs, as in
`select(Tuition).options(selectinload(Tuition.teacher))`. JSON has the shape that the application
gives it, and references from a table to itself are named for what they mean.
"""

import datetime
import decimal
import uuid
from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, DOMAIN, INET, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from .db_enums import (
    AdminPrivilege,
    AvailabilityKind,
    HomeworkStatus,
    LogOrigin,
    LogStatus,
    NoteVisibility,
    PaymentMethod,
    PaymentStatus,
    StudentStatus,
    TuitionStatus,
    UserRole,
    Weekday,
    labels_of,
)


class Base(DeclarativeBase):
    """What every model inherits from."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        },
    )


MONEY_AMOUNT = DOMAIN(
    "money_amount",
    Numeric(12, 2),
    constraint_name="money_amount_not_negative",
    check=text("VALUE >= 0::numeric"),
)
PHONE_NUMBER = DOMAIN(
    "phone_number",
    String(32),
    constraint_name="phone_number_form",
    check=text("VALUE::text ~ '^\\+?[0-9 ()./-]{5,31}$'::text"),
)


class Admin(Base):
    """Who runs the business."""

    __tablename__ = "admins"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    privilege: Mapped[AdminPrivilege] = mapped_column(
        Enum(AdminPrivilege, name="admin_privilege", values_callable=labels_of),
        server_default=text("'normal'::admin_privilege"),
    )
    contact_history: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)

    user: Mapped["User"] = relationship(back_populates="admin", lazy="raise")


class AuditEvent(Base):
    """What somebody did, partitioned by year."""

    __tablename__ = "audit_events"
    __table_args__ = ({"postgresql_partition_by": "RANGE (occurred_at)"},)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    occurred_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), primary_key=True
    )
    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    actor_email: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)

    actor: Mapped["User | None"] = relationship(back_populates="audit_events", lazy="raise")


class AvailabilityInterval(Base):
    """When a user has time in a week."""

    __tablename__ = "availability_intervals"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="availability_intervals_times_check"),
        UniqueConstraint("user_id", "day", "starts_at", name="availability_intervals_user_day_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    day: Mapped[Weekday] = mapped_column(Enum(Weekday, name="weekday", values_callable=labels_of))
    starts_at: Mapped[datetime.time] = mapped_column(Time())
    ends_at: Mapped[datetime.time] = mapped_column(Time())
    kind: Mapped[AvailabilityKind] = mapped_column(
        Enum(AvailabilityKind, name="availability_kind", values_callable=labels_of),
        server_default=text("'available'::availability_kind"),
    )

    user: Mapped["User"] = relationship(back_populates="availability_intervals", lazy="raise")


class Homework(Base):
    """Work given after a lesson."""

    __tablename__ = "homeworks"
    __table_args__ = (
        CheckConstraint(
            "grade >= 0::numeric AND grade <= 100::numeric",
            name="homeworks_grade_check",
        ),
        CheckConstraint(
            "status <> 'graded'::homework_status OR grade IS NOT NULL",
            name="homeworks_graded_check",
        ),
        ForeignKeyConstraint(
            ["follows_homework_id"], ["homeworks.id"], name="homeworks_follows_fkey"
        ),
        UniqueConstraint("log_id", "student_id", name="homeworks_log_student_key"),
        Index("homeworks_follows_idx", "follows_homework_id"),
        Index("homeworks_student_id_due_at_idx", "student_id", "due_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    log_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tuition_logs.id", ondelete="CASCADE"))
    student_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("students.user_id"))
    title: Mapped[str] = mapped_column(String(200))
    instructions: Mapped[str | None] = mapped_column(Text)
    status: Mapped[HomeworkStatus] = mapped_column(
        Enum(HomeworkStatus, name="homework_status", values_callable=labels_of),
        server_default=text("'assigned'::homework_status"),
    )
    grade: Mapped[decimal.Decimal | None] = mapped_column(Numeric(4, 1))
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, server_default=text("'[]'::jsonb")
    )
    follows_homework_id: Mapped[uuid.UUID | None] = mapped_column(Uuid(as_uuid=True))
    due_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    submitted_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    updated_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )

    follows_homework: Mapped["Homework | None"] = relationship(
        remote_side=[id], back_populates="follow_ups", lazy="raise"
    )
    log: Mapped["TuitionLog"] = relationship(back_populates="homeworks", lazy="raise")
    student: Mapped["Student"] = relationship(back_populates="homeworks", lazy="raise")
    follow_ups: Mapped[list["Homework"]] = relationship(
        passive_deletes="all", back_populates="follows_homework", lazy="raise"
    )
    notes: Mapped[list["Note"]] = relationship(
        passive_deletes=True, back_populates="homework", lazy="raise"
    )


class Invoice(Base):
    """What a parent was asked to pay."""

    __tablename__ = "invoices"
    __table_args__ = (
        Index(
            "invoices_payment_id_idx",
            "payment_id",
            unique=True,
            postgresql_where=text("(payment_id IS NOT NULL)"),
        ),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(start=1001), primary_key=True)
    parent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parents.user_id"), index=True)
    payment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payments.id"))
    issued_on: Mapped[datetime.date] = mapped_column(Date)
    total: Mapped[decimal.Decimal] = mapped_column(MONEY_AMOUNT)
    billing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    receipt: Mapped[bytes | None] = mapped_column(LargeBinary)

    parent: Mapped["Parent"] = relationship(back_populates="invoices", lazy="raise")
    payment: Mapped["Payment | None"] = relationship(back_populates="invoices", lazy="raise")


class LoginSession(Base):
    """A session of a signed-in user."""

    __tablename__ = "login_sessions"

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))

    user: Mapped["User"] = relationship(back_populates="login_sessions", lazy="raise")


class MeetingLink(Base):
    """Where a tuition is held online."""

    __tablename__ = "meeting_links"

    tuition_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("tuitions.id", ondelete="CASCADE"), primary_key=True
    )
    provider: Mapped[str] = mapped_column(String(20))
    url: Mapped[str] = mapped_column(Text, unique=True)
    passcode: Mapped[str | None] = mapped_column(String(20))
    host_email: Mapped[str | None] = mapped_column(CITEXT)

    tuition: Mapped["Tuition"] = relationship(back_populates="meeting_link", lazy="raise")


class Note(Base):
    """Words of one user, perhaps about another."""

    __tablename__ = "notes"
    __table_args__ = (
        Index(
            "notes_homework_id_idx",
            "homework_id",
            postgresql_where=text("(homework_id IS NOT NULL)"),
        ),
        Index("notes_search_idx", "search", postgresql_using="gin"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    about_user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    search: Mapped[str | None] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple'::regconfig, body)", persisted=True)
    )
    created_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    visibility: Mapped[NoteVisibility] = mapped_column(
        Enum(NoteVisibility, name="note_visibility", values_callable=labels_of),
        server_default=text("'staff'::note_visibility"),
    )
    homework_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("homeworks.id", ondelete="SET NULL")
    )

    about_user: Mapped["User | None"] = relationship(
        foreign_keys=[about_user_id], back_populates="notes_about", lazy="raise"
    )
    author: Mapped["User"] = relationship(
        foreign_keys=[author_id], back_populates="notes_written", lazy="raise"
    )
    homework: Mapped["Homework | None"] = relationship(back_populates="notes", lazy="raise")


class Parent(Base):
    """Who pays, beside the user's own row."""

    __tablename__ = "parents"
    __table_args__ = (
        CheckConstraint("currency ~ '^[A-Z]{3}$'::text", name="parents_currency_check"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    currency: Mapped[str] = mapped_column(CHAR(3), server_default=text("'USD'::bpchar"))
    street: Mapped[str | None] = mapped_column(String(120))
    city: Mapped[str | None] = mapped_column(String(80))
    postal_code: Mapped[str | None] = mapped_column(String(16))
    country: Mapped[str | None] = mapped_column(CHAR(2))
    emergency_contact: Mapped[str | None] = mapped_column(String(160))
    emergency_phone: Mapped[str | None] = mapped_column(PHONE_NUMBER)

    user: Mapped["User"] = relationship(back_populates="parent", lazy="raise")
    invoices: Mapped[list["Invoice"]] = relationship(
        passive_deletes="all", back_populates="parent", lazy="raise"
    )
    payments: Mapped[list["Payment"]] = relationship(
        passive_deletes="all", back_populates="parent", lazy="raise"
    )
    student_parents: Mapped[list["StudentParent"]] = relationship(
        cascade="all, delete",
        passive_deletes=True,
        back_populates="parent",
        lazy="raise",
    )
    tuition_log_charges: Mapped[list["TuitionLogCharge"]] = relationship(
        passive_deletes="all", back_populates="parent", lazy="raise"
    )


class Payment(Base):
    """Money from a parent to a teacher."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(
            "status <> 'settled'::payment_status OR paid_at IS NOT NULL",
            name="payments_settled_check",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    parent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parents.user_id"), index=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teachers.user_id"), index=True)
    amount: Mapped[decimal.Decimal] = mapped_column(MONEY_AMOUNT)
    currency: Mapped[str] = mapped_column(CHAR(3))
    status: Mapped[PaymentStatus] = mapped_column(
        Enum(PaymentStatus, name="payment_status", values_callable=labels_of),
        server_default=text("'pending'::payment_status"),
    )
    payer_name: Mapped[str | None] = mapped_column(String(160))
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    note: Mapped[str | None] = mapped_column(Text)
    paid_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    method: Mapped[PaymentMethod] = mapped_column(
        Enum(PaymentMethod, name="payment_method", values_callable=labels_of)
    )

    parent: Mapped["Parent"] = relationship(back_populates="payments", lazy="raise")
    teacher: Mapped["Teacher"] = relationship(back_populates="payments", lazy="raise")
    invoices: Mapped[list["Invoice"]] = relationship(
        passive_deletes="all", back_populates="payment", lazy="raise"
    )


class StudentParent(Base):
    """Which parents a student has."""

    __tablename__ = "student_parents"
    __table_args__ = (
        Index(
            "student_parents_primary_idx",
            "student_id",
            unique=True,
            postgresql_where=text("is_primary"),
        ),
    )

    student_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("students.user_id", ondelete="CASCADE"), primary_key=True
    )
    parent_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("parents.user_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    relation: Mapped[str] = mapped_column(String(20))
    is_primary: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    parent: Mapped["Parent"] = relationship(back_populates="student_parents", lazy="raise")
    student: Mapped["Student"] = relationship(back_populates="student_parents", lazy="raise")


class Student(Base):
    """Who learns, beside the user's own row."""

    __tablename__ = "students"
    __table_args__ = (CheckConstraint("grade >= 0 AND grade <= 13", name="students_grade_check"),)

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    date_of_birth: Mapped[datetime.date | None] = mapped_column(Date)
    grade: Mapped[int | None] = mapped_column(SmallInteger)
    school: Mapped[str | None] = mapped_column(String(120))
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    wanted_subjects: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    preferred_teacher_ids: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    status: Mapped[StudentStatus] = mapped_column(
        Enum(StudentStatus, name="student_status", values_callable=labels_of),
        server_default=text("'active'::student_status"),
    )

    user: Mapped["User"] = relationship(back_populates="student", lazy="raise")
    homeworks: Mapped[list["Homework"]] = relationship(
        passive_deletes="all", back_populates="student", lazy="raise"
    )
    student_parents: Mapped[list["StudentParent"]] = relationship(
        cascade="all, delete",
        passive_deletes=True,
        back_populates="student",
        lazy="raise",
    )
    tuition_enrolments: Mapped[list["TuitionEnrolment"]] = relationship(
        passive_deletes="all", back_populates="student", lazy="raise"
    )
    tuition_log_charges: Mapped[list["TuitionLogCharge"]] = relationship(
        passive_deletes="all", back_populates="student", lazy="raise"
    )


class Subject(Base):
    """What is taught."""

    __tablename__ = "subjects"

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))

    tuitions: Mapped[list["Tuition"]] = relationship(
        passive_deletes="all", back_populates="subject", lazy="raise"
    )


class Teacher(Base):
    """Who teaches, beside the user's own row."""

    __tablename__ = "teachers"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    hourly_rate: Mapped[decimal.Decimal] = mapped_column(MONEY_AMOUNT)
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    bio: Mapped[str | None] = mapped_column(Text)
    payout_iban: Mapped[str | None] = mapped_column(String(34))
    primary_tuition_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("tuitions.id", ondelete="SET NULL"), index=True
    )

    primary_tuition: Mapped["Tuition | None"] = relationship(
        foreign_keys=[primary_tuition_id],
        post_update=True,
        back_populates="primary_for",
        lazy="raise",
    )
    user: Mapped["User"] = relationship(back_populates="teacher", lazy="raise")
    payments: Mapped[list["Payment"]] = relationship(
        passive_deletes="all", back_populates="teacher", lazy="raise"
    )
    tuition_logs: Mapped[list["TuitionLog"]] = relationship(
        passive_deletes="all", back_populates="teacher", lazy="raise"
    )
    tuitions: Mapped[list["Tuition"]] = relationship(
        foreign_keys="[Tuition.teacher_id]",
        passive_deletes="all",
        back_populates="teacher",
        lazy="raise",
    )


class TuitionEnrolment(Base):
    """Who takes part in a tuition, and for how much."""

    __tablename__ = "tuition_enrolments"

    tuition_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("tuitions.id", ondelete="CASCADE"), primary_key=True
    )
    student_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("students.user_id"), primary_key=True, index=True
    )
    cost: Mapped[decimal.Decimal] = mapped_column(MONEY_AMOUNT)
    joined_on: Mapped[datetime.date] = mapped_column(Date)

    student: Mapped["Student"] = relationship(back_populates="tuition_enrolments", lazy="raise")
    tuition: Mapped["Tuition"] = relationship(back_populates="tuition_enrolments", lazy="raise")


class TuitionLogCharge(Base):
    """What a lesson costs one student's parent."""

    __tablename__ = "tuition_log_charges"
    __table_args__ = (
        UniqueConstraint("log_id", "student_id", name="tuition_log_charges_log_student_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    log_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tuition_logs.id", ondelete="CASCADE"))
    student_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("students.user_id"), index=True)
    parent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("parents.user_id"), index=True)
    cost: Mapped[decimal.Decimal] = mapped_column(MONEY_AMOUNT)

    log: Mapped["TuitionLog"] = relationship(back_populates="tuition_log_charges", lazy="raise")
    parent: Mapped["Parent"] = relationship(back_populates="tuition_log_charges", lazy="raise")
    student: Mapped["Student"] = relationship(back_populates="tuition_log_charges", lazy="raise")


class TuitionLog(Base):
    """A lesson that was held."""

    __tablename__ = "tuition_logs"
    __table_args__ = (
        CheckConstraint("start_time < end_time", name="tuition_logs_times_check"),
        ForeignKeyConstraint(
            ["corrected_from_log_id"],
            ["tuition_logs.id"],
            name="tuition_logs_corrected_from_fkey",
        ),
        Index(
            "tuition_logs_corrected_from_idx",
            "corrected_from_log_id",
            postgresql_where=text("(corrected_from_log_id IS NOT NULL)"),
        ),
        Index("tuition_logs_teacher_id_start_time_idx", "teacher_id", "start_time"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    tuition_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tuitions.id"), index=True)
    teacher_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teachers.user_id"))
    start_time: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    end_time: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True))
    duration_minutes: Mapped[int | None] = mapped_column(
        Integer,
        Computed(
            "((EXTRACT(epoch FROM (end_time - start_time)) / (60)::numeric))::integer",
            persisted=True,
        ),
    )
    status: Mapped[LogStatus] = mapped_column(
        Enum(LogStatus, name="log_status", values_callable=labels_of),
        server_default=text("'ACTIVE'::log_status"),
    )
    origin: Mapped[LogOrigin] = mapped_column(
        Enum(LogOrigin, name="log_origin", values_callable=labels_of),
        server_default=text("'SCHEDULED'::log_origin"),
    )
    summary: Mapped[str | None] = mapped_column(Text)
    attendee_emails: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'::text[]")
    )
    corrected_from_log_id: Mapped[uuid.UUID | None] = mapped_column(Uuid(as_uuid=True))
    created_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    updated_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )

    corrected_from_log: Mapped["TuitionLog | None"] = relationship(
        remote_side=[id],
        back_populates="corrections",
        lazy="raise",
    )
    teacher: Mapped["Teacher"] = relationship(back_populates="tuition_logs", lazy="raise")
    tuition: Mapped["Tuition | None"] = relationship(back_populates="tuition_logs", lazy="raise")
    homeworks: Mapped[list["Homework"]] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="log", lazy="raise"
    )
    tuition_log_charges: Mapped[list["TuitionLogCharge"]] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="log", lazy="raise"
    )
    corrections: Mapped[list["TuitionLog"]] = relationship(
        passive_deletes="all", back_populates="corrected_from_log", lazy="raise"
    )


class Tuition(Base):
    """A course of lessons by one teacher."""

    __tablename__ = "tuitions"
    __table_args__ = (
        CheckConstraint(
            "min_duration_minutes <= max_duration_minutes",
            name="tuitions_durations_check",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    teacher_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teachers.user_id"), index=True)
    title: Mapped[str | None] = mapped_column(String(200))
    lesson_index: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    min_duration_minutes: Mapped[int] = mapped_column(SmallInteger, server_default=text("60"))
    max_duration_minutes: Mapped[int] = mapped_column(SmallInteger, server_default=text("90"))
    status: Mapped[TuitionStatus] = mapped_column(
        Enum(TuitionStatus, name="tuition_status", values_callable=labels_of),
        server_default=text("'active'::tuition_status"),
    )
    # Most tuitions end at infinity, which Python's datetime has not: it is read only where asked for.
    ends_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True),
        server_default=text("'infinity'::timestamp with time zone"),
        deferred=True,
    )
    created_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    updated_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    subject_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subjects.id"), index=True)

    subject: Mapped["Subject"] = relationship(back_populates="tuitions", lazy="raise")
    teacher: Mapped["Teacher"] = relationship(
        foreign_keys=[teacher_id], back_populates="tuitions", lazy="raise"
    )
    meeting_link: Mapped["MeetingLink | None"] = relationship(
        cascade="all, delete",
        passive_deletes=True,
        back_populates="tuition",
        lazy="raise",
    )
    primary_for: Mapped[list["Teacher"]] = relationship(
        foreign_keys="[Teacher.primary_tuition_id]",
        passive_deletes=True,
        back_populates="primary_tuition",
        lazy="raise",
    )
    tuition_enrolments: Mapped[list["TuitionEnrolment"]] = relationship(
        cascade="all, delete",
        passive_deletes=True,
        back_populates="tuition",
        lazy="raise",
    )
    tuition_logs: Mapped[list["TuitionLog"]] = relationship(
        passive_deletes="all", back_populates="tuition", lazy="raise"
    )


class User(Base):
    """Everybody who can sign in; the role decides the row beside it."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(
            "last_login_at IS NULL OR last_login_at >= created_at",
            name="users_last_login_check",
        ),
        CheckConstraint(
            "password = '!'::text OR password ~ '^\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}$'::text",
            name="users_password_check",
        ),
        Index("users_lower_username_idx", text("lower(username::text)"), unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        Uuid(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()")
    )
    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    username: Mapped[str | None] = mapped_column(String(60))
    password: Mapped[str] = mapped_column(Text)
    role: Mapped[UserRole] = mapped_column(
        Enum(UserRole, name="user_role", values_callable=labels_of)
    )
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    full_name: Mapped[str | None] = mapped_column(
        Text,
        Computed(
            "CASE\n    WHEN (first_name IS NULL) THEN (last_name)::text\n    WHEN (last_name IS NULL) THEN (first_name)::text\n    ELSE (((first_name)::text || ' '::text) || (last_name)::text)\nEND",
            persisted=True,
        ),
    )
    phone: Mapped[str | None] = mapped_column(PHONE_NUMBER)
    alternate_emails: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    timezone: Mapped[str] = mapped_column(
        String(40), server_default=text("'UTC'::character varying")
    )
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    referred_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    last_login_at: Mapped[datetime.datetime | None] = mapped_column(DateTime(timezone=True))
    last_login_ip: Mapped[str | None] = mapped_column(INET)
    created_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    updated_at: Mapped[datetime.datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    must_reset_password: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    referrer: Mapped["User | None"] = relationship(
        remote_side=[id], back_populates="referrals", lazy="raise"
    )
    admin: Mapped["Admin | None"] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    audit_events: Mapped[list["AuditEvent"]] = relationship(
        passive_deletes="all", back_populates="actor", lazy="raise"
    )
    availability_intervals: Mapped[list["AvailabilityInterval"]] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    login_sessions: Mapped[list["LoginSession"]] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    notes_about: Mapped[list["Note"]] = relationship(
        foreign_keys="[Note.about_user_id]",
        passive_deletes="all",
        back_populates="about_user",
        lazy="raise",
    )
    notes_written: Mapped[list["Note"]] = relationship(
        foreign_keys="[Note.author_id]",
        passive_deletes="all",
        back_populates="author",
        lazy="raise",
    )
    parent: Mapped["Parent | None"] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    student: Mapped["Student | None"] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    teacher: Mapped["Teacher | None"] = relationship(
        cascade="all, delete", passive_deletes=True, back_populates="user", lazy="raise"
    )
    referrals: Mapped[list["User"]] = relationship(
        passive_deletes="all", back_populates="referrer", lazy="raise"
    )
