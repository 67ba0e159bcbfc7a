"""Every constraint is proven, checked at run, or impossible, before a row moves."""

import pytest

from dbcycle_assets.anonymizers import Kind
from dbcycle_assets.config.model import Config, Rule, TableConfig
from dbcycle_assets.errors import PlanError
from dbcycle_assets.model.catalog import Catalog, Column, ForeignKey, Table, UniqueKey
from dbcycle_assets.model.plan import make_plan

COLUMNS = (
    Column("id", "integer", Kind.INTEGER, nullable=False),
    Column("email", "text", Kind.TEXT, nullable=False),
    Column("name", "varchar(40)", Kind.TEXT, max_length=40),
    Column("tenant", "integer", Kind.INTEGER),
    Column("price", "numeric(6,2)", Kind.NUMERIC),
    Column("state", "state", Kind.ENUM, labels=("new", "old")),
    Column("boss", "integer", Kind.INTEGER),
)


def plan_of(rules, *, unique=(), checks=(), extra=()):
    table = Table(
        "people",
        "public",
        "people",
        COLUMNS,
        primary_key=("id",),
        unique_keys=unique,
        foreign_keys=(ForeignKey("boss", "people", ("boss",), "people", ("id",)),),
        checks=checks,
        extra=extra,
    )
    columns = {
        name: rule if isinstance(rule, Rule) else Rule(anonymize=rule)
        for name, rule in rules.items()
    }
    keep = tuple(column.name for column in COLUMNS if column.name not in rules)
    settings = TableConfig(columns=columns, keep=keep)
    config = Config(name="x", source={"dump": "x"}, tables={"people": settings})
    return make_plan(config, Catalog("postgresql", {"people": table}))


def verdict(plan, start):
    (found,) = [p for p in plan.proofs() if p.constraint.startswith(start)]
    return str(found.verdict)


EMAIL = UniqueKey("u", ("email",))
LOWER = UniqueKey("u", ("email",), "(lower(email))")
LIVE = UniqueKey("u", ("email", "state"), "(lower(email)) WHERE (state = 'new'::state)")
BOTH = UniqueKey("u", ("tenant", "name"))
CODES = UniqueKey("u", ("tenant", "email"))


@pytest.mark.parametrize(
    ("rules", "facts", "start", "expected"),
    [
        ({}, {"unique": (EMAIL,)}, "UNIQUE", "proven"),
        ({"email": "email"}, {"unique": (EMAIL,)}, "UNIQUE", "proven"),
        ({"email": "email"}, {"unique": (LOWER,)}, "UNIQUE", "proven"),
        ({"email": "token"}, {"unique": (LOWER,)}, "UNIQUE", "checked at run"),
        ({"email": "email"}, {"unique": (LIVE,)}, "UNIQUE", "proven"),
        ({"email": "email", "state": "choice"}, {"unique": (LIVE,)}, "UNIQUE", "checked at run"),
        ({"name": "full_name"}, {"unique": (BOTH,)}, "UNIQUE", "checked at run"),
        ({"name": "null"}, {"unique": (BOTH,)}, "UNIQUE", "proven"),
        ({"email": "email"}, {"unique": (CODES,)}, "UNIQUE", "proven"),
        ({"id": "integer"}, {}, "PRIMARY KEY", "proven"),
        ({"id": "integer"}, {}, "FOREIGN KEY", "proven"),
        ({"boss": "null"}, {}, "FOREIGN KEY", "proven"),
        ({"boss": "integer"}, {}, "FOREIGN KEY", "impossible"),
        ({}, {"checks": ("CHECK ((length(name) > 2))",)}, "CHECK", "proven"),
        ({"name": "full_name"}, {"checks": ("CHECK (length(name) > 2)",)}, "CHECK", "checked at run"),
        ({"name": "null"}, {"checks": ("CHECK (length(name) > 2)",)}, "CHECK", "proven"),
        ({"tenant": "integer"}, {"extra": ("EXCLUDE USING gist (tenant WITH =)",)}, "EXCLUDE", "checked at run"),
        ({}, {"extra": ("EXCLUDE USING gist (tenant WITH =)",)}, "EXCLUDE", "proven"),
        ({"email": "email"}, {}, "email NOT NULL", "proven"),
        ({"email": Rule(anonymize="sql", options={"expression": "1"})}, {}, "email NOT NULL", "checked at run"),
        ({"name": "full_name"}, {}, "name at most", "proven"),
        ({"price": "number"}, {}, "price as numeric", "checked at run"),
        ({"state": "choice"}, {}, "state one of", "proven"),
    ],
)  # fmt: skip
def test_a_constraint_is_judged_before_the_run(rules, facts, start, expected):
    """The verdict follows from the properties of the anonymizers, and is never optimistic."""
    assert verdict(plan_of(rules, **facts), start) == expected


@pytest.mark.parametrize(
    ("rules", "unique"),
    [({"email": "null"}, ()), ({"email": "full_name"}, (EMAIL,)), ({"id": "null"}, ())],
)
def test_what_is_impossible_stops_the_plan(rules, unique):
    """NOT NULL against `null`, UNIQUE against a rule that repeats itself."""
    with pytest.raises(PlanError):
        plan_of(rules, unique=unique).require()
