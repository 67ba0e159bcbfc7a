"""Rules that read more than their value: other columns of the row, SQL, and code of the user's."""

import hashlib
import importlib
import importlib.util
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic

from .base import (
    Definition,
    Expression,
    Facts,
    Key,
    Kind,
    Mask,
    Parameters,
    Reading,
    RowMask,
    Shuffled,
)

ANY = frozenset(Kind)
Build = Callable[[str, Mapping[str, Any], Facts, Key], Mask]
Find = Callable[[str, Mapping[str, Any]], Definition]


class Sql(Parameters):
    """SQL of the user's, trusted as much as a migration."""

    expression: str = pydantic.Field(
        min_length=1,
        description="SQL over the columns of the row; its text form becomes the value",
    )


def _alone(name: str) -> Callable[[Parameters, Facts, Key], Mask]:
    def build(_parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
        def mask(_value: str) -> str:
            message = f"{name} works on rows, not inside a value"
            raise ValueError(message)

        return mask

    return build


def _take_first(_parameters: Parameters, _facts: Facts, _key: Key) -> RowMask:
    return lambda _value, beside: beside[0]


def _sql_reads(parameters: Parameters, column: str, _key: Key) -> tuple[Reading, ...]:
    assert isinstance(parameters, Sql)  # noqa: S101 - the registry pairs them
    return (Expression(column, parameters.expression),)


def _shuffle_reads(_parameters: Parameters, column: str, key: Key) -> tuple[Reading, ...]:
    return (Shuffled(column, key.digest("shuffle", column).hex()),)


class Template(Parameters):
    """Text around other columns of the row; it is cut to the length of its own."""

    template: str = pydantic.Field(
        min_length=1, description="text with `{column}` for anonymized values of the same row"
    )

    @pydantic.field_validator("template")
    @classmethod
    def _readable(cls, template: str) -> str:
        if not _fields(template):
            message = "names no {column}"
            raise ValueError(message)
        return template


def _fields(template: str) -> tuple[str, ...]:
    parts = string.Formatter().parse(template)
    return tuple(dict.fromkeys(name for _, name, _, _ in parts if name))


def _template(parameters: Parameters, facts: Facts, _key: Key) -> RowMask:
    assert isinstance(parameters, Template)  # noqa: S101 - the registry pairs them
    names = _fields(parameters.template)

    def mask(_value: str, beside: tuple[str | None, ...]) -> str:
        known = {name: value or "" for name, value in zip(names, beside, strict=True)}
        made = " ".join(parameters.template.format_map(known).split())
        return made if facts.max_length is None else made[: facts.max_length]

    return mask


def _template_columns(parameters: Parameters) -> tuple[str, ...]:
    assert isinstance(parameters, Template)  # noqa: S101 - the registry pairs them
    return _fields(parameters.template)


class Function(Parameters):
    """A function of the user's: ``function(value, secret)`` → the new value, or None."""

    function: str = pydantic.Field(
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="the import path `package.module:name` of a function that takes the value and "
        "sixteen secret bytes that depend on it",
    )
    unique: bool = pydantic.Field(
        default=False, description="that you promise different fakes for different values"
    )


def _python(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Function)  # noqa: S101 - the registry pairs them
    module, _, name = parameters.function.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        message = f"{parameters.function} cannot be imported ({type(error).__name__})"
        raise ValueError(message) from None

    def mask(value: str) -> str | None:
        made = function(value, key.digest(f"python {parameters.function}", value))
        if made is not None and not isinstance(made, str):
            message = f"{parameters.function} must return text or None"
            raise ValueError(message)
        return made

    return mask


def _function_digest(parameters: Parameters) -> str:
    """Return a digest of the module's source, found without running it."""
    assert isinstance(parameters, Function)  # noqa: S101 - the registry pairs them
    try:
        spec = importlib.util.find_spec(parameters.function.partition(":")[0])
        source = Path(spec.origin).read_bytes() if spec and spec.origin else b""
    except (ImportError, OSError, ValueError):
        source = b""
    return hashlib.sha256(source).hexdigest()[:16]


def _function_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Function)  # noqa: S101 - the registry pairs them
    if facts.unique and not parameters.unique:
        return "the column is unique; say `unique: true` if the function never repeats itself"
    try:
        found = importlib.util.find_spec(parameters.function.partition(":")[0])
    except ImportError:
        found = None
    return None if found else f"there is no module for {parameters.function}"


class Composed(Parameters):
    """Anonymizers that work one after the other."""

    rules: tuple[Any, ...] = pydantic.Field(
        min_length=1, description="the anonymizers, each a name or a mapping"
    )


def _parts(parameters: Parameters) -> list[tuple[str, dict[str, Any]]]:
    assert isinstance(parameters, Composed)  # noqa: S101 - the registry pairs them
    found = []
    for rule in parameters.rules:
        options = dict(rule) if isinstance(rule, Mapping) else {"anonymize": rule}
        found.append((str(options.pop("anonymize", "")), options))
    return found


def composed_definition(build_mask: Build, definition_of: Find) -> Definition:
    """Return ``compose``; ``build_mask`` and ``definition_of`` reach the other anonymizers."""

    def build(parameters: Parameters, facts: Facts, key: Key) -> Mask:
        return _after_another(
            [build_mask(name, options, facts, key) for name, options in _parts(parameters)]
        )

    def specialise(parameters: Parameters) -> Definition:
        parts = [definition_of(name, options) for name, options in _parts(parameters)]
        return replace(
            plain,
            specialise=None,
            accepts=frozenset.intersection(*(part.accepts for part in parts)),
            keyed=any(part.keyed for part in parts),
            unique=all(part.unique for part in parts),
            searchable=any(part.searchable for part in parts),
            partial=all(part.partial for part in parts),
            version=sum(part.version for part in parts),
        )

    def words(parameters: Parameters) -> frozenset[str]:
        found = [(definition_of(*part), part[1]) for part in _parts(parameters)]
        return frozenset().union(
            *(part.vocabulary(part.parameters.model_validate(options)) for part, options in found)
        )

    def misfit(parameters: Parameters, facts: Facts) -> str | None:
        for name, options in _parts(parameters):
            part = definition_of(name, options)
            problem = part.misfit(part.parameters.model_validate(options), facts)
            if part.build_row is not None or part.people:
                problem = "cannot be one of several"
            if problem:
                return f"{name} {problem}"
        return None

    plain = Definition(
        name="compose",
        summary="Several anonymizers, one after the other.",
        accepts=ANY,
        build=build,
        parameters=Composed,
        vocabulary=words,
        misfit=misfit,
        specialise=specialise,
    )
    return plain


def _after_another(masks: list[Mask]) -> Mask:
    def mask(value: str) -> str | None:
        result: str | None = value
        for step in masks:
            result = None if result is None else step(result)
        return result

    return mask


def _never_unique(_parameters: Parameters, facts: Facts) -> str | None:
    return "may repeat itself, but the column is unique" if facts.unique else None


DEFINITIONS = (
    Definition(
        name="sql",
        summary="What the database makes of a SQL expression over the row.",
        accepts=ANY,
        build=_alone("sql"),
        build_row=_take_first,
        reads=_sql_reads,
        parameters=Sql,
        keyed=False,
        partial=True,
        misfit=_never_unique,
    ),
    Definition(
        name="shuffle",
        summary="The value of another row: the column keeps its distribution to the last value.",
        accepts=ANY,
        build=_alone("shuffle"),
        build_row=_take_first,
        reads=_shuffle_reads,
        partial=True,
        searchable=False,
        unique=True,
    ),
    Definition(
        name="template",
        summary="Text made of the anonymized values of other columns of the row.",
        accepts=frozenset({Kind.TEXT}),
        build=_alone("template"),
        build_row=_template,
        reads_masked=_template_columns,
        parameters=Template,
        keyed=False,
        misfit=_never_unique,
    ),
    Definition(
        name="python",
        summary="What a Python function of yours makes of the value.",
        accepts=ANY,
        build=_python,
        parameters=Function,
        misfit=_function_misfit,
        source_digest=_function_digest,
    ),
)
