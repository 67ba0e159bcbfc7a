"""Small plots as SVG: before in a light bar, after in a dark one over it. Pure; numbers only."""

from collections.abc import Sequence
from html import escape

WIDTH = 84
HEIGHT = 22
TRACK = 84
THICK = 8


def bars(before: Sequence[float], after: Sequence[float], title: str) -> str:
    """Return a histogram of shares before, with those after in front of it.

    Each side is scaled to its own sum, both to the tallest bar; empty entries that both start or
    end with are left out.
    """
    sides = _trimmed(_shares(before), _shares(after))
    number = max(len(sides[0]), 1)
    tallest = max([*sides[0], *sides[1]], default=0) or 1
    step = min(WIDTH / number, 14)
    drawn = []
    for name, side, part in (("b", sides[0], 0.86), ("a", sides[1], 0.4)):
        for index, share in enumerate(side):
            if share:
                height = max(1.5, share / tallest * (HEIGHT - 1))
                x = index * step + step * (1 - part) / 2
                box = f'x="{x:.1f}" y="{HEIGHT - height:.1f}" width="{step * part:.1f}"'
                drawn.append(f'<rect {box} height="{height:.1f}" class="{name}"/>')
    base = f'<path d="M0 {HEIGHT + 0.5}H{step * number:.1f}" class="base"/>'
    return _svg(WIDTH, HEIGHT + 1, title, base + "".join(drawn))


def meter(before: float, after: float, title: str) -> str:
    """Return two shares (of 1) on one track."""
    drawn = f'<rect width="{TRACK}" height="{THICK}" rx="2" class="track"/>'
    for name, share, thick in (("b", before, THICK), ("a", after, THICK / 2)):
        if share:
            width = max(1.5, min(1.0, share) * TRACK)
            y = (THICK - thick) / 2
            drawn += f'<rect y="{y:g}" width="{width:.1f}" height="{thick:g}" rx="1.5"'
            drawn += f' class="{name}"/>'
    return _svg(TRACK, THICK, title, drawn)


def stacked(parts: Sequence[tuple[str, int]], width: int = 1000, height: int = 14) -> str:
    """Return one bar in which every part takes its share; parts are numbered in their classes."""
    total = sum(count for _, count in parts) or 1
    drawn, x = "", 0.0
    for number, (name, count) in enumerate(parts):
        part = count / total * width
        title = f"<title>{escape(name)}: {count:,}</title>"
        shown = max(part - 2, 1)
        drawn += f'<rect x="{x:.1f}" width="{shown:.1f}" height="{height}" class="s{number % 6}">'
        drawn += f"{title}</rect>"
        x += part
    label = "What was compared and what was skipped"
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" class="stack" role="img"'
        f' aria-label="{label}">{drawn}</svg>'
    )


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    # Shares of the most frequent values do not add up to all, and stay as they are.
    return [count / total for count in counts] if total > 1 else list(counts)


def _trimmed(one: list[float], other: list[float]) -> tuple[list[float], list[float]]:
    width = max(len(one), len(other))
    pairs = [
        (one[i] if i < len(one) else 0.0, other[i] if i < len(other) else 0.0) for i in range(width)
    ]
    while pairs and pairs[0] == (0, 0):
        pairs.pop(0)
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _svg(width: float, height: float, title: str, content: str) -> str:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg {size} class="plot" role="img"><title>{escape(title)}</title>{content}</svg>'
