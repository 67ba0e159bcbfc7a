"""Guards: what may be done to a database is asked of the live connection, never of its URL.

No flag and no answer bypasses a guard. ``--force`` and ``--yes`` answer questions; guards ask none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..config.credentials import hosts
from ..databases.migrating import Holder, Signs
from ..databases.port import Database, Stamp
from ..errors import GuardRefused, Locked
from .hosting import is_dump, is_source, named_for_production
from .target import EVERYDAY, Target


@dataclass(frozen=True)
class Consent:
    """What the user gave: ``--prod``, and the database's name, typed or as ``--confirm``."""

    production: bool = False
    confirmed: str | None = None


@dataclass(frozen=True)
class Standing:
    """What a database is, as it says itself: its claim counts only where it was made for this
    very database (a copy is not the original), our stamp wherever it is.
    """

    signs: Signs
    stamp: Stamp | None
    claim: Mapping[str, Any] | None
    unclear: GuardRefused | None = None

    @property
    def environment(self) -> str | None:
        """The environment that the database says it belongs to, or None."""
        if self.claim is not None:
            return str(self.claim["environment"])
        if self.stamp is not None and "environment" in self.stamp.facts:
            return str(self.stamp.facts["environment"])
        return None

    @property
    def disposable(self) -> bool:
        """Whether the database carries a positive mark that we, or its owner through us, put
        there to say that it may be lost.
        """
        claimed = self.claim is not None and bool(self.claim.get("disposable"))
        return claimed or (self.stamp is not None and self.claim is None)


def standing(target: Target, database: Database) -> Standing:
    """Return what the live database is."""
    migrations = database.migrations()
    signs, claim, unclear = migrations.signs(), None, None
    try:
        claim = migrations.claim()
    except GuardRefused as refused:
        unclear = refused
    if claim is not None and claim.get("identity") != signs.identity:
        claim = None
    return Standing(signs, target.server.stamp(target.name), claim, unclear)


def allow(
    target: Target, database: Database, action: str, consent: Consent, *, destructive: bool
) -> Standing:
    """Let an action pass, or refuse it.

    Raises:
        GuardRefused: it says why, and what would have to be true; nothing was changed.
    """
    found = standing(target, database)
    if found.unclear is not None:
        raise found.unclear
    require_own(target, found, action)
    if target.environment == "production" or found.environment == "production":
        _production(found, action, consent)
    elif found.environment is None:
        _no_signs_of_production(target, found, action)
    if target.environment == "staging" and destructive:
        require_name(found, action, consent)
    if destructive and target.environment in EVERYDAY and not found.disposable:
        raise GuardRefused(
            f"the database `{found.signs.name}` carries no mark that it may be lost, so there is "
            f"no {action}",
            where=target.environment,
            remedy=f"if it may be: `dbcycle db claim --confirm {found.signs.name}`",
        )
    return found


def require_own(target: Target, found: Standing, action: str) -> None:
    """Refuse a database that can take nothing, or is another project's or environment's.

    Raises:
        GuardRefused: it is.
    """
    name = found.signs.name
    if found.signs.read_only:
        raise GuardRefused(
            f"the database `{name}` is a standby or read-only, so there is no {action}",
            remedy="give the address of the primary",
        )
    project = (found.claim or {}).get("project") or (found.stamp.project if found.stamp else None)
    if project is not None and project != target.project.name:
        raise GuardRefused(
            f"the database `{name}` belongs to project `{project}`, not `{target.project.name}`",
            remedy="give --project, or another --db-url",
        )
    if found.environment not in (None, target.environment):
        flag = "--prod" if found.environment == "production" else f"--env {found.environment}"
        raise GuardRefused(
            f"the database `{name}` says that it is {found.environment}, and this is "
            f"{target.environment}, so there is no {action}",
            remedy=f"if it is the one you mean, give {flag}",
        )


def _production(found: Standing, action: str, consent: Consent) -> None:
    if not consent.production:
        raise GuardRefused(
            f"`{found.signs.name}` is production, so there is no {action} without --prod",
            remedy="give --prod, and type the database's name when asked (or --confirm NAME)",
        )
    require_name(found, action, consent)


def require_name(found: Standing, action: str, consent: Consent) -> None:
    """Refuse unless the user has given the live database's name.

    Raises:
        GuardRefused: it was not given, or is another.
    """
    if consent.confirmed is None:
        raise GuardRefused(
            f"the name of the database was not confirmed, so there is no {action}",
            remedy=f"on a terminal, type it when asked; elsewhere give "
            f"--confirm {found.signs.name}",
        )
    if consent.confirmed != found.signs.name:
        raise GuardRefused(
            f"the confirmed name is not that of the database, so there is no {action}",
            remedy="see that the connection leads where you think it does",
        )


def _no_signs_of_production(target: Target, found: Standing, action: str) -> None:
    signs = list(found.signs.production)
    url = target.server.url(target.name)
    if target.environment != "production" and is_source(target.project, found.signs.identity, url):
        signs.append("the project's source")
    if named_for_production(target.name, *hosts(url)):
        signs.append("its name")
    if is_dump(target.project, target.server.file(target.name)):
        signs.append("the project's dump")
    if signs and target.environment in EVERYDAY and found.stamp is None:
        raise GuardRefused(
            f"the database `{found.signs.name}` looks like production ({', '.join(signs)}), so "
            f"there is no {action}",
            remedy="if it is: --prod. If it is not, say so once: "
            f"`dbcycle db claim --confirm {found.signs.name}`",
        )


def claim(target: Target, database: Database, *, disposable: bool) -> None:
    """Write into the database whose it is and in which environment."""
    migrations = database.migrations()
    migrations.set_claim(
        {
            "project": target.project.name,
            "environment": target.environment,
            "identity": migrations.signs().identity,
            "disposable": disposable and target.environment in EVERYDAY,
        }
    )


def locked_by(holder: Holder) -> Locked:
    """Return the error for a database that somebody is writing to."""
    return Locked(
        f"another run holds this database: {holder}",
        remedy="wait for it to end and run again; `dbcycle db unlock` frees a lock that was left",
    )
