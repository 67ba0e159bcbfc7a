"""Everything that can go wrong, as one tree.

::

    DbCycleError (1)
     ├── UsageError (2)          the command itself makes no sense
     ├── GuardRefused (3)        a safety guard said no; ``--force`` does not change that
     ├── Locked (4)              another run holds the project
     ├── Drift (5)               what is on disk is not what was applied
     ├── Dirty (6)               a half-done step needs a repair
     ├── BadInput (7)            a file the user gave is missing, broken or wrong
     │    ├── ConfigError
     │    ├── DumpError
     │    ├── MigrationError
     │    ├── AnonymizeError
     │    ├── GoldenError
     │    └── SeedError
     ├── Findings (8)            a judgement is missing or a check failed
     │    ├── PlanError
     │    └── VerificationFailed
     ├── Unavailable (9)         a server, a tool or the disk
     │    ├── ServerUnavailable
     │    └── DiskUnavailable
     └── Cancelled (130)         the user stopped it

The number is the exit code of the command line. A message says what is wrong, where, and what to
do about it; it never contains a row, a value or a password.
"""

import difflib
import errno
from collections.abc import Iterable, Sequence
from typing import Any


class DbCycleError(Exception):
    """Any failure this product can explain; ``str(error)`` is the whole message for the user."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        head = f"{where}: {what}" if where else what
        super().__init__(f"{head}\n  → {remedy}" if remedy else head)


class UsageError(DbCycleError):
    """The command line or a call asks for something that cannot be."""

    exit_code = 2


class GuardRefused(DbCycleError):
    """A guard refused a destructive or revealing action; nothing was changed."""

    exit_code = 3


class Locked(DbCycleError):
    """Another run holds the project; the message names the holder and since when."""

    exit_code = 4


class Drift(DbCycleError):
    """What was applied and what is on disk now differ."""

    exit_code = 5


class Dirty(DbCycleError):
    """A step stopped half-way and needs the repair that the message names."""

    exit_code = 6


class BadInput(DbCycleError):
    """A file or value the user gave is missing, broken or wrong."""

    exit_code = 7


class ConfigError(BadInput):
    """``dbcycle.yaml`` is missing, malformed or names something that does not exist."""


class DumpError(BadInput):
    """The dump is missing, truncated, hostile, or needs something this server lacks."""


class MigrationError(BadInput):
    """A migration step failed; the message has the file, line and column."""


class AnonymizeError(BadInput):
    """A value does not fit its anonymizer; the message has the table, column and row number."""


class GoldenError(BadInput):
    """A golden record is malformed or breaks a key; the message has the file and record number."""


class SeedError(BadInput):
    """A seed is malformed, depends on what is not there, or failed; the message has the file."""


class Findings(DbCycleError):
    """One or more findings, all reported at once; ``findings`` holds a line for each."""

    exit_code = 8

    def __init__(
        self, what: str, findings: Sequence[str], *, where: str = "", remedy: str = ""
    ) -> None:
        self.findings = tuple(findings)
        lines = "".join(f"\n  - {on_one_line(finding)}" for finding in self.findings)
        super().__init__(what + lines, where=where, remedy=remedy)


class PlanError(Findings):
    """The plan cannot be made: unjudged tables or columns, or rules that do not fit."""


class VerificationFailed(Findings):
    """Verification found a survivor, an orphan, a drift, or compared nothing.

    ``checks`` are the results behind it, so that a front door can show the failed ones.
    """

    checks: Sequence[Any] = ()


class Unavailable(DbCycleError):
    """Something the run needs is not there now; running again later may work."""

    exit_code = 9


class ServerUnavailable(Unavailable):
    """The database server cannot be reached, started or logged in to."""


class DiskUnavailable(Unavailable):
    """The disk is full, read-only or failed; the previous files are whole.

    ``ERRNOS`` are the operating system's words for it.
    """

    ERRNOS = frozenset(
        {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES}
    )


class Cancelled(DbCycleError):
    """The user stopped the run; nothing half-made was kept."""

    exit_code = 130


def on_one_line(text: str) -> str:
    """Return a text with its line breaks and control characters escaped: the names in a database
    are anybody's, and none of them begins a line of ours or steers a terminal.
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
