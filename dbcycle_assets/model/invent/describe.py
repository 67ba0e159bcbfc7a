"""What a factory makes of a column, in words."""

from .limits import LONGEST, Limits
from .recipe import Field, Recipe, Source
from .values import value


def described(recipe: Recipe, item: Field) -> str:
    """Return where the value of a column comes from, with an example of what is invented."""
    if item.source is Source.DATABASE:
        return "left to the database"
    if item.source is Source.NULL:
        return f"null, unless `{item.parent}` is given" if item.parent else "null"
    if item.source is Source.OWN:
        return f"its own {item.parent}"
    if item.source is Source.UNKNOWN:
        return "unknown"
    if item.source is Source.PARENT:
        found = next(parent for parent in recipe.parents if parent.name == item.parent)
        verb = "a row that is there in" if found.existing else "a new row of"
        return f"{verb} {found.key.parent} (`{found.name}`)"
    example = value(item.want, 1) or ""
    words = [f"like {example[:40]}"]
    if item.want.unique:
        words.append("unique")
    words += _asked(item.want.limits)
    return ", ".join(words)


def _asked(limits: Limits) -> list[str]:
    words = []
    if limits.allowed is not None:
        words.append(f"one of {len(limits.allowed)}")
    words += [f"{'≥' if own else '>'} {text}" for text, own in limits.low]
    words += [f"{'≤' if own else '<'} {text}" for text, own in limits.high]
    if limits.shortest or limits.longest < LONGEST:
        words.append(f"{limits.shortest} to {limits.longest} characters")
    if limits.patterns:
        words.append("as its pattern says")
    words += [f"{sign} {other}" for sign, other in limits.beside]
    return words
