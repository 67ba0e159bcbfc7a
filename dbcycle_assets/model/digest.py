"""Digests: short names for content, equal exactly when the content is equal."""

import hashlib
import json
from typing import Any


def digest_of(value: Any) -> str:
    """Return 24 hex digits for a value made of JSON types; key order does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def digest_of_text(data: bytes) -> str:
    """Return 24 hex digits for a text file, blind to a byte order mark and to CRLF alone."""
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    return hashlib.sha256(text).hexdigest()[:24]
