"""XML and hstore: by path where the rule says so, and masked by default everywhere else."""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .document import Leaves, Rules, rule_of
from .vocabulary import emitted

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_PATH = re.compile(r"(?:/(?:\*|[\w:.\-]+))*(?:/@(?:\*|[\w:.\-]+))?")
_ROOT = "dbcycle"


class XmlPaths(Parameters):
    """How a document is masked."""

    paths: dict[str, Any] = pydantic.Field(
        default_factory=dict,
        description="rules by path (`/order/customer`, `/order/*/@email`): an anonymizer's name, a "
        "mapping with `anonymize`, or `keep`; a path also covers what lies below it",
    )
    default: str = pydantic.Field(
        default="mask", pattern=r"^(mask|keep)$", description="`mask` or `keep` for everything else"
    )

    @pydantic.field_validator("paths")
    @classmethod
    def _readable(cls, paths: dict[str, Any]) -> dict[str, Any]:
        for path in paths:
            if not path or _PATH.fullmatch(path) is None:
                message = f"{path}: a path looks like /a/b, /a/*/c or /a/@b"
                raise ValueError(message)
        return paths


Leaf = Callable[[str, tuple[str, ...]], str]


class _Writer:
    """Writes a document again while expat reads it; comments and instructions are dropped, because
    nobody can judge them.
    """

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf
        self._place: list[str] = []
        self._text = ""
        self._open = False
        self._made: list[str] = []

    def write(self, text: str) -> str:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            # Inside an element no document type is allowed, so that there are no entities at all.
            parser.Parse(f"<{_ROOT}>{text}</{_ROOT}>", True)  # noqa: FBT003 - expat's own
        except expat.ExpatError:
            message = "no XML that can be read without its document type"
            raise ValueError(message) from None
        return "".join(self._made)

    def _characters(self, text: str) -> None:
        self._text += text

    def _flush(self) -> None:
        if self._open:
            self._made.append(">")
            self._open = False
        text, self._text = self._text, ""
        if text.strip():
            text = self._leaf(text, tuple(self._place[1:]))
        self._made.append(escape(text))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._place:
            self._flush()
            shown = "".join(
                f" {key}={quoteattr(self._attribute(name, key, value))}"
                for key, value in attributes.items()
            )
            self._made.append(f"<{name}{shown}")
            self._open = True
        self._place.append(name)

    def _attribute(self, element: str, name: str, value: str) -> str:
        if name == "xmlns" or name.startswith("xmlns:") or not value.strip():
            return value
        return self._leaf(value, (*self._place[1:], element, f"@{name}"))

    def _end(self, name: str) -> None:
        if self._open and not self._text:
            self._made.append("/>")
            self._open = False
        else:
            self._flush()
            if len(self._place) > 1:
                self._made.append(f"</{name}>")
        self._place.pop()


def xml_definition(build_mask: Rules) -> Definition:
    """Return the XML anonymizer; ``build_mask`` makes the masks of its paths."""

    def build(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
        assert isinstance(parameters, XmlPaths)  # noqa: S101 - the registry pairs them
        leaves = Leaves(key)
        rules = [
            (tuple(path[1:].split("/")), rule_of(rule, key, build_mask))
            for path, rule in parameters.paths.items()
        ]

        def leaf(text: str, place: tuple[str, ...]) -> str:
            for steps, mask in rules:
                if len(steps) <= len(place) and all(
                    step in {"*", "@*"} or step == here
                    for step, here in zip(steps, place, strict=False)
                ):
                    return str(mask(text) or "")
            return text if parameters.default == "keep" else str(leaves(text))

        def mask(value: str) -> str:
            if not value.strip():
                return value
            declared = _DECLARATION.match(value)
            start = declared.end() if declared else 0
            return value[:start] + _Writer(leaf).write(value[start:])

        return mask

    return Definition(
        name="xml",
        summary="Every text and attribute of a document: by path where you say, masked elsewhere.",
        accepts=frozenset({Kind.XML, Kind.TEXT}),
        build=build,
        parameters=XmlPaths,
        partial=True,
        vocabulary=lambda _parameters: emitted() | {"x", "q"},
    )


class HstoreKeys(Parameters):
    """How the values of an hstore are masked."""

    keys: dict[str, Any] = pydantic.Field(
        default_factory=dict,
        description="rules by key: an anonymizer's name, a mapping with `anonymize`, or `keep`",
    )
    default: str = pydantic.Field(
        default="mask", pattern=r"^(mask|keep)$", description="`mask` or `keep` for other keys"
    )


_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_ENTRY = re.compile(rf"\s*{_QUOTED}\s*=>\s*(?:{_QUOTED}|(NULL))\s*(?:,|$)", re.DOTALL)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def hstore_definition(build_mask: Rules) -> Definition:
    """Return the hstore anonymizer; ``build_mask`` makes the masks of its keys."""

    def build(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
        assert isinstance(parameters, HstoreKeys)  # noqa: S101 - the registry pairs them
        leaves = Leaves(key)
        rules = {name: rule_of(rule, key, build_mask) for name, rule in parameters.keys.items()}
        fallback = leaves if parameters.default == "mask" else rule_of("keep", key, build_mask)

        def entry(match: re.Match[str]) -> str:
            name = re.sub(r"\\(.)", r"\1", match[1])
            if match[3]:
                return f"{_quoted(leaves.key(name))}=>NULL"
            text = re.sub(r"\\(.)", r"\1", match[2])
            made = rules.get(name, fallback)(text) if text.strip() else text
            shown = "NULL" if made is None else _quoted(str(made))
            return f"{_quoted(leaves.key(name))}=>{shown}"

        def mask(value: str) -> str:
            entries = list(_ENTRY.finditer(value))
            if "".join(match.group() for match in entries) != value:
                message = "no hstore"
                raise ValueError(message)
            return ", ".join(map(entry, entries))

        return mask

    return Definition(
        name="hstore",
        summary="Every value of an hstore: by key where you say, recognized and masked elsewhere.",
        accepts=frozenset({Kind.OTHER, Kind.TEXT}),
        build=build,
        parameters=HstoreKeys,
        partial=True,
        vocabulary=lambda _parameters: emitted() | {"x", "q"},
    )
