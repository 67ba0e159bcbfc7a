"""Types of PostgreSQL with the texts of values that are easily bent on their way."""

import json
from dataclasses import dataclass

from hypothesis import strategies as st

HAZARDS = (
    "", " ", "\\N", "\\.", "\\\\N", "\\", "'", '"', "''", "a\tb", "line\nbreak", "\r\n", "\r", "\n\\.\n",
    "\\x41", "\\x", "NULL", "null", "{}", "{", "[", "(", ",", "{a,b}", '{"a": 1}', "\x1b[31m", "\ufeff",
    "\u200b\u2028\u2029\x85", "𝔘𐍈🎉", "\x01\x7f", "é", "e\u0301", "%s %d %%", "$1 :x ?", "--", "/*", ";",
    "0", "-0", "1e5", "Infinity", "true", "\v\f\b\x07", "\U0010ffff", "\ue000", "İıſß", "\uffff", "$$",
    "<script>alert(1)</script>", "=1+1", "../..", "\\copy x to program 'id'", "\u202egnp",
)  # fmt: skip
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = st.sampled_from(HAZARDS) | st.text(CHARACTERS, max_size=20)
NAMES = (
    "plain", "Mixed Case", 'quo"te', "dot.ted", "per%s", "back\\slash", "ünïcödé", "order", "日本語",
    "$dollar", "n" * 63, "N" * 63, "é" * 31, "new\nline", "tab\there", "a'b", "{brace}", "-dash", "😀",
    "select", "semi;colon", "x: y #z", "*", "null", "yes", "1e3", " lead", "trail ", "--", "/*", "\\N",
    "user", "(SELECT 1)", "$(id)", "`id`", "../up", "a/b", "<b>", "plain ", "Plain", "public", "xmin_",
)  # fmt: skip


@dataclass(frozen=True)
class Type:
    """A type as SQL writes it, and the texts of its values; ``key`` if a B-tree orders it."""

    sql: str
    values: st.SearchStrategy
    key: bool = True
    delimiter: str = ","
    in_array: bool = True
    subtype: bool = True
    """Whether a range may be made of it."""


def some(*texts):
    """Return a strategy of some texts."""
    return st.sampled_from(texts)


def _numbers(low, high):
    return (st.sampled_from([low, high, 0, 1, -1]) | st.integers(low, high)).map(str)


def _documents():
    leaves = (
        st.none()
        | st.booleans()
        | st.sampled_from([0, 2**53 + 1, 2**70, 1.5, 1e300, -0.25])
        | TEXTS
    )
    nested = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=12,
    )
    deep = st.integers(1, 900).map(lambda depth: "[" * depth + "]" * depth)
    written = nested.map(lambda value: json.dumps(value, ensure_ascii=False))
    spelled = some('{"a":1,"a":2}', " [ 1 ,2 ] ", "1E400", "-0", '"\\ud83d\\ude00"', "1.10", "{}")
    return written | deep | spelled


JSON = _documents()
BYTES = st.binary(max_size=12).map(lambda raw: "\\x" + raw.hex())
DATES = some(
    "infinity", "-infinity", "0044-03-15 BC", "4713-01-01 BC", "5874897-12-31", "2020-02-29",
    "0001-01-01", "1582-10-10",
)  # fmt: skip
MOMENTS = some(
    "infinity", "-infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999",
    "1999-12-31 23:59:59.999999", "1970-01-01 00:00:00.000001", "2024-03-31 02:30:00",
)  # fmt: skip
BASE = (
    Type("text", TEXTS), Type('text COLLATE "C"', TEXTS, in_array=False, subtype=False),
    Type("varchar(30)", TEXTS), Type("varchar", TEXTS), Type("char(30)", TEXTS),
    Type('"char"', some("", "a", "\\", "\\377", "'")), Type("name", some(*NAMES), subtype=False),
    Type("smallint", _numbers(-(2**15), 2**15 - 1)), Type("integer", _numbers(-(2**31), 2**31 - 1)),
    Type("bigint", _numbers(-(2**63), 2**63 - 1)),
    Type("numeric", some("NaN", "Infinity", "-Infinity", "0", "1e-30", "1" * 60, "-0.10", "0.000")),
    Type("numeric(10,2)", some("0.01", "-99999999.99", "12.30", "NaN")),
    Type("numeric(3,-2)", some("12300", "-99900", "0")),
    Type("real", some("NaN", "Infinity", "-0", "1e-45", "3.4028235e38", "0.1")),
    Type("double precision", some("NaN", "-Infinity", "-0", "5e-324", "0.1", "1e308", "0.30000000000000004")),
    Type("money", some("-92233720368547758.08", "0.01", "12.30")), Type("boolean", some("t", "f"), subtype=False),
    Type("bytea", BYTES), Type("date", DATES), Type("timestamp", MOMENTS),
    Type("timestamp(0)", some("2024-03-31 02:30:00", "infinity")),
    Type("timestamptz", some("infinity", "4713-01-01 00:00:00+00 BC", "1900-01-01 00:00:00+00:19:32", "2024-03-31 02:30:00-12")),
    Type("time", some("24:00:00", "00:00:00", "23:59:59.999999")),
    Type("timetz", some("24:00:00+15:59:59", "12:00:00-15:59:59", "00:00:00+00")),
    Type("interval", some("1 year -2 mons 3 days -04:05:06.7", "178000000 years", "-178000000 years", "1 mon 1 day", "00:00:00", "infinity")),
    Type("interval year to month", some("3 years 2 mons", "-1 mons"), in_array=False, subtype=False),
    Type("uuid", st.uuids().map(str)), Type("json", JSON, key=False), Type("jsonb", JSON),
    Type("jsonpath", some("$.a[*]", '$."a b" ? (@ > 1)', "strict $"), key=False),
    Type("xml", some("<a>1</a>", "", "text &amp; more", "<a b='c'>\n</a>", "<!-- c -->"), key=False),
    Type("inet", some("10.0.0.1/8", "::1", "2001:db8::/32", "0.0.0.0/0")),
    Type("cidr", some("10.0.0.0/8", "::1/128")), Type("macaddr", some("08:00:2b:01:02:03")),
    Type("macaddr8", some("08:00:2b:ff:fe:01:02:03")), Type("bit(5)", some("01010", "00000")),
    Type("varbit", some("", "1", "0101")), Type("point", some("(0,-0)", "(1e300,NaN)"), key=False),
    Type("line", some("{1,2,3}", "{-0,1,NaN}"), key=False), Type("lseg", some("[(0,0),(1,1)]"), key=False),
    Type("box", some("(1,1),(0,0)", "(2,2),(1,1)"), key=False, delimiter=";"),
    Type("path", some("[(0,0),(1,1)]", "((0,0),(1,1))"), key=False),
    Type("polygon", some("((0,0),(1,1),(0,1))"), key=False), Type("circle", some("<(0,0),1>"), key=False),
    Type("tsvector", some("", "'a':1A 'b b':2", "'it''s':3"), subtype=False),
    Type("tsquery", some("", "'a' & !'b'", "'a' <2> 'b':*A"), subtype=False),
    Type("oid", some("0", "4294967295")), Type("xid", some("0", "4294967295"), key=False),
    Type("xid8", some("18446744073709551615")), Type("tid", some("(0,1)"), subtype=False), Type("cid", some("7"), key=False),
    Type("pg_lsn", some("0/0", "FFFFFFFF/FFFFFFFF")), Type("pg_snapshot", some("10:20:10,14"), key=False),
    Type("txid_snapshot", some("10:20:"), key=False), Type("refcursor", some("c"), key=False),
    Type("oidvector", some("", "1 2 3"), in_array=False, subtype=False),
    Type("int2vector", some("", "1 -2"), key=False, in_array=False),
    Type("regclass", some("pg_class", "-"), key=False, subtype=False), Type("regtype", some("integer", "text[]"), key=False),
    Type("int4range", some("empty", "(,)", "[1,5)", "[,7)"), subtype=False),
    Type("numrange", some("empty", "[1.10,NaN]", "(,Infinity)", "[-0.5,0)"), subtype=False),
    Type("tsrange", some("empty", '["2020-01-01 00:00:00",)', "(,infinity]"), subtype=False),
    Type("tstzrange", some('["2020-01-01 00:00:00+00",infinity)'), subtype=False),
    Type("daterange", some("empty", "[2020-01-01,infinity)", "(,0044-03-15 BC)"), subtype=False),
    Type("int8multirange", some("{}", "{[1,2),[5,9)}"), subtype=False),
    Type("datemultirange", some("{(,infinity]}", "{}"), subtype=False),
    Type("citext", TEXTS, subtype=False), Type("hstore", some("", '"a"=>NULL', '"a b"=>"c\\"d", "x"=>"\\\\N"'), subtype=False),
    Type("ltree", some("", "a.b_1.c"), subtype=False), Type("cube", some("(1, 2)", "(0),(1)"), subtype=False),
    Type("seg", some("1.50 .. 2.5", "~3"), subtype=False),
)  # fmt: skip
EXTENSIONS = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "cube": "cube",
    "seg": "seg",
}
BUILT_IN = tuple(each for each in BASE if each.sql not in EXTENSIONS)
KEYS = tuple(
    each for each in BASE
    if each.sql in {"integer", "bigint", "uuid", "text", "citext", "timestamptz", "bytea", "varchar(30)", "numeric"}
)  # fmt: skip
BY_NAME = {each.sql: each for each in BASE}


def quoted(name):
    """Return an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    """Return a constant, null for None."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def element(text):
    """Return an element of an array or a range's bound, always quoted."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_of(inner):
    """Return arrays of a type: nested, empty, with nulls and with bounds of their own."""
    mark = inner.delimiter

    @st.composite
    def values(draw):
        listed = draw(st.lists(st.none() | inner.values, max_size=3))
        body = [("NULL" if each is None else element(each)) for each in listed]
        if body and draw(st.integers(0, 3)) == 0:
            return f"[0:0][2:{1 + len(body)}]={{{{{mark.join(body)}}}}}"
        return "{" + mark.join(body) + "}"

    # What is an array already has no type of arrays.
    return Type(f"{inner.sql}[]", values(), inner.key, in_array=False, subtype=False)


def domain_over(inner, name):
    """Return a domain's type; the statement is the caller's."""
    return Type(name, inner.values, inner.key, delimiter=",", subtype=False)


def composite_of(parts, name):
    """Return a row type."""

    @st.composite
    def values(draw):
        fields = [draw(st.none() | part.values) for part in parts]
        shown = [
            "" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'
            for text in fields
        ]
        return "(" + ",".join(shown) + ")"

    return Type(name, values(), all(part.key for part in parts), subtype=False)


def range_of(inner, name):
    """Return a range type; one bound at most, since nothing here orders two."""
    bounds = inner.values.map(element)
    values = some("empty", "(,)") | bounds.map("[{0},{0}]".format) | bounds.map("[{},)".format)
    return Type(name, values | bounds.map("(,{})".format), subtype=False)


def enum_of(labels, name):
    """Return an enum."""
    return Type(name, st.sampled_from(labels), subtype=False)
