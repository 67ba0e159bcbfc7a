"""The enums of the sample application's database, which every layer uses."""

import enum


def labels_of(kind: type[enum.Enum]) -> list[str]:
    """Return the labels that the database has for an enum, in its order."""
    return [str(member.value) for member in kind]


class AdminPrivilege(enum.StrEnum):
    """admin_privilege."""

    MASTER = "master"
    NORMAL = "normal"
    READ_ONLY = "read_only"


class AvailabilityKind(enum.StrEnum):
    """availability_kind."""

    AVAILABLE = "available"
    PREFERRED = "preferred"
    BUSY = "busy"


class HomeworkStatus(enum.StrEnum):
    """homework_status."""

    ASSIGNED = "assigned"
    SUBMITTED = "submitted"
    GRADED = "graded"
    MISSED = "missed"


class LogOrigin(enum.StrEnum):
    """log_origin."""

    SCHEDULED = "SCHEDULED"
    CUSTOM = "CUSTOM"


class LogStatus(enum.StrEnum):
    """log_status."""

    ACTIVE = "ACTIVE"
    CORRECTED = "CORRECTED"
    VOID = "VOID"


class NoteVisibility(enum.StrEnum):
    """note_visibility."""

    STAFF = "staff"
    FAMILY = "family"
    PRIVATE = "private"


class PaymentMethod(enum.StrEnum):
    """payment_method."""

    BANK_TRANSFER = "bank_transfer"
    CARD = "card"
    CASH = "cash"
    OTHER = "other"


class PaymentStatus(enum.StrEnum):
    """payment_status."""

    PENDING = "pending"
    SETTLED = "settled"
    REFUNDED = "refunded"
    FAILED = "failed"


class StudentStatus(enum.StrEnum):
    """student_status."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    PAUSED = "paused"
    ALUMNI = "alumni"
    UNKNOWN = "unknown"


class TuitionStatus(enum.StrEnum):
    """tuition_status."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    ARCHIVED = "archived"


class UserRole(enum.StrEnum):
    """user_role."""

    ADMIN = "admin"
    TEACHER = "teacher"
    STUDENT = "student"
    PARENT = "parent"


class Weekday(enum.StrEnum):
    """weekday."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"
