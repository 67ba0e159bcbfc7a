"""Codes: of a shape, of a pattern, shown in part, or put into classes."""

import re
import string
from collections.abc import Mapping
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .language import Language, parsed
from .permutation import ALPHABETS, Codes, blank
from .person import SUFFIX, needs
from .vocabulary import PROSE, fold

TEXT = frozenset({Kind.TEXT})
ENOUGH = 1 << 64
"""Texts of a pattern that keep a million rows apart, but for one case in thirty million."""


def repeats(_parameters: Parameters, facts: Facts) -> str | None:
    """Say why a rule that joins values cannot serve a unique column."""
    return "gives several values the same text, but the column is unique" if facts.unique else None


class Shape(Parameters):
    """What a code consists of."""

    alphabet: Literal["shape", "hex", "base32", "base58", "base64"] = pydantic.Field(
        default="shape",
        description="`shape` keeps digits, capitals and small letters in their places; the others "
        "permute all characters of that encoding among themselves",
    )


_BASE58 = "".join(c for c in string.digits + string.ascii_letters if c not in "0OIl")
_ENCODINGS: Mapping[str, tuple[str, ...]] = {
    "shape": ALPHABETS,
    "hex": ("0123456789abcdef",),
    "base32": (string.ascii_uppercase + "234567",),
    "base58": (_BASE58,),
    "base64": (string.ascii_letters + string.digits,),
}


def _code(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Shape)  # noqa: S101 - the registry pairs them
    alphabets = _ENCODINGS[parameters.alphabet]
    codes = Codes(key, f"code {parameters.alphabet}", alphabets)

    def mask(value: str) -> str:
        if parameters.alphabet == "hex" and value.upper() == value:
            return codes(value.lower()).upper()
        return codes(value)

    return mask


class Pattern(Parameters):
    """What the texts look like."""

    pattern: str = pydantic.Field(
        description="a regular expression of literals, classes such as [A-Z2-9] and \\d, groups "
        "with |, and bounded repetition: ? {n} {m,n}; nothing unbounded"
    )

    @pydantic.field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        parsed(pattern)
        return pattern


def _pattern(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Pattern)  # noqa: S101 - the registry pairs them
    language: Language = parsed(parameters.pattern)

    def mask(value: str) -> str:
        if not value.strip():
            return value
        number = int.from_bytes(key.digest(f"pattern {parameters.pattern}", value, 64), "big")
        made = language.text(number % language.size)
        return language.text((number + 1) % language.size) if made == value else made

    return mask


def _pattern_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Pattern)  # noqa: S101 - the registry pairs them
    language = parsed(parameters.pattern)
    if facts.max_length is not None and language.longest > facts.max_length:
        return f"gives up to {language.longest} characters, but the column has {facts.max_length}"
    if facts.unique and language.certain < ENOUGH:
        return f"has only {language.certain} different texts for sure, too few for a unique column"
    return None


class Partial(Parameters):
    """What stays readable; never more than half of a text."""

    keep_first: int = pydantic.Field(default=0, ge=0, description="characters kept at the start")
    keep_last: int = pydantic.Field(default=0, ge=0, description="characters kept at the end")
    character: str = pydantic.Field(
        default="*", min_length=1, max_length=1, description="what stands for a hidden character"
    )


def _mask(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Partial)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        head, tail = parameters.keep_first, parameters.keep_last
        if 2 * (head + tail) > len(value):
            head = tail = 0
        end = len(value) - tail
        hidden = re.sub(r"[^\W_]", parameters.character, value[head:end])
        made = value[:head] + hidden + value[end:]
        if made == value:
            made = re.sub(r"[^\W_]", parameters.character, value)
        return made

    return mask


class Truncate(Parameters):
    """How much stays; never more than half of a text."""

    length: int = pydantic.Field(ge=0, description="characters kept at the start")


def _truncate(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Truncate)  # noqa: S101 - the registry pairs them
    return lambda value: value[: min(parameters.length, len(value) // 2)]


class Classes(Parameters):
    """The classes that values are put into."""

    classes: dict[str, str] = pydantic.Field(
        min_length=1, description="the class of each value; case and outer blanks do not matter"
    )
    default: str | None = pydantic.Field(
        default=None, description="the class of every other value; without it they are an error"
    )


def _generalize(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Classes)  # noqa: S101 - the registry pairs them
    classes = {fold(value): name for value, name in parameters.classes.items()}

    def mask(value: str) -> str:
        found = classes.get(fold(value), parameters.default)
        return blank(value) if found is None else found

    return mask


def _class_words(parameters: Parameters) -> frozenset[str]:
    assert isinstance(parameters, Classes)  # noqa: S101 - the registry pairs them
    texts = (*parameters.classes.values(), parameters.default or "")
    return frozenset(word for text in texts for word in re.findall(r"[^\W_]+", text.casefold()))


def _slug(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        folded = fold(value)
        if not folded:
            return value
        suffix = key.digest("slug", folded).hex()[:SUFFIX]
        count = len(re.findall(r"[^\W_]+", folded)) - 1
        words = [PROSE[key.number("slug", f"{folded}\0{n}") % len(PROSE)] for n in range(count)]
        made = "-".join([*words, suffix])
        return made if facts.max_length is None or len(made) <= facts.max_length else suffix

    return mask


_FILE = re.compile(
    r"(?P<folders>.*[/\\])?(?P<stem>[^/\\]*?)(?P<end>(?:\.[A-Za-z0-9]{1,4}){0,2})\s*"
)


def _file_name(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        match = _FILE.fullmatch(value)
        if not value.strip() or match is None:
            return blank(value)
        steps = re.findall(r"[^/\\]+|[/\\]", match["folders"] or "")
        folders = "".join(
            step if step in "/\\." else key.digest("folder", step).hex()[:8] for step in steps
        )
        end = match["end"] if match["stem"] else ""
        name = key.digest("file name", value.strip()).hex()[:SUFFIX]
        made = f"{folders}{name}{end}"
        return made if facts.max_length is None or len(made) <= facts.max_length else name

    return mask


DEFINITIONS = (
    Definition(
        name="code",
        summary="Another code of the same shape, as of passports or number plates; a permutation.",
        accepts=TEXT,
        build=_code,
        parameters=Shape,
        unique=True,
        searchable=False,
        length_preserving=True,
        format_preserving=True,
        reversible=True,
    ),
    Definition(
        name="pattern",
        summary="A keyed text that matches a pattern.",
        accepts=TEXT,
        build=_pattern,
        parameters=Pattern,
        searchable=False,
        misfit=_pattern_misfit,
    ),
    Definition(
        name="mask",
        summary="A character for every letter and digit, but for some at the start and the end.",
        accepts=TEXT,
        build=_mask,
        parameters=Partial,
        keyed=False,
        misfit=repeats,
        length_preserving=True,
    ),
    Definition(
        name="truncate",
        summary="The first characters of a text.",
        accepts=TEXT,
        build=_truncate,
        parameters=Truncate,
        keyed=False,
        searchable=False,
        misfit=repeats,
    ),
    Definition(
        name="generalize",
        summary="The class of a value, from a list of yours.",
        accepts=frozenset({Kind.TEXT, Kind.ENUM, Kind.INTEGER}),
        build=_generalize,
        parameters=Classes,
        keyed=False,
        searchable=False,
        vocabulary=_class_words,
        misfit=repeats,
        folds=True,
    ),
    Definition(
        name="slug",
        summary="Other words with hyphens, as many as before, and a keyed suffix; unique.",
        accepts=TEXT,
        build=_slug,
        unique=True,
        vocabulary=lambda _parameters: frozenset(PROSE),
        misfit=needs(SUFFIX),
        folds=True,
    ),
    Definition(
        name="file_name",
        summary="Another file of the same type in as many folders; unique.",
        accepts=TEXT,
        build=_file_name,
        unique=True,
        misfit=needs(SUFFIX),
    ),
)
