"""Password hashes, tokens and hashes."""

import base64
import hashlib
from typing import Literal

import bcrypt
import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .person import needs
from .vocabulary import fold

TEXT = frozenset({Kind.TEXT})
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ROUNDS = 10
ITERATIONS = 600_000


class Password(Parameters):
    """``password``: the one password that every test account gets; ``scheme``: what the
    application reads.
    """

    password: str = pydantic.Field(default="testtest", min_length=1, max_length=72)
    scheme: Literal["bcrypt", "pbkdf2_sha256"] = "bcrypt"


def _password_hash(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Password)  # noqa: S101 - the registry pairs them
    password = parameters.password.encode()
    salt = key.digest("password salt", parameters.scheme)
    if parameters.scheme == "bcrypt":
        text = base64.b64encode(salt).rstrip(b"=").translate(bytes.maketrans(_STANDARD, _BCRYPT))
        made = bcrypt.hashpw(password, b"$2b$%02d$" % ROUNDS + text).decode()
    else:
        word = salt.hex()[:22]
        raw = hashlib.pbkdf2_hmac("sha256", password, word.encode(), ITERATIONS)
        made = f"pbkdf2_sha256${ITERATIONS}${word}${base64.b64encode(raw).decode()}"
    return lambda _value: made


def _password_misfit(_parameters: Parameters, facts: Facts) -> str | None:
    if facts.unique:
        return "gives every account the same hash, but the column is unique"
    return needs(60)(_parameters, facts)  # type: ignore[operator,no-any-return]


def _hash(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    length = min(facts.max_length or 32, 32)
    return lambda value: key.digest("hash", fold(value)).hex()[:length]


def _token(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        length = min(max(len(value), 16), facts.max_length or 128, 128)
        return key.digest("token", value, 64).hex()[:length]

    return mask


DEFINITIONS = (
    Definition(
        name="password_hash",
        summary="The hash of one known test password, in the format that the application reads.",
        accepts=TEXT,
        build=_password_hash,
        parameters=Password,
        misfit=_password_misfit,
    ),
    Definition(
        name="hash",
        summary="A keyed hash, the same for the same text whatever its case; unique.",
        accepts=TEXT,
        build=_hash,
        unique=True,
        folds=True,
        misfit=needs(16),  # type: ignore[arg-type]
    ),
    Definition(
        name="token",
        summary="Another token of hex digits; unique.",
        accepts=TEXT,
        build=_token,
        unique=True,
        misfit=needs(16),  # type: ignore[arg-type]
    ),
)
