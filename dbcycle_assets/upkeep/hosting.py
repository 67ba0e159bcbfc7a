"""The server that holds the project's own databases, and why it is never production's."""

import re
from pathlib import Path

from ..artifacts import read_source
from ..config import credentials
from ..config.model import Project
from ..databases import facts_at, identity_of, open_server
from ..databases.migrating import Signs
from ..databases.port import Server
from ..errors import BadInput, DbCycleError, GuardRefused

_NAMED = re.compile(r"(?i)(?<![a-z])(prod|production|prd)(?![a-z])")


def own_server(project: Project) -> Server:
    """Return the server of the test target, embedded or at its URL.

    Raises:
        GuardRefused: it is production's, by its URL, its name, its identity or what it says.
        ServerUnavailable: it cannot be reached.
    """
    require_no_production(project)
    url = credentials.target_url(project, "test")
    return open_server(project.config.engine, url=url, state=project.state)


def require_no_production(project: Project) -> None:
    """Refuse the test target's server if it is production's.

    Raises:
        GuardRefused: it is; ServerUnavailable: it cannot be reached.
    """
    url = credentials.target_url(project, "test")
    if url is not None and project.config.engine == "postgresql":
        _refuse_production(project, url)


def named_for_production(*names: str | None) -> bool:
    """Tell whether a name says so: ``shop_prod``, ``prod-db.internal``; not ``products``."""
    return any(name and _NAMED.search(name) for name in names)


def is_dump(project: Project, file: Path | None) -> bool:
    """Tell whether a database's file is the project's dump itself, by whatever name."""
    try:
        return file is not None and file.samefile(project.dump)
    except OSError:
        return False


def is_source(project: Project, identity: str, url: str) -> bool:
    """Tell whether a database is the one which the dumps come from: by what it is, through whatever
    tunnel, or by its address.
    """
    if identity == read_source(project.state):
        return True
    source = _source(project)
    if source is None:
        return False
    return credentials.same_place(source, url) or identity == _identity(source, url)


def _source(project: Project) -> str | None:
    try:
        return credentials.source_url(project)
    except BadInput:
        return None


def _identity(source: str, url: str) -> str | None:
    """Return what the source says that it is, asked only where it is on the same machine as
    ``url``: another port or a pooler may lead to it.
    """
    if not credentials.same_machine(source, url):
        return None
    try:
        return identity_of(source)
    except DbCycleError:
        return None


def _refuse_production(project: Project, url: str) -> None:
    where = "targets.test"
    remedy = "give it the URL of a server for tests; nothing was changed"
    signs = _require_another(project, url, where, remedy)
    if project.config.targets["test"].beside_production:
        return
    source = _source(project)
    known = (read_source(project.state), _identity(source, url) if source else None)
    reasons = []
    if named_for_production(signs.name, *credentials.hosts(url)):
        reasons.append("its name says so")
    if _cluster(signs.identity) in {_cluster(identity) for identity in known if identity}:
        reasons.append("the dumps come from it")
    if reasons:
        raise GuardRefused(
            f"its server is production's: {' and '.join(reasons)}",
            where=where,
            remedy=f"{remedy}. If test databases are meant to live beside production, write "
            f"`beside_production: true` under `{where}`",
        )


def _require_another(project: Project, url: str, where: str, remedy: str) -> Signs:
    """Refuse a URL that leads to production itself; return what the database there tells.

    Raises:
        GuardRefused: it does.
    """
    others = (credentials.target_url(project, name) for name in ("production", "staging"))
    for known in filter(None, (_source(project), *others)):
        if credentials.same_place(known, url):
            raise GuardRefused(
                "its URL is that of production or staging", where=where, remedy=remedy
            )
    signs, claim = facts_at(url)
    if claim is not None and claim.get("environment") in {"production", "staging"}:
        raise GuardRefused(
            f"the database `{signs.name}` at its URL says that it is {claim['environment']}",
            where=where,
            remedy=remedy,
        )
    if signs.identity == read_source(project.state):
        raise GuardRefused(
            "its URL leads to the database that the dumps come from", where=where, remedy=remedy
        )
    return signs


def _cluster(identity: str) -> str:
    return identity.rpartition("/")[0]
