"""Check constraints that list the values of a column: an enum in all but name."""

import re

_LIST = re.compile(
    r"""(?isx) \(* (?P<column> "(?:[^"]|"")+" | [\w$]+ ) \)* (?: :: [\w\s]+? )? \)*
    \s* (?: \bIN \s* \( | = \s* ANY \s* \(+ \s* ARRAY \s* \[ ) (?P<values> .* )"""
)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_AROUND = re.compile(
    r"(?i)::\s*(character varying|text|bpchar|varchar)(\(\d+\))?(\[\])?|[\s,()\[\]]"
)


def listed_labels(expression: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the column and the labels of a check like ``status IN ('new', 'done')``, else None."""
    found = _LIST.fullmatch(expression.strip())
    if found is None:
        return None
    values = found["values"]
    labels = tuple(label.replace("''", "'") for label in _LITERAL.findall(values))
    if not labels or _AROUND.sub("", _LITERAL.sub("", values)):
        return None
    return _name(found["column"]), labels


def lists_booleans(expression: str) -> str | None:
    """Return the column of a check like ``active IN (0, 1)``, else None."""
    found = _LIST.fullmatch(expression.strip())
    if found is None or re.sub(r"[\s()]", "", found["values"]) not in {"0,1", "1,0"}:
        return None
    return _name(found["column"])


def _name(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
