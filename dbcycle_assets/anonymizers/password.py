"""The hash of one known test password, in the format that an application reads."""

import base64
import functools
import hashlib
import re
from collections.abc import Callable
from typing import Literal

import bcrypt
import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import blank
from .person import needs

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ROUNDS = 10
ITERATIONS = 600_000
_WORK, _BLOCK = 1 << 14, 8
"""Cost and block size of scrypt, Django's own defaults."""
_MEMORY = 64 << 20

Scheme = Literal[
    "bcrypt",
    "pbkdf2_sha256",
    "scrypt",
    "argon2",
    "django_bcrypt_sha256",
    "django_argon2",
    "werkzeug_scrypt",
    "werkzeug_pbkdf2",
]


class Password(Parameters):
    """The password of every test account, and how it is written."""

    password: str = pydantic.Field(
        default="testtest",
        min_length=1,
        max_length=72,
        description="the one password that every test account gets",
    )
    scheme: Scheme | Literal["same"] = pydantic.Field(
        default="bcrypt",
        description="what the application reads; pbkdf2_sha256 and scrypt are Django's formats, "
        "`same` keeps the scheme of each original; the argon2 ones need the package argon2-cffi",
    )

    @pydantic.model_validator(mode="after")
    def _possible(self) -> "Password":
        if self.scheme in {"argon2", "django_argon2"}:
            _argon2_hasher()
        return self


def _bcrypt(password: bytes, salt: bytes) -> str:
    text = base64.b64encode(salt).rstrip(b"=").translate(bytes.maketrans(_STANDARD, _BCRYPT))
    return bcrypt.hashpw(password, b"$2b$%02d$" % ROUNDS + text).decode()


def _django_bcrypt(password: bytes, salt: bytes) -> str:
    # The digest first: bcrypt reads 72 bytes only (Django's BCryptSHA256PasswordHasher).
    return "bcrypt_sha256$" + _bcrypt(hashlib.sha256(password).hexdigest().encode(), salt)


def _pbkdf2(password: bytes, salt: bytes) -> str:
    word = salt.hex()[:22]
    raw = hashlib.pbkdf2_hmac("sha256", password, word.encode(), ITERATIONS)
    return f"pbkdf2_sha256${ITERATIONS}${word}${base64.b64encode(raw).decode()}"


def _werkzeug_pbkdf2(password: bytes, salt: bytes) -> str:
    word = salt.hex()[:16]
    raw = hashlib.pbkdf2_hmac("sha256", password, word.encode(), ITERATIONS)
    return f"pbkdf2:sha256:{ITERATIONS}${word}${raw.hex()}"


def _scrypt(password: bytes, salt: bytes, parallel: int, work: int) -> tuple[str, bytes]:
    word = salt.hex()[:22]
    raw = hashlib.scrypt(
        password, salt=word.encode(), n=work, r=_BLOCK, p=parallel, maxmem=_MEMORY, dklen=64
    )
    return word, raw


def _django_scrypt(password: bytes, salt: bytes) -> str:
    word, raw = _scrypt(password, salt, 5, _WORK)
    return f"scrypt${_WORK}${word}${_BLOCK}$5${base64.b64encode(raw).decode()}"


def _werkzeug_scrypt(password: bytes, salt: bytes) -> str:
    word, raw = _scrypt(password, salt, 1, 2 * _WORK)
    return f"scrypt:{2 * _WORK}:{_BLOCK}:1${word}${raw.hex()}"


def _argon2_hasher() -> Callable[[bytes, bytes], str]:
    try:
        from argon2 import low_level
    except ImportError:
        message = "the argon2 schemes need the package argon2-cffi"
        raise ValueError(message) from None

    def hashed(password: bytes, salt: bytes) -> str:
        return str(
            low_level.hash_secret(password, salt, 2, 19_456, 1, 32, low_level.Type.ID), "ascii"
        )

    return hashed


def _argon2(password: bytes, salt: bytes) -> str:
    return _argon2_hasher()(password, salt)


_MAKERS: dict[str, Callable[[bytes, bytes], str]] = {
    "bcrypt": _bcrypt,
    "pbkdf2_sha256": _pbkdf2,
    "scrypt": _django_scrypt,
    "argon2": _argon2,
    "django_bcrypt_sha256": _django_bcrypt,
    "django_argon2": lambda password, salt: "argon2" + _argon2(password, salt),
    "werkzeug_scrypt": _werkzeug_scrypt,
    "werkzeug_pbkdf2": _werkzeug_pbkdf2,
}
_RECOGNIZED = (
    (re.compile(r"\$2[abxy]?\$.+"), "bcrypt"),
    (re.compile(r"bcrypt_sha256\$\$2.+"), "django_bcrypt_sha256"),
    (re.compile(r"\$argon2(?:id|i|d)\$.+"), "argon2"),
    (re.compile(r"argon2\$argon2.+"), "django_argon2"),
    (re.compile(r"pbkdf2_sha256\$.+"), "pbkdf2_sha256"),
    (re.compile(r"scrypt\$[0-9]+\$.+"), "scrypt"),
    (re.compile(r"scrypt:[0-9]+:.+"), "werkzeug_scrypt"),
    (re.compile(r"pbkdf2:sha256.*\$.+"), "werkzeug_pbkdf2"),
)
_LENGTHS = {
    "bcrypt": 60,
    "pbkdf2_sha256": 88,
    "scrypt": 127,
    "argon2": 97,
    "django_bcrypt_sha256": 74,
    "django_argon2": 103,
    "werkzeug_scrypt": 162,
    "werkzeug_pbkdf2": 102,
    "same": 60,
}


def _password_hash(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Password)  # noqa: S101 - the registry pairs them
    password = parameters.password.encode()

    @functools.cache
    def made(scheme: str) -> str:
        return _MAKERS[scheme](password, key.digest("password salt", scheme))

    def same(value: str) -> str:
        if value.startswith("!"):  # Django's mark of an account that has no password
            return "!" + key.digest("no password", value, 20).hex()
        found = next((name for shape, name in _RECOGNIZED if shape.fullmatch(value)), None)
        if found is None:
            return blank(value)
        fresh = made(found)
        if found == "bcrypt":  # PHP writes 2y, others 2a: the same algorithm
            fresh = re.sub(r"^\$2[abxy]?\$", lambda _start: value[: value.index("$", 1) + 1], fresh)
        if facts.max_length is not None and len(fresh) > facts.max_length:
            message = "the hash does not fit the column"
            raise ValueError(message)
        return fresh

    if parameters.scheme == "same":
        return same
    fixed = made(parameters.scheme)
    return lambda _value: fixed


def _misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Password)  # noqa: S101 - the registry pairs them
    if facts.unique:
        return "gives every account the same hash, but the column is unique"
    return needs(_LENGTHS[parameters.scheme])(parameters, facts)


DEFINITIONS = (
    Definition(
        name="password_hash",
        summary="The hash of one known test password, in the format that the application reads.",
        accepts=frozenset({Kind.TEXT}),
        build=_password_hash,
        parameters=Password,
        misfit=_misfit,
    ),
)
