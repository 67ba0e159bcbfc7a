"""Tokens and hashes."""

import base64
import json
import re
from typing import Literal

import pydantic

from .base import WIDTH, ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Codes, blank
from .person import needs
from .vocabulary import fold

TEXT = frozenset({Kind.TEXT})
_SHORTEST = 16
"""The fewest characters that keep tokens and hashes apart."""


class Hash(Parameters):
    """What a hash looks like."""

    length: int = pydantic.Field(
        default=32, ge=_SHORTEST, le=128, description="the characters of a hash"
    )
    encoding: Literal["hex", "base64", "base32"] = pydantic.Field(
        default="hex", description="its alphabet; base64 is the one for addresses, without padding"
    )


def _hash(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Hash)  # noqa: S101 - the registry pairs them
    length = min(facts.max_length or parameters.length, parameters.length)

    def mask(value: str) -> str:
        size = WIDTH if parameters.encoding == "hex" and length <= 2 * WIDTH else 64
        drawn = key.digest("hash", fold(value), size)
        if parameters.encoding == "hex":
            return drawn.hex()[:length]
        encode = base64.urlsafe_b64encode if parameters.encoding == "base64" else base64.b32encode
        return encode(drawn + key.digest("hash more", fold(value), 64)).decode()[:length]

    return mask


def _hash_column(parameters: Parameters, facts: Facts, key: Key) -> ColumnMask | None:
    from . import columns

    assert isinstance(parameters, Hash)  # noqa: S101 - the registry pairs them
    length = min(facts.max_length or parameters.length, parameters.length)
    hexed = parameters.encoding == "hex"
    return columns.hexed("hash", length, key, folds=True) if hexed else None


class Token(Parameters):
    """What a token looks like."""

    style: Literal["hex", "same"] = pydantic.Field(
        default="hex",
        description="`same` keeps the length, the kinds of characters and a known prefix (sk_live_ "
        "becomes sk_test_), and makes of a JWT another JWT",
    )


_PREFIX = re.compile(
    r"(?:[sprw]k_(?:live|test)_|whsec_|gh[opusr]_|github_pat_|glpat-|xox[abeprs]-|npm_|pypi-|sk-|"
    r"AKIA|ASIA|AIza|SG\.|Bearer )"
)
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*")


def _padded(content: dict[str, str], size: int) -> bytes:
    """Return JSON of exactly so many bytes, or as few as there must be."""
    text = json.dumps(content, separators=(",", ":"))
    room = size - len(text)
    if room >= len(',"pad":""'):
        content = {**content, "pad": "x" * (room - len(',"pad":""'))}
        text = json.dumps(content, separators=(",", ":"))
    return text.ljust(size).encode()


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _jwt(key: Key, value: str) -> str:
    head, body, signature = value.split(".")
    drawn = key.digest("jwt", value, 64)
    made = (
        _url64(_padded({"alg": "HS256", "typ": "JWT"}, len(head) * 3 // 4)),
        _url64(_padded({"sub": drawn.hex()[:_SHORTEST]}, len(body) * 3 // 4)),
        _url64(drawn * (len(signature) // 64 + 1))[: len(signature)],
    )
    return ".".join(made)


def _token(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Token)  # noqa: S101 - the registry pairs them
    codes = Codes(key, "token")

    def same(value: str) -> str:
        if not value.strip():
            return blank(value)
        if _JWT.fullmatch(value):
            made = _jwt(key, value)
        else:
            prefix = _PREFIX.match(value)
            start = prefix.group() if prefix else ""
            made = start.replace("live", "test") + codes(value[len(start) :])
        if facts.max_length is not None and len(made) > facts.max_length:
            message = "its fake does not fit the column"
            raise ValueError(message)
        return made

    def plain(value: str) -> str:
        length = min(max(len(value), _SHORTEST), facts.max_length or 128, 128)
        return key.digest("token", value, 64).hex()[:length]

    return same if parameters.style == "same" else plain


DEFINITIONS = (
    Definition(
        name="hash",
        summary="A keyed hash, the same for the same text whatever its case; unique.",
        accepts=TEXT,
        build=_hash,
        build_column=_hash_column,
        parameters=Hash,
        unique=True,
        misfit=needs(_SHORTEST),
        folds=True,
    ),
    Definition(
        name="token",
        summary="Another token of hex digits, or one that looks like the original; unique.",
        accepts=TEXT,
        build=_token,
        parameters=Token,
        unique=True,
        misfit=needs(_SHORTEST),
    ),
)
