"""How an application connects in one environment: ``config.‹environment›.toml``, read strictly."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pydantic

from ..errors import ConfigError, did_you_mean
from .model import Project

POOL = 10
_KINDS = {"string_type": "text", "bool_type": "true or false", "int_type": "a whole number"}


class DatabaseSection(pydantic.BaseModel):
    """Where the database is, and how it is connected to."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    url: str | None = None
    """A file's path in it is relative to the TOML file. It holds no password."""
    max_connections: int = pydantic.Field(default=POOL, ge=1, le=1000)
    auto_migrate: bool = False
    """Apply the pending migrations before the first connection."""
    foreign_keys: bool = True


class ProductionSection(pydantic.BaseModel):
    """What differs between an application's production and its development."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    debug: bool = False
    """Log every statement, without its parameters."""
    auto_seed: bool = False
    """Apply the pending seeds before the first connection."""


class SettingsFile(pydantic.BaseModel):
    """The whole file."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    database: DatabaseSection = DatabaseSection()
    production: ProductionSection = ProductionSection()


@dataclass(frozen=True)
class Settings:
    """How to connect in one environment: a file's settings, after the environment's overrides.

    ``file`` is the file that they come from; ``allows`` names what that file itself allows,
    ``auto_migrate`` and ``auto_seed``, whatever overrides it. A relative path in ``url`` begins in
    ``base``, else in the working directory.
    """

    url: str | None = field(default=None, repr=False)
    max_connections: int = POOL
    auto_migrate: bool = False
    foreign_keys: bool = True
    debug: bool = False
    auto_seed: bool = False
    file: Path | None = None
    allows: frozenset[str] = frozenset()
    base: Path | None = None


def settings_file(project: Project, words: Sequence[str]) -> Path | None:
    """Return the project's ``config.‹word›.toml`` for one of the names of an environment.

    Raises:
        ConfigError: there are two.
    """
    paths = [project.root / f"config.{word}.toml" for word in words]
    found = [path for path in paths if path.is_file()]
    if len(found) > 1:
        raise ConfigError(
            f"two files configure one environment: {found[0].name} and {found[1].name}",
            where=str(project.root),
            remedy="keep one of them",
        )
    return found[0] if found else None


def read_settings(path: Path) -> Settings:
    """Return the settings in a file.

    Raises:
        ConfigError: no file, or every mistake in it with its line; never a value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(
            f"the settings cannot be read: {error.strerror}",
            where=str(path),
            remedy="copy the project's template of it",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (?:line (\d+)|end of document)", str(error))
        line = f":{place[1]}" if place and place[1] else ""
        raise ConfigError("is not valid TOML", where=f"{path}{line}") from None
    faults: list[tuple[tuple[str, ...], str]] = []
    sections = SettingsFile()
    try:
        sections = SettingsFile.model_validate(content)
    except pydantic.ValidationError as error:
        faults += [_fault(detail) for detail in error.errors(include_url=False)]
    else:
        faults += _secrets(sections)
    if faults:
        known = sorted((_line(text, place), ".".join(place), what) for place, what in faults)
        told = "".join(f"\n  - {path.name}:{line}: {at}: {what}" for line, at, what in known)
        number = f"{len(known)} mistake{'s' if len(known) > 1 else ''}"
        raise ConfigError(f"{number}:{told}", where=str(path))
    return _settings(sections, path)


def _settings(sections: SettingsFile, path: Path) -> Settings:
    database, production = sections.database, sections.production
    allows = {"auto_migrate": database.auto_migrate, "auto_seed": production.auto_seed}
    return Settings(
        database.url,
        database.max_connections,
        database.auto_migrate,
        database.foreign_keys,
        production.debug,
        production.auto_seed,
        path.resolve(),
        frozenset(name for name, allowed in allows.items() if allowed),
        path.resolve().parent,
    )


def _fault(detail: Any) -> tuple[tuple[str, ...], str]:
    place = tuple(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return place, f"unknown key{did_you_mean(place[-1], _known(place[:-1]))}"
    if detail["type"] in {"model_type", "dict_type"}:
        return place, f"must be a section: [{place[-1]}]"
    if detail["type"] in _KINDS:
        return place, f"must be {_KINDS[detail['type']]}"
    return place, str(detail["msg"])


def _known(place: Sequence[str]) -> list[str]:
    model: type[pydantic.BaseModel] = SettingsFile
    for part in place:
        found = model.model_fields[part].annotation
        if isinstance(found, type) and issubclass(found, pydantic.BaseModel):
            model = found
    return sorted(model.model_fields)


def _secrets(sections: SettingsFile) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield a password in the URL: the file is for everybody who has the repository."""
    if sections.database.url and has_password(sections.database.url):
        yield (
            ("database", "url"),
            "holds a password; leave it out here and export the whole URL as DATABASE_URL",
        )


def has_password(url: str) -> bool:
    """Tell whether a URL carries a password; one that cannot be read might."""
    try:
        parts = urlsplit(url)
        named = {key.casefold() for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        return True
    return parts.password is not None or bool({"password", "passwd", "sslpassword"} & named)


def _line(text: str, place: Sequence[str]) -> int:
    """Return the line of a key: below its section's header if it has one."""
    lines, start = text.splitlines(), 0
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s*\[\s*{re.escape(place[0])}\s*\]", line):
            start = number
            break
    if len(place) == 1 and start:
        return start
    word = rf"""\s*(?:{re.escape(place[0])}\s*\.\s*)?["']?{re.escape(place[-1])}["']?\s*="""
    found = (n for n, line in enumerate(lines, 1) if n > start and re.match(word, line))
    return next(found, start or 1)
