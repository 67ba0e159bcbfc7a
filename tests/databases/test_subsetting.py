"""A subset is closed, deterministic and exactly what its definition says, on either engine."""

import itertools

import hypothesis
import pytest

from dbcycle_assets.anonymizers.base import Shuffled
from dbcycle_assets.config.model import Config
from dbcycle_assets.databases.sqlite import SqliteServer
from dbcycle_assets.errors import BadInput, Findings
from dbcycle_assets.model.subset import make_program

from .kit import scratch, silent
from .subset_worlds import SALT, worlds


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request, tmp_path_factory):
    """Give a server of either engine."""
    if request.param == "sqlite":
        return SqliteServer(tmp_path_factory.mktemp("subsetting"))
    return request.getfixturevalue("server")


def drawn(database, config, *, salt=SALT, keep=True):
    """Draw a subset; return the catalog, the program and what was kept."""
    catalog = database.catalog()
    program = make_program(config, catalog)
    assert program.findings == ()
    salts = dict.fromkeys(catalog.tables, salt)
    with database.drawing(program, salts, silent, keep=keep) as drawing:
        return catalog, program, drawing.draw()


def numbers(database, catalog, table):
    """Return the numbers of the kept rows of a table, as they are read."""
    found = catalog.tables[table]
    blocks = database.read(found, [found.column("rn")], subset=True)
    listed = [int(line) for line in b"".join(blocks).split()]
    assert len(listed) == len(set(listed)) == database.count(found, subset=True)
    return set(listed)


def config_of(tables, **subset):
    """Return a config with nothing but samples."""
    return Config.model_validate(
        {"name": "w", "source": {"dump": "x"}, "tables": tables, "subset": subset}
    )


@hypothesis.settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.too_slow,
    ],
)
@hypothesis.given(world=worlds())
def test_the_kept_rows_are_those_of_the_definition(engine, world):
    """Cycles, self-references, composite, partly null, virtual and polymorphic keys, tables
    without a key, children and tenants: what the database keeps is what plain loops keep, and every
    row of it can be explained.
    """
    with scratch(engine, world.script(engine.engine)) as database:
        catalog = database.catalog()
        ids = {table.name: table.id for table in catalog.tables.values()}
        config = world.config(ids)
        program = make_program(config, catalog)
        hypothesis.assume(not program.findings)
        wanted = world.kept(engine.engine)
        salts = dict.fromkeys(catalog.tables, SALT)
        with database.drawing(program, salts, silent, keep=True) as drawing:
            try:
                kept = {each.table: each for each in drawing.draw()}
            except Findings:
                below, _ = world.plan()
                roots = {n for n in {*world.samples, *world.tenants} if n not in below}
                chosen = world.chosen(engine.engine)
                assert not any(chosen[root] for root in roots)
                return
        for number, name in enumerate(world.names):
            found = numbers(database, catalog, ids[name])
            assert found == wanted[number], name
            entry = kept[ids[name]]
            assert (entry.kept, entry.total) == (len(found), len(world.rows[number]))
            assert entry.chosen + sum(entry.by.values()) == entry.kept
            _explained(database, program, salts, ids[name], world.rows[number], found)


def _explained(database, program, salts, name, rows, kept):
    table = program.choices[name].table
    if not table.primary_key:
        return
    with database.drawing(program, salts, silent, keep=False) as drawing:
        for row in rows:
            reasons = drawing.explain(name, [str(row[column]) for column in table.primary_key])
            assert bool(reasons) is (row["rn"] in kept)
            for before, after in itertools.pairwise(reasons):
                assert before.link.target == before.table
                assert before.link.source == after.table
            assert not reasons or reasons[-1].link is None


CHAIN = """
CREATE TABLE notes (rn integer PRIMARY KEY, before integer REFERENCES notes (rn), other integer);
CREATE TABLE twins (rn integer PRIMARY KEY, note integer REFERENCES notes (rn));
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO notes SELECT i, nullif(i - 1, 0), i FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
  INSERT INTO twins SELECT i, i + 1 FROM n;
"""


@pytest.mark.parametrize("children", [False, True])
def test_a_long_chain_is_followed_to_its_end(engine, children):
    """Thousands of rows, each of which refers to the one before."""
    start = 1 if children else 3000
    config = config_of({"notes": {"sample": {"where": f"rn = {start}", "children": children}}})
    with scratch(engine, CHAIN) as database:
        catalog, program, _ = drawn(database, config)
        assert numbers(database, catalog, "notes") == set(range(1, 3001))
        with database.drawing(program, {}, silent, keep=False) as drawing:
            reasons = drawing.explain("notes", ["2990" if children else "100"])
        assert len(reasons) == (2990 if children else 2901)


def test_a_long_cycle_of_two_tables_is_followed_to_its_end(engine):
    """Round and round between two tables, more often than anything is gathered at once."""
    config = config_of(
        {
            "notes": {"references": {"other": [{"to": "twins.rn"}]}, "sample": {"where": "rn = 1"}},
            "twins": {"sample": {"where": "rn = 0"}},
        }
    )
    with scratch(engine, CHAIN.replace("nullif(i - 1, 0)", "NULL")) as database:
        catalog, _, _ = drawn(database, config)
        assert numbers(database, catalog, "twins") == set(range(1, 41))
        assert numbers(database, catalog, "notes") == set(range(1, 42))


GROWING = "CREATE TABLE people (rn integer PRIMARY KEY, name text);" + "".join(
    f"INSERT INTO people VALUES ({number}, 'p');" for number in range(1, 401)
)


def picked(engine, sample, salt=SALT, also=""):
    """Return the numbers that a sample of growing people picks."""
    with scratch(engine, GROWING + also) as database:
        catalog, _, _ = drawn(database, config_of({"people": {"sample": sample}}), salt=salt)
        return numbers(database, catalog, "people")


def test_the_same_rows_stay_when_a_table_grows(engine):
    """A fraction keeps every row that it had picked; another key picks others."""
    more = "".join(f"INSERT INTO people VALUES ({n}, 'q');" for n in range(-400, 0))
    few, many = picked(engine, {"fraction": 0.25}), picked(engine, {"fraction": 0.25}, also=more)
    assert 60 < len(few) < 140
    assert {n for n in many if n > 0} == few
    assert picked(engine, {"fraction": 0.25}) == few
    assert picked(engine, {"fraction": 0.25}, salt="6b" * 32) != few
    assert few < picked(engine, {"fraction": 0.5})


def test_a_number_of_rows_is_exact_and_drawn_by_the_key(engine):
    """So many rows, and those that a greater number picks too; after a predicate and a fraction."""
    ten, twenty = picked(engine, {"rows": 10}), picked(engine, {"rows": 20})
    assert (len(ten), len(twenty)) == (10, 20)
    assert ten < twenty
    assert ten != set(range(1, 11))
    odd = picked(engine, {"rows": 5, "fraction": 0.5, "where": "rn % 2 = 1"})
    assert len(odd) == 5
    assert odd < picked(engine, {"fraction": 0.5})
    assert all(number % 2 for number in odd)


@pytest.mark.parametrize(
    "where",
    [
        "no_such_column = 1",
        "rn = 1; DELETE FROM people",
        "rn = 1); DELETE FROM people; --",
        "rn IN (SELECT",
        "name = 'Secret Value' AND (",
    ],
)
def test_a_predicate_that_is_refused_is_named_without_values(engine, where):
    """The place in the config is told, the predicate runs as one condition, and nothing stays."""
    config = config_of({"people": {"sample": {"where": where}}})
    with scratch(engine, GROWING) as database:
        with pytest.raises(BadInput) as refused:
            drawn(database, config)
        assert "tables.people.sample.where" in str(refused.value)
        assert "Secret" not in str(refused.value)
        people = database.catalog().tables["people"]
        assert database.count(people) == 400
        with pytest.raises(BadInput, match="none was drawn"):
            database.count(people, subset=True)


def test_a_predicate_stays_within_its_place(engine):
    """Parentheses that close too much open nothing: the fraction still holds."""
    assert picked(engine, {"where": "rn = 0) OR (1 = 1", "rows": 3}) <= set(range(1, 401))
    assert len(picked(engine, {"where": "rn = 0) OR (1 = 1", "rows": 3})) == 3


def test_a_predicate_may_read_other_tables_and_its_own_by_name(engine):
    """Subqueries and qualified names are the database's own SQL."""
    also = "CREATE TABLE chosen (rn integer PRIMARY KEY); INSERT INTO chosen VALUES (7), (9);"
    where = "people.rn IN (SELECT c.rn FROM chosen AS c) -- those"
    assert picked(engine, {"where": where}, also=also) == {7, 9}


def test_a_shuffle_takes_nothing_from_rows_that_are_left_out(engine):
    """Only values of kept rows are drawn, each once."""
    also = "UPDATE people SET name = 'n' || rn;"
    config = config_of({"people": {"sample": {"where": "rn <= 20"}}})
    with scratch(engine, GROWING + also) as database:
        catalog, _, _ = drawn(database, config)
        people = catalog.tables["people"]
        shuffled = [Shuffled("name", "salt")]
        blocks = database.read(people, [people.column("rn")], beside=shuffled, subset=True)
        rows = [line.split("\t") for line in b"".join(blocks).decode().splitlines()]
    assert [int(number) for number, _ in rows] == list(range(1, 21))
    assert {name for _, name in rows} == {f"n{number}" for number in range(1, 21)}


def test_a_subset_of_nothing_is_refused(engine):
    """No sample picks a row: that is no success."""
    with (
        scratch(engine, GROWING) as database,
        pytest.raises(Findings, match="chooses no row"),
    ):
        drawn(database, config_of({"people": {"sample": {"where": "rn < 0"}}}))


def test_what_is_not_to_be_kept_leaves_nothing(engine):
    """A look at the sizes changes nothing."""
    with scratch(engine, GROWING) as database:
        before = database.catalog()
        drawn(database, config_of({"people": {"sample": {"rows": 3}}}), keep=False)
        assert database.catalog() == before
        with pytest.raises(BadInput, match="none was drawn"):
            database.count(before.tables["people"], subset=True)


TENANTS = """
CREATE TABLE tenants (rn integer PRIMARY KEY);
CREATE TABLE users (rn integer PRIMARY KEY, tenant integer REFERENCES tenants (rn),
  friend integer REFERENCES users (rn));
CREATE TABLE notes (rn integer PRIMARY KEY, author integer NOT NULL REFERENCES users (rn));
CREATE TABLE countries (rn integer PRIMARY KEY);
INSERT INTO tenants VALUES (1), (2), (3);
INSERT INTO users VALUES (1, 1, NULL), (2, 2, NULL), (3, NULL, NULL), (4, 1, 1), (5, 3, NULL);
INSERT INTO notes VALUES (1, 1), (2, 2), (3, 3), (4, 4);
INSERT INTO countries VALUES (1), (2);
"""


def test_these_tenants_only(engine):
    """Their rows, what hangs below them, and what belongs to nobody; nothing of the others."""
    config = config_of({}, tenants={"column": "tenant", "values": [1]})
    with scratch(engine, TENANTS) as database:
        catalog, _, _ = drawn(database, config)
        found = {name: numbers(database, catalog, name) for name in catalog.tables}
        assert found == {"tenants": {1}, "users": {1, 4}, "notes": {1, 4}, "countries": {1, 2}}


def test_a_row_of_another_tenant_is_refused_by_name(engine):
    """Unless the config keeps strays: then that row comes, and nothing below it."""
    script = TENANTS + "UPDATE users SET friend = 2 WHERE rn = 1;"
    tenants = {"column": "tenant", "values": [1]}
    with scratch(engine, script) as database:
        with pytest.raises(Findings) as refused:
            drawn(database, config_of({}, tenants=tenants))
        assert any("users: 1 rows of other tenants" in line for line in refused.value.findings)
        catalog, _, _ = drawn(database, config_of({}, tenants={**tenants, "strays": "keep"}))
        assert numbers(database, catalog, "users") == {1, 2, 4}
        assert numbers(database, catalog, "tenants") == {1, 2}
        assert numbers(database, catalog, "notes") == {1, 4}


def test_partitions_and_schemas(server):
    """A partitioned table is one table, wherever its rows lie; a child by inheritance another."""
    script = """
    CREATE SCHEMA "o%s";
    CREATE TABLE "o%s".up (rn integer PRIMARY KEY);
    CREATE TABLE "o%s"."it's" (rn integer, at date NOT NULL, up integer REFERENCES "o%s".up,
      PRIMARY KEY (rn, at)) PARTITION BY RANGE (at);
    CREATE TABLE "o%s".p1 PARTITION OF "o%s"."it's" FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE "o%s".p2 PARTITION OF "o%s"."it's" FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
    CREATE TABLE base (rn integer, note text);
    CREATE TABLE heir (more text) INHERITS (base);
    INSERT INTO "o%s".up SELECT generate_series(1, 40);
    INSERT INTO "o%s"."it's" SELECT n, '2020-06-01'::date + n * 10, n FROM generate_series(1, 40) n;
    INSERT INTO base SELECT n, 'b' FROM generate_series(1, 5) n;
    INSERT INTO heir SELECT n, 'b', 'm' FROM generate_series(6, 9) n;
    """
    config = config_of(
        {
            "o%s.it's": {"sample": {"where": "rn BETWEEN 18 AND 25"}},
            "o%s.up": {"sample": {"where": "rn = 1"}},
            "base": {"sample": {"where": "rn > 3"}},
        }
    )
    with scratch(server, script) as database:
        catalog, _, _ = drawn(database, config)
        assert numbers(database, catalog, "o%s.it's") == set(range(18, 26))
        assert numbers(database, catalog, "o%s.up") == {1, *range(18, 26)}
        assert numbers(database, catalog, "base") == {4, 5}
        assert numbers(database, catalog, "heir") == {6, 7, 8, 9}
