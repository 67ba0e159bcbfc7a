"""Write judgements into ``dbcycle.yaml``, keeping comments, order and everything else."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ..errors import ConfigError
from . import document as yaml
from .document import Sharing, growing
from .moves import Moves, move
from .wrapping import rewrapped

HEADER = """\
yaml-language-server: $schema=.dbcycle/dbcycle.schema.json

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
        ConfigError: the file is no config, or only a person can edit it; it is unchanged.
    """
    judgements = _last_words(judgements)
    _edit(
        path,
        lambda document: _write(document, judgements, path),
        lambda before, after: _says(after, before, judgements),
        _by_hand(judgements),
    )


def new_config(
    path: Path, *, name: str, engine: str, dump: str, judgements: Sequence[Judgement] = ()
) -> None:
    """Write the config of a new project."""
    test = _flow({"url_env": "DATABASE_URL_TEST", "default": "embedded"})
    document = CommentedMap(
        {
            "name": name,
            "engine": engine,
            "source": _flow(yaml.quoted({"dump": dump})),
            "migrations": _flow([]),
            "golden": "golden",
            "targets": _flow({"test": test}),
            "schedule": _flow({"nightly": "0 2 * * *", "timezone": "UTC"}),
            "tables": CommentedMap(),
        }
    )
    document.yaml_set_start_comment(HEADER.format(name=name))
    judgements = _last_words(judgements)
    before = yaml.plain(document)
    _write(document, judgements, path)
    _replace(
        path,
        yaml.dump(document),
        lambda after: _says(after, before, judgements),
        _by_hand(judgements),
    )


def apply_moves(path: Path, moves: Moves) -> None:
    """Give tables and columns their new names; every rule stays as it is.

    Raises:
        ConfigError: only a person can edit the file; it is unchanged.
    """
    names = [*moves.tables.items(), *(p for c in moves.columns.values() for p in c.items())]
    by_hand = "rename by hand: " + ", ".join(f"{old} to {new}" for old, new in names)

    def change(document: Any) -> None:
        move(document, moves)

    _edit(path, change, _same(change), by_hand)


def add_step(path: Path, version: str, step: str) -> None:
    """Add a migration step to the end of a version's list.

    Raises:
        ConfigError: only a person can edit the file; it is unchanged.
    """

    def change(document: Any) -> None:
        for entry in document["migrations"]:
            if entry.get("version") == version:
                with growing(entry, "steps") if isinstance(entry, CommentedMap) else nullcontext():
                    entry["steps"].append(step)

    _edit(path, change, _same(change), f"add {step} to the steps of version {version} by hand")


Says = Callable[[Any, Any], bool]
"""Whether a config that was read again says what it said before, and the change."""


def _edit(path: Path, change: Callable[[Any], None], says: Says, by_hand: str) -> None:
    """Change a config, and keep its comments, its layout and its line ends.

    Raises:
        ConfigError: the file is no config, or does not say afterwards what it should; it is
            unchanged, and ``by_hand`` is what a person can do.
    """
    document = yaml.parse(path)
    text = path.read_bytes().decode("utf-8-sig")
    layout = yaml.layout_of(document, text)
    before = yaml.plain(document)
    change(document)
    edited = rewrapped(yaml.dump(document, layout), text.replace("\r\n", "\n"))
    edited = edited.replace("\n", "\r\n") if "\r\n" in text else edited
    _replace(path, edited, lambda after: says(before, after), by_hand)


def _same(change: Callable[[Any], None]) -> Says:
    """Return whether the change is all that was changed."""

    def says(before: Any, after: Any) -> bool:
        change(before)
        return bool(after == before)

    return says


def _last_words(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the last judgement about each column."""
    return list({(each.table, each.column): each for each in judgements}.values())


def _flow(content: Any) -> Any:
    node = CommentedMap(content) if isinstance(content, Mapping) else CommentedSeq(content)
    node.fa.set_flow_style()
    return node


def _write(document: CommentedMap, judgements: Sequence[Judgement], path: Path) -> None:
    sharing = Sharing(document)
    if document.get("tables") is None:
        with growing(document, "tables"):
            document["tables"] = CommentedMap()
    tables = _typed(sharing.own(document, "tables"), CommentedMap, path, "tables")
    for judgement in judgements:
        with growing(tables, judgement.table):
            table = _table(sharing, tables, judgement.table, path)
            for node in (document, tables, table):
                node.fa.set_block_style()  # a comment cannot stand inside braces
            if judgement.rule == "keep":
                _drop(table, "columns", judgement.column)
                _keep(table, judgement.column)
            else:
                _drop(table, "keep", judgement.column)
                _mask(table, judgement)


def _table(sharing: Sharing, tables: CommentedMap, name: str, path: Path) -> CommentedMap:
    """Return the entry of a table, made if need be; its ``columns`` and ``keep`` are its own."""
    if tables.get(name) is None:
        tables[yaml.quoted(name)] = CommentedMap()
    table: CommentedMap = _typed(sharing.own(tables, name), CommentedMap, path, f"tables.{name}")
    for key, kind in (("columns", CommentedMap), ("keep", CommentedSeq)):
        if table.get(key) is not None:
            _typed(sharing.own(table, key), kind, path, f"tables.{name}.{key}")
    return table


def _typed(node: Any, kind: type, path: Path, place: str) -> Any:
    if not isinstance(node, kind):
        word = "mapping" if kind is CommentedMap else "list"
        raise ConfigError(f"{place} must be a {word}", where=str(path))
    return node


def _drop(table: CommentedMap, key: str, column: str) -> None:
    """Take a column out of ``columns`` or ``keep``, and the entry with it once it is empty."""
    node = table.get(key)
    if node is None or column not in node:
        return
    left = ""
    with growing(table, key):
        if isinstance(node, CommentedMap):
            left = yaml.remove(node, column)
        else:
            for index in reversed([at for at, name in enumerate(node) if name == column]):
                del node[index]
        if not node:
            del table[key]
    yaml.give_tail(table, key, left)


def _keep(table: CommentedMap, column: str) -> None:
    with growing(table, "keep"):
        if table.get("keep") is None:
            table["keep"] = _flow([])
        if column not in table["keep"]:
            table["keep"].append(yaml.quoted(column))


def _mask(table: CommentedMap, judgement: Judgement) -> None:
    column = judgement.column
    if "columns" not in table:
        table.insert(0, "columns", CommentedMap())
    with growing(table, "columns"):
        if table["columns"] is None:
            table["columns"] = CommentedMap()
        columns = table["columns"]
        columns.fa.set_block_style()
        with growing(columns, column):
            known = column in columns  # then its comment is the user's own
            columns[yaml.quoted(column)] = (
                _flow({"anonymize": judgement.rule, **yaml.quoted(judgement.options)})
                if judgement.options
                else judgement.rule
            )
            if judgement.reason and not known:
                columns.yaml_add_eol_comment(_comment(judgement.reason), column)


def _comment(reason: str) -> str:
    return "".join(char if char.isprintable() else " " for char in reason)


def _by_hand(judgements: Sequence[Judgement]) -> str:
    lines = [f"{each.table}.{each.column}: {each.rule}" for each in judgements]
    return f"write by hand: {'; '.join(lines)}"


def _replace(path: Path, text: str, says: Callable[[Any], bool], by_hand: str) -> None:
    """Put the text in the file's place if it says, when it is read again, what it should."""
    with _beside(path, text) as part:
        try:
            said = says(yaml.plain(yaml.parse(part)))
        except ConfigError:
            said = False
        if not said:
            raise ConfigError(
                "is woven in a way that only a person can edit (aliases, merges, odd keys?)",
                where=str(path),
                remedy=by_hand,
            )


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """Give a file with the new text, which takes the place of the former if the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield part
        part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        part.replace(path.resolve())
    finally:
        part.unlink(missing_ok=True)


def _says(
    after: Mapping[str, Any], before: Mapping[str, Any], judgements: Sequence[Judgement]
) -> bool:
    judged = {(each.table, each.column) for each in judgements}
    return _without(after, judged) == _without(before, judged) and all(
        _holds(after["tables"][each.table], each) for each in judgements
    )


def _holds(table: Mapping[str, Any], judgement: Judgement) -> bool:
    columns, keep = table.get("columns", {}), table.get("keep", [])
    if judgement.rule == "keep":
        return judgement.column in keep and judgement.column not in columns
    options = dict(judgement.options)
    rule = {"anonymize": judgement.rule, **options} if options else judgement.rule
    return judgement.column not in keep and bool(columns.get(judgement.column) == rule)


def _without(document: Mapping[str, Any], judged: set[tuple[str, str]]) -> Any:
    """Return the document without what is judged and without empty entries of tables."""
    tables = {}
    for name, table in (document.get("tables") or {}).items():
        rest = dict(table or {})
        columns, keep = rest.get("columns") or {}, rest.get("keep") or []
        rest["columns"] = {key: rule for key, rule in columns.items() if (name, key) not in judged}
        rest["keep"] = [column for column in keep if (name, column) not in judged]
        if any(rest.values()):
            tables[name] = rest
    return {**document, "tables": tables}
