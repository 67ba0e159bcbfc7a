"""Rows travel between PostgreSQL databases without being bent."""

from pathlib import Path

import pytest

from dbcycle_assets.anonymizers.base import Kind
from dbcycle_assets.databases.port import Server
from dbcycle_assets.errors import BadInput, GoldenError
from dbcycle_assets.model.catalog import ForeignKey

from .kit import PROJECT, heap_of, scratch, silent, stamp

TYPES = (Path(__file__).parent / "types.sql").read_text()

PEOPLE = """
CREATE EXTENSION citext;
CREATE TABLE people (
    id integer PRIMARY KEY,
    email citext UNIQUE,
    nick text,
    age integer DEFAULT 7 CHECK (age > 0),
    gone boolean DEFAULT false
);
CREATE UNIQUE INDEX people_nick ON people (lower(nick)) WHERE NOT gone;
CREATE TABLE profiles (
    person_id integer PRIMARY KEY REFERENCES people (id),
    email citext REFERENCES people (email),
    note text
);
INSERT INTO people VALUES (1, 'One@x.org', 'Ann', 30, false), (2, 'two@x.org', 'Bob', 31, false),
    (3, NULL, NULL, 32, false), (4, 'four@x.org', 'cy', 33, true);
INSERT INTO profiles VALUES (1, NULL, 'a'), (2, 'two@x.org', 'b'), (4, NULL, 'd');
"""


@pytest.mark.case(99)
def test_every_type_survives_the_round_trip(server: Server) -> None:
    """What is read from one database and loaded into another is the same rows and schema."""
    with scratch(server, TYPES, "contract_source") as source:
        catalog = heap_of(server, "contract_source", "contract_heap")
        before = source.fingerprints(catalog.tables.values())
        with server.open("contract_heap") as heap:
            for name, table in catalog.tables.items():
                blocks = source.read(table, table.stored_columns)
                done = heap.replace_rows(table, table.stored_columns, blocks, [], f"c-{name}")
                assert done.rows == before[name].rows, name
                assert heap.fingerprints([table])[name] == before[name], name
            assert heap.loaded_content() == {name: f"c-{name}" for name in catalog.tables}
        server.copy_schema("contract_source", "contract_heap", "post-data", silent)
        with server.open("contract_heap") as whole:
            assert whole.set_sequences() == 2
            assert whole.refresh_views() == 2
            whole.analyze(whole.catalog().tables.values())
            assert whole.fingerprints(catalog.tables.values()) == before
            assert whole.catalog().schema_digest == catalog.schema_digest
            whole.run_sql(
                "INSERT INTO everything (ratio) VALUES (1);"
                """INSERT INTO sales."Order Items" ("100%") VALUES ('x');""",
                Path("next.sql"),
            )
        server.drop("contract_heap", PROJECT)


def test_the_catalog_tells_types_as_anonymizers_need_them(server: Server) -> None:
    """Domains, arrays, enums and citext are resolved to kinds, lengths and labels."""
    with scratch(server, TYPES) as database:
        catalog = database.catalog()
    table = catalog.tables["everything"]
    kinds = {column.name: (column.kind, column.dimensions) for column in table.columns}
    assert kinds["moods"] == (Kind.ENUM, 1)
    assert kinds["grid"] == (Kind.INTEGER, 2)
    assert kinds["labels"] == (Kind.TEXT, 1)
    assert kinds["address"] == (Kind.COMPOSITE, 0)
    assert kinds["period"] == (Kind.RANGE, 0)
    by_name = {column.name: column for column in table.columns}
    assert by_name["email"].case_insensitive
    assert by_name["code"].max_length == 12
    assert by_name["codes"].max_length == 5
    assert by_name["mood"].labels == ("sad", "ok", "happy")
    assert by_name["letters"].generated
    assert by_name["id"].identity
    assert by_name["token"].has_default
    assert table.primary_key == ("id",)
    assert set(catalog.tables) == {
        "animals", "dogs", "everything", "nothing", "parts", "sales.Order Items",
    }  # fmt: skip
    assert catalog.tables["parts"].partitions == ("parts_2023", "parts_2024")
    assert catalog.tables["sales.Order Items"].columns[0].identity
    assert catalog.foreign_keys == (
        ForeignKey(
            "Order Items_everything_id_fkey", "sales.Order Items", ("everything_id",),
            "everything", ("id",),
        ),
    )  # fmt: skip
    assert catalog.materialized_views == ("a_kept_again", "kept")
    assert catalog.extensions == ("citext", "uuid-ossp")


def test_arrays_are_taken_apart_and_put_together(server: Server) -> None:
    """A mask sees every element of an array, and the server reads the result back."""
    with scratch(server, TYPES) as database:
        table = database.catalog().tables["everything"]
        for name in ("labels", "grid", "boxes"):
            column = table.column(name)
            assert column is not None
            codec = database.element_codec(column)
            assert codec is not None
            block = b"".join(database.read(table, [column])).decode()
            value = block.splitlines()[0].replace("\\\\", "\\")
            assert codec.map(value, lambda element: element) == value
        labels = '{"a,b","c\\"d","",NULL,"NULL"}'
        text = table.column("labels")
        assert text is not None
        codec = database.element_codec(text)
        assert codec is not None
        assert codec.leaves(labels) == ["a,b", 'c"d', "", "NULL"]
        assert codec.map(labels, str.upper) == '{"A,B","C\\"D","",NULL,"NULL"}'
        assert codec.map("[0:1]={x,y}", lambda _value: None) == "[0:1]={NULL,NULL}"
        email = table.column("email")
        assert email is not None
        assert database.element_codec(email) is None


def test_samples_are_distinct_and_stable(server: Server) -> None:
    """The detector is given distinct values, elements of arrays among them, the same each time."""
    with scratch(server, TYPES) as database:
        catalog = database.catalog()
        table = catalog.tables["everything"]
        labels, mood = table.column("labels"), table.column("mood")
        assert labels is not None
        assert mood is not None
        assert sorted(database.sample(table, labels, 9)) == ["", "NULL", "a,b", 'c"d']
        assert database.sample(table, mood, 9) == ["ok"]
        items = catalog.tables["sales.Order Items"]
        assert len(database.sample(items, items.columns[1], 1)) == 1


@pytest.mark.case(104)
def test_golden_records_win_by_every_unique_key(server: Server) -> None:
    """A golden record displaces rows with its key, e-mail (whatever its case) or partial key, and
    references follow where the primary key changed."""
    with scratch(server, PEOPLE, "contract_source") as source:
        catalog = heap_of(server, "contract_source", "contract_heap")
        people, profiles = catalog.tables["people"], catalog.tables["profiles"]
        golden = [
            {"id": "3", "email": "three@x.org"},
            {"id": "10", "email": "ONE@X.org", "age": "5"},
            {"id": "11", "nick": "BOB", "email": "bob@new.org"},
            {"id": "12", "nick": "CY"},
        ]
        with server.open("contract_heap") as heap:
            done = heap.replace_rows(
                people, people.stored_columns, source.read(people, people.columns), golden, "c"
            )
            assert (done.rows, done.golden, done.replaced) == (5, 4, 3)
            assert done.displaced == ((("1",), ("10",)), (("2",), ("11",)))
            ages = b"".join(heap.read(people, [people.columns[0], people.columns[3]]))
            assert ages == b"3\t7\n4\t33\n10\t5\n11\t7\n12\t7\n"
            heap.replace_rows(
                profiles, profiles.columns, source.read(profiles, profiles.columns),
                [{"person_id": "10", "note": "golden"}], "c",
            )  # fmt: skip
            by_id = next(key for key in catalog.foreign_keys if key.columns == ("person_id",))
            assert heap.orphans(by_id) == 2
            assert heap.repoint(by_id, done.displaced) == 2
            assert heap.orphans(by_id) == 0
            by_email = next(key for key in catalog.foreign_keys if key.columns == ("email",))
            assert heap.orphans(by_email) == 1
            assert heap.repoint(by_email, done.displaced) == 1
            assert heap.orphans(by_email) == 0
            notes = b"".join(heap.read(profiles, [profiles.columns[0], profiles.columns[2]]))
            assert notes == b"4\td\n10\tgolden\n11\tb\n"
        server.drop("contract_heap", PROJECT)


@pytest.mark.parametrize(
    ("golden", "where", "what"),
    [
        ([{"id": "1"}, {"id": "x\u00e9cret"}], "record 2, field id", "integer"),
        ([{"id": "1", "age": "-5"}], "record 1", "people_age_check"),
        ([{"id": "1", "email": "a@x"}, {"id": "2", "email": "A@x"}], "record 2", "as record 1"),
        ([{"id": "1"}, {"id": "1"}], "record 2", "primary key"),
    ],
)
def test_a_golden_record_that_does_not_fit_is_named_without_its_values(
    server: Server, golden: list[dict[str, str | None]], where: str, what: str
) -> None:
    """The message has the record's number and field; the table keeps the rows it had."""
    with scratch(server, PEOPLE, "contract_source"):
        catalog = heap_of(server, "contract_source", "contract_heap")
        people = catalog.tables["people"]
        with server.open("contract_heap") as heap:
            heap.replace_rows(people, people.columns, [b"9\t\\N\t\\N\t1\tf\n"], [], "kept")
            with pytest.raises(GoldenError) as caught:
                heap.replace_rows(people, people.columns, [], golden, "new")
            assert caught.value.where == where
            assert what in caught.value.what
            assert "cret" not in str(caught.value)
            assert heap.count(people) == 1
            assert heap.loaded_content() == {"people": "kept"}
        server.drop("contract_heap", PROJECT)


def test_a_row_that_does_not_fit_is_named_without_its_values(server: Server) -> None:
    """An extract's bad row is told by table, line and column."""
    with scratch(server, PEOPLE, "contract_source"):
        people = heap_of(server, "contract_source", "contract_heap").tables["people"]
        with server.open("contract_heap") as heap, pytest.raises(BadInput) as caught:
            heap.replace_rows(people, people.columns, [b"1\t\\N\t\\N\tsecret\tf\n"], [], "c")
        assert "people, row 1" in str(caught.value)
        assert "column age" in str(caught.value)
        assert "secret" not in str(caught.value)
        server.drop("contract_heap", PROJECT)


def test_composite_references_with_nulls_are_no_orphans(server: Server) -> None:
    """Under MATCH SIMPLE a null refers to nothing; under MATCH FULL half a reference is wrong."""
    script = """
    CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE simple (a int, b int);
    INSERT INTO simple VALUES (1, NULL), (1, 1), (2, 2);
    INSERT INTO p VALUES (1, 1);
    ALTER TABLE simple ADD CONSTRAINT s FOREIGN KEY (a, b) REFERENCES p NOT VALID;
    CREATE TABLE strict (a int, b int);
    INSERT INTO strict VALUES (1, NULL), (NULL, NULL), (1, 1);
    ALTER TABLE strict ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES p MATCH FULL NOT VALID;
    """
    with scratch(server, script) as database:
        counts = {key.name: database.orphans(key) for key in database.catalog().foreign_keys}
    assert counts == {"s": 1, "f": 1}


def test_restamped_clone_and_stamp_facts(server: Server) -> None:
    """A stamp belongs to one database; a clone gets its own."""
    server.create("contract_one", stamp("one"))
    try:
        server.clone("contract_one", "contract_two", stamp("two"))
        found = [server.stamp(name) for name in ("contract_one", "contract_two")]
        assert [each.role for each in found if each] == ["one", "two"]
    finally:
        server.drop("contract_one", PROJECT)
        server.drop("contract_two", PROJECT)


def test_names_with_dots_never_meet(server: Server) -> None:
    """``"a.b"`` in public and ``b`` in the schema ``a`` are two tables, with rows and references."""
    script = """
        CREATE SCHEMA a;
        CREATE SCHEMA "a.b";
        CREATE TABLE "a.b" (id integer PRIMARY KEY);
        CREATE TABLE a.b (id integer PRIMARY KEY, up integer REFERENCES "a.b");
        CREATE TABLE "a.b"."c ""d" (id integer PRIMARY KEY, up integer REFERENCES a.b);
        INSERT INTO "a.b" VALUES (1), (2), (3);
        INSERT INTO a.b VALUES (1, 2);
    """
    with scratch(server, script) as database:
        tables = database.catalog().tables
        assert list(tables) == ['"a.b"', '"a.b"."c ""d"', "a.b"]
        assert [database.count(table) for table in tables.values()] == [3, 0, 1]
        keys = [key for table in tables.values() for key in table.foreign_keys]
        assert [(key.table, key.parent) for key in keys] == [
            ('"a.b"."c ""d"', "a.b"),
            ("a.b", '"a.b"'),
        ]
        assert [database.orphans(key) for key in keys] == [0, 0]
