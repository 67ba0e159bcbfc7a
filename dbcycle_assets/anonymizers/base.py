"""What an anonymizer is: a definition that builds a mask for one column.

A mask maps one value, in the database's text form, to a safe value in the same form. It never sees
null (null stays null unless the rule says otherwise), never sees the row, and never knows the
engine. The same value under the same key and domain always becomes the same value.
"""

import copy
import enum
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pydantic

if TYPE_CHECKING:
    import polars as pl


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
WIDTH = 32
"""The bytes of one digest."""
_STREAMED = 1 << 20
FUNCTION = 2
"""The version of the keyed function behind all rules: it is part of every rule's version."""


class Key:
    """The project's anonymization secret; ``id`` names it without revealing it.

    Its function is HMAC-SHA256 (RFC 2104; HMAC-SHA512 for more than 32 bytes), of one value or of
    a whole column, with the same result.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SHORTEST_KEY:
            message = "an anonymization key needs at least 16 bytes"
            raise ValueError(message)
        # Hashing first accepts any length; 64 hex digits are one block of SHA-256, and text.
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"dbcycle-key").hexdigest()
        padded = self._secret.encode()
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self.id = self.digest("key id", "", 6).hex()
        self.backward = False

    def within(self, domain: str | None) -> "Key":
        """Return the key of a named domain: the same value gets another fake there, and the same
        one wherever the domain is named. ``None`` is the domain that everything shares.
        """
        if domain is None:
            return self
        inner = Key(self.digest("domain", domain, 64))
        inner.id, inner.backward = self.id, self.backward
        return inner

    def reversed(self) -> "Key":
        """Return the same key, under which permutations go back: a reversible rule that is built
        with it makes originals of fakes.
        """
        other = copy.copy(self)
        other.backward = not self.backward
        return other

    def digest(self, domain: str, value: str, size: int = 16) -> bytes:
        """Return ``size`` pseudo-random bytes, at most 64, for a value of a domain."""
        message = f"{domain}\0{value}".encode("utf-8", "surrogatepass")
        if size > WIDTH:
            return hmac.digest(self._secret.encode(), message, "sha512")[:size]
        # Twice as fast as hmac.digest, which begins with the key every time.
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[:size]

    def number(self, domain: str, value: str) -> int:
        """Return a pseudo-random integer below 2**128 for a value of a domain."""
        return int.from_bytes(self.digest(domain, value), "big")

    def word(self, domain: str, value: str, place: int) -> int:
        """Return one of the four independent integers below 2**64 that a value of a domain has."""
        return int.from_bytes(self.digest(domain, value, WIDTH)[8 * place : 8 * place + 8], "big")

    def digests(self, domain: str, values: "pl.Series") -> "pl.Series":
        """Return 32 pseudo-random bytes, as hex digits, for every value of a domain."""
        import polars as pl
        import polars_hash

        prefixed = values.alias("value").to_frame().select(pl.lit(f"{domain}\0") + pl.col("value"))
        made = polars_hash.col("literal").chash.hmac_sha256(key=self._secret)
        return prefixed.select(made).to_series()

    def cipher(self, domain: str, nonce: str) -> Callable[[bytes], bytes]:
        """Return what enciphers data piece after piece with a key stream (SHAKE256) that a nonce
        decides; another one made alike deciphers it.
        """
        import numpy as np

        drawn, number = b"", 0

        def turn(data: bytes) -> bytes:
            nonlocal drawn, number
            stream = [drawn]
            size = len(drawn)
            while size < len(data):
                seed = self.digest(domain, f"{nonce} {number}", 64)
                stream.append(hashlib.shake_256(seed).digest(_STREAMED))
                number += 1
                size += _STREAMED
            whole = b"".join(stream)
            drawn = whole[len(data) :]
            left = np.frombuffer(data, dtype=np.uint8)
            return (left ^ np.frombuffer(whole[: len(data)], dtype=np.uint8)).tobytes()

        return turn

    def __repr__(self) -> str:
        return f"Key(id={self.id!r})"


def words_of(digests: "pl.Series", place: int) -> "pl.Series":
    """Return one of the four integers below 2**64 of each of :meth:`Key.digests`."""
    import polars as pl

    return digests.str.slice(16 * place, 16).str.to_integer(base=16, dtype=pl.UInt64)


Mask = Callable[[str], str | None]
"""One value in text form → its replacement in text form (``None`` only where the rule nulls)."""

ColumnMask = Callable[["pl.Series"], tuple["pl.Series", "pl.Series"]]
"""Different values without null → their replacements, and for which of them those hold. For these
it is what the :data:`Mask` of the same rule gives; the others are left to that one.
"""

RowMask = Callable[[str, tuple[str | None, ...]], str | None]
"""One value, and what the rule reads beside it → its replacement; all in text form."""


@dataclass(frozen=True)
class Beside:
    """A column that a rule reads beside its own: of the same row, or, where ``parent`` is set, of
    the row of that table whose ``parent_key`` equals ``key`` of this row.
    """

    column: str
    parent: str | None = None
    parent_key: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Expression:
    """What the database makes of a SQL expression over the row; it stands in for ``column``."""

    column: str
    sql: str


@dataclass(frozen=True)
class Shuffled:
    """The column's value in another row, by a permutation of all rows that ``salt`` decides."""

    column: str
    salt: str


Reading = Beside | Expression | Shuffled
"""Anything that a rule reads beside its own value."""

Replace = Callable[[str], str]
"""Replaces what is known of the people of the whole database in a text."""


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
    case and the outer blanks of the value (and, with ``unique``, different ones for all others).
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
    build_column: Callable[[Parameters, Facts, Key], ColumnMask | None] | None = None
    """For rules that can mask whole columns at once, as far as their values are usual ones; it
    returns None for parameters with which they cannot.
    """
    build_row: Callable[[Parameters, Facts, Key], RowMask] | None = None
    """For rules that can read beside their value; without anything to read, ``build`` serves."""
    reads: Callable[[Parameters, str, Key], tuple[Reading, ...]] = field(
        default=lambda _parameters, _column, _key: ()
    )
    """What the rule reads beside its value on a column of that name."""
    reads_masked: Callable[[Parameters], tuple[str, ...]] = field(default=lambda _parameters: ())
    """The columns of the same row whose anonymized values the rule reads."""
    per: bool = False
    """Whether the rule takes ``per``: columns whose values decide in place of its own."""
    people: bool = False
    """Whether ``build`` takes ``people``, a :data:`Replace` over the whole database's people."""
    specialise: Callable[[Parameters], "Definition"] | None = None
    """For rules whose properties depend on their parameters: the definition that then holds."""
    source_digest: Callable[[Parameters], str] = field(default=lambda _parameters: "")
    """A digest of code of the user's that the rule runs; changed code makes extracts stale."""

    @property
    def at_once(self) -> bool:
        """Whether it masks whole columns; else every different value by itself."""
        return self.build_column is not None


Options = Mapping[str, object]
"""Raw parameters of a rule, as they stand in the config."""
