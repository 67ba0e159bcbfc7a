"""A value for a column in the database's text form, by its type and what is asked of it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from uuid import UUID

from ...anonymizers.base import Kind
from ..catalog import Column
from . import words
from .limits import LONGEST, Limits
from .patterns import matches, matching

TRIES = 200
_NUMBERS = {Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT}
_MOMENTS = {Kind.DATE, Kind.TIMESTAMP}
_FIRST = datetime(2024, 1, 1, 9, tzinfo=UTC)
_BORN = datetime(1970, 1, 1, tzinfo=UTC)
_PRECISION = re.compile(r"(?:numeric|decimal)\((\d+)(?:,\s*(-?\d+))?\)", re.IGNORECASE)
_SIZE = re.compile(r"\((\d+)\)")
_WIDEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "oid": 2**31 - 1}
_RANGES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp without time zone",
    "tstzrange": "timestamp with time zone",
}
_OTHER: dict[str, Callable[[int], str]] = {
    "box": lambda n: f"({n + 1},{n + 1}),(0,0)",
    "point": lambda n: f"({n},{n + 1})",
    "line": lambda n: f"{{1,-1,{n}}}",
    "lseg": lambda n: f"[(0,0),({n + 1},1)]",
    "path": lambda n: f"[(0,0),({n + 1},1)]",
    "polygon": lambda n: f"((0,0),({n + 1},0),({n + 1},1))",
    "circle": lambda n: f"<(0,0),{n + 1}>",
    "money": lambda n: f"{n}.50",
    "pg_lsn": lambda n: f"0/{n:X}",
    "tsquery": lambda n: f"'word{n}'",
    "jsonpath": lambda n: f"$.a{n}",
    "hstore": lambda n: f'"number"=>"{n}"',
    "ltree": lambda n: f"top.n{n}",
    "lquery": lambda n: f"n{n}",
    "cube": lambda n: f"({n})",
    "seg": str,
    "xid": str,
    "cid": str,
    "regclass": lambda _n: "pg_class",
    "regtype": lambda _n: "integer",
}


@dataclass(frozen=True)
class Want:
    """What a value is wanted for: a column with its limits, and what decides the value.

    ``index`` counts the rows of a table from 1. Where ``unique``, another index gives another
    value as long as the type has any; elsewhere it is only varied by it.
    """

    table: str
    column: Column
    klass: str
    limits: Limits
    unique: bool
    seed: str
    inner: Limits = field(default_factory=Limits)
    """What is asked of each element of an array."""

    @property
    def type(self) -> str:
        """The type behind domains and arrays."""
        return self.column.base or self.column.type


def value(want: Want, index: int) -> str | None:
    """Return a value, or None if none is known that would do."""
    if want.limits.allowed is not None:
        options = [text for text in want.limits.allowed if _fits(want, text)]
        return options[_spread(want, index) % len(options)] if options else None
    if want.column.dimensions:
        return _array(want, index)
    for step in range(TRIES):
        text = _of_kind(want, index + step * 7919 if step else index)
        if text is None:
            return None
        if _fits(want, text):
            return text
    return None


def _spread(want: Want, index: int) -> int:
    if want.unique:
        return index
    return words.number_of(want.seed, want.table, want.column.name, index)


def _fits(want: Want, text: str) -> bool:
    limits = want.limits
    if text in limits.refused:
        return False
    if want.column.kind is Kind.TEXT:
        longest = min(limits.longest, want.column.max_length or LONGEST)
        if not limits.shortest <= len(text) <= longest:
            return False
        if limits.case and text != getattr(text, limits.case)():
            return False
    return all(matches(pattern, text) for pattern in limits.patterns)


def _array(want: Want, index: int) -> str | None:
    limits = want.limits
    if limits.patterns or limits.low or limits.high or limits.case:
        return None
    inner = replace(
        want, column=replace(want.column, dimensions=0, nullable=False), limits=want.inner
    )
    count = max(1, limits.shortest)
    parts = [value(inner, index + place) for place in range(count)]
    if None in parts:
        return None
    separator = ";" if want.type == "box" else ","
    text = separator.join(_quoted(part or "") for part in parts)
    return "{" * want.column.dimensions + text + "}" * want.column.dimensions


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _of_kind(want: Want, index: int) -> str | None:
    kind = want.column.kind
    if kind in _NUMBERS:
        return _number(want, index)
    if kind in _MOMENTS:
        return _moment(want, index)
    if kind is Kind.TEXT:
        return _text(want, index)
    maker = _MAKERS.get(kind)
    return maker(want, index) if maker is not None else None


def _number(want: Want, index: int) -> str | None:
    scale, most = _scale(want)
    step = Decimal(1).scaleb(-scale)
    try:
        lows = [_rounded(Decimal(t), step, ROUND_CEILING, itself=own) for t, own in want.limits.low]
        highs = [_rounded(Decimal(t), step, ROUND_FLOOR, itself=own) for t, own in want.limits.high]
    except InvalidOperation:
        return None
    natural = _natural(want)
    low = max([-most, *lows]) if lows else None
    high = min([most, *highs]) if highs else None
    if low is None:
        low = Decimal(1 if natural is None else natural[0])
        if high is not None and low > high:
            low = max(-most, high - 1000)
    if high is None:
        high = most if want.unique else min(most, low + 999)
        if natural is not None and not want.unique and low < natural[1]:
            high = min(high, Decimal(natural[1]))
    count = int((high - low) / step) + 1
    if count < 1:
        return None
    place = (index - 1 if want.unique else _spread(want, index)) % count
    made = low + place * step
    return format(made.quantize(step), "f") if scale >= 0 else format(made, "f")


def _rounded(bound: Decimal, step: Decimal, towards: str, *, itself: bool) -> Decimal:
    found = (bound / step).to_integral_value(rounding=towards) * step
    if itself or found != bound:
        return found
    return found + step if towards == ROUND_CEILING else found - step


def _scale(want: Want) -> tuple[int, Decimal]:
    """Return how many digits follow the point, and the largest number."""
    if want.column.kind is Kind.INTEGER:
        return 0, Decimal(_WIDEST.get(want.type.lower(), 2**62))
    if found := _PRECISION.search(want.type):
        digits, scale = int(found[1]), int(found[2] or 0)
        return scale, Decimal(10) ** (digits - scale) - Decimal(1).scaleb(-scale)
    return 2, Decimal(10**9)


def _natural(want: Want) -> tuple[int, int] | None:
    name = want.column.name.lower()
    if re.search(r"(^|_)(lat|latitude|lng|lon|longitude)$", name):
        return -80, 80
    if re.search(r"(^|_)year$", name):
        return 1990, 2024
    if re.search(r"(^|_)month$", name):
        return 1, 12
    if re.search(r"(^|_)(day|day_of_month)$", name):
        return 1, 28
    return None


def _moment(want: Want, index: int) -> str | None:
    start = _BORN if want.klass == "birth date" else _FIRST
    unit = timedelta(days=1)
    try:
        low = max((_parsed(text) for text, _ in want.limits.low), default=None)
        high = min((_parsed(text) for text, _ in want.limits.high), default=None)
    except ValueError:
        return None
    if low is not None:
        start = low + unit
    if high is not None and start + unit >= high:
        start = low if low is not None else high - timedelta(days=400)
        unit = (high - start) / 400
        start += unit
    span = 366 if high is None else max(1, int((high - start) / unit) - 1)
    endless = want.unique and high is None
    days = (index - 1) % 10**5 if endless else _spread(want, index) % span
    return moment(want.column, start + unit * days)


def moment(column: Column, at: datetime) -> str:
    """Return a moment as a column of dates or times writes it."""
    if column.kind is Kind.DATE:
        return at.date().isoformat()
    text = at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}+00" if "with time zone" in (column.base or column.type) else text


def _parsed(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def later(column: Column, text: str, steps: int) -> str | None:
    """Return a value that lies a few steps after another one of the same column type."""
    try:
        if column.kind in _MOMENTS:
            return moment(column, _parsed(text) + timedelta(days=steps))
        if column.kind in _NUMBERS:
            return format(Decimal(text) + steps, "f")
        if column.kind is Kind.TIME:
            found = datetime.fromisoformat(f"2024-01-01 {text}") + timedelta(minutes=steps)
            return found.strftime("%H:%M:%S")
    except (ValueError, InvalidOperation):
        return None
    return None


def _text(want: Want, index: int) -> str | None:
    limits, column = want.limits, want.column
    longest = min(limits.longest, column.max_length or LONGEST)
    salt = words.number_of(want.seed, want.table, column.name, index)
    mark = str(index) if want.unique else ""
    made = words.word(want.klass, want.table, column.name, salt, mark)
    made = _sized(made, limits.shortest, longest, mark)
    made = getattr(made, limits.case)() if limits.case else made
    if not limits.patterns or all(matches(pattern, made) for pattern in limits.patterns):
        return made
    choice = index if want.unique else salt % 10**6
    return matching(max(limits.patterns, key=len), choice)


def _sized(text: str, shortest: int, longest: int, mark: str) -> str:
    """Return a text of a fitting length that still holds its mark."""
    if len(text) > longest:
        head, at, tail = text.partition("@")
        if at and len(mark) + len(at + tail) < longest:
            cut = head.removesuffix(mark)[: longest - len(at + tail) - len(mark)]
            return cut + mark + at + tail
        small = words.short(int(mark)) if mark else ""
        text = text[: max(0, longest - len(small))].rstrip() + small
        text = text[-longest:] if mark else text[:longest]
    return text + "x" * (shortest - len(text))


def _json(want: Want, index: int) -> str:
    shapes = {"array": "[]", "string": '"text"', "number": "1", "boolean": "true", "null": "null"}
    return shapes.get(want.limits.json) or json.dumps({"number": index} if want.unique else {})


def _enum(want: Want, index: int) -> str | None:
    labels = want.column.labels
    return labels[_spread(want, index) % len(labels)] if labels else None


def _network(want: Want, index: int) -> str:
    number = _spread(want, index) % (2**16 - 2) + 1
    text = f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"
    name = want.type.lower()
    if name.startswith("macaddr"):
        middle = "02:00:00:00:00:00:00:00" if name == "macaddr8" else "02:00:00:00:00:00"
        parts = middle.split(":")[:-2]
        return ":".join([*parts, f"{number // 256 % 256:02x}", f"{number % 256:02x}"])
    return f"{text}/32" if name == "cidr" else text


def _range(want: Want, index: int) -> str | None:
    name = want.type.lower()
    bound = (want.column.parts or (_RANGES.get(name, ""),))[0]
    column = replace(want.column, base=bound, type=bound, kind=kind_of(bound), parts=())
    inner = replace(want, column=column, limits=Limits(), unique=True)
    low = _of_kind(inner, index * 2 - 1)
    high = None if low is None else (later(column, low, 1) or _of_kind(inner, index * 2))
    if low is None or high is None:
        return None
    text = f'["{low}","{high}")'
    return f"{{{text}}}" if "multirange" in name else text


def _composite(want: Want, index: int) -> str | None:
    fields: list[str] = []
    for place, part in enumerate(want.column.parts):
        column = Column(f"part {place + 1}", part, kind_of(part), base=part)
        found = _size(part)
        column = replace(column, max_length=found) if column.kind is Kind.TEXT else column
        inner = _of_kind(replace(want, column=column, klass="", limits=Limits()), index)
        fields.append("" if inner is None else _quoted(inner))
    return f"({','.join(fields)})" if fields else None


def _size(type_: str) -> int | None:
    found = _SIZE.search(type_)
    return int(found[1]) if found else None


def kind_of(type_: str) -> Kind:
    """Return the kind of a type by its name in SQL."""
    name = _SIZE.sub("", type_.lower()).split("(")[0].strip()
    for kind, names in _NAMES:
        if name in names:
            return kind
    return Kind.TIMESTAMP if name.startswith("timestamp") else Kind.OTHER


_NAMES = (
    (Kind.TEXT, {"text", "character varying", "character", "varchar", "citext", "name"}),
    (Kind.INTEGER, {"smallint", "integer", "bigint", "oid"}),
    (Kind.NUMERIC, {"numeric"}),
    (Kind.FLOAT, {"real", "double precision"}),
    (Kind.BOOLEAN, {"boolean"}),
    (Kind.DATE, {"date"}),
    (Kind.TIME, {"time without time zone", "time with time zone"}),
    (Kind.INTERVAL, {"interval"}),
    (Kind.UUID, {"uuid"}),
    (Kind.JSON, {"json", "jsonb"}),
    (Kind.BYTES, {"bytea"}),
    (Kind.NETWORK, {"inet", "cidr", "macaddr", "macaddr8"}),
)


def _other(want: Want, index: int) -> str | None:
    name = want.type.lower().rpartition(".")[2]
    number = _spread(want, index) % 10**4 + 1
    if name.startswith("bit"):
        size = _size(name) or (16 if "varying" in name else 1)
        return f"{number:0{size}b}"[-size:]
    if name.startswith(("vector", "halfvec")):
        return "[" + ",".join(str((number + n) % 9) for n in range(_size(name) or 3)) + "]"
    maker = _OTHER.get(name)
    return maker(number) if maker is not None else None


_MAKERS: dict[Kind, Callable[[Want, int], str | None]] = {
    Kind.BOOLEAN: lambda want, index: "tf"[_spread(want, index) % 2],
    Kind.TIME: lambda want, index: (
        f"{8 + _spread(want, index) % 600 // 60:02}:{_spread(want, index) % 60:02}:00"
    ),
    Kind.INTERVAL: lambda want, index: f"{_spread(want, index) % 90 + 1} minutes",
    Kind.UUID: lambda want, index: str(
        UUID(
            int=words.number_of(want.seed, want.table, want.column.name, index) << 64
            | words.number_of(index, want.seed, want.column.name, want.table),
            version=4,
        )
    ),
    Kind.JSON: _json,
    Kind.XML: lambda _want, index: f"<row>{index}</row>",
    Kind.BYTES: lambda want, index: "\\x" + f"{_spread(want, index) % 2**32:08x}",
    Kind.TSVECTOR: lambda want, index: f"'word{_spread(want, index) % 1000}'",
    Kind.ENUM: _enum,
    Kind.NETWORK: _network,
    Kind.RANGE: _range,
    Kind.COMPOSITE: _composite,
    Kind.OTHER: _other,
}
