"""Whose a database is, who holds its lock, and its backups, as functions of a target."""

from ..databases.migrating import Holder
from ..errors import GuardRefused
from . import audit, backups, guards
from .guards import Consent
from .target import Target

WAIT = 60.0
"""How many seconds a run waits for another one to end."""


def claim(target: Target, consent: Consent) -> None:
    """Say, in the database, that it belongs to this project and environment; in development and
    test also that it may be lost. Its name must be confirmed.

    Raises:
        GuardRefused: it is another project's or environment's, or its name was not confirmed.
    """
    with target.open() as database, audit.recorded(target, database, "claim"):
        found = guards.standing(target, database)
        guards.require_own(target, found, "claim")
        guards.require_name(found, "claim", consent)
        with database.migrations().locked(audit.me(), wait=WAIT):
            guards.claim(target, database, disposable=True)


def unlock(target: Target, *, agreed: bool) -> Holder | None:
    """End the session that holds the lock and return who it was; None if nobody does.

    Raises:
        GuardRefused: its process is alive as far as can be told, and the user has not agreed.
    """
    with target.open() as database, audit.recorded(target, database, "unlock") as line:
        migrations = database.migrations()
        holder = migrations.holder()
        if holder is None:
            line.result = "not locked"
            return None
        line.facts["holder"] = str(holder)
        if not agreed and not audit.is_dead(holder):
            raise GuardRefused(
                f"the lock is held by {holder}, which may be alive",
                remedy="let it end or stop it; give --yes to end its session all the same",
            )
        migrations.release(holder)
        return holder


def back_up(
    target: Target, reason: str = "asked for", *, keep: int = backups.KEPT
) -> backups.Backup:
    """Make a backup of the database."""
    backup = backups.make_backup(target, reason, keep=keep)
    with target.open() as database, audit.recorded(target, database, "backup") as line:
        line.facts["backup"] = backup.name
    return backup


def restore(target: Target, name: str | None, consent: Consent) -> tuple[str, str]:
    """Put a backup in the database's place, after a backup of what is there now; return both
    names.

    Raises:
        GuardRefused: the guards say no; BadInput: there is no such backup.
    """
    with target.open() as database, audit.refusals(target, database, "restore"):
        found = guards.allow(target, database, "restore", consent, destructive=True)
        if (holder := database.migrations().holder()) is not None:
            raise guards.locked_by(holder)
    backup = backups.find_backup(target, name)
    # One more is kept this once, so that the backup that is wanted is not the one that goes.
    before = backups.make_backup(target, "restore", keep=backups.KEPT + 1)
    backups.restore_backup(target, backup)
    with target.open() as database, audit.recorded(target, database, "restore") as line:
        line.facts |= {"restored": backup.name, "backup": before.name}
        guards.claim(target, database, disposable=found.disposable)
    return backup.name, before.name
