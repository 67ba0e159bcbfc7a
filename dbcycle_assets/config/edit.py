"""Write judgements into ``dbcycle.yaml``, keeping comments, order and everything else."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..errors import ConfigError
from .document import dump, keeping_tail, layout_of, owned, parse, plain, shared_nodes

HEADER = """\
The cycle of {name}. Every column of every table is judged: it has an anonymizer under `columns`,
or it is listed under `keep`. A column that is in neither place stops `dbcycle plan`.
"""


@dataclass(frozen=True)
class Judgement:
    """One decision: a rule for one column (``keep``, or an anonymizer with its options)."""

    table: str
    column: str
    rule: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def apply_judgements(path: Path, judgements: Sequence[Judgement]) -> None:
    """Add judgements to a config; what is judged already is replaced, the rest stays as it is.

    Raises:
        ConfigError: the file is no config, or is woven in a way that only a person can edit; it
            is then unchanged.
    """
    document = parse(path)
    if not judgements:
        return
    layout = layout_of(document, path)
    before = plain(document)
    _write_tables(document, judgements, path)
    _save(path, dump(document, layout), newline=_newline(path))(before, judgements)


def new_config(
    path: Path, *, name: str, engine: str, dump: str, judgements: Sequence[Judgement] = ()
) -> None:
    """Write the config of a new project."""
