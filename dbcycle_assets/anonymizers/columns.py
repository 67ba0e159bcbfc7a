"""Whole columns at once: the masks of the commonest rules over many values.

Each gives what the rule's mask of one value gives, or leaves a value to that one: odd blanks and
other scripts, what does not fit, what the rule would refuse. The laws of the registry compare both.
"""

import functools
from collections.abc import Callable, Sequence

import polars as pl

from .base import ColumnMask, Facts, Key, words_of

SUFFIX = 12
_USUAL = r"^[!-~]+(?: [!-~]+)*$"
_DATED = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9:.,]+(?: ?[AaPp][Mm])?(?: ?(?:Z|UTC|[+-][0-9:]+))?)?$"
)
_HEX_DIGITS = 64

Made = tuple[pl.Series, pl.Series]
"""Replacements, and for which values they hold."""


def put(into: pl.Series, where: pl.Series, values: pl.Series) -> pl.Series:
    """Return a column with other values where ``where`` is true; :meth:`polars.Series.scatter`
    would change the column itself.
    """
    return into.clone().scatter(where.arg_true(), values)


def usual(values: pl.Series) -> pl.Series:
    """Tell which values are words of ASCII between single blanks: folded, they are lower case."""
    return values.str.contains(_USUAL)


@functools.lru_cache(maxsize=32)
def _vocabulary(pool: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    return pl.Series(pool), pl.Series([entry.casefold() for entry in pool])


def picked(
    pool: Sequence[str], numbers: pl.Series, folded: pl.Series, *, plainly: bool = False
) -> Made:
    """Return the pool's entries for numbers, ``plainly`` in lower case; they hold unless one
    equals its folded value.
    """
    entries, plain = _vocabulary(tuple(pool))
    places = numbers % len(pool)
    lower = plain.gather(places)
    return lower if plainly else entries.gather(places), lower != folded


def styled(made: pl.Series, like: pl.Series) -> pl.Series:
    """Return fakes in upper or lower case where their originals are."""
    lower, upper = like.str.contains("[a-z]"), like.str.contains("[A-Z]")
    if (lower & upper).all():
        return made
    shouted = upper & ~lower & (like.str.len_bytes() > 1)
    quiet = lower & ~upper
    for fits, turned in ((shouted, made.str.to_uppercase()), (quiet, made.str.to_lowercase())):
        made = turned.zip_with(fits, made) if fits.any() else made
    return made


def fit(made: pl.Series, facts: Facts) -> pl.Series:
    """Return texts cut to their column."""
    if facts.max_length is None:
        return made
    return made.str.slice(0, facts.max_length).str.strip_chars_end()


def joined(*parts: pl.Series | str) -> pl.Series:
    """Return texts put together, each from its part of every column."""
    named = [
        pl.lit(part) if isinstance(part, str) else part.alias(f"p{number}")
        for number, part in enumerate(parts)
    ]
    return pl.select(pl.concat_str(named).alias("made")).to_series()


def names(pools: Sequence[tuple[Sequence[str], int]], facts: Facts, key: Key) -> ColumnMask:
    """Return the mask of names: an entry of each pool, by its place among a name's numbers."""

    def column(values: pl.Series) -> Made:
        folded = values.str.to_lowercase()
        digests = key.digests("name", folded)
        holds = usual(values)
        parts: list[pl.Series | str] = []
        for pool, place in pools:
            entries, other = picked(pool, words_of(digests, place), folded)
            holds &= other
            parts += [" ", entries] if parts else [entries]
        return fit(styled(joined(*parts), values), facts), holds

    return column


def styled_words(
    domain: str, make: Callable[[pl.Series, pl.Series], Made], facts: Facts, key: Key
) -> ColumnMask:
    """Return a mask that ``make`` writes from digests of folded values, styled like the original
    and cut to the column.
    """

    def column(values: pl.Series) -> Made:
        folded = values.str.to_lowercase()
        made, other = make(key.digests(domain, folded), folded)
        return fit(styled(made, values), facts), usual(values) & other

    return column


def usernames(pool: Sequence[str], facts: Facts, key: Key) -> ColumnMask:
    """Return the mask of account names."""

    def column(values: pl.Series) -> Made:
        folded = values.str.to_lowercase()
        digests = key.digests("username", folded)
        first, other = picked(pool, words_of(digests, 0), folded, plainly=True)
        suffix = digests.str.slice(16, SUFFIX)
        made = joined(first, "_", suffix)
        if facts.max_length is not None:
            made = joined("u", suffix).zip_with(made.str.len_bytes() > facts.max_length, made)
        return fit(made, facts), usual(values) & other

    return column


def emails(
    pools: tuple[Sequence[str], Sequence[str]],
    domains: Sequence[str],
    facts: Facts,
    key: Key,
    *,
    tagged: bool,
) -> ColumnMask:
    """Return the mask of addresses at safe domains; ``tagged`` leaves those with a plus alone."""

    def column(values: pl.Series) -> Made:
        folded = values.str.to_lowercase()
        digests = key.digests("email", folded)
        holds = usual(values)
        first, other = picked(pools[0], words_of(digests, 0), folded, plainly=True)
        last, another = picked(pools[1], words_of(digests, 1), folded, plainly=True)
        domain = pl.Series(domains).gather(words_of(digests, 3) % len(domains))
        suffix = digests.str.slice(32, SUFFIX)
        made = joined(first, ".", last, ".", suffix, "@", domain)
        if facts.max_length is not None:
            short = joined(suffix, "@", domain)
            made = short.zip_with(made.str.len_bytes() > facts.max_length, made)
            holds &= made.str.len_bytes() <= facts.max_length
        if tagged:
            holds &= ~values.str.contains("+", literal=True)
        return made, holds & other & another

    return column


def hexed(domain: str, length: int, key: Key, *, folds: bool) -> ColumnMask | None:
    """Return the mask of so many hex digits, if one digest has them."""
    if length > _HEX_DIGITS:
        return None

    def column(values: pl.Series) -> Made:
        read = values.str.to_lowercase() if folds else values
        return key.digests(domain, read).str.slice(0, length), usual(values)

    return column


def uuids(key: Key) -> ColumnMask:
    """Return the mask of random identifiers (RFC 9562, version 4)."""

    def column(values: pl.Series) -> Made:
        drawn = key.digests("uuid", values.str.to_lowercase())
        variants = pl.Series(list("89ab"))
        nibble = drawn.str.slice(16, 1).str.to_integer(base=16, dtype=pl.UInt8) % 4
        made = joined(
            drawn.str.slice(0, 8), "-", drawn.str.slice(8, 4), "-4", drawn.str.slice(13, 3), "-",
            variants.gather(nibble), drawn.str.slice(17, 3), "-", drawn.str.slice(20, 12),
        )  # fmt: skip
        return made, usual(values)

    return column


def drawn(domain: str, pool: Sequence[str], key: Key, *, folds: bool) -> ColumnMask:
    """Return the mask that draws from a pool; one that ``folds`` never draws the value itself."""

    def column(values: pl.Series) -> Made:
        read = values.str.to_lowercase() if folds else values
        made = pl.Series(pool).gather(words_of(key.digests(domain, read), 0) % len(pool))
        return made, usual(values) & (made != values) if folds else everywhere(values)

    return column


def everywhere(values: pl.Series) -> pl.Series:
    """Tell that all replacements hold."""
    return pl.Series([True]).new_from_index(0, len(values))


def alike(value: str | None) -> ColumnMask:
    """Return the mask that makes the same of every value."""

    def column(values: pl.Series) -> Made:
        return pl.Series([value], dtype=pl.String).new_from_index(0, len(values)), everywhere(
            values
        )

    return column


def _days(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the days of dated values, and what follows each day."""
    return values.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False), values.str.slice(10)


def shifted(reach: int, key: Key) -> ColumnMask:
    """Return the mask that moves dates by up to ``reach`` days."""

    def column(values: pl.Series) -> Made:
        dated = values.str.contains(_DATED)
        days, rest = _days(values.set(~dated, None))
        text = values.str.slice(0, 10)
        different = text.unique()
        digests = key.digests("moment", different)
        steps = (words_of(digests, 0) % reach).cast(pl.Int64) + 1
        steps = steps.zip_with(words_of(digests, 1) % 2 == 1, -steps)
        step = text.replace_strict(different, steps, return_dtype=pl.Int64)
        frame = pl.DataFrame({"day": days, "step": step})
        moved = frame.select(pl.col("day") + pl.duration(days="step")).to_series()
        year = moved.dt.year()
        holds = dated & moved.is_not_null() & (year >= 1) & (year <= 9999)  # noqa: PLR2004
        return joined(moved.dt.to_string("%Y-%m-%d"), rest), holds.fill_null(value=False)

    return column
