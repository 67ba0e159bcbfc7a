"""What lies on disk or in a store: extracts, the ledger and the lock. A file is whole or absent."""

from .extracts import BLOCK, DIGITS, Extracts, ExtractWriter, Manifest, content_digest
from .files import (
    Place,
    digest_of_file,
    disk_errors,
    exclusive,
    exists,
    file_name,
    open_binary,
    read_bytes,
    remove,
    remove_parts,
    replace_dump,
    require_folder,
    store_errors,
    write_atomically,
    write_json,
)
from .lock import project_lock
from .records import Ledger, catalog_mark, read_catalog, write_catalog

__all__ = [
    "BLOCK",
    "DIGITS",
    "ExtractWriter",
    "Extracts",
    "Ledger",
    "Manifest",
    "Place",
    "catalog_mark",
    "content_digest",
    "digest_of_file",
    "disk_errors",
    "exclusive",
    "exists",
    "file_name",
    "open_binary",
    "project_lock",
    "read_bytes",
    "read_catalog",
    "remove",
    "remove_parts",
    "replace_dump",
    "require_folder",
    "store_errors",
    "write_atomically",
    "write_catalog",
    "write_json",
]
