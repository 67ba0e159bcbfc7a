"""What reads what others wrote, and the laws that hold for whatever they wrote.

Each target takes bytes. It raises nothing but the product's own error, which says what and where
or what to do, and it comes to an end.
"""

import contextlib
import io
import json
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hypothesis import strategies as st

from dbcycle_assets import load_project
from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.artifacts import Extracts, Ledger, file_name, read_catalog
from dbcycle_assets.config.document import parse as parse_document
from dbcycle_assets.cycle.golden import read_golden
from dbcycle_assets.databases import copytext
from dbcycle_assets.databases.postgres import admission
from dbcycle_assets.databases.postgres.arrays import ArrayCodec
from dbcycle_assets.databases.postgres.dumps import dump_digest as postgres_digest
from dbcycle_assets.databases.postgres.dumps import sniff
from dbcycle_assets.databases.postgres.plain import Script, Unreadable
from dbcycle_assets.databases.postgres.stamps import stamp_of
from dbcycle_assets.databases.sqlite import lexer, values
from dbcycle_assets.databases.sqlite.dumps import copy_dump
from dbcycle_assets.databases.sqlite.scripts import text_of
from dbcycle_assets.errors import (
    BadInput,
    ConfigError,
    DbCycleError,
    DumpError,
    GoldenError,
    SeedError,
)
from dbcycle_assets.model.catalog import Column, Table
from dbcycle_assets.model.marks import leaves_of, marks_of_original
from dbcycle_assets.model.seeds import read_seed
from dbcycle_assets.model.statements import trees_of

SECONDS = 20
"""Of processor time, after which an input counts as one that hangs."""


class Hangs(BaseException):
    """An input that is not done with."""


class Law(AssertionError):
    """A law that an input breaks."""


@contextlib.contextmanager
def bounded(seconds=SECONDS):
    """Raise Hangs inside the block after so much processor time."""

    def stop(_number, _frame):
        raise Hangs(f"not done after {seconds} s of processor time")

    former = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)


def told(error):
    """Require that an error says what, and where or what to do, in lines that steer no terminal."""
    text = str(error)
    if not error.what or not (error.where or error.remedy):
        raise Law(f"says too little: {text!r}")
    if any(not (char.isprintable() or char == "\n") for char in error.what):
        raise Law(f"control characters in {text!r}")


@contextlib.contextmanager
def only(*kinds):
    """Let the product's own errors pass, once they are found to be told well."""
    try:
        yield
    except kinds as error:
        if isinstance(error, DbCycleError):
            told(error)


@contextlib.contextmanager
def written(content, name):
    """Give a file in a folder of its own; nothing else is in that folder afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        path = folder / name
        path.write_bytes(content)
        yield path
        left = [found.name for found in folder.iterdir() if found != path]
        if left:
            raise Law(f"left behind: {left}")
    finally:
        shutil.rmtree(folder)


# --- targets --------------------------------------------------------------------------------------


def plain_dump(content):
    """The statements of a script of PostgreSQL, and every decision that is made on them."""
    lines = content.splitlines(keepends=True)
    with only(Unreadable):
        for part in Script(lines, skipped_commands=[b"\\restrict"]):
            if part.line < 1 or part.column < 1:
                raise Law("a statement without a place")
            for ask in (
                admission.refusal, admission.outward, admission.extension_of,
                admission.copied_table, admission.gently,
            ):  # fmt: skip
                ask(part)
            admission.left_out(part, 180000)


def joined_statements(content):
    """Statements that were put together come apart as they were."""
    parts = [part for part in content.decode("utf-8", "replace").split("\n;\n") if part.strip()]
    texts = []
    for part in parts:
        with contextlib.suppress(Unreadable):
            found = list(Script(io.BytesIO(part.encode() + b";\n")))
            if len(found) == 1 and found[0].text.endswith(b";") and not found[0].data_follows:
                texts.append(found[0].text)
    again = [part.text for part in Script(io.BytesIO(b"\n".join(texts) + b"\n"))]
    if again != texts:
        raise Law("the splitter finds other statements")


def sqlite_script(content):
    """The statements of a script of SQLite, and what is read from a schema's SQL."""
    with only(DbCycleError):
        text = text_of(content, Path("step.sql"))
        found = list(lexer.statements(text))
        if "".join(token.text for token in lexer.tokens(text)) != text:
            raise Law("tokens are not the text")
        for part in found[:20]:
            for ask in (lexer.normalised, lexer.checks, lexer.table_options, lexer.names_in):
                ask(part.text)


def index_texts(content):
    """The parts of an index's key."""
    text = content.decode("utf-8", "replace")
    if "(" in text and lexer.significant(text):
        lexer.index_key(text)
        if lexer.significant(text)[0].text == "(":
            lexer.key_parts(text)


def config(content):
    """A project's config, as text and as a project."""
    with written(content, "dbcycle.yaml") as path:
        with only(ConfigError):
            parse_document(path)
        with only(ConfigError):
            load_project(path.parent)


TABLE = Table(
    "t", "public", "t",
    tuple(
        Column(f"c{n}", kind.value, kind)
        for n, kind in enumerate(Kind)
    ),
    primary_key=("c0",),
)  # fmt: skip


def _golden(suffix):
    def target(content):
        with written(content, f"t{suffix}") as path:
            for engine in ("postgresql", "sqlite"):
                with only(GoldenError):
                    for row in read_golden(path, TABLE, engine):
                        json.dumps(row, ensure_ascii=False).encode()

    return target


def copy_text(content):
    """Fields and whole blocks of copy text."""
    text = content.decode("utf-8", "replace")
    if copytext.unescape(copytext.escape(text)) != text:
        raise Law("an escaped field is another one")
    fields = [[copytext.escape(part) for part in line.split("\t")] for line in text.split("\n")]
    width = max(map(len, fields))
    rows = ["\t".join([*row, *["\\N"] * (width - len(row))]) for row in fields]
    block = "".join(f"{row}\n" for row in rows).encode()
    if copytext.render(copytext.parse(block, width)) != block:
        raise Law("a block is another one")


def sqlite_values(content):
    """Rows of an extract that somebody edited."""
    with only(BadInput):
        for kinds in (["TEXT"], ["INTEGER", "BLOB"], ["REAL", "NUMERIC", "TEXT"]):
            with only(BadInput):
                list(values.rows_of([content.decode("utf-8", "replace").encode()], kinds, "t"))
    text = content.decode("utf-8", "replace")
    for kind in ("TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"):
        for value in (text, content, values.Undecodable(content + b"\xff")):
            again = values.decode(values.encode(value, kind) or "", kind)
            if again != value:
                raise Law(f"a value of {kind} is another one")


def arrays(content):
    """Arrays whose elements are taken out and put back."""
    text = content.decode("utf-8", "replace")
    codec = ArrayCodec()
    codec.leaves(text)
    codec.map(text, str.upper)
    one = "{" + codec._quoted(text) + "}"
    if codec.leaves(one) != [text]:
        raise Law("an element is another one")


def records(content):
    """Manifests, the ledger and the catalog, as somebody else left them."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        store = Extracts(folder / "extracts")
        store.folder.mkdir()
        (folder / "ledger" / "test_db").mkdir(parents=True)
        for path in (
            store.manifest_path("t"),
            folder / "catalog.json",
            folder / "ledger/test_db/test_db.json",
        ):
            path.write_bytes(content)
        store.rows_path("t").write_bytes(content)
        Ledger(folder).get("test_db")
        read_catalog(folder)
        store.manifest("t")
        with only(BadInput):
            list(store.read("t"))
    finally:
        shutil.rmtree(folder)


def stamps(content):
    """What a database says it is."""
    stamp_of(content.decode("utf-8", "replace"))


def dumps(content):
    """A file that is said to be a dump of PostgreSQL."""
    with written(content, "prod.dump") as path:
        with only(DumpError):
            sniff(path)
        with only(DumpError):
            postgres_digest(path)


def sqlite_dumps(content):
    """A file that is said to be a database of SQLite."""
    with (
        written(content, "prod.db") as path,
        tempfile.TemporaryDirectory() as folder,
        only(DumpError),
    ):
        copy_dump(path, Path(folder) / "copy.db", lambda _told: None)


def seeds(content):
    """Seeds of every kind."""
    for name in ("base/01_a.sql", "base/01_a.py", "base/01_a.yaml"):
        with only(SeedError):
            read_seed(PurePosixPath(name), content)


def trees(content):
    """SQL of a migration, read for where its columns come from."""
    for engine in ("postgresql", "sqlite"):
        list(trees_of("CREATE VIEW v AS SELECT " + content.decode("utf-8", "replace"), engine))


def marks(content):
    """What a value would be known by."""
    text = content.decode("utf-8", "replace")
    leaves_of(text)
    for rule in ("email", "full_name", "phone", "free_text", "json"):
        marks_of_original(text, rule)


def names(content):
    """A file name for a table, whatever it is called."""
    name = file_name(content.decode("utf-8", "replace"))
    if "/" in name or "\0" in name or name in {".", ".."} or len(name.encode()) > 200:
        raise Law("no name for a file")


# --- inputs ---------------------------------------------------------------------------------------

SQL = (
    "SELECT 1", "CREATE TABLE t (a text)", "CREATE FUNCTION f() RETURNS int LANGUAGE sql", "BEGIN ATOMIC",
    "BEGIN", "END", "CASE", "COPY t FROM stdin", "COPY t FROM PROGRAM 'id'", "\n\\.\n", "\\.", "\\restrict x",
    "\\! id", "'", '"', "$$", "$a$", "E'", "U&'", "/*", "*/", "--", "\n", ";", "(", ")", "[", "]", "`", "\\", ",",
    " ", "\t", "CREATE TRIGGER x AFTER INSERT ON t BEGIN", "CREATE SCHEMA public", "CREATE EXTENSION x WITH SCHEMA y",
    "SET ROLE a", "x", "1", "CHECK", "WHERE", "CREATE INDEX i ON t", "STRICT", "é", "\0", "\ufeff", "\x85",
)  # fmt: skip
YAML = (
    "name: shop\n", "engine: sqlite\n", "source: {dump: x}\n", "tables:\n", "  t:\n", "    keep: [a]\n", "- ", "? ",
    ": ", "&a ", "*a", "<<: *a\n", "!!python/object:os.system ", "!x ", "|\n", ">\n", "{", "}", "[", "]", '"', "'",
    "\\ud83d", "#", "\n", "  ", "\t", "---\n", "...\n", "%YAML 1.1\n", "~", "1e999", "0x", "1_000", "2020-99-99",
    "0o9", "!!int ", "!!float ", "!!timestamp ", "!!binary ", "!!set ", "c0: ", "c3: 1", "key_env: A\n", "\0", "é", "@",
)  # fmt: skip
JSON = (
    "[", "]", "{", "}", ",", ":", '"', "null", "true", "NaN", "1e999", '"columns"', '"rows"', '"digest"', '"t"', "\\ud83d",
    '"table"', "0", "-", '[{"c0": 1}]', '{"table":"t","columns":[],"rows":0,"size":0,"digest":"","rules":{}}',
    '"9"', "9" * 5000, '"checks"', '"tables"', "é", "\n",
)  # fmt: skip
PYTHON = (
    "X = ", "[", "]", "{", "}", ":", "'c0'", "1", "None", "__import__('os')", "(", ")", "\n", "import os", "-", "+",
    "*", "1j", "b'x'", "\\", "'''", "lambda: 0", "...", ",", "é", "\0", "\ufeff", "f'{x}'", "True", "[[[[[[",
)  # fmt: skip
VALUES = ("\\", "\t", "\n", "\\N", "\\.", "\x1b", "\x1b#", "\x1b~", "\x1b?", "\x1b'", "\\x", "0", "f", "é", '"', "{", "}", ",", "NULL", "1e5", "-", "9" * 20, "@a.b", "+49 30 1234567", "\r", "\x85", "\ufeff")  # fmt: skip


def _of(pieces):
    """Return inputs made of pieces of a grammar, with other bytes between."""
    piece = st.sampled_from([each.encode() for each in pieces])
    some = st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace"))
    return st.lists(piece | some | st.binary(max_size=6), max_size=40).map(b"".join)


def _bent(seeds_of):
    """Return real files with a few bytes changed, cut or put in."""

    @st.composite
    def bent(draw):
        content = bytearray(draw(st.sampled_from(seeds_of())))
        for _ in range(draw(st.integers(1, 6))):
            place = draw(st.integers(0, max(0, len(content) - 1)))
            how = draw(st.sampled_from(["flip", "cut", "put"]))
            if how == "flip" and content:
                content[place] = draw(st.integers(0, 255))
            elif how == "cut":
                del content[place : place + draw(st.integers(1, 64))]
            else:
                content[place:place] = draw(st.binary(max_size=16))
        return bytes(content)

    return bent()


CORPUS = Path(__file__).parent / "corpus"


def kept(name):
    """Return the inputs that are kept for a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))] or [b""]


@dataclass(frozen=True)
class Target:
    """Something that reads, and what it is given."""

    read: object
    inputs: st.SearchStrategy


TARGETS = {
    "plain_dump": Target(plain_dump, _of(SQL)),
    "joined_statements": Target(joined_statements, _of((*SQL, "\n;\n", "\n;\n", "SELECT 2\n;\n"))),
    "sqlite_script": Target(sqlite_script, _of(SQL)),
    "index_texts": Target(index_texts, _of(SQL).map(lambda text: b"(" + text)),
    "config": Target(config, _of(YAML) | _bent(lambda: kept("config"))),
    "golden_yaml": Target(_golden(".yaml"), _of(YAML) | _of(YAML).map(lambda text: b"- c0: 1\n  " + text)),
    "golden_json": Target(_golden(".json"), _of(JSON)),
    "golden_py": Target(_golden(".py"), _of(PYTHON) | _of(PYTHON).map(lambda text: b"X = [{'c0': " + text + b"}]")),
    "copy_text": Target(copy_text, _of(VALUES)),
    "sqlite_values": Target(sqlite_values, _of(VALUES)),
    "arrays": Target(arrays, _of(VALUES)),
    "records": Target(records, _of(JSON)),
    "stamps": Target(stamps, _of(JSON)),
    "dumps": Target(dumps, _of((*SQL, "PGDMP", "\x1f\x8b")) | _bent(lambda: kept("dumps"))),
    "sqlite_dumps": Target(sqlite_dumps, _bent(lambda: kept("sqlite_dumps"))),
    "seeds": Target(seeds, _of((*SQL, *YAML, *PYTHON, "-- version: 1\n", "version: 1\n", "VERSION = 1\n"))),
    "trees": Target(trees, _of(SQL)),
    "marks": Target(marks, _of((*VALUES, *JSON))),
    "names": Target(names, st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))),
}  # fmt: skip


def hold(name, content):
    """Hold a target's law against one input."""
    with bounded():
        TARGETS[name].read(content)
