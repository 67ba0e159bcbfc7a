"""The entity-relationship diagram of a catalog as SVG: pure, without scripts and without fonts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..model.catalog import Catalog, Table

BOX = 190
LINE = 17
HEAD = 26
GAP_X = 84
SMALLEST = 0.6
"""How far a wide diagram shrinks to fit its page before it scrolls."""
GAP_Y = 22
MARGIN = 16
MOST_KEYS = 12
MOST_PERSONAL = 10
PERSONAL = "●"
NAME_WIDTH = 24
ARROW = """
<title>Tables and the foreign keys between them</title>
<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
orient="auto"><path d="M0 0 L8 4 L0 8 z" class="tip"/></marker></defs>"""


@dataclass(frozen=True)
class _Box:
    table: str
    lines: tuple[str, ...]
    rows: str
    x: int
    y: int

    @property
    def height(self) -> int:
        return HEAD + LINE * len(self.lines) + 8


def diagram(
    catalog: Catalog,
    rows: Mapping[str, int],
    order: tuple[tuple[str, ...], ...],
    personal: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return an SVG of every table with its keys; parents stand left of what refers to them.

    ``order`` is the plan's load order, parents first; a group in it is a cycle. ``personal`` names
    the columns of each table that are to be marked.
    """
    boxes = _placed(catalog, rows, _depths(catalog, order), personal or {})
    width = max((box.x + BOX for box in boxes.values()), default=0) + MARGIN
    height = max((box.y + box.height for box in boxes.values()), default=0) + MARGIN
    edges = [
        _edge(boxes[key.parent], boxes[key.table], f"{key.table}: {', '.join(key.columns)}")
        for key in catalog.foreign_keys
        if key.parent in boxes
    ]
    drawn = [_drawn(box) for box in boxes.values()]
    limits = f"width:100%;max-width:{width}px;min-width:{width * SMALLEST:.0f}px;height:auto"
    size = f'viewBox="0 0 {width} {height}" style="{limits}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" class="er">{ARROW}'
    return "\n".join([head, *edges, *drawn, "</svg>"])


def _depths(catalog: Catalog, order: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    """Return how many references lie between each table and the farthest root."""
    depths: dict[str, int] = {}
    for group in order:
        parents = {
            key.parent
            for name in group
            for key in catalog.tables[name].foreign_keys
            if key.parent not in group
        }
        depth = 1 + max((depths[parent] for parent in parents if parent in depths), default=-1)
        depths |= dict.fromkeys(group, depth)
    return depths


def _placed(
    catalog: Catalog,
    rows: Mapping[str, int],
    depths: Mapping[str, int],
    personal: Mapping[str, Sequence[str]],
) -> dict[str, _Box]:
    """Place one column of boxes for each depth; tables without references fill up the first."""
    boxes: dict[str, _Box] = {}
    columns: dict[int, list[str]] = {}
    for name, depth in sorted(depths.items(), key=lambda entry: (entry[1], entry[0])):
        columns.setdefault(depth, []).append(name)
    for depth, tables in sorted(columns.items()):
        tables.sort(key=lambda name: (_height_of_parents(catalog.tables[name], boxes), name))
        y = MARGIN
        for name in tables:
            shown = f"{rows[name]:,}" if name in rows else ""
            lines = _lines(catalog.tables[name], personal.get(name, ()))
            box = _Box(name, lines, shown, MARGIN + depth * (BOX + GAP_X), y)
            boxes[name] = box
            y += box.height + GAP_Y
    return boxes


def _height_of_parents(table: Table, boxes: Mapping[str, _Box]) -> float:
    found = [boxes[key.parent].y for key in table.foreign_keys if key.parent in boxes]
    return sum(found) / len(found) if found else 0.0


def _lines(table: Table, personal: Sequence[str]) -> tuple[str, ...]:
    keys = [f"◆ {column}" for column in table.primary_key]
    refers = {column for key in table.foreign_keys for column in key.columns}
    keys += [f"→ {column}" for column in sorted(refers - set(table.primary_key))]
    keys = _first(keys, MOST_KEYS)
    keys += _first([f"{PERSONAL} {column}" for column in personal], MOST_PERSONAL)
    others = len({c.name for c in table.columns} - refers - {*table.primary_key, *personal})
    noun = "column" if others == 1 else "columns"
    return (*keys, f"{others} other {noun}") if others else tuple(keys)


def _first(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{lines[0][0]} … {len(lines) - most + 1} more"]


def _short(text: str) -> str:
    return text if len(text) <= NAME_WIDTH else text[: NAME_WIDTH - 1] + "…"


def _drawn(box: _Box) -> str:
    frame = f'x="{box.x}" y="{box.y}" width="{BOX}" height="{box.height}" rx="6" class="box"'
    name, rows = escape(_short(box.table)), escape(box.rows)
    parts = [
        f"<g><title>{escape(box.table)}</title><rect {frame}/>",
        f'<text x="{box.x + 10}" y="{box.y + 18}" class="name">{name}</text>',
        f'<text x="{box.x + BOX - 10}" y="{box.y + 18}" class="rows">{rows}</text>',
    ]
    for number, line in enumerate(box.lines, 1):
        y = box.y + HEAD + LINE * number - 3
        kind = "mine" if line.startswith(PERSONAL) else "key"
        text = escape(_short(line))
        parts.append(f'<text x="{box.x + 10}" y="{y}" class="{kind}">{text}</text>')
    return "".join([*parts, "</g>"])


def _edge(parent: _Box, child: _Box, label: str) -> str:
    """Draw an arrow from a table to what it refers to."""
    end_x, end_y = parent.x + BOX, parent.y + HEAD // 2
    if parent.x < child.x:
        start_x, start_y = child.x, child.y + HEAD // 2
        bend = max(40, (start_x - end_x) // 2)
        curve = f"C{start_x - bend} {start_y} {end_x + bend} {end_y} {end_x} {end_y}"
    else:  # a self-reference, or inside a cycle: around the right side
        start_x, start_y = child.x + BOX, child.y + child.height - 10
        bend = GAP_X // 2
        curve = f"C{start_x + bend} {start_y} {end_x + bend} {end_y} {end_x} {end_y}"
    title = f"<title>{escape(label)} → {escape(parent.table)}</title>"
    path = f"M{start_x} {start_y} {curve}"
    return f'<path d="{path}" class="edge" marker-end="url(#to)">{title}</path>'
