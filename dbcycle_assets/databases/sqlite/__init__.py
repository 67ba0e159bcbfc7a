"""SQLite: databases are files of a folder."""

from .dumps import dump_digest
from .server import SqliteServer

__all__ = ["SqliteServer", "dump_digest"]
