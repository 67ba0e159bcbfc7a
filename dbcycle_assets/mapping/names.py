"""Names of classes, attributes and enum members, made from those of tables, columns and labels."""

import functools
import keyword
import re
from collections.abc import Collection

import inflect

RESERVED = frozenset(
    {"metadata", "registry", "datetime", "decimal", "enum", "ipaddress", "uuid", "Any", "Base"}
    | {"bool", "bytes", "dict", "float", "int", "list", "str"}
)
"""What a class body of ours refers to: an attribute of that name would hide it."""

_WORDS = inflect.engine()


def identifier(name: str) -> str:
    """Return a name that Python takes, as near as can be."""
    made = re.sub(r"\W", "_", name.strip()) or "_"
    if made.startswith("__"):  # Python would mangle it
        made = "_" + made.lstrip("_")
    if made[0].isdigit():
        made = f"_{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


def free(name: str, *taken: Collection[str]) -> str:
    """Return a name that nothing has yet."""
    made, number = identifier(name), 1
    while any(made in names for names in taken):
        number += 1
        made = f"{identifier(name)}_" if number == 2 else f"{identifier(name)}_{number}"  # noqa: PLR2004
    return made


@functools.cache
def singular(name: str) -> str:
    """Return a plural name in the singular; only its last word changes."""
    head, last = _last_word(name)
    if re.search(r"(?i)(ss|us|is|news|series|data|media)$", last):
        return name
    found = _WORDS.singular_noun(last.lower())
    return head + _same_case(str(found), last) if found else name


@functools.cache
def plural(name: str) -> str:
    """Return a name in the plural; only its last word changes."""
    head, last = _last_word(name)
    if singular(name) != name or re.search(r"(?i)(news|series|data|media)$", last):
        return name
    return head + _same_case(str(_WORDS.plural_noun(last.lower())), last)


def _last_word(name: str) -> tuple[str, str]:
    found = re.search(r"([A-Z]?[^_A-Z]+|[A-Z]+)$", name)
    return (name[: found.start()], found.group()) if found else ("", name)


def _same_case(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def pascal(name: str) -> str:
    """Return a name in PascalCase; capitals inside a word stay."""
    parts = re.split(r"[\W_]+", name)
    return (
        "".join(
            part[:1].upper() + (part[1:].lower() if part.isupper() and len(parts) > 1 else part[1:])
            for part in parts
            if part
        )
        or "Unnamed"
    )


def class_name(table: str) -> str:
    """Return the singular PascalCase name of a table's class."""
    return identifier(pascal(singular(table)))


def without_id(column: str) -> str | None:
    """Return what a column named ``…_id`` is the id of, or None."""
    found = re.fullmatch(r"(.+?)(_id|_uuid|_pk|Id|ID)", column)
    return found.group(1) if found else None


def member(label: str) -> str:
    """Return the name of an enum's member."""
    made = re.sub(r"\W", "_", label).strip("_").upper()
    if not made:
        return "EMPTY" if not label else "VALUE"
    made = f"VALUE_{made}" if made[0].isdigit() else made
    return made if made.isidentifier() else "VALUE"


def members(labels: Collection[str]) -> list[tuple[str, str]]:
    """Return (member, label) in order; labels that look alike get numbers."""
    taken: set[str] = set()
    found = []
    for label in labels:
        name, number = member(label), 1
        while name in taken:
            number += 1
            name = f"{member(label)}_{number}"
        taken.add(name)
        found.append((name, label))
    return found
