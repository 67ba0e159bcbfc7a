"""Databases out of nowhere: schemas and rows with everything awkward, and what to search for.

Every table has a kept column ``rn`` that numbers its rows, so that a row is known again whatever
becomes of its keys. A *token* is a word that occurs in one cell of the world and nowhere else.
"""

import hashlib
import json
import string
from dataclasses import dataclass, field

from hypothesis import strategies as st

LONG = "n" * 60 + "ürst"[:2]
NAMES = (
    "plain", "Mixed Case", 'quo"te', "dot.ted", "per%scent%%", "back\\slash", "ünïcödé", "order",
    "日本語", "$dollar", LONG, "new\nline", "tab\there", "a'b", "{brace}", "-dash", "😀", "select",
    "semi;colon", "x: y #z", "*", "null", "yes", "1e3", " lead", "_dbcycl", "sqlit_",
)  # fmt: skip
COLUMNS = NAMES
HAZARDS = (
    "", " ", "\\N", "\\.", "\\\\N", "'", '"', "a\tb", "line\nbreak", "\r\n", "\\x41", "\\x", "NULL",
    "null", "{}", "[", '"', "{a,b}", '{"a": 1}', "\x1b", "\x1b'x", "\x1b#1", "\ufeff", "\u200b\u2028",
    "𝔘𐍈🎉", "\x01\x7f\x85", "é", "e\u0301", "%s %d %%", "$1 :x ?", "--", "/*", ";", "\\", "\\\\",
    "0", "-0", "1e5", "Infinity", "true", "\v\f\b", "\U0010ffff", "\ue000", "İıſß", "￿",
)  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.sampled_from(HAZARDS) | st.text(CHARACTERS, max_size=12)
CONSONANTS = "bcdfghjklmnpqrstvwxz"


@dataclass
class Column:
    """One column: its definition, the rule of the masked run (None keeps it), its values."""

    name: str
    ddl: str
    rule: object = None
    generated: bool = False
    values: list = field(default_factory=list)


@dataclass
class Table:
    """One table; ``after`` are statements to run once every table has its rows."""

    schema: str
    name: str
    columns: list[Column]
    constraints: list[str] = field(default_factory=list)
    suffix: str = ""
    after: list[str] = field(default_factory=list)
    keys: list[tuple[list[Column], str]] = field(default_factory=list)
    """What other tables can refer to, with the type of the last column."""
    references: list[tuple[list[str], "Table", list[str]]] = field(default_factory=list)

    @property
    def id(self):
        """The name that the config uses."""
        if not self.schema:
            return self.name
        parts = [self.name] if self.schema == "public" else [self.schema, self.name]
        return ".".join(quoted(p) if "." in p or '"' in p else p for p in parts)

    @property
    def quoted(self):
        """The name in SQL."""
        return ".".join(quoted(part) for part in (self.schema, self.name) if part)

    @property
    def rows(self):
        """The stored rows."""
        stored = [column.values for column in self.columns if not column.generated]
        return list(zip(*stored, strict=True))


@dataclass(repr=False)
class World:
    """A database to be: tables with rows, and what must never be seen again."""

    tables: list[Table] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    people: list[str] = field(default_factory=list)
    counter: int = 0

    def __repr__(self):
        return "World()"

    def token(self):
        """Return a word that occurs nowhere else."""
        self.counter += 1
        number = int.from_bytes(hashlib.blake2b(str(self.counter).encode()).digest()[:8], "big")
        letters = ""
        for _ in range(12):
            number, place = divmod(number, len(CONSONANTS))
            letters += CONSONANTS[place]
        self.tokens.add(letters)
        return letters

    def digits(self):
        """Return eight digits that occur nowhere else."""
        self.counter += 1
        drawn = hashlib.blake2b(f"digits {self.counter}".encode()).digest()
        found = str(10_000_000 + int.from_bytes(drawn[:6], "big") % 89_999_999)
        self.tokens.add(found)
        return found

    def config(self, *, masked):
        """Return the ``tables`` of the config, everything kept or everything masked."""
        tables = {}
        for table in self.tables:
            stored = [column for column in table.columns if not column.generated]
            rules = {c.name: c.rule for c in stored if masked and c.rule is not None}
            followed = {name for names, _, _ in table.references for name in names}
            kept = [c.name for c in stored if c.name not in rules and c.name not in followed]
            kept += sorted(followed)
            tables[table.id] = {"columns": rules, "keep": kept}
        return "tables: " + json.dumps(tables, ensure_ascii=False)


def quoted(name):
    """Return an identifier as both engines read it."""
    return '"' + name.replace('"', '""') + '"'


def witness(schema):
    """Return a table with a word in it: verification refuses to prove anything from nothing."""
    columns = [Column("rn", "INTEGER NOT NULL", values=[0])]
    return Table(schema, "witness", [*columns, Column("word", "TEXT", values=["nobody"])])


# --- values ---------------------------------------------------------------------------------------


def sentence(draw, world):
    """Return awkward text around a token."""
    return f"{draw(TEXT)} {world.token()} {draw(TEXT)}"


def address(draw, world):
    """Return an e-mail address."""
    plus = draw(st.sampled_from(["", "+tag", ".second", "_x"]))
    local = world.token()
    return f"{local.upper() if draw(st.booleans()) else local}{plus}@{world.token()}.example.net"


def person(draw, world):
    """Return a name that prose may repeat."""
    name = world.token().capitalize()
    world.people.append(name)
    return name


def whole_name(draw, world):
    """Return a first and a last name; prose repeats them together."""
    name = f"{world.token().capitalize()} {world.token().capitalize()}"
    world.people.append(name)
    return name


def telephone(draw, world):
    """Return a telephone number with punctuation of some kind."""
    digits = world.digits()
    return draw(st.sampled_from(["+49 30 {}", "+4930{}", "(030) {}", "030-{}"])).format(digits)


def note(draw, world):
    """Return prose about people that are known elsewhere."""
    parts = [draw(TEXT), "mail", address(draw, world)]
    if world.people:
        parts += ["from", draw(st.sampled_from(world.people))]
    return " ".join(parts)


def document(draw, world, depth=0):
    """Return a JSON document with a token in every text."""
    kinds = ["null", "truth", "number", "word", "word", "mail"]
    kind = draw(st.sampled_from([*kinds, "list", "map", "map"] if depth < 5 else kinds))
    if kind == "list":
        return [document(draw, world, depth + 1) for _ in range(draw(st.integers(0, 3)))]
    if kind == "map":
        names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        return {name: document(draw, world, depth + 1) for name in names}
    leaves = {
        "null": lambda: None,
        "truth": lambda: draw(st.booleans()),
        "number": lambda: draw(st.sampled_from([0, -1, 2**53 + 1, 2**70, 1.5, 1e300, -0.25])),
        "word": world.token,
        "mail": lambda: address(draw, world),
    }
    return leaves[kind]()


def written(draw, world):
    """Return a JSON document as text."""
    return json.dumps(document(draw, world), ensure_ascii=draw(st.booleans()))


def array(draw, world):
    """Return an array of texts as PostgreSQL writes it; nested, empty and null elements too."""
    elements = [
        "NULL" if draw(st.integers(0, 4)) == 0 else _element(sentence(draw, world))
        for _ in range(draw(st.integers(0, 3)))
    ]
    if elements and draw(st.integers(0, 3)) == 0:
        return "[0:0][2:" + str(1 + len(elements)) + "]={{" + ",".join(elements) + "}}"
    return "{" + ",".join(elements) + "}"


def _element(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def some(*values):
    """Return a maker that draws one of some values."""
    return lambda draw, _world: draw(st.sampled_from(values))


def data(draw, world):
    """Return bytes that hold a token."""
    return "\\x" + (draw(st.binary(max_size=6)) + world.token().encode()).hex()


def number(low, high):
    """Return a maker of integers with both ends."""
    edges = (low, high, 0, 1, 9, 10)
    return lambda draw, _world: str(draw(st.sampled_from(edges) | st.integers(low, high)))


def uuid(draw, _world):
    """Return a UUID."""
    return str(draw(st.uuids()))


def network(draw, _world):
    """Return an address of either version."""
    return draw(st.ip_addresses().map(str) | st.sampled_from(["10.1.2.0/24", "::1/128"]))


DATES = some("2020-02-29", "0001-01-01", "1999-12-31", "2026-11-21", "1582-10-10")
BEYOND = some("infinity", "-infinity", "0044-03-15 BC", "294276-12-31", "4713-01-01 BC")
MOMENTS = some(
    "2024-03-31 02:30:00", "1970-01-01 00:00:00.000001", "1999-12-31 23:59:59.999999",
    "2020-02-29 12:00:00",
)  # fmt: skip
ZONED = some("2024-03-31 02:30:00+01", "1900-01-01 00:00:00+00:19:32", "2000-01-01 00:00:00-12")

# name: (type, maker, rules of the masked run, can be unique)
POSTGRES = {
    "e-mail": ("text", address, ["email"], True),
    "citext": ("citext", address, ["email", "username", "hash"], True),
    "short e-mail": ("varchar(80)", address, ["email"], True),
    "first name": ("text", person, ["first_name"], False),
    "full name": ("varchar(60)", whole_name, ["full_name"], False),
    "phone": ("text", telephone, ["phone"], True),
    "user": ("varchar(40)", lambda _d, w: w.token(), ["username", "token"], True),
    "prose": ("text", sentence, ["free_text", "redact", "hash", "token", "null"], False),
    "note": ("text", note, ["scrub"], False),
    "padded": ("char(30)", lambda _d, w: w.token(), ["scramble", "redact"], False),
    "array": ("text[]", array, ["free_text", "hash", "redact"], False),
    "citexts": ("citext[]", array, ["free_text"], False),
    "jsonb": ("jsonb", written, ["json"], False),
    "json": ("json", written, ["json"], False),
    "bytes": ("bytea", data, ["bytes"], True),
    "domain": ("{own}", sentence, ["free_text"], False),
    "company": ("text", lambda _d, w: f"{w.token()} {w.token()} Ltd", ["company"], False),
    "street": ("text", lambda _d, w: f"12 {w.token()} Road", ["street_address"], False),
    "web": ("text", lambda _d, w: f"https://{w.token()}.example.net/{w.token()}", ["url"], True),
    "integer": ("integer", number(-(2**31), 2**31 - 1), ["integer", None], False),
    "bigint": ("bigint", number(-(2**63), 2**63 - 1), ["integer", None], False),
    "smallint": ("smallint", number(-(2**15), 2**15 - 1), ["integer", None], False),
    "uuid": ("uuid", uuid, ["uuid", None], False),
    "inet": ("inet", network, ["ip_address"], False),
    "numeric": (
        "numeric", some("NaN", "Infinity", "-Infinity", "0", "1e-30", "1" * 60, "-0.10"),
        ["number", None], False,
    ),
    "money": ("numeric(10,2)", some("0.01", "-99999999.99", "12.30", "NaN"), ["number"], False),
    "float": (
        "double precision", some("NaN", "Infinity", "-Infinity", "-0", "5e-324", "0.1", "1e308"),
        ["number", None], False,
    ),
    "real": ("real", some("NaN", "1e-45", "3.4028235e38", "0.1"), [None], False),
    "boolean": ("boolean", some("t", "f"), [None], False),
    "enum": ("{enum}", some("a b", "it's", "Ü", "{x}"), ["choice", None], False),
    "enums": ("{enum}[]", some("{}", '{"a b",NULL}', '{Ü,"{x}"}'), ["choice", None], False),
    "date": ("date", DATES, ["date", None], False),
    "any date": ("date", BEYOND, ["date", "birth_date", None], False),
    "timestamp": ("timestamp", MOMENTS, ["timestamp", None], False),
    "any timestamp": ("timestamp", BEYOND, ["timestamp", None], False),
    "timestamptz": ("timestamptz", ZONED, ["timestamp", None], False),
    "any timestamptz": (
        "timestamptz", some("infinity", "-infinity", "4713-01-01 00:00:00+00 BC"),
        ["timestamp", None], False,
    ),
    "interval": (
        "interval", some("1 year -2 mons 3 days -04:05:06.7", "178000000 years", "00:00:00"),
        [None], False,
    ),
    "any interval": (
        "interval", some("3 years", "-2 days", "04:05:06.7"), ["interval", None], False,
    ),
    "time": ("time", some("24:00:00", "00:00:00", "23:59:59.999999"), ["time", None], False),
    "timetz": ("timetz", some("24:00:00+14", "12:00:00-15:59:59"), ["time", None], False),
    "range": (
        "int4range", some("empty", "(,)", "[1,5)", "[,7)", "[-3,)"), ["range", None], False,
    ),
    "tsrange": ("tsrange", some("empty", '["2020-01-01 00:00:00",)', "(,infinity]"), ["range"], False),
    "multirange": ("int8multirange", some("{}", "{[1,2),[5,9)}"), ["range"], False),
    "bits": ("varbit(9)", some("", "1", "010101010"), [None], False),
    "point": ("point", some("(0,-0)", "(1e300,NaN)"), [None], False),
    "oid": ("oid", some("0", "4294967295"), [None], False),
    "char": ('"char"', some("", "a", "\\"), [None], False),
    "tsvector": ("tsvector", some("'a':1A 'b b':2", ""), ["tsvector", None], False),
    "composite": ("{pair}", some('(1,"a b")', "(,)", '(2,"""\\\\")'), [None], False),
    "macaddr": ("macaddr", some("08:00:2b:01:02:03"), ["mac_address"], False),
}  # fmt: skip

KEYS = {
    "integer": ("integer", "integer", number(1, 2**31 - 1)),
    "bigint": ("bigint", "integer", number(-(2**63), 2**63 - 1)),
    "uuid": ("uuid", "uuid", uuid),
    "text": ("text", "token", sentence),
    "citext": ("citext", "email", address),
}


@st.composite
def postgres_worlds(draw):
    """Return a database of PostgreSQL."""
    world = World([witness("public")])
    spaces = ["public", *draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))]
    home = quoted(draw(st.sampled_from(spaces)))
    world.before += [f"CREATE SCHEMA {quoted(space)}" for space in spaces[1:]]
    world.before += [
        "CREATE EXTENSION citext WITH SCHEMA public",
        f"CREATE TYPE {home}.\"En'um\" AS ENUM ('a b', 'it''s', 'Ü', '{{x}}')",
        f'CREATE TYPE {home}."pair" AS (n integer, "t t" text)',
        f'CREATE DOMAIN {home}."Own" AS text CHECK (length(VALUE) < 1000)',
    ]
    types = {"own": f'{home}."Own"', "enum": f'{home}."En\'um"', "pair": f'{home}."pair"'}
    taken = set()
    for _ in range(draw(st.integers(1, 4))):
        space, name = draw(st.sampled_from(spaces)), draw(st.sampled_from(NAMES))
        if (space, name) not in taken:
            taken.add((space, name))
            world.tables.append(_postgres_table(draw, world, space, name, types))
    _references(draw, world, "postgresql")
    return world


def _postgres_table(draw, world, space, name, types):
    size = draw(st.integers(0, 6))
    table = Table(space, name, [Column("rn", "integer NOT NULL", values=list(range(size)))])
    free = [n for n in draw(st.permutations(COLUMNS)) if n != "rn"]
    partitioned = draw(st.integers(0, 4)) == 0
    _key(draw, world, table, size, free, partitioned=partitioned)
    for kind in draw(st.lists(st.sampled_from(sorted(POSTGRES)), min_size=2, max_size=8)):
        declared, make, rules, can_be_unique = POSTGRES[kind]
        column = Column(free.pop(), declared.format(**types), draw(st.sampled_from(rules)))
        unique = can_be_unique and not partitioned and draw(st.integers(0, 2)) == 0
        nullable = column.rule == "null" or draw(st.booleans())
        column.values = [
            None if nullable and draw(st.integers(0, 3)) == 0 else make(draw, world)
            for _ in range(size)
        ]
        _decorate(draw, table, column, kind, unique=unique, nullable=nullable)
        table.columns.append(column)
    if draw(st.integers(0, 2)) == 0:
        table.columns.append(
            Column(free.pop(), "bigint GENERATED ALWAYS AS (rn * 2) STORED", generated=True)
        )
    if draw(st.integers(0, 2)) == 0:
        table.constraints.append(f"CONSTRAINT {quoted(free.pop())} CHECK (rn >= 0)")
    if partitioned:
        table.suffix = " PARTITION BY RANGE (rn)"
        for number_, bounds in enumerate(["FROM (0) TO (2)", "FROM (2) TO (4)", None]):
            part = quoted((f"p{number_} " + name).encode()[:60].decode(errors="ignore"))
            rest = f"FOR VALUES {bounds}" if bounds else "DEFAULT"
            table.after.append(
                f"CREATE TABLE {quoted(space)}.{part} PARTITION OF {table.quoted} {rest}"
            )
    return table


def _decorate(draw, table, column, kind, *, unique, nullable):
    """Add the constraints and indexes that the values of a column satisfy."""
    name = quoted(column.name)
    column.ddl += "" if nullable else " NOT NULL"
    if unique:
        form = draw(st.sampled_from(["plain", "partial", "folded", "constraint"]))
        if form == "constraint":
            table.constraints.append(f"UNIQUE ({name})")
            if not nullable:
                table.keys.append(([column], column.ddl.split(" NOT ")[0]))
        elif form == "plain":
            table.after.append(f"CREATE UNIQUE INDEX ON {table.quoted} ({name})")
        elif form == "partial":
            table.after.append(f"CREATE UNIQUE INDEX ON {table.quoted} ({name}) WHERE rn > 1")
        elif "char" in column.ddl or "text" in column.ddl:
            table.after.append(f"CREATE UNIQUE INDEX ON {table.quoted} (lower({name}::text))")
    if "mail" in kind and draw(st.booleans()):
        table.constraints.append(f"CHECK ({name} LIKE '%@%.%')")


def _key(draw, world, table, size, free, *, partitioned):
    """Give a table a primary key of some kind, or none."""
    form = draw(st.sampled_from(["single", "single", "identity", "composite", "none"]))
    if form == "none":
        return
    if form == "identity":
        kind = draw(st.sampled_from(["integer", "bigint"]))
        how = draw(st.sampled_from(["ALWAYS", "BY DEFAULT"]))
        declared, rule, make = KEYS[kind]
        column = Column(free.pop(), f"{declared} GENERATED {how} AS IDENTITY")
    else:
        declared, rule, make = KEYS[draw(st.sampled_from(sorted(KEYS)))]
        column = Column(free.pop(), declared)
    column.rule = rule if draw(st.integers(0, 3)) else None
    while len(column.values) < size:
        value = make(draw, world)
        if value not in column.values:
            column.values.append(value)
    if column.rule is None:
        # A kept column is no secret: what it shows elsewhere is not looked for.
        for value in column.values:
            world.tokens = {token for token in world.tokens if token not in value.lower()}
    table.columns.insert(0, column)
    if form == "composite" or partitioned:
        table.constraints.append(f"PRIMARY KEY (rn, {quoted(column.name)})")
        table.keys.append(([table.columns[1], column], declared))
    else:
        table.constraints.append(f"PRIMARY KEY ({quoted(column.name)})")
        table.keys.append(([column], declared))


def _references(draw, world, engine):
    """Let tables refer to each other and to themselves."""
    for table in world.tables:
        for _ in range(draw(st.integers(0, 2))):
            parents = [parent for parent in world.tables if parent.keys]
            if not parents:
                return
            parent = draw(st.sampled_from(parents))
            key, declared = draw(st.sampled_from(parent.keys))
            _reference(draw, table, parent, key, declared, engine)


def _reference(draw, table, parent, key, declared, engine):
    used = {column.name.casefold() for column in table.columns}
    free = [name for name in COLUMNS if name.casefold() not in used]
    size, places = len(table.columns[0].values), list(range(len(parent.columns[0].values)))
    picked = [
        draw(st.sampled_from(places)) if places and draw(st.integers(0, 3)) else None
        for _ in range(size)
    ]
    names = []
    for column in key:
        name = free[draw(st.integers(0, len(free) - 1))]
        free.remove(name)
        own = declared if column is key[-1] else "integer"
        values = [None if place is None else column.values[place] for place in picked]
        table.columns.append(Column(name, own, None, values=values))
        names.append(name)
    listed = ", ".join(map(quoted, names))
    wanted = [column.name for column in key]
    target = f"{parent.quoted} ({', '.join(map(quoted, wanted))})"
    how = draw(st.sampled_from(["", " ON DELETE SET NULL", " DEFERRABLE INITIALLY DEFERRED"]))
    clause = f"FOREIGN KEY ({listed}) REFERENCES {target}{how}"
    if engine == "sqlite":
        table.constraints.append(clause)
    else:
        table.after.append(f"ALTER TABLE {table.quoted} ADD {clause}")
    table.references.append((names, parent, wanted))


# --- SQLite ---------------------------------------------------------------------------------------


def anything(draw, _world):
    """Return a value of any storage class."""
    return draw(
        st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False)
        | TEXT
        | st.binary(max_size=8)
        | st.sampled_from(["12", "1.50", "0x10", " 7", "1e3", "9223372036854775808", b"\xff\xfe"])
    )


def blob(draw, world):
    """Return bytes that hold a token."""
    return draw(st.binary(max_size=6)) + world.token().encode()


SQLITE = {
    "e-mail": ("TEXT", address, ["email"], True),
    "folded": ("VARCHAR(80) COLLATE NOCASE", address, ["email", "username"], True),
    "first name": ("TEXT", person, ["first_name"], False),
    "full name": ("VARCHAR(60)", whole_name, ["full_name"], False),
    "phone": ("TEXT", telephone, ["phone"], True),
    "user": ("VARCHAR(40)", lambda _d, w: w.token(), ["username", "token"], True),
    "prose": ("TEXT", sentence, ["free_text", "redact", "hash", "token", "null"], False),
    "note": ("CLOB", note, ["scrub"], False),
    "json": ("JSON", written, ["json"], False),
    "blob": ("BLOB", blob, ["bytes"], True),
    "words in a blob": ("", sentence, ["free_text"], False),
    "uuid": ("UUID", uuid, ["uuid", None], False),
    "integer": ("INTEGER", lambda d, w: int(number(-(2**63), 2**63 - 1)(d, w)), ["integer", None], False),
    "float": ("REAL", some(0.1, 5e-324, 1e308, float("inf"), -0.0, 3.0), ["number", None], False),
    "numeric": ("NUMERIC(10,2)", some(1, 1.5, 10**15, "12 apples"), [None], False),
    "any": ("", anything, [None], False),
    "any text": ("TEXT", anything, [None], False),
    "any integer": ("INT", anything, [None], False),
    "any real": ("DOUBLE", anything, [None], False),
    "any numeric": ("DECIMAL", anything, [None], False),
    "any blob": ("BLOB", anything, [None], False),
    "date": ("DATE", some("2020-02-29", "1999-12-31"), ["date", None], False),
    "moment": ("DATETIME", some("2024-03-31 02:30:00", "1970-01-01T00:00:00"), ["timestamp", None], False),
    "epoch": ("DATETIME", some(0, 1.5, 1700000000), [None], False),
    "boolean": ("BOOLEAN", some(0, 1, "true"), [None], False),
}  # fmt: skip


@st.composite
def sqlite_worlds(draw):
    """Return a database of SQLite."""
    world = World([witness("")])
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        world.tables.append(_sqlite_table(draw, world, name))
    _references(draw, world, "sqlite")
    return world


def _sqlite_table(draw, world, name):
    size = draw(st.integers(0, 6))
    table = Table("", name, [Column("rn", "INTEGER NOT NULL", values=list(range(size)))])
    free = list(draw(st.permutations(COLUMNS)))
    form = draw(st.sampled_from(["rowid", "auto", "text", "composite", "without", "none"]))
    if form in {"rowid", "auto"}:
        column = Column(free.pop(), "INTEGER PRIMARY KEY" + " AUTOINCREMENT" * (form == "auto"))
        top = 2**62 if form == "auto" else 2**63 - 1
        made = st.sampled_from([1, 9, 10, top]) | st.integers(-(2**63), top)
        column.values = draw(st.lists(made, min_size=size, max_size=size, unique=True))
        column.rule = draw(st.sampled_from(["integer", None]))
        table.columns.insert(0, column)
        table.keys.append(([column], "INTEGER"))
    elif form != "none":
        column = Column(free.pop(), "TEXT NOT NULL", "token")
        column.values = [sentence(draw, world) for _ in range(size)]
        table.columns.insert(0, column)
        wide = form == "composite"
        listed = f"rn, {quoted(column.name)}" if wide else quoted(column.name)
        table.constraints.append(f"PRIMARY KEY ({listed})")
        table.keys.append(([table.columns[1], column] if wide else [column], "TEXT"))
        table.suffix = " WITHOUT ROWID" if form == "without" else ""
    for kind in draw(st.lists(st.sampled_from(sorted(SQLITE)), min_size=2, max_size=8)):
        declared, make, rules, can_be_unique = SQLITE[kind]
        column = Column(free.pop(), declared, draw(st.sampled_from(rules)))
        nullable = column.rule == "null" or draw(st.booleans())
        column.values = [
            None if nullable and draw(st.integers(0, 3)) == 0 else make(draw, world)
            for _ in range(size)
        ]
        unique = can_be_unique and draw(st.integers(0, 2)) == 0
        _decorate(draw, table, column, kind, unique=unique, nullable=nullable)
        table.columns.append(column)
    table.after = [_named(statement, n, name) for n, statement in enumerate(table.after)]
    table.after = [statement.replace("::text", "") for statement in table.after]
    if draw(st.integers(0, 2)) == 0:
        how = draw(st.sampled_from(["STORED", "VIRTUAL"]))
        table.columns.append(Column(free.pop(), f"INTEGER AS (rn * 2) {how}", generated=True))
    return table


def _named(statement, number_, name):
    index = quoted(f"index {number_} of {name}")
    return statement.replace("UNIQUE INDEX ON", f"UNIQUE INDEX {index} ON")


def letters_of(text):
    """Return a text without anything but letters and digits, so that no punctuation can hide."""
    return "".join(
        char for char in text.casefold() if char in string.ascii_lowercase + string.digits
    )
