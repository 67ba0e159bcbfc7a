"""What sampled text gives away: whether it is prose, and whom it names, reaches or speaks of."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...anonymizers.vocabulary import known_names
from ..marks import leaves_of
from .values import EMAIL, LOOKED_AT

FEWEST = 20
"""So many texts say something by what they do not hold."""

_FEWEST_WORDS = 4
_HALF = 0.5
_SOME = 0.05
_PHONE = re.compile(r"(?<![\w.])(?:\+|\(0|\(\d{3}\) ?|0)\d[\d /().-]{6,14}\d(?!\w)")
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Herr|Herrn|Frau|Mme|Mlle|Sr|Sra|Sig|Sigra|Dott|Dhr|Mevr|Pan|Pani|Dona)"
    r"\.? [A-ZÀ-ÞŁŚŻČŠŽİÖÜ][\w'-]{2,}"
)
_CAPITALS = re.compile(r"[A-ZÀ-ÞĀ-Ž][\w'-]+")
_SPEAKER = re.compile(
    r"\b(?:he|she|his|her|him|my|myself|me|ich|mir|mich|mein|meine|meinen|ihm|ihn|ihre|ihrer|ihrem|"
    r"elle|je|moi|ma|mes|ella|ele|ela|meu|minha|mio|lui|hij|zij|ik|mijn|jag|hon|honom|henne|"
    r"daughter|son|husband|wife|mother|father|tochter|sohn|mutter|vater|fille|fils|hija|hijo|"
    r"filha|filho|figlia|figlio|dochter|zoon|córka|syn)\b"
    r"|\bI(?:'m|'ve|'d|'ll| am| have| had| was| do| don't| did| think"
    r"| will| would| need| want| can)\b",
)
_FORMATS = re.compile(
    r"\s*[{\[<].*[}\]>]\s*|[\w.-]*(?:/[\w.%-]+)+/?|(?:https?|ftp)://\S+"
    r"|[\w.-]+\s*[=:]\s*[\w.-]+(?:[;&,\n].*)?"
    r"|[A-Z0-9_.:-]{1,12}|[\d.,;\s-]+|[0-9a-f-]{16,}",
    re.DOTALL,
)


@dataclass(frozen=True)
class Text:
    """Shares of the values of one column that are prose, name or reach somebody, speak of one."""

    count: int
    prose: float
    mentions: float
    speaks: float
    formats: float

    @property
    def about_people(self) -> bool:
        """Whether it is prose that names, reaches or speaks of people."""
        return self.prose >= _HALF and max(self.mentions, self.speaks) >= _SOME

    @property
    def about_nobody(self) -> bool:
        """Whether so much of it, prose or not, gives nobody away that it is no accident."""
        return self.count >= FEWEST and not self.mentions and not self.speaks

    @property
    def formatted(self) -> bool:
        """Whether it is written for programs: paths, codes, settings, markup."""
        return self.count >= FEWEST // 4 and self.formats > 1 - 1 / 4


def read(values: Sequence[str]) -> Text:
    """Return what the sampled values are as text."""
    texts = [value.strip() for value in values[:LOOKED_AT] if value.strip()]
    leaves = [[leaf for leaf in leaves_of(text) if leaf.strip()] for text in texts]
    total = max(1, len(texts))
    return Text(
        count=len(texts),
        prose=sum(len(text.split()) >= _FEWEST_WORDS for text in texts) / total,
        mentions=sum(any(map(mentions, each)) for each in leaves) / total,
        speaks=sum(any(map(_SPEAKER.search, each)) for each in leaves) / total,
        formats=sum(bool(_FORMATS.fullmatch(text)) for text in texts) / total,
    )


def mentions(text: str) -> bool:
    """Tell whether a text names or reaches somebody."""
    if EMAIL.search(text) or _PHONE.search(text) or _TITLED.search(text):
        return True
    first, last = known_names("first"), known_names("last")
    return any(
        one.group().casefold() in first
        and _follows(text, one, other)
        and other.group().casefold() in last
        for one, other in _pairs(text)
    )


def _pairs(text: str) -> list[tuple[re.Match[str], re.Match[str]]]:
    words = list(_CAPITALS.finditer(text))
    return list(itertools.pairwise(words))


def _follows(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return text[one.end() : other.start()] == " "
