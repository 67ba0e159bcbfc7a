"""A YAML file with its comments and line numbers: parsed within limits, edited, written back."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import ruamel.yaml
import ruamel.yaml.error
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import CommentMark
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

from ..errors import ConfigError

MAX_BYTES = 5_000_000
MAX_NODES = 500_000
MAX_DEPTH = 1000
LAYOUTS = tuple(product((100, 4096), ((2, 4, 2), (2, 2, 0), (4, 6, 4), (4, 4, 2), (4, 2, 0))))
"""Line width, and the indents of mappings, sequences and dashes; the first is ours."""

UNREADABLE = (
    ruamel.yaml.error.YAMLError, ValueError, RecursionError, IndexError, KeyError, TypeError,
    AttributeError, AssertionError, NotImplementedError, ArithmeticError,
)  # fmt: skip
"""What the parser raises over a file that is no YAML: it stumbles in many ways."""

Layout = tuple[int, tuple[int, int, int]]


def parse(path: Path) -> CommentedMap:
    """Return the mapping in a file.

    Raises:
        ConfigError: it is no YAML, no mapping, has tags, or more values than a person wrote.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES} bytes", where=str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
        if _is_deep(text):  # the parser takes the square of its depth
            raise ConfigError("is nested too deeply", where=str(path), remedy="close what is open")
        document = _round_trip(LAYOUTS[0]).load(text)
        _check(document, path)
    except ruamel.yaml.error.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # ruamel's own words about a duplicate key quote the value.
        problem = "duplicate key" if "duplicate key" in str(error.problem) else error.problem
        raise ConfigError(f"is not valid YAML: {problem}", where=where) from None
    except UNREADABLE as error:
        raise ConfigError(f"is not valid YAML ({type(error).__name__})", where=str(path)) from None
    if not isinstance(document, CommentedMap):
        raise ConfigError("must be a mapping that starts with `name:`", where=str(path))
    return document


def _is_deep(text: str) -> bool:
    depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth += 1 if match.group() in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _check(document: Any, path: Path) -> None:
    """Refuse tags, and count every value with aliases expanded, but stop past the limit."""
    stack, count = [document], 0
    while stack:
        node = stack.pop()
        count += 1
        if count > MAX_NODES:
            raise ConfigError("has too many values; are its aliases a mistake?", where=str(path))
        tag = getattr(node, "tag", None)
        if isinstance(node, TaggedScalar) or (tag is not None and tag.value is not None):
            raise ConfigError(
                "YAML tags (`!…`) have no meaning here",
                where=_place_of(node, path),
                remedy="remove the tag",
            )
        if not all(map(_is_whole, [*node, *node.values()] if isinstance(node, Mapping) else [])):
            raise ConfigError(
                "half of a character is written here (`\\ud83d`)",
                where=_place_of(node, path),
                remedy="write the character itself",
            )
        stack.extend(_children(node))


def _place_of(node: Any, path: Path) -> str:
    line = getattr(getattr(node, "lc", None), "line", None)
    return str(path) if line is None else f"{path}:{line + 1}"


def _is_whole(value: Any) -> bool:
    """Tell whether a text can be written down; a list's are looked at with the list."""
    if isinstance(value, list):
        return all(_is_whole(item) for item in value if isinstance(item, str))
    return not isinstance(value, str) or not re.search("[\ud800-\udfff]", value)


def _children(node: Any) -> Sequence[Any]:
    if isinstance(node, Mapping):
        return list(node.values())
    return node if isinstance(node, list) else ()


def plain(value: Any) -> Any:
    """Return the value as plain dicts, lists, strings and numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, ruamel.yaml.scalarbool.ScalarBoolean):
        return bool(value)
    # A number or string of YAML remembers how it was written; equal values must be equal bytes.
    kinds = (kind for kind in (bool, str, float, int) if isinstance(value, kind))
    kind = next(kinds, None)
    return value if kind is None else kind(value)


def quoted(value: Any) -> Any:
    """Return a value whose strings are quoted if anything in them could mean something in YAML."""
    if isinstance(value, Mapping):
        return {quoted(key): quoted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [quoted(item) for item in value]
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", value):
        return DoubleQuotedScalarString(value)
    return value


def line_of(document: Any, place: Sequence[str]) -> int:
    """Return the line (from 1) of the deepest part of a place that the document has."""
    line, node = 1, document
    for part in place:
        if isinstance(node, CommentedMap):
            key = next((key for key in node if str(key) == part), None)
            if key is None:
                break
            if key in node.lc.data:
                line = node.lc.key(key)[0] + 1
            node = node[key]
        elif isinstance(node, CommentedSeq) and part.isdigit() and int(part) < len(node):
            line = node.lc.item(int(part))[0] + 1
            node = node[int(part)]
        else:
            break
    return line


def _round_trip(layout: Layout) -> ruamel.yaml.YAML:
    width, (mapping, sequence, offset) = layout
    yaml = ruamel.yaml.YAML()
    yaml.preserve_quotes = True
    yaml.width = width
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def dump(document: CommentedMap, layout: Layout = LAYOUTS[0]) -> str:
    """Return the document as text."""
    text = io.StringIO()
    _round_trip(layout).dump(document, text)
    return text.getvalue()


def layout_of(document: CommentedMap, text: str) -> Layout:
    """Return the layout in which the document, written again, differs least from its text."""
    lines = Counter(text.splitlines())
    best, least = LAYOUTS[0], len(text) + 1
    for layout in LAYOUTS:
        again = Counter(dump(document, layout).splitlines())
        difference = (lines - again).total() + (again - lines).total()
        if difference < least:
            best, least = layout, difference
        if least == 0:
            break
    return best


class Sharing:
    """Which parts of a document stand in several places, through aliases and merges."""

    def __init__(self, document: CommentedMap) -> None:
        self._uses: Counter[int] = Counter()
        stack: list[Any] = [document]
        seen = {id(document)}
        while stack:
            for child in _children(stack.pop()):
                if isinstance(child, (CommentedMap, CommentedSeq)):
                    self._uses[id(child)] += 1
                    if id(child) not in seen:
                        seen.add(id(child))
                        stack.append(child)

    def own(self, parent: CommentedMap, key: str) -> Any:
        """Return what ``key`` holds, after giving the parent a copy if others share it.

        What a copied container holds counts as shared from then on.
        """
        node = parent.get(key)
        if not isinstance(node, (CommentedMap, CommentedSeq)) or self._uses[id(node)] < 2:  # noqa: PLR2004
            return node
        copied: Any = CommentedSeq(node) if isinstance(node, CommentedSeq) else CommentedMap(node)
        if node.fa.flow_style():
            copied.fa.set_flow_style()
        for child in _children(copied):
            self._uses[id(child)] += 1
        parent[key] = copied
        return copied


@contextmanager
def growing(parent: CommentedMap, key: str) -> Iterator[None]:
    """Keep the comment lines that follow an entry behind it while it grows or is replaced.

    ruamel.yaml hangs those lines on the last value before them, so that whatever is added to the
    entry would come after them. A new entry grows out of the one that is last now.
    """
    tail = _take_tail(parent, key) if parent else ""
    yield
    give_tail(parent, key, tail)


def remove(parent: CommentedMap, key: str) -> str:
    """Take out an entry, but keep the comment lines after it; return them if nothing is left."""
    before = [known for known in parent if known != key]
    position = list(parent).index(key)
    tail = _take_tail(parent, key)
    parent.pop(key)
    if before:
        give_tail(parent, before[max(position, 1) - 1], tail)
        return ""
    return tail


def _last(parent: Any, key: Any) -> tuple[Any, Any]:
    """Return the container and the key of the last value inside an entry, or inside the parent."""
    key = key if key in parent else next(reversed(parent))
    node = parent[key]
    while isinstance(node, (CommentedMap, CommentedSeq)) and node and not node.fa.flow_style():
        parent = node
        key = next(reversed(node)) if isinstance(node, CommentedMap) else len(node) - 1
        node = parent[key]
    return parent, key


def _comments(parent: Any, key: Any) -> tuple[list[Any], int]:
    """Return the list that holds the comment after a value, and its position there."""
    index = 2 if isinstance(parent, CommentedMap) else 0
    slots = parent.ca.items.get(key)
    if slots is None:
        slots = parent.ca.items[key] = [None] * (4 if isinstance(parent, CommentedMap) else 2)
    return slots, index


def _take_tail(parent: CommentedMap, key: Any) -> str:
    """Remove and return the lines after an entry that are indented less than its inside."""
    # Lines at the column of the keys announce the next key; before a new key they stay put.
    floor = (parent.lc.col or 0) - (key not in parent)
    parent, key = _last(parent, key)
    slots, index = _comments(parent, key)
    token = slots[index]
    if not isinstance(token, CommentToken) or "\n" not in token.value:
        return ""
    head, _, rest = token.value.partition("\n")
    lines = rest.splitlines(keepends=True)
    stays = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            if len(line) - len(line.lstrip()) <= floor:
                break
            stays = number
    kept = head + "\n" + "".join(lines[:stays])
    slots[index] = CommentToken(kept, token.start_mark) if kept.strip() else None
    node = parent[key]
    if isinstance(node, (CommentedMap, CommentedSeq)) and node.ca.comment:
        node.ca.comment[0] = slots[index]  # ruamel.yaml notes it on a flow collection too
    return "".join(lines[stays:])


def give_tail(parent: CommentedMap, key: Any, tail: str) -> None:
    """Put comment lines after an entry, or after the last one if there is no such entry."""
    if not tail or not parent:
        return
    parent, key = _last(parent, key)
    slots, index = _comments(parent, key)
    token = slots[index]
    before = token.value if isinstance(token, CommentToken) else ""
    mark = token.start_mark if isinstance(token, CommentToken) else CommentMark(0)
    slots[index] = CommentToken(before.rstrip("\n") + "\n" + tail, mark)
    node = parent[key]
    if isinstance(node, (CommentedMap, CommentedSeq)) and node.ca.comment:
        node.ca.comment[0] = slots[index]
