"""Whatever a dump can carry comes out of the cycle as it went in; the rest is refused by name."""

import pytest
from hypothesis import given

from .journey import PostgresJourney, compare
from .schemas import worlds
from .trips import Account, same_few, there_and_back


@pytest.fixture(scope="module")
def journey(server, tmp_path_factory):
    """Give a project on the tests' own server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_SERVER", "")
        made = PostgresJourney(server, tmp_path_factory.mktemp("fidelity") / "shop")
        yield made
        made.close()


@pytest.fixture(scope="module")
def account():
    return Account()


@same_few(6)
@given(worlds())
def test_any_database_comes_back(journey, account, world):
    """Rows by the server's COPY text and hashes, schemas as pg_dump writes them, sequences."""
    there_and_back(journey, world, account)


WITNESS = "CREATE TABLE witness (word text); INSERT INTO witness VALUES ('nobody');\n"
FOUND = {
    "sequences go on where production's are": """
        CREATE SEQUENCE free START 7; SELECT nextval('free'); SELECT nextval('free');
        CREATE SEQUENCE unused START 9;
        CREATE TABLE t (id serial PRIMARY KEY, way integer GENERATED ALWAYS AS IDENTITY (START WITH 100));
        INSERT INTO t VALUES (DEFAULT, DEFAULT), (DEFAULT, DEFAULT);
        DELETE FROM t; SELECT setval('t_id_seq', 500);
    """,
    "rows that break a key that nobody proved stay": """
        CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer, n integer);
        INSERT INTO c VALUES (1, 1), (NULL, 2); INSERT INTO p VALUES (2);
        ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID;
        ALTER TABLE c ADD CHECK (n > 1) NOT VALID;
    """,
    "rows of a table without columns are counted": """
        CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
        CREATE TABLE derived (n integer GENERATED ALWAYS AS (7) STORED); INSERT INTO derived DEFAULT VALUES;
    """,
    "a materialized view without rows stays so": """
        CREATE MATERIALIZED VIEW empty AS SELECT word FROM witness WITH NO DATA;
        CREATE MATERIALIZED VIEW full_one AS SELECT word FROM witness;
    """,
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_lost_once_comes_back(journey, name):
    """What drawn databases found, each by itself."""
    journey.produce(WITNESS + FOUND[name])
    tables = {
        "witness": ["word"], "t": ["id", "way"], "p": ["id"], "c": ["p", "n"], "nothing": [], "derived": [],
    }  # fmt: skip
    journey.run(
        {t: {"keep": kept} for t, kept in tables.items() if f" {t} (" in WITNESS + FOUND[name]}
    )
    compare(journey.see("production"), journey.see("test"))


CHANGES = (
    "CREATE SCHEMA empty",
    "ALTER TABLE witness SET (fillfactor = 50)",
    "ALTER TABLE witness ALTER word SET STORAGE EXTERNAL",
    "CREATE OPERATOR === (FUNCTION = int4pl, LEFTARG = integer, RIGHTARG = integer)",
    "CREATE TEXT SEARCH CONFIGURATION own (COPY = english)",
    "ALTER TABLE witness REPLICA IDENTITY FULL",
)


def test_a_schema_that_changed_in_one_thing_is_made_anew(journey):
    """Each dump differs from the one before in this alone: what is published follows."""
    for number in range(len(CHANGES) + 1):
        journey.produce(WITNESS + ";\n".join(CHANGES[:number]))
        journey.run({"witness": {"keep": ["word"]}})
        compare(journey.see("production"), journey.see("test"))


@pytest.mark.parametrize("form", ["custom", "plain"])
def test_large_objects_are_refused_by_name(journey, form):
    """No row of a table carries them: exit code 7 before anything is restored."""
    from dbcycle_assets.errors import DumpError

    journey.produce(WITNESS + "SELECT lo_from_bytea(0, 'abc');", form)
    with pytest.raises(DumpError, match="large objects"):
        journey.run({"witness": {"keep": ["word"]}})
