"""What an anonymizer is: a definition that builds a mask for one column.

A mask maps one value, in the database's text form, to a safe value in the same form. It never sees
null (null stays null unless the rule says otherwise), never sees the row, and never knows the
engine. The same value under the same key and domain always becomes the same value.
"""

import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pydantic


class Kind(enum.StrEnum):
    """The family of a column's type, as far as anonymizers care."""

    TEXT = "text"
    INTEGER = "integer"
    NUMERIC = "numeric"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    XML = "xml"
    BYTES = "bytes"
    TSVECTOR = "tsvector"
    ENUM = "enum"
    NETWORK = "network"
    RANGE = "range"
    COMPOSITE = "composite"
    OTHER = "other"


@dataclass(frozen=True)
class Facts:
    """What a mask must respect about its column: for an array, the facts of one element.

    ``max_length`` is in characters; ``case_insensitive`` is true for citext and the like.
    """

    kind: Kind
    max_length: int | None = None
    labels: tuple[str, ...] = ()
    unique: bool = False
    nullable: bool = True
    case_insensitive: bool = False


SHORTEST_KEY = 16
"""The fewest bytes of a key."""


class Key:
    """The project's anonymization secret; ``id`` names it without revealing it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_KEY:
            message = "an anonymization key needs at least 16 bytes"
            raise ValueError(message)
        # BLAKE2b takes a key of at most 64 bytes; hashing first accepts any length (RFC 7693).
        self._secret = hashlib.blake2b(secret, digest_size=64, person=b"dbcycle-key").digest()
        self.id = hashlib.blake2b(
            b"key id", digest_size=6, key=self._secret, person=b"dbcycle-id"
        ).hexdigest()

    def digest(self, domain: str, value: str, size: int = 16) -> bytes:
        """Return ``size`` pseudo-random bytes for a value of a domain (keyed BLAKE2b, a PRF)."""
        prefix = domain.encode() + b"\0"
        return hashlib.blake2b(
            prefix + value.encode("utf-8", "surrogatepass"), digest_size=size, key=self._secret
        ).digest()

    def number(self, domain: str, value: str) -> int:
        """Return a pseudo-random integer below 2**128 for a value of a domain."""
        return int.from_bytes(self.digest(domain, value), "big")

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"


Mask = Callable[[str], str | None]
"""One value in text form → its replacement in text form (``None`` only where the rule nulls)."""


class Parameters(pydantic.BaseModel):
    """The parameters of a rule; unknown names are an error."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Definition:
    """One anonymizer of the registry.

    ``accepts`` are the kinds of column it can serve; ``version`` rises whenever its mapping
    changes, so that extracts made with the older mapping become stale. ``keyed`` is false only for
    rules whose output does not depend on the key. ``vocabulary`` gives the fixed words that the
    mask may emit whatever its input, so that verification can tell them from survivors.
    ``searchable`` says whether the originals are worth searching in the output (a date is not).
    ``partial`` rules keep parts of a value where the user says so; a value may then come out whole.

    These describe the rule under its default parameters, and the registry's laws test them:
    ``length_preserving``: as many characters come out; ``format_preserving``: digits come out where
    digits were and letters where letters were, and everything else stays; ``reversible``: a
    permutation, so that whoever holds the key could go back; ``folds``: the same fake whatever the
    case and the outer blanks of the value.
    """

    name: str
    summary: str
    accepts: frozenset[Kind]
    build: Callable[[Parameters, Facts, Key], Mask]
    parameters: type[Parameters] = Parameters
    version: int = 1
    keyed: bool = True
    unique: bool = False
    searchable: bool = True
    partial: bool = False
    length_preserving: bool = False
    format_preserving: bool = False
    reversible: bool = False
    folds: bool = False
    vocabulary: Callable[[Parameters], frozenset[str]] = field(
        default=lambda _parameters: frozenset()
    )
    misfit: Callable[[Parameters, Facts], str | None] = field(
        default=lambda _parameters, _facts: None
    )
    """Why this rule cannot serve that column (length, uniqueness, …), or None if it can."""


Options = Mapping[str, object]
"""Raw parameters of a rule, as they stand in the config."""
