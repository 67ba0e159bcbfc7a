"""Marks of whole columns: what :mod:`.marks` finds in each value, in all plain ones at once."""

import numpy as np
import polars as pl
import polars_hash

from ..anonymizers.base import Key
from ..anonymizers.columns import put
from .marks import (
    LONGEST_PHRASE,
    NAMES,
    PHONE_DIGITS,
    PHRASES,
    SHORTEST_NAME,
    SHORTEST_WHOLE,
    seed_of,
)

_PLAIN = r"^[^\\{\[\"\x00-\x1f\x7f-\x{10FFFF}][ -~]*$"
_EMAIL_PART = r"[^\s@<>\"'(),;:{}\[\]]+"
_ONE_EMAIL = rf"^{_EMAIL_PART}@{_EMAIL_PART}\.[^\s@<>\"'(),;:{{}}\[\].]+$"
_ONE_PHONE = r"^\+?\(?\d[\d ().\-/]{5,20}\d$"
_LIKE_PHONE = r"(?:^|[^\w.])\+?\(?\d[\d ().\-/]{5,20}\d(?:$|\W)"
_SURE_EMAIL = (
    r"^[A-Za-z_][A-Za-z0-9_.]*(?:[+-][A-Za-z_.][A-Za-z0-9_.]*)*"
    r"@[A-Za-z_][A-Za-z0-9_.]*(?:-[A-Za-z_.][A-Za-z0-9_.]*)*\.[A-Za-z_][A-Za-z0-9_]*$"
)
"""An address in which no phone number can begin, and that neither dot nor blank surrounds."""
_SURE_NAME = r"^(?:[A-Za-z]{3,}|[A-Za-z]+(?: [A-Za-z]+){1,5})$"
_SURE_PHONE = r"^\+?\(?\d(?:[ ()./]*\d){6,14}$"
_SURE_LENGTH = 22
"""A phone number in which no date can be."""
_DATES = r"\d{4}-\d{2}-\d{2}"


def plain(values: pl.Series) -> pl.Series:
    """Tell which values are printable ASCII, and nothing that holds texts of its own."""
    return values.str.contains(_PLAIN)


def phrases(values: pl.Series) -> pl.Series:
    """Return the words of plain values, folded, between single blanks."""
    return values.str.to_lowercase().str.replace_all("[^0-9a-z]+", " ").str.strip_chars(" ")


def addresses(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the addresses of plain values that are one and nothing else, and which those are."""
    whole = values.str.contains(_ONE_EMAIL)
    return values.filter(whole).str.to_lowercase().str.strip_chars("."), whole


def numbers(values: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return the digits of plain values that are a phone number and nothing else, which those
    are, and which ones may hold a phone number somewhere.
    """
    none = pl.Series([False]).new_from_index(0, len(values))
    likely = values.str.contains(_LIKE_PHONE)
    if not likely.any():
        return pl.Series([], dtype=pl.String), none, likely
    dated = likely & values.str.contains(_DATES)
    if dated.any():
        undated = values.filter(dated).str.replace_all(_DATES, " ")
        likely = put(likely, dated, undated.str.contains(_LIKE_PHONE))
    whole = likely & ~dated & values.str.contains(_ONE_PHONE)
    digits = values.filter(whole).str.replace_all(r"\D", "")
    sizes = digits.str.len_bytes()
    right = sizes.is_in(list(PHONE_DIGITS))
    whole = put(whole, whole, right)
    return digits.filter(right), whole, likely


Marks = list[tuple[str, pl.Series]]
"""Kinds, and the texts of marks of that kind."""


def marks_of_originals(values: pl.Series, rule: str) -> tuple[Marks, pl.Series, int]:
    """Return the marks of those of many values that are plain enough, which these are, and how
    many of them have no mark: as :func:`marks_of_original` would of each.
    """
    sure = _sure(values, rule)
    if sure is None:
        return _marks_of_originals(values, rule)
    if sure.all():
        return _marks_of_sure(values, rule), sure, 0
    found, known, markless = _marks_of_originals(values.filter(~sure), rule)
    found += _marks_of_sure(values.filter(sure), rule)
    return found, put(sure, ~sure, known), markless


def _sure(values: pl.Series, rule: str) -> pl.Series | None:
    """Tell which values surely are what the rule is for and nothing else; None if no rule's."""
    if rule == "phone":
        return values.str.contains(_SURE_PHONE) & (values.str.len_bytes() <= _SURE_LENGTH)
    if rule == "email" or rule in NAMES:
        return values.str.contains(_SURE_EMAIL if rule == "email" else _SURE_NAME)
    return None


def _marks_of_sure(values: pl.Series, rule: str) -> Marks:
    if rule == "phone":
        return [("#", values.str.replace_many(list("+() -./"), [""] * 7))]
    folded = values.str.to_lowercase()
    if rule == "email":
        return [("@", folded)]
    return [("w", folded), ("f", folded.str.extract("^([a-z]+)").unique())]


def _marks_of_originals(values: pl.Series, rule: str) -> tuple[Marks, pl.Series, int]:
    read = plain(values)
    mails, is_mail = addresses(values)
    calls, is_call, likely = numbers(values)
    read &= (is_mail | ~values.str.contains("@", literal=True)) & (is_call | ~likely)
    found = [("@", mails.filter(read.filter(is_mail))), ("#", calls.filter(read.filter(is_call)))]
    is_mail &= read
    is_call &= read
    ended = ~read | (rule == "scrub")
    if rule in {"email", "phone"}:
        ended |= is_mail | is_call
    worded, is_marked = _worded(phrases(values.filter(~ended)), rule)
    marked = is_mail | is_call
    marked = put(marked, ~ended, marked.filter(~ended) | is_marked)
    return [*found, *worded], read, int((read & ~marked).sum())


def _worded(phrase: pl.Series, rule: str) -> tuple[Marks, pl.Series]:
    """Return the marks of phrases, and which phrases have one."""
    parts = phrase.str.count_matches(" ", literal=True) + 1
    whole = phrase.str.len_bytes() >= SHORTEST_WHOLE
    digits = phrase.str.contains("[0-9]")
    few = parts <= LONGEST_PHRASE
    named = whole & False
    if rule in NAMES:
        alone = ~phrase.str.contains("^[0-9]+$") & (phrase.str.len_bytes() >= SHORTEST_NAME)
        named = few & (phrase != "") & ((parts > 1) | alone)
    elif rule in PHRASES:
        named = few & (parts > 1) & whole
    texts = ~named & whole & ((parts > 2) | digits)  # noqa: PLR2004 - more than two words
    if rule in NAMES:
        texts &= ~few
    names = phrase.filter(named)
    first = names.str.extract("^([0-9a-z]+)").unique()
    return [("w", names), ("f", first), ("t", phrase.filter(texts))], named | texts


def mark_digests(key: Key, kind: str, texts: pl.Series) -> np.ndarray:
    """Return the 64 bits by which each of many marks of one kind is known, without the kind."""
    frame = texts.alias("text").to_frame()
    made = polars_hash.col("text").nchash.xxh3_64(seed=seed_of(key, kind))
    return frame.select(made).to_series().to_numpy()
