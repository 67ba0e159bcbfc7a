"""URLs of SQLite files: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``?mode=rwc``."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

from ...errors import BadInput

MODES = ("rwc", "rw", "ro")
"""Made if missing, written to, only read; as SQLite itself calls them."""

_SCHEME = re.compile(r"sqlite(\+pysqlite)?://(/|$)")


def file_of(url: str, base: Path) -> tuple[Path, str]:
    """Return the file that a URL or a plain path names, and its mode, or an empty text where it
    has none; nothing is opened.

    Raises:
        BadInput: it names no file, or asks for what we do not do.
    """
    address, _, query = url.partition("?")
    path = _SCHEME.sub("", address, count=1)
    if "://" in path or path.endswith(":memory:") or not Path(path).suffix:
        raise BadInput(
            "the URL names no SQLite file",
            remedy="give its path with an ending, as in sqlite:////srv/shop.db; see where it comes "
            "from: --db-url, DB_PATH, the variable of `targets`, DATABASE_URL, or "
            "config.‹environment›.toml",
        )
    options = dict(parse_qsl(query, keep_blank_values=True))
    mode = options.pop("mode", "")
    if options or (mode and mode not in MODES):
        raise BadInput(
            "the URL of the SQLite file asks for more than a mode",
            remedy="write nothing after `?`, or one of mode=rwc, mode=rw and mode=ro",
        )
    return (base / Path(path).expanduser()).resolve(), mode
