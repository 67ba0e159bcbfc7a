"""JSON: by path where the rule says so, and masked by default everywhere else."""

import json
import re
from collections.abc import Callable
from typing import Any

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .contact import DEFINITIONS as CONTACTS
from .moment import DEFINITIONS as MOMENTS
from .network import DEFINITIONS as MACHINES
from .number import DEFINITIONS as NUMBERS
from .phone import DEFINITIONS as PHONES
from .prose import prose
from .vocabulary import emitted

_EMAIL = re.compile(r"\s*[^\s@]+@[^\s@]+\.[^\s@]+\s*")
_PHONE = re.compile(r"\s*\+?[\d(][\d\s().\-/]{5,}\d\s*")
_URL = re.compile(r"\s*https?://\S+\s*", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-][\d:]+)?)?")
_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+|\*)\]")

Rules = Callable[[str, dict[str, Any], Facts, Key], Mask]


class Paths(Parameters):
    """How a document is masked."""

    paths: dict[str, Any] = pydantic.Field(
        default_factory=dict,
        description="rules by path (`$.a.b`, `$.list[*].x`, `$.any.*`): an anonymizer's name, a "
        "mapping with `anonymize`, or `keep`",
    )
    default: str = pydantic.Field(
        default="mask", pattern=r"^(mask|keep)$", description="`mask` or `keep` for other leaves"
    )

    @pydantic.field_validator("paths")
    @classmethod
    def _readable(cls, paths: dict[str, Any]) -> dict[str, Any]:
        for path in paths:
            if not path.startswith("$") or _PART.sub("", path[1:]):
                message = f"{path}: a path looks like $.a.b, $.list[*].x or $.any.*"
                raise ValueError(message)
        return paths


class Number(str):
    """A JSON number in the digits it was written with."""

    __slots__ = ()


def parts_of(path: str) -> tuple[str, ...]:
    """Return the steps of a path; ``*`` stands for any."""
    return tuple(name or index for name, index in _PART.findall(path[1:]))


def json_definition(  # noqa: C901 - one mask in its three forms
    build_mask: Rules,
) -> Definition:
    """Return the JSON anonymizer; ``build_mask`` makes the masks of its paths."""

    def build(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
        assert isinstance(parameters, Paths)  # noqa: S101 - the registry pairs them
        leaf = Leaves(key)
        rules = [
            (parts_of(path), rule_of(rule, key, build_mask))
            for path, rule in parameters.paths.items()
        ]
        fallback = leaf if parameters.default == "mask" else _keep

        def change(node: Any, place: tuple[str, ...]) -> Any:
            if isinstance(node, dict):
                return {
                    leaf.key(name): change(value, (*place, name)) for name, value in node.items()
                }
            if isinstance(node, list):
                return [change(value, (*place, str(i))) for i, value in enumerate(node)]
            if node is None or isinstance(node, bool):
                return node
            for pattern, mask in rules:
                if _matches(pattern, place):
                    return mask(node)
            return fallback(node)

        def mask(value: str) -> str:
            document = json.loads(value, parse_int=Number, parse_float=Number)
            return _write(change(document, ()))

        return mask

    return Definition(
        name="json",
        summary="Every leaf of a document: by path where you say, recognized and masked elsewhere.",
        accepts=frozenset({Kind.JSON, Kind.TEXT}),
        build=build,
        parameters=Paths,
        partial=True,
        vocabulary=lambda _parameters: emitted() | {"x", "q"},
    )


def _matches(pattern: tuple[str, ...], place: tuple[str, ...]) -> bool:
    """A pattern that ends at a container covers every leaf inside it."""
    return len(pattern) <= len(place) and all(
        step in ("*", here) for step, here in zip(pattern, place, strict=False)
    )


def _keep(node: Any) -> Any:
    return node


def rule_of(rule: Any, key: Key, build_mask: Rules) -> Callable[[Any], Any]:
    """Return the mask of the leaves of one path."""
    if rule == "keep":
        return _keep
    options = dict(rule) if isinstance(rule, dict) else {"anonymize": rule}
    name = str(options.pop("anonymize", ""))
    text = build_mask(name, options, Facts(Kind.TEXT), key)
    return lambda node: None if (made := text(str(node))) is None else str(made)


class Leaves:
    """Masks a leaf by what it looks like."""

    def __init__(self, key: Key) -> None:
        known = (*CONTACTS, *MACHINES, *PHONES, *MOMENTS, *NUMBERS)
        by_name = {definition.name: definition for definition in known}

        def mask(name: str, kind: Kind) -> Mask:
            found = by_name[name]
            return found.build(found.parameters(), Facts(kind), key)

        self._key = key
        self._number = mask("number", Kind.NUMERIC)
        self._shapes = (
            (_EMAIL, mask("email", Kind.TEXT)),
            (_URL, mask("url", Kind.TEXT)),
            (_UUID, mask("uuid", Kind.TEXT)),
            (_DATE, mask("timestamp", Kind.TEXT)),
            (_PHONE, mask("phone", Kind.TEXT)),
        )

    def __call__(self, node: Any) -> Any:
        """Return the fake of a leaf, of the same type."""
        if isinstance(node, Number):
            return Number(self._number(node) or node)
        text = str(node)
        for shape, mask in self._shapes:
            if shape.fullmatch(text):
                return mask(text)
        return prose(self._key, text)

    def key(self, name: str) -> str:
        """Mask an object's key only if it is itself an address or a number of somebody."""
        for shape, mask in (self._shapes[0], self._shapes[4]):
            if shape.fullmatch(name):
                return mask(name) or name
        return name


def _write(node: Any) -> str:
    if isinstance(node, Number):
        return str(node)
    if isinstance(node, dict):
        inside = ", ".join(
            f"{json.dumps(k, ensure_ascii=False)}: {_write(v)}" for k, v in node.items()
        )
        return "{" + inside + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_write, node)) + "]"
    return json.dumps(node, ensure_ascii=False)
