"""Extracts as pandas frames, for people; never on the way to a database."""

import pandas

from ..artifacts import Extracts
from ..config.model import Project
from ..errors import BadInput
from . import blocks


def read_extract(project: Project, table: str) -> pandas.DataFrame:
    """Return a table's anonymized rows, every column in text form and null as None.

    Raises:
        BadInput: there is no whole extract of the table.
    """
    store = Extracts(project.extracts)
    manifest = store.manifest(table)
    if manifest is None:
        raise BadInput("there is no extract", where=table, remedy="run `dbcycle refresh`")
    names = [name for name, _ in manifest.columns]
    frames = []
    for block in store.read(table):
        columns = blocks.parse(block, len(names)).iter_columns()
        frames.append(
            {
                name: [None if field is None else blocks.unescape(field) for field in column]
                for name, column in zip(names, columns, strict=True)
            }
        )
    parts = [pandas.DataFrame(frame, dtype=object) for frame in frames]
    return pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame(columns=names)
