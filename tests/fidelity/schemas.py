"""Whole databases of PostgreSQL, drawn: what a dump can carry, and rows that are easily bent.

Everything is SQL text, in an order that runs. ``refused`` names what the product must refuse.
"""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from .values import (
    BASE,
    BUILT_IN,
    EXTENSIONS,
    KEYS,
    NAMES,
    TEXTS,
    Type,
    array_of,
    composite_of,
    domain_over,
    enum_of,
    literal,
    quoted,
    range_of,
)


@dataclass
class Column:
    """A column; ``stored`` is false where the database makes the value."""

    name: str
    type: Type
    ddl: str = ""
    values: list = field(default_factory=list)
    stored: bool = True
    not_null: bool = False


@dataclass
class Table:
    """A table; ``keys`` are lists of columns that other tables may refer to."""

    schema: str
    name: str
    size: int
    columns: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    kind: str = "plain"
    parent: "Table | None" = None

    @property
    def sql(self):
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def id(self):
        """The name that the config uses."""
        parts = [self.name] if self.schema == "public" else [self.schema, self.name]
        return ".".join(quoted(part) if "." in part or '"' in part else part for part in parts)

    def free(self, draw):
        """Return a name that no column has."""
        taken = {column.name for column in self.columns}
        return draw(st.sampled_from([name for name in NAMES if name not in taken]))

    def column(self, draw, type_, values, ddl="", **facts):
        """Add a column."""
        made = Column(self.free(draw), type_, ddl, values, **facts)
        self.columns.append(made)
        return made


@dataclass(repr=False)
class World:
    """A database to be."""

    tables: list = field(default_factory=list)
    before: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    after: list = field(default_factory=list)
    types: list = field(default_factory=list)
    schemas: list = field(default_factory=lambda: ["public"])
    features: set = field(default_factory=set)
    names: set = field(default_factory=set)
    refused: str = ""

    def __repr__(self):
        return f"World({len(self.tables)} tables)"

    def _repr_pretty_(self, printer, _cycle):
        printer.text(repr(self))

    @property
    def script(self):
        """All of it."""
        return ";\n".join([*self.before, *self.rows, *self.after]) + ";\n"

    @property
    def size(self):
        """How many rows it has."""
        return sum(table.size for table in self.tables)

    def name(self, draw, schema):
        """Return a name that nothing in a schema has."""
        free = [name for name in NAMES if (schema, name) not in self.names]
        # A relation's row type and its arrays' type are names as well; long ones collide when cut.
        chosen = draw(st.sampled_from(free))
        self.names.add((schema, chosen))
        return chosen

    def place(self, draw, used):
        """Return a schema and a free name in it, as SQL; the feature is noted."""
        self.features.add(used)
        schema = draw(st.sampled_from(self.schemas))
        return f"{quoted(schema)}.{quoted(self.name(draw, schema))}"


def once_in(draw, chances):
    """Tell whether one of so many chances came up; shrinks towards no."""
    return draw(st.integers(0, chances - 1)) == chances - 1


def key_value(draw, type_, number):
    """Return a value of a key's type that no other number has."""
    word = draw(st.sampled_from(["", "é", "'", "\\", "\t", "\\N", '"', "😀"]))
    return {
        "integer": str(number * 3 + 1),
        "bigint": str(2**62 + number),
        "uuid": f"00000000-0000-4000-8000-{number:012x}",
        "timestamptz": f"2000-01-{number + 1:02d} 00:00:00.000001+00",
        "bytea": f"\\x00{number:02x}5c",
        "numeric": f"{number}.10",
    }.get(type_.sql, f"{word}{number}")


@st.composite
def worlds(draw):
    """Return a database."""
    world = World()
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)):
        if name != "public":
            world.schemas.append(name)
    world.before += [f"CREATE EXTENSION {name}" for name in sorted(EXTENSIONS)]
    world.before += [f"CREATE SCHEMA {quoted(name)}" for name in world.schemas[1:]]
    _witness(world)
    for _ in range(draw(st.integers(0, 4))):
        _type(draw, world)
    for _ in range(draw(st.integers(1, 7))):
        _table(draw, world)
    _references(draw, world)
    for make in (_sequence, _view, _routine, _rule, _policy, _statistics, _large_object):
        if once_in(draw, 3):
            make(draw, world)
    return world


def _witness(world):
    """Add a word that is kept: verification refuses to prove anything from nothing."""
    table = Table("public", "witness", 1)
    table.columns = [Column("word", BASE[0], values=["nobody"])]
    world.names.add(("public", "witness"))
    world.tables.append(table)
    world.before.append("CREATE TABLE public.witness (word text)")
    world.rows.append("INSERT INTO public.witness VALUES ('nobody')")


def _known(draw, world, *, nested=True):
    """Return some type: a built-in one, an array of one, or one that was made here."""
    found = draw(st.sampled_from(BASE))
    if nested and world.types and once_in(draw, 3):
        found = draw(st.sampled_from(world.types))
    if nested and found.in_array and once_in(draw, 3):
        return array_of(found)
    return found


def _type(draw, world):
    kind = draw(st.sampled_from(["enum", "domain", "composite", "range"]))
    inner = _known(draw, world)
    if kind == "range" and not (inner.key and inner.subtype and "COLLATE" not in inner.sql):
        inner = draw(st.sampled_from(KEYS[:1]))
    place = world.place(draw, f"type: {kind}")
    if kind == "enum":
        labels = draw(st.lists(TEXTS.filter(lambda x: 0 < len(x.encode()) < 64), min_size=1, max_size=4, unique=True))  # fmt: skip
        world.before.append(f"CREATE TYPE {place} AS ENUM ({', '.join(map(literal, labels))})")
        made = enum_of(labels, place)
    elif kind == "domain":
        check = draw(st.sampled_from(["", " CHECK (VALUE IS NULL OR true)", " CONSTRAINT \"a'b\" CHECK (VALUE IS NOT DISTINCT FROM VALUE)" if inner.key else ""]))  # fmt: skip
        world.before.append(f"CREATE DOMAIN {place} AS {inner.sql}{check}")
        made = domain_over(inner, place)
        if inner.delimiter != ",":
            made = Type(made.sql, made.values, made.key, in_array=False, subtype=False)
    elif kind == "composite":
        parts = [inner, *(_known(draw, world) for _ in range(draw(st.integers(0, 2))))]
        listed = [f"{quoted(NAMES[n])} {part.sql}" for n, part in enumerate(parts)]
        world.before.append(f"CREATE TYPE {place} AS ({', '.join(listed)})")
        made = composite_of(parts, place)
    else:
        base = Type(inner.sql.split("(")[0], inner.values, inner.key)
        world.before.append(f"CREATE TYPE {place} AS RANGE (SUBTYPE = {base.sql})")
        made = range_of(inner, place)
    world.types.append(made)


# --- tables ---------------------------------------------------------------------------------------


def _table(draw, world):
    schema = draw(st.sampled_from(world.schemas))
    # Half of the time a name that another schema has already.
    name = draw(st.sampled_from(NAMES))
    if (schema, name) in world.names:
        return
    world.names.add((schema, name))
    table = Table(schema, name, draw(st.sampled_from([0, 1, 3, 5])))
    table.kind = draw(
        st.sampled_from(["plain", "plain", "plain", "partitioned", "child", "unlogged"])
    )
    parents = [t for t in world.tables if t.kind in {"plain", "child"} and t.name != "witness"]
    if table.kind == "child" and not parents:
        table.kind = "plain"
    if table.kind == "child":
        table.parent = draw(st.sampled_from(parents))
        _inherit(draw, table)
    world.features.add(f"table: {table.kind}")
    if table.kind == "partitioned":
        rn = Column("rn", BASE[7], " NOT NULL", [str(n) for n in range(table.size)], not_null=True)
        table.columns.insert(0, rn)
    parts = _key(draw, world, table)
    for _ in range(draw(st.integers(0, 5))):
        _column(draw, world, table)
    parts += _checks(draw, world, table)
    _create(draw, world, table, parts)
    _fill(world, table)
    _advance(draw, world, table)
    _indexes(draw, world, table)
    world.tables.append(table)


def _inherit(draw, table):
    for column in table.parent.columns:
        type_ = column.type
        values = []
        if column.stored:
            nullable = not column.not_null
            values = [_value(draw, type_, nullable=nullable) for _ in range(table.size)]
        table.columns.append(
            Column(column.name, type_, "inherited", values, column.stored, column.not_null)
        )


def _value(draw, type_, *, nullable):
    if nullable and once_in(draw, 4):
        return None
    return draw(type_.values)


def _key(draw, world, table):
    form = draw(st.sampled_from(["none", "single", "identity", "serial", "composite"]))
    world.features.add(f"key: {form}")
    if form == "none":
        return []
    numbers = range(table.size)
    if form == "identity":
        how = draw(st.sampled_from(["ALWAYS", "BY DEFAULT"]))
        options = draw(
            st.sampled_from(["", " (INCREMENT BY -2 START WITH -1)", " (CACHE 20 START WITH 100)"])
        )
        column = table.column(draw, BASE[9], [str(n + 1) for n in numbers], f" GENERATED {how} AS IDENTITY{options}", not_null=True)  # fmt: skip
    elif form == "serial":
        column = table.column(draw, Type("serial", BASE[8].values), [str(n + 1) for n in numbers], not_null=True)  # fmt: skip
    else:
        type_ = draw(st.sampled_from(KEYS))
        column = table.column(draw, type_, [key_value(draw, type_, n) for n in numbers], " NOT NULL", not_null=True)  # fmt: skip
    key = [column]
    if form == "composite" or table.kind == "partitioned":
        if table.kind == "partitioned":
            key = [table.columns[0], column]
        else:
            type_ = draw(st.sampled_from(KEYS))
            other = table.column(draw, type_, [key_value(draw, type_, n) for n in numbers], " NOT NULL", not_null=True)  # fmt: skip
            key.append(other)
    table.keys.append(key)
    listed = ", ".join(quoted(each.name) for each in key)
    late = draw(st.sampled_from(["", "", " DEFERRABLE INITIALLY DEFERRED"]))
    if late:
        table.keys.clear()  # nothing may refer to a deferrable key
    return [f"PRIMARY KEY ({listed}){late}"]


def _column(draw, world, table):
    type_ = _known(draw, world)
    numbers = range(table.size)
    how = draw(
        st.sampled_from(["plain", "plain", "plain", "not null", "default", "stored", "virtual"])
    )
    world.features.add(f"column: {how}")
    if how in {"stored", "virtual"}:
        # A virtual column may have no type of the user's own.
        base = [c for c in table.columns if c.type in BUILT_IN]
        if not base or table.kind == "child":
            return
        of = quoted(draw(st.sampled_from(base)).name)
        ddl = f" GENERATED ALWAYS AS ({of} IS NULL) {how.upper()}"
        table.column(draw, Type("boolean", BASE[0].values), [], ddl, stored=False)
        return
    nullable = how != "not null"
    values = [_value(draw, type_, nullable=nullable) for _ in numbers]
    if type_.sql == "text" and values and once_in(draw, 12):
        values[0] = draw(st.sampled_from(["x", "é\n", "\\", "😀\t"])) * 500_000
        world.features.add("a value of 1 MB")
    ddl = " NOT NULL" if how == "not null" else ""
    if how == "default":
        default = draw(type_.values)
        ddl = f" DEFAULT {literal(default)}::{type_.sql.split(' COLLATE')[0]}"
        if once_in(draw, 2):
            ddl += " NOT NULL"
            values = [draw(type_.values) if each is None else each for each in values]
            nullable = False
    if type_ in BASE[:3] and once_in(draw, 4):
        ddl = draw(st.sampled_from([" STORAGE EXTERNAL", " COMPRESSION pglz"])) + ddl
    table.column(draw, type_, values, ddl, not_null=not nullable)


def _checks(draw, world, table):
    parts = []
    stored = [c for c in table.columns if c.stored and c.ddl != "inherited"]
    if stored and once_in(draw, 3):
        column = draw(st.sampled_from(stored))
        name = quoted(draw(st.sampled_from(NAMES)))
        form = draw(st.sampled_from(["", " NO INHERIT" if table.kind != "partitioned" else ""]))
        parts.append(f"CONSTRAINT {name} CHECK ({quoted(column.name)} IS NULL OR true){form}")
        world.features.add("check")
    numbers = [c for c in stored if c.type.sql in {"integer", "bigint", "smallint"}]
    if numbers and table.kind == "plain" and table.size and once_in(draw, 2):
        name = quoted(draw(st.sampled_from(NAMES))[:40] + " no")
        column = quoted(draw(st.sampled_from(numbers)).name)
        late = draw(st.sampled_from(["NOT VALID", "NOT ENFORCED"]))
        world.features.add(f"check: {late.lower()}, violated")
        world.after.append(
            f"ALTER TABLE {table.sql} ADD CONSTRAINT {name} CHECK ({column} IS NULL) {late}"
        )
    nullables = [c for c in stored if not c.not_null and None in c.values]
    if nullables and table.kind in {"plain", "unlogged"} and once_in(draw, 4):
        column = quoted(draw(st.sampled_from(nullables)).name)
        name = quoted(draw(st.sampled_from(NAMES))[:40] + " nn")
        world.features.add("not null: not valid, violated")
        world.after.append(
            f"ALTER TABLE {table.sql} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID"
        )
    return parts


def _create(draw, world, table, parts):
    own = [c for c in table.columns if c.ddl != "inherited"]
    columns = [f"{quoted(c.name)} {_split(c)}" for c in own]
    head = "CREATE UNLOGGED TABLE" if table.kind == "unlogged" else "CREATE TABLE"
    tail = ""
    if table.kind == "child":
        tail = f" INHERITS ({table.parent.sql})"
    elif table.kind == "partitioned":
        how = draw(st.sampled_from(["RANGE", "LIST", "HASH"]))
        world.features.add(f"partitions: {how.lower()}")
        tail = f" PARTITION BY {how} (rn)"
    elif once_in(draw, 4):
        tail = " WITH (fillfactor=70, autovacuum_enabled=false)"
    world.before.append(f"{head} {table.sql} ({', '.join([*columns, *parts])}){tail}")
    if table.kind == "partitioned":
        _partitions(draw, world, table, how)


def _split(column):
    """Return a column's definition; STORAGE stands before a collation, and that before the rest."""
    type_, _, collation = column.type.sql.partition(" COLLATE ")
    ddl = column.ddl
    early = ""
    for word in (" STORAGE EXTERNAL", " COMPRESSION pglz"):
        if ddl.startswith(word):
            early, ddl = word, ddl[len(word) :]
    return f"{type_}{early}{' COLLATE ' + collation if collation else ''}{ddl}"


def _partitions(draw, world, table, how):
    bounds = {
        "RANGE": ["FOR VALUES FROM (0) TO (2)", "FOR VALUES FROM (2) TO (4)", "DEFAULT"],
        "LIST": ["FOR VALUES IN (0, 1)", "FOR VALUES IN (2)", "DEFAULT"],
        "HASH": [f"FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)],
    }[how]
    for number, bound in enumerate(bounds):
        schema = draw(st.sampled_from(world.schemas))
        name = f"p{number} {table.name}".encode()[:60].decode(errors="ignore")
        while (schema, name) in world.names:
            name += "'"
        world.names.add((schema, name))
        place = f"{quoted(schema)}.{quoted(name)}"
        form = draw(st.sampled_from(["plain", "dropped", "again"]))
        world.features.add(f"partition: {form}")
        if form == "dropped":  # a column that is gone, so that the numbers differ
            world.before += [
                f"CREATE TABLE {place} (LIKE {table.sql} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE, gone integer)",
                f"ALTER TABLE {place} DROP COLUMN gone",
                f"ALTER TABLE {table.sql} ATTACH PARTITION {place} {bound}",
            ]
            continue
        again = " PARTITION BY HASH (rn)" if form == "again" else ""
        world.before.append(f"CREATE TABLE {place} PARTITION OF {table.sql} {bound}{again}")
        if again:
            inner = f"{quoted(schema)}.{quoted(name[:20] + f' inner {number}')}"
            world.names.add((schema, name[:20] + f" inner {number}"))
            world.before.append(
                f"CREATE TABLE {inner} PARTITION OF {place} FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
            )


def _fill(world, table):
    stored = [c for c in table.columns if c.stored]
    if not table.size:
        return
    if not stored:
        world.rows += [f"INSERT INTO {table.sql} DEFAULT VALUES"] * table.size
        return
    names = ", ".join(quoted(c.name) for c in stored)
    rows = ["(" + ", ".join(literal(c.values[n]) for c in stored) + ")" for n in range(table.size)]
    world.rows.append(
        f"INSERT INTO {table.sql} ({names}) OVERRIDING SYSTEM VALUE VALUES {', '.join(rows)}"
    )


def _advance(draw, world, table):
    """Let what numbers a table's rows be where production left it: ahead, in step or behind."""
    fed = [c for c in table.columns if c.type.sql == "serial" or "IDENTITY" in c.ddl]
    for column in fed[:1]:
        how = draw(st.sampled_from(["behind", "in step", "ahead"]))
        world.features.add(f"numbers: {how}")
        sequence = f"pg_get_serial_sequence({literal(table.sql)}, {literal(column.name)})"
        away = -500 if "BY -2" in column.ddl else 500
        if how == "in step" and table.size:
            world.after.append(f"SELECT setval({sequence}, {away // 500 * table.size})")
        elif how == "ahead":
            called = draw(st.sampled_from(["true", "false"]))
            world.after.append(f"SELECT setval({sequence}, {away}, {called})")


def _indexes(draw, world, table):
    usable = [c for c in table.columns if c.stored and c.type in BASE and c.type.key]
    # An index's entry must fit a page.
    usable = [c for c in usable if all(len(str(v).encode()) < 500 for v in c.values)]
    if not usable:
        return
    column = draw(st.sampled_from(usable))
    name, kind = quoted(column.name), draw(st.sampled_from(["none", "plain", "partial", "expression", "hash", "brin", "exclude", "cluster", "include"]))  # fmt: skip
    index = quoted(f"ix {table.name}"[:30])
    if ("index", table.schema, index) in world.names:
        return
    world.names.add(("index", table.schema, index))
    world.features.add(f"index: {kind}")
    on = f"{index} ON {table.sql}"
    hashable = column.type.sql in {"text", "integer", "bigint", "uuid", "date"}
    statements = {
        "plain": [f"CREATE INDEX {on} ({name} DESC NULLS LAST)"],
        "partial": [f"CREATE INDEX {on} ({name}) WHERE ({name} IS NOT NULL)"],
        "expression": [f"CREATE INDEX {on} (({name} IS NULL), {name})"],
        "hash": [f"CREATE INDEX {on} USING hash ({name})"] if hashable else [],
        "brin": [f"CREATE INDEX {on} USING brin ({name})"] if hashable else [],
        "include": [f"CREATE INDEX {on} ({name}) INCLUDE ({name})"],
        "cluster": [f"CREATE INDEX {on} ({name})", f"ALTER TABLE {table.sql} CLUSTER ON {index}"]
        if table.kind != "partitioned"
        else [],
        "exclude": [
            f"ALTER TABLE {table.sql} ADD CONSTRAINT {index} EXCLUDE USING btree ({name} WITH =) WHERE (false) DEFERRABLE"
        ]
        if table.kind != "partitioned"
        else [],
    }
    world.after += statements.get(kind, [])


# --- keys -----------------------------------------------------------------------------------------


def _references(draw, world):
    """Let tables refer to each other, in cycles and to themselves, some rows to nothing at all."""
    for number in range(draw(st.integers(0, 5))):
        parents = [table for table in world.tables if table.keys]
        children = [t for t in world.tables if t.kind != "child" and t.name != "witness" and not any(c.parent is t for c in world.tables)]  # fmt: skip
        if not parents or not children:
            return
        parent, child = draw(st.sampled_from(parents)), draw(st.sampled_from(children))
        _refer(draw, world, child, parent, number)


def _refer(draw, world, child, parent, number):
    if parent.kind == "unlogged" != child.kind:
        return
    key = parent.keys[0]
    broken = child.kind != "partitioned" and child.size and once_in(draw, 4)
    late = draw(st.sampled_from([" NOT VALID", " NOT ENFORCED"])) if broken else ""
    if late and parent.kind == "partitioned":
        late = ""
        broken = False
    places = [draw(st.sampled_from([None, *range(parent.size)])) for _ in range(child.size)]
    names = []
    for each in key:
        type_ = Type("integer", each.type.values) if each.type.sql == "serial" else each.type
        values = [None if place is None else each.values[place] for place in places]
        if broken:
            values[0] = key_value(draw, type_, 25)
        name = child.free(draw)
        world.before.append(f"ALTER TABLE {child.sql} ADD COLUMN {quoted(name)} {type_.sql}")
        child.columns.append(Column(name, type_, "", values))
        names.append(name)
    _rewrite(world, child)
    match = draw(st.sampled_from(["", " MATCH FULL"]))
    action = draw(
        st.sampled_from(["", " ON DELETE SET NULL", " ON UPDATE CASCADE ON DELETE CASCADE"])
    )
    when = draw(st.sampled_from(["", " DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE"]))
    if late == " NOT ENFORCED":
        when = ""
    world.features.add(
        f"reference{' to itself' if child is parent else ''}{':' + late.lower() + ', violated' if late else ''}"
    )
    listed = ", ".join(map(quoted, names))
    wanted = ", ".join(quoted(each.name) for each in key)
    world.after.append(
        f"ALTER TABLE {child.sql} ADD CONSTRAINT {quoted(f'fk {number}')} FOREIGN KEY ({listed})"
        f" REFERENCES {parent.sql} ({wanted}){match}{action}{when}{late}"
    )


def _rewrite(world, table):
    """Write a table's rows again, with the columns that it has now."""
    world.rows = [text for text in world.rows if not _fills(text, table)]
    _fill(world, table)


def _fills(text, table):
    return text.startswith((f"INSERT INTO {table.sql} (", f"INSERT INTO {table.sql} DEFAULT"))


# --- all the rest ---------------------------------------------------------------------------------


def _sequence(draw, world):
    place = world.place(draw, "sequence")
    options = draw(st.sampled_from(["", " INCREMENT -3 MINVALUE -100 MAXVALUE -1 START -1", " AS smallint CYCLE CACHE 5", " START 7 MAXVALUE 9"]))  # fmt: skip
    world.before.append(f"CREATE SEQUENCE {place}{options}")
    if once_in(draw, 2):
        world.after.append(f"SELECT nextval({literal(place)})")
        world.features.add("sequence: used")


def _view(draw, world):
    table = draw(st.sampled_from(world.tables))
    place = world.place(draw, "view")
    world.after.append(
        f"CREATE VIEW {place} WITH (security_barrier=true) AS SELECT * FROM {table.sql}"
    )
    if once_in(draw, 2):
        again = world.place(draw, "materialized view")
        filled = draw(st.sampled_from(["", " WITH NO DATA"]))
        world.after.append(
            f"CREATE MATERIALIZED VIEW {again} AS SELECT count(*) AS n FROM {place}{filled}"
        )


def _routine(draw, world):
    table = draw(st.sampled_from(world.tables))
    place = world.place(draw, "function and trigger")
    kind = draw(st.sampled_from(["sql", "atomic", "trigger", "disabled", "aggregate", "cast"]))
    body = draw(st.sampled_from(["a;b", "'", "$x$", "--", "\\", "BEGIN", "/*"]))
    if kind == "sql":
        world.after.append(
            f"CREATE FUNCTION {place}(text) RETURNS text LANGUAGE sql AS {literal('SELECT ' + literal(body))}"
        )
    elif kind == "atomic":
        world.after.append(
            f"CREATE FUNCTION {place}(n integer) RETURNS integer LANGUAGE sql"
            " BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN 1 ELSE 2 END; SELECT 3; END"
        )
    elif kind == "aggregate":
        world.after.append(
            f"CREATE AGGREGATE {place}(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0')"
        )
    elif kind == "cast":
        types = [each for each in world.types if "[]" not in each.sql]
        if types:
            world.features.add("operator")
            name = draw(st.sampled_from(["===", "@#@", "~<>"]))
            world.after.append(
                f"CREATE OPERATOR public.{name} (FUNCTION = int4pl, LEFTARG = integer, RIGHTARG = integer)"
            )
    else:
        world.after.append(
            f"CREATE FUNCTION {place}() RETURNS trigger LANGUAGE plpgsql AS {literal('BEGIN RETURN NULL; END')}"
        )
        if table.name != "witness" or kind == "trigger":
            world.after.append(
                f"CREATE TRIGGER {quoted(NAMES[2])} BEFORE INSERT ON {table.sql} FOR EACH ROW EXECUTE FUNCTION {place}()"
            )
            if kind == "disabled":
                world.after.append(f"ALTER TABLE {table.sql} DISABLE TRIGGER {quoted(NAMES[2])}")


def _rule(draw, world):
    table = draw(st.sampled_from(world.tables))
    if table.kind in {"partitioned", "child"}:
        return
    world.features.add("rule")
    world.after.append(
        f"CREATE RULE {quoted(NAMES[3])} AS ON DELETE TO {table.sql} DO INSTEAD NOTHING"
    )


def _policy(draw, world):
    table = draw(st.sampled_from(world.tables))
    world.features.add("policy")
    world.after += [
        f"ALTER TABLE {table.sql} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY {quoted(NAMES[4])} ON {table.sql} USING (false)",
    ]


def _statistics(draw, world):
    tables = [
        t
        for t in world.tables
        if sum(c.stored and c.type in BASE and c.type.key for c in t.columns) > 1
    ]
    if tables and (table := draw(st.sampled_from(tables))):
        names = [
            quoted(c.name) for c in table.columns if c.stored and c.type in BASE and c.type.key
        ][:2]
        place = world.place(draw, "statistics")
        world.after.append(
            f"CREATE STATISTICS {place} (dependencies) ON {', '.join(names)} FROM {table.sql}"
        )
        if table.kind == "plain":
            world.after.append(
                f"ALTER TABLE {table.sql} ALTER COLUMN {names[0]} SET STATISTICS 500"
            )


def _large_object(draw, world):
    if once_in(draw, 6):
        world.features.add("large object")
        world.refused = "large object"
        world.after.append("SELECT lo_from_bytea(0, 'abc')")
