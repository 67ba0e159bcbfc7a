"""Secrets and the environment: the only module that reads either."""

import contextlib
import ipaddress
import os
import re
import resource
import secrets
import socket
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BadInput, GuardRefused, UsageError
from .model import Project
from .settings import Settings, read_settings, settings_file

ENVIRONMENTS = {
    "development": "development",
    "dev": "development",
    "test": "test",
    "testing": "test",
    "staging": "staging",
    "stage": "staging",
    "production": "production",
    "prod": "production",
}
EVERYDAY = frozenset({"development", "test"})
"""The environments whose databases we may make, and drop again."""

_HERE = "this machine"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
# A password may hold `@`, `/` and `:` unescaped: everything up to the last `@` of the word goes.
_URL_PASSWORD = re.compile(r"(?P<head>\w+://[^\s:/@]*):[^\s]*@")
_DSN_PASSWORD = re.compile(
    r"""(?ix) (?P<head> [\w]* (?:password|passwd|pwd) (?: \s*=\s* | ["']\s*:\s* ) )
    (?: '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | [^\s,}&]+ )"""
)
_LIBPQ = re.compile(
    r"PG(HOST|HOSTADDR|PORT|USER|PASSWORD|PASSFILE|SERVICE|SERVICEFILE|SYSCONFDIR|OPTIONS|SSL\w*"
    r"|REQUIRE\w*|CHANNELBINDING|GSS\w*|KRB\w*|CONNECT_TIMEOUT|TARGETSESSIONATTRS"
    r"|LOADBALANCEHOSTS|(MIN|MAX)PROTOCOLVERSION)\Z"
)
_SQL_PASSWORD = re.compile(r"(?i)\b(?P<head>password\s+)'(?:[^']|'')*'")


def environment(chosen: str | None = None) -> str:
    """Return the environment: ``chosen``, else DBCYCLE_ENV, else development.

    Raises:
        UsageError: the word is no environment; there is no fallback.
    """
    word = (chosen or os.environ.get("DBCYCLE_ENV") or "development").strip().casefold()
    if word not in ENVIRONMENTS:
        raise UsageError(
            "unknown environment",
            where="--env or DBCYCLE_ENV",
            remedy=f"use one of {', '.join(sorted(set(ENVIRONMENTS.values())))}",
        )
    return ENVIRONMENTS[word]


def named_environment() -> str | None:
    """Return the environment that ``--env`` or DBCYCLE_ENV names, or None."""
    return environment() if (os.environ.get("DBCYCLE_ENV") or "").strip() else None


def project_hint() -> str | None:
    """Return what DBCYCLE_PROJECT says, if anything."""
    return os.environ.get("DBCYCLE_PROJECT") or None


def dagster_home() -> Path | None:
    """Return what DAGSTER_HOME says, if anything."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser().resolve() if home else None


def use_environment(chosen: str) -> None:
    """Make ``chosen`` the environment of this process and of those it starts.

    Raises:
        UsageError: the word is no environment.
    """
    os.environ["DBCYCLE_ENV"] = environment(chosen)


def key_file(project: Project) -> Path:
    """Return where the project's own key lies when no variable holds one: in the user's folder of
    settings, outside any repository; in the project's state where the user has no such folder.
    """
    settings = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(settings) if settings else Path("~/.config").expanduser()
    place = folder / "dbcycle" / "keys"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return project.state / "key"
    return place / project.name


def anonymization_secret(project: Project) -> bytes:
    """Return the project's key: from the variable that ``key_env`` names, else from its key file.
    In development a file that is missing is generated; nowhere else.

    Raises:
        GuardRefused: others can read the key file.
        BadInput: the key is too short, or there is none.
    """
    value = os.environ.get(project.config.key_env)
    if value:
        return _checked(value, project.config.key_env)
    path = key_file(project)
    if not path.exists():
        if environment() != "development":
            raise BadInput(
                "there is no anonymization key, and a new one would change every fake",
                where=project.config.key_env,
                remedy=f"export {project.config.key_env} with the project's key; "
                "`dbcycle key new` prints one for a new project",
            )
        _generate(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise GuardRefused(
            "others can read the anonymization key", where=str(path), remedy=f"chmod 600 {path}"
        )
    try:
        return _checked(path.read_text(encoding="utf-8").strip(), str(path))
    except UnicodeDecodeError:
        raise BadInput(
            "the anonymization key is no text", where=str(path), remedy="put the former file back"
        ) from None


def key_from_environment(project: Project) -> bool:
    """Tell whether the variable that ``key_env`` names holds the key."""
    return bool(os.environ.get(project.config.key_env))


def new_key() -> str:
    """Return a new key: 32 random bytes in hex digits."""
    return secrets.token_hex(32)


def rotate_key(project: Project) -> Path:
    """Replace the key file by one with a new key and return where the former one is kept.

    Raises:
        GuardRefused: the key comes from a variable, so that only its owner can change it.
    """
    if key_from_environment(project):
        raise GuardRefused(
            f"the key comes from {project.config.key_env}",
            remedy="put what `dbcycle key new` prints where that variable is set",
        )
    path = key_file(project)
    former = path.with_name(f"{path.name}.previous")
    if path.exists():
        path.replace(former)
    _generate(path)
    return former


def _generate(path: Path) -> None:
    """Write a new key, whole or not at all; the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".key.", suffix=".part", dir=path.parent)  # mode 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()


def _checked(value: str, where: str) -> bytes:
    if len(value) < 16:  # noqa: PLR2004 - the least that Key takes
        raise BadInput(
            "the anonymization key is too short",
            where=where,
            remedy="use at least 16 characters, best from a generator of random ones",
        )
    return value.encode()


def target_url(project: Project, name: str) -> str | None:
    """Return the URL that the target's variable holds, or None for the embedded server."""
    target = project.config.targets.get(name)
    if target is None or target.url_env is None:
        return None
    return os.environ.get(target.url_env) or None


def settings(project: Project, environment: str, file: Path | None = None) -> Settings:
    """Return how to connect in an environment: what ``file``, else the project's
    ``config.‹environment›.toml`` says, overridden by the variables DATABASE_URL,
    DATABASE_MAX_CONNECTIONS, DATABASE_AUTO_MIGRATE and DATABASE_FOREIGN_KEYS. Without a file the
    variables are not read: somebody else's may be exported.

    Raises:
        ConfigError: the file has mistakes, or an environment has two.
        BadInput: a variable is no number, or neither true nor false.
    """
    words = [word for word, meant in ENVIRONMENTS.items() if meant == environment]
    path = file or settings_file(project, words)
    if path is None:
        return Settings()
    found = read_settings(path)
    if address := os.environ.get("DATABASE_URL"):
        found = replace(found, url=address, base=None)
    return replace(
        found,
        max_connections=_number("DATABASE_MAX_CONNECTIONS", found.max_connections),
        auto_migrate=_flag("DATABASE_AUTO_MIGRATE", default=found.auto_migrate),
        foreign_keys=_flag("DATABASE_FOREIGN_KEYS", default=found.foreign_keys),
    )


def database_path(project: Project, environment: str) -> str | None:
    """Return what DB_PATH says: another file for SQLite's development or test database."""
    if project.config.engine != "sqlite" or environment not in EVERYDAY:
        return None
    return os.environ.get("DB_PATH") or None


def untested_server() -> bool:
    """Tell whether DBCYCLE_UNTESTED_SERVER allows a server that this product was not tried with."""
    return _flag("DBCYCLE_UNTESTED_SERVER", default=False)


def keep_databases() -> bool:
    """Tell whether DBCYCLE_KEEP asks to keep temporary databases."""
    return _flag("DBCYCLE_KEEP", default=False)


def _flag(variable: str, *, default: bool) -> bool:
    word = (os.environ.get(variable) or "").strip().casefold()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    if word:
        raise BadInput("is neither true nor false", where=variable, remedy="export true or false")
    return default


def _number(variable: str, default: int) -> int:
    word = (os.environ.get(variable) or "").strip()
    if not word:
        return default
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:5]) <= 1000):  # noqa: PLR2004
        raise BadInput("is no number from 1 to 1000", where=variable, remedy="export one")
    return int(word)


def source_url(project: Project) -> str:
    """Return the URL of the production database.

    Raises:
        BadInput: the variable that the config names is not set.
    """
    source = project.config.source.download
    variable = source.url_env if source is not None else None
    value = os.environ.get(variable) if variable else None
    if not value:
        raise BadInput(
            f"the variable {variable or 'for the production database'} is not set",
            where="source.download.url_env",
            remedy="export it with the URL of the database to dump",
        )
    return value


def seed_secret(variable: str) -> str | None:
    """Return what a variable holds that a seed asks for, or None where it is unset or empty."""
    return os.environ.get(variable) or None


def redact(text: str) -> str:
    """Return a text without the passwords of the URLs and DSNs in it."""
    text = _URL_PASSWORD.sub(r"\g<head>:***@", text)
    text = _DSN_PASSWORD.sub(r"\g<head>***", text)
    return _SQL_PASSWORD.sub(r"\g<head>***", text)


def libpq_variables() -> dict[str, str]:
    """Return the variables by which PostgreSQL's library finds a server and logs in, for programs
    that shall do so as we do.
    """
    kept = {name: value for name, value in os.environ.items() if _LIBPQ.match(name)}
    if home := os.environ.get("HOME"):  # with the user's own file of passwords
        kept["HOME"] = home
    return kept


def keep_out_of_core_dumps() -> None:
    """Let this process and the programs that it starts leave no image of their memory behind: it
    holds the key, passwords and rows.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    # One byte holds no image; Linux knows it as the size that is not handed to a program either,
    # which no size at all would be.
    least = 1 if most == resource.RLIM_INFINITY or most >= 1 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (least, most))


def handed_over(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program that we start, with some variables of its own."""
    return {**os.environ, **more}


def same_place(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same database of the same server, whoever logs in and
    however the server is called.
    """
    try:
        first, second = _place(one), _place(other)
    except (ValueError, BadInput):
        return False
    return first.database == second.database and bool(first.ends & second.ends)


def same_machine(one: str, other: str) -> bool:
    """Tell whether two URLs lead to servers on one machine, whatever their ports."""
    try:
        first, second = _place(one), _place(other)
    except (ValueError, BadInput):
        return False
    return bool({host for host, _ in first.ends} & {host for host, _ in second.ends})


def hosts(url: str) -> tuple[str, ...]:
    """Return the names and addresses of servers in a URL, or in the variables that complete it."""
    facts = _facts(url)
    return tuple(
        host for key in ("host", "hostaddr") for host in facts.get(key, "").split(",") if host
    )


@dataclass(frozen=True)
class _Place:
    """A database's name, and the addresses and ports at which it may be."""

    database: str
    ends: frozenset[tuple[str, str]]


def _place(url: str) -> _Place:
    facts = _facts(url)
    # An address beside a name is where the connection goes.
    found = (facts.get("hostaddr") or facts.get("host") or "").split(",")
    ports = facts.get("port", "5432").split(",")
    ports = ports * len(found) if len(ports) == 1 else ports
    ends = {
        (address, port)
        for host, port in zip(found, ports, strict=False)
        for address in _addresses(host)
    }
    return _Place(facts.get("dbname") or facts.get("user", ""), frozenset(ends))


def _facts(url: str) -> dict[str, str]:
    """Return the parameters of a URL, completed as PostgreSQL's library does by its variables."""
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict

    scheme = url.partition("://")[0]
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", scheme):
        return {"host": scheme, "dbname": url.partition("://")[2]}
    try:
        given = conninfo_to_dict(url.replace(scheme, scheme.partition("+")[0], 1))
    except Error:
        raise BadInput("the database URL cannot be read") from None
    by_variable = {
        "host": "PGHOST",
        "hostaddr": "PGHOSTADDR",
        "port": "PGPORT",
        "user": "PGUSER",
        "dbname": "PGDATABASE",
    }
    known = {key: os.environ[name] for key, name in by_variable.items() if os.environ.get(name)}
    return known | {key: str(value) for key, value in given.items() if value}


def _addresses(host: str) -> set[str]:
    """Return the addresses of a host; those of this machine are one."""
    name = host.strip().strip("[]").rstrip(".").casefold()
    if not name or name.startswith(("/", "@")):
        return {_HERE}
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return {name}
    return {_plain(ipaddress.ip_address(each)) for each in found}


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    inner = getattr(address, "ipv4_mapped", None) or address  # as in ::ffff:127.0.0.1
    return _HERE if inner.is_loopback or inner.is_unspecified else str(inner)
