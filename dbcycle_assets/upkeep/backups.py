"""Backups before what destroys: whole copies beside the database, listed, restored, and not kept
for ever. On PostgreSQL a copy is a database of its own, on SQLite a file in ``backups``.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from ..databases.port import Stamp
from ..errors import BadInput, did_you_mean
from .target import EVERYDAY, Target

ROLE = "backup"
KEPT = 10
"""How many backups of one database are kept."""

_LONGEST = 63 - len("_backup_20991231_235959_abcd")


@dataclass(frozen=True)
class Backup:
    """One backup; ``head`` is the newest step that was applied."""

    name: str
    taken_at: str
    reason: str
    head: str


def make_backup(target: Target, reason: str, *, keep: int = KEPT) -> Backup:
    """Copy the database; the oldest backups beyond ``keep`` go, once the new one is whole.

    Outside development and test others may go on using it meanwhile.

    Raises:
        DbCycleError: it cannot be copied; nothing is left of the attempt.
    """
    now = datetime.now(UTC)
    head = _head(target)
    name = f"{target.name[:_LONGEST]}_backup_{now:%Y%m%d_%H%M%S}_{secrets.token_hex(2)}"
    facts = {"of": target.name, "reason": reason, "head": head, "taken_at": now.isoformat()}
    stamp = Stamp(target.project.name, ROLE, "", facts)
    ours = target.environment in EVERYDAY
    target.server.duplicate(target.name, name, stamp, end_sessions=ours, live=not ours)
    for old in list_backups(target)[keep:]:
        target.server.drop(old.name, target.project.name)
    return Backup(name, str(facts["taken_at"]), reason, head)


def _head(target: Target) -> str:
    with target.open() as database:
        done = [entry.step for entry in database.migrations().entries() if entry.done]
    return done[-1] if done else ""


def list_backups(target: Target) -> list[Backup]:
    """Return the backups of the database, the newest first."""
    found = [
        Backup(
            name,
            str(stamp.facts.get("taken_at", "")),
            str(stamp.facts.get("reason", "")),
            str(stamp.facts.get("head", "")),
        )
        for name, stamp in target.server.duplicates(ROLE)
        if stamp.project == target.project.name and stamp.facts.get("of") == target.name
    ]
    return sorted(found, key=lambda each: (each.taken_at, each.name), reverse=True)


def find_backup(target: Target, name: str | None) -> Backup:
    """Return a backup by its name, or the newest.

    Raises:
        BadInput: there is none.
    """
    known = list_backups(target)
    if not known:
        raise BadInput(
            f"there is no backup of `{target.name}`", remedy="`dbcycle db backup` makes one"
        )
    if name is None:
        return known[0]
    for each in known:
        if each.name == name:
            return each
    raise BadInput(
        f"there is no backup `{name}`{did_you_mean(name, [each.name for each in known])}",
        remedy="see `dbcycle db backup list`",
    )


def restore_backup(target: Target, backup: Backup) -> None:
    """Put a copy of a backup in the database's place; the backup stays."""
    server, copy = target.server, f"{target.name[:_LONGEST]}_restoring"
    stamp = Stamp(target.project.name, "restoring")
    server.duplicate(backup.name, copy, stamp, end_sessions=True)
    server.put_back(copy, target.name)
