"""Lists and braces of an edited YAML file, broken into lines as its writer had broken them."""

from collections.abc import Iterator
from typing import Any

import ruamel.yaml
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[str, ...]


def rewrapped(edited: str, former: str) -> str:
    """Return an edited text in which every ``[…]`` and ``{…}`` that says what it said in the former
    one is written as it was there.
    """
    try:
        before, after = _composed(former), _composed(edited)
        known = dict(_flows(before))
        spans = {
            (node.start_mark.index, node.end_mark.index): former[
                known[place].start_mark.index : known[place].end_mark.index
            ]
            for place, node in _flows(after)
            if place in known and _content(node) == _content(known[place])
        }
        text = edited
        for (start, end), written in sorted(spans.items(), reverse=True):
            text = text[:start] + written + text[end:]
        return text if _content(_composed(text)) == _content(after) else edited
    except YAMLError:
        return edited


def _composed(text: str) -> Any:
    return ruamel.yaml.YAML(typ="safe", pure=True).compose(text)


def _flows(node: Any, place: Place = ()) -> Iterator[tuple[Place, CollectionNode]]:
    """Yield the outermost collections in brackets or braces, each with its place."""
    if isinstance(node, CollectionNode) and node.flow_style:
        yield place, node
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _flows(value, (*place, str(key.value)))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _flows(value, (*place, str(index)))


def _content(node: Node | None) -> Any:
    """Return what a node says, however it is written."""
    if isinstance(node, ScalarNode):
        return node.anchor, node.tag, node.value
    if isinstance(node, MappingNode):
        return node.anchor, [(_content(key), _content(value)) for key, value in node.value]
    if isinstance(node, SequenceNode):
        return node.anchor, [_content(value) for value in node.value]
    return None
