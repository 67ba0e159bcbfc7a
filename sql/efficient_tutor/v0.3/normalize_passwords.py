"""Give every account a password that the v0.3 backend can read.

v0.2 hashed with salted MD5 and SHA-1. An account whose plain text is known (from the protected
file that ``passwords:`` of dbcycle.yaml names: a mapping ``accounts:`` of e-mail to plain text)
gets its bcrypt hash; any other gets a marker that no password matches and must reset it. Counts
are reported, never an account or a password.
"""

import hashlib
import hmac

import bcrypt
import sqlalchemy as sa
from ruamel.yaml import YAML

ROUNDS = 10
UNUSABLE = "!"
MODERN = r"^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$"
_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def run(connection, step):
    """Replace every legacy hash; return how many were known, wrong and unknown."""
    known = _plain_texts(step)
    connection.execute(sa.text("ALTER TABLE users DISABLE TRIGGER users_set_updated_at"))
    legacy = connection.execute(
        sa.text(
            "SELECT id, email::text, password FROM users"
            " WHERE lower(email::text) = ANY (:known) AND password !~ :modern ORDER BY id"
        ),
        {"known": sorted(known), "modern": MODERN},
    ).all()
    changes = [
        {"id": user, "password": _bcrypt(known[email.lower()], user)}
        for user, email, stored in legacy
        if _matches(known[email.lower()], stored)
    ]
    if changes:
        connection.execute(sa.text("UPDATE users SET password = :password WHERE id = :id"), changes)
    unknown = connection.execute(
        sa.text(
            "UPDATE users SET password = :unusable, must_reset_password = true"
            " WHERE password !~ :modern"
        ),
        {"unusable": UNUSABLE, "modern": MODERN},
    ).rowcount
    connection.execute(sa.text("ALTER TABLE users ENABLE TRIGGER users_set_updated_at"))
    connection.execute(
        sa.text(
            "ALTER TABLE users ADD CONSTRAINT users_password_check"
            f" CHECK (password = '{UNUSABLE}' OR password ~ '{MODERN}')"
        )
    )
    wrong, absent = len(legacy) - len(changes), len(known) - len(legacy)
    text = f"{len(changes)} passwords re-hashed; {unknown} accounts must reset theirs"
    text += f"; {wrong} known plain texts do not match the stored hash" if wrong else ""
    return text + (f"; {absent} belong to no account" if absent else "")


def _plain_texts(step):
    if step.secrets_file is None or not step.secrets_file.is_file():
        step.report("no file of known passwords; set `passwords:` in dbcycle.yaml to name one")
        return {}
    readable = step.secrets_file.stat().st_mode & 0o077
    if readable and ".example." not in step.secrets_file.name:
        step.report(f"others can read {step.secrets_file.name}: chmod 600 it")
    document = YAML(typ="safe").load(step.secrets_file.read_text(encoding="utf-8")) or {}
    return {str(email).lower(): str(text) for email, text in document.get("accounts", {}).items()}


def _matches(plain, stored):
    """Tell whether a plain text belongs to a ``scheme$salt$hex`` hash of v0.2."""
    scheme, _, rest = stored.partition("$")
    salt, _, digest = rest.partition("$")
    if scheme not in {"md5", "sha1"}:
        return False
    found = hashlib.new(scheme, (salt + plain).encode(), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(found, digest)


def _bcrypt(plain, user):
    """Hash with a salt derived from the account's id: a salt is no secret, and the same dump then
    gives the same rows."""
    number = int.from_bytes(hashlib.sha256(f"bcrypt salt:{user}".encode()).digest()[:16], "big")
    number <<= 4  # 16 bytes are 128 bits, 22 characters of six bits are 132
    text = "".join(_ALPHABET[number >> shift & 63] for shift in range(126, -1, -6))
    return bcrypt.hashpw(plain.encode()[:72], f"$2b${ROUNDS:02d}${text}".encode()).decode()
