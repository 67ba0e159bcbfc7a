"""Score the detector on labelled schemas: ``python -m tests.benchmarks.detection [held-out]``.

Each split is scored twice: with names and types only, and with sampled values, invented by
:mod:`values` from the classes that a person gave to the columns.
"""

import importlib
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.model.catalog import Catalog, Column, ForeignKey, Table
from dbcycle_assets.model.detect import propose

from .values import values as draw

FOLDER = Path(__file__).with_suffix("")

BASELINE = re.compile(
    r"""
    e_?mail
    | phone|mobile|\bcell\b|fax
    | first_?name|fname|given_?name
    | last_?name|lname|surname|family_?name
    | full_?name|display_?name|contact_?name
    | user_?name|login|nick
    | passw|pwd|secret
    | token|api_?key
    | addr|street
    | \bcity\b|_city|city_
    | state$|province
    | zip|postal|post_?code
    | birth|\bdob\b
    | ssn|social_?sec|tax_?id
    | passport|licen[cs]e_?n
    | iban|card_?num|account_?n
    | ip_?addr|\bip\b|_ip$
    | gender|\bsex\b
    | salary|wage
    | latitude|longitude
    | ^notes?$|comments?$
    | ^bio$|signature
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What the detector must beat: 22 lines over column names."""

_KINDS = {
    Kind.INTEGER: "int integer bigint smallint tinyint mediumint serial bigserial int2 int4 int8",
    Kind.NUMERIC: "numeric decimal money money_amount smallmoney",
    Kind.FLOAT: "float double real float8",
    Kind.BOOLEAN: "boolean bool bit flag namestyle",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp datetime timestamptz datetime2 smalldatetime",
    Kind.TIME: "time timetz",
    Kind.INTERVAL: "interval",
    Kind.UUID: "uuid uniqueidentifier",
    Kind.JSON: "json jsonb",
    Kind.XML: "xml",
    Kind.BYTES: "bytea blob longblob mediumblob binary varbinary image",
    Kind.TSVECTOR: "tsvector tsquery",
    Kind.NETWORK: "inet cidr macaddr",
    Kind.ENUM: "enum set mpaa_rating year weekday",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}


@dataclass(frozen=True)
class Labelled:
    """One database: its catalog, sampled values, and the class of each personal column."""

    name: str
    split: str
    languages: tuple[str, ...]
    catalog: Catalog
    samples: dict[tuple[str, str], list[str]]
    labels: dict[tuple[str, str], str]


@dataclass
class Score:
    """Counts of one detector on one database; ``classes`` are right classes among the found."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    classes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.false)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def class_accuracy(self) -> float:
        return self.classes / max(1, self.hits)

    def add(self, other: "Score") -> None:
        self.hits += other.hits
        self.false += other.false
        self.missed += other.missed
        self.classes += other.classes


def labelled(split: str | None = None, *, with_values: bool = True) -> Iterator[Labelled]:
    """Yield the labelled databases, all or those of a split."""
    for path in sorted(FOLDER.glob("*.yaml")):
        document = YAML(typ="safe").load(path)
        if split in {None, document["split"]}:
            yield _labelled(document, with_values=with_values)


def _labelled(document: dict, *, with_values: bool) -> Labelled:
    samples: dict[tuple[str, str], list[str]] = {}
    labels: dict[tuple[str, str], str] = {}
    tables = {}
    for name, text in document["tables"].items():
        name = str(name)
        columns, key, references = [], [], []
        for line in text.splitlines():
            facts, _, listed = line.partition(" # ")
            facts, _, drawn = facts.partition(" ~ ")
            facts, _, label = facts.partition(" = ")
            facts, _, parent = facts.partition(" > ")
            quoted = re.match(r'"([^"]+)" (.*)', facts)
            column, words = quoted.groups() if quoted else facts.split(" ", 1)
            column_type, *flags = words.split()
            columns.append(_column(column, column_type, "pk" in flags))
            if "pk" in flags:
                key.append(column)
            if parent:
                references.append(ForeignKey(f"{name}_{column}", name, (column,), parent, ("id",)))
            if label:
                labels[name, column] = label
            if not with_values:
                continue
            place = (document["name"], name, column)
            samples[name, column] = (
                listed.split(" | ")
                if listed
                else draw(place, drawn or label or None, columns[-1], document["languages"])
            )
        tables[name] = Table(
            name,
            "public",
            name,
            tuple(columns),
            primary_key=tuple(key),
            foreign_keys=tuple(references),
        )
    return Labelled(
        document["name"],
        document["split"],
        tuple(document["languages"]),
        Catalog("postgresql", tables),
        samples,
        labels,
    )


def _column(name: str, column_type: str, key: bool) -> Column:
    word = re.match(r"\w+?(?=_with|\W|$)", column_type)
    kind = _KIND_OF.get(word.group().lower() if word else "", Kind.TEXT)
    length = re.search(r"char\w*\((\d+)\)", column_type)
    return Column(
        name=name,
        type=column_type.replace("_", " "),
        kind=kind,
        nullable=not key,
        dimensions=1 if column_type.endswith("[]") else 0,
        max_length=int(length.group(1)) if length else None,
    )


def score(data: Labelled, found: dict[tuple[str, str], str]) -> Score:
    """Compare found classes of personal columns with the labels."""
    result = Score()
    for place, label in data.labels.items():
        if place not in found:
            result.missed += 1
            result.wrong.append(f"missed {data.name} {'.'.join(place)} ({label})")
            continue
        result.hits += 1
        result.classes += found[place] == label
        if found[place] != label:
            result.wrong.append(
                f"class  {data.name} {'.'.join(place)} ({label}, found {found[place]})"
            )
    for place in found.keys() - data.labels.keys():
        result.false += 1
        result.wrong.append(f"false  {data.name} {'.'.join(place)} ({found[place]})")
    return result


def detector(data: Labelled) -> dict[tuple[str, str], str]:
    """Return the class of every column that the detector finds personal."""
    return {
        (entry.table, entry.column): entry.klass
        for entry in propose(data.catalog, data.samples)
        if entry.personal
    }


def baseline(data: Labelled) -> dict[tuple[str, str], str]:
    """Return every column whose name the baseline matches."""
    return {
        (name, column.name): "?"
        for name, table in data.catalog.tables.items()
        for column in table.columns
        if BASELINE.search(column.name)
    }


def totals(scores: Iterable[Score]) -> Score:
    """Return the sum of some scores."""
    whole = Score()
    for each in scores:
        whole.add(each)
    return whole


def _row(name: str, columns: int, own: Score, other: Score) -> str:
    return (
        f"{name:<24}{columns:>6}{own.hits + own.missed:>6}   "
        f"{own.precision:>5.2f} {own.recall:>5.2f} {own.f1:>5.2f} {own.class_accuracy:>5.2f}   "
        f"{other.precision:>5.2f} {other.recall:>5.2f} {other.f1:>5.2f}"
    )


MODES = {"names only": False, "with values": True}


def main(words: list[str]) -> None:
    """Print a table a split and mode; ``--wrong`` lists every error, a split's name limits to it."""
    wanted = [word for word in words if not word.startswith("-")] or ["tuning", "scored"]
    if "real" in wanted:
        real = importlib.import_module("tests.benchmarks.real")
        _table("real rows", "real", real.databases(), "--wrong" in words)
    for split in wanted:
        for mode, with_values in MODES.items() if split != "real" else ():
            _table(split, mode, list(labelled(split, with_values=with_values)), "--wrong" in words)


def _table(split: str, mode: str, every: list[Labelled], wrong: bool) -> None:
    started = time.monotonic()
    rows = [(data, score(data, detector(data)), score(data, baseline(data))) for data in every]
    seconds = time.monotonic() - started
    title = f"{split}, {mode}"
    print(
        f"{title:<24}{'cols':>6}{'pers':>6}   {'prec':>5} {'rec':>5} {'F1':>5} {'class':>5}   regex"
    )
    size = 0
    for data, own, other in rows:
        columns = sum(len(table.columns) for table in data.catalog.tables.values())
        size += columns
        print(_row(data.name, columns, own, other))
    print(_row("all", size, totals(r[1] for r in rows), totals(r[2] for r in rows)))
    print(f"{seconds:.1f} s\n")
    if wrong:
        print("\n".join(line for _, own, _ in rows for line in sorted(own.wrong)))


if __name__ == "__main__":
    main(sys.argv[1:])
