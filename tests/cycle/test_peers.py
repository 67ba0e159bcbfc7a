"""What went wrong elsewhere does not go wrong here: each failure under its own name."""

import contextlib
import json
import sqlite3

import pytest
import zstandard

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import Extracts
from dbcycle_assets.config import credentials
from dbcycle_assets.cycle.plan import current_plan, proposals
from dbcycle_assets.cycle.verify import Verification, verify
from dbcycle_assets.errors import (
    BadInput,
    ConfigError,
    DbCycleError,
    PlanError,
    VerificationFailed,
)

from .kit import Shop

SCRIPT = """
CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL,
  company_id INTEGER NOT NULL REFERENCES companies (id), meta {json}, notes TEXT, login {citext},
  photo {bytes}
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), email TEXT
);
CREATE TABLE subscribers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
INSERT INTO companies VALUES (0, 'Nobody in particular'), (17, 'Quorvex Holding'), (18, 'Zantil');
INSERT INTO customers VALUES
  (101, 'ada@quorvex.test', 'Adalira', 17,
   '{{"contact": {{"mail": "ada@quorvex.test"}}, "level": 3, "x": ["Adalira"]}}',
   'Adalira asked for ada@quorvex.test', 'Adalira.Q', {photo}),
  (102, 'bo@zantil.test', 'Boromund', 18, '{{"mail": "bo@zantil.test"}}', NULL, 'boro_z', NULL),
  (103, 'cy@nobody.test', 'Cyprill', 0, NULL, 'nothing to say', 'cyprill', NULL);
INSERT INTO orders VALUES
  (1, 101, 'ADA@quorvex.test'), (2, 102, ' bo@zantil.test'), (3, 101, NULL), (4, 103, 'cy@nobody.test');
"""

MANY = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO subscribers SELECT i, 'reader' || i || '@mail' || (i % 7) || '.test' FROM n;",
    "postgresql": "INSERT INTO subscribers SELECT i, 'reader' || i || '@mail' || (i % 7) || '.test' FROM generate_series(1, 20000) AS i;"
    " CREATE TABLE labels (id integer PRIMARY KEY, people text[], aliases citext[]);"
    " INSERT INTO labels VALUES (1, '{Adalira,\"bo@zantil.test\"}', '{ADALIRA.Q}'), (2, NULL, '{}');",
}
PHOTO = b"\x89PNG ada@quorvex.test \x00\xff"
TYPES = {
    "sqlite": {"json": "JSON", "citext": "TEXT COLLATE NOCASE", "bytes": "BLOB", "photo": f"x'{PHOTO.hex()}'"},
    "postgresql": {"json": "jsonb", "citext": "citext", "bytes": "bytea", "photo": f"'\\x{PHOTO.hex()}'"},
}  # fmt: skip
EXTRA = {
    "sqlite": "",
    "postgresql": "  labels: {columns: {people: free_text, aliases: username}, keep: [id]}\n",
}

CONFIG = """\
tables:
  companies:
    columns:
      id:
        - {anonymize: keep, when: {id: 0}}
        - integer
      name: company
  customers:
    columns:
      id: integer
      email: email
      first_name: first_name
      meta: json
      notes: scrub
      login: username
      photo: bytes
    keep: []
  orders:
    columns: {email: email}
    keep: [id]
  subscribers:
    columns: {email: email}
    keep: [id]
"""


def script(engine):
    """Return the production database of an engine."""
    extension = "CREATE EXTENSION citext;" if engine == "postgresql" else ""
    return extension + SCRIPT.format(**TYPES[engine]) + MANY[engine]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(tmp_path_factory, request):
    """Give the published shop, on either engine."""
    engine = request.param
    server = request.getfixturevalue("server") if engine == "postgresql" else None
    with pytest.MonkeyPatch.context() as patch:
        if server is not None:
            patch.setenv("SHOP_SERVER", server.url("postgres"))
        made = Shop(engine, tmp_path_factory.mktemp("peers") / "shop", server)
        made.produce(script(engine), CONFIG + EXTRA[engine])
        made.build()
        yield made
        made.close()


@pytest.fixture
def small(tmp_path):
    """Give an unpublished shop on SQLite, with few rows; quick enough to break."""
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce(SCRIPT.format(**TYPES["sqlite"]), CONFIG)
    cycle = made.cycle
    yield made
    cycle.server.drop(cycle.database("test"), "shop")


def column(shop, table, name, role="test"):
    """Return the values of a column in the order of the key."""
    return [value for (value,) in shop.rows(f"SELECT {name} FROM {table} ORDER BY id", role)]


def everything(shop):
    """Return all that was published and all extracts, as one text."""
    tables = sorted(load_project(shop.root).config.tables)
    rows = [repr(shop.rows(f"SELECT * FROM {table}")) for table in tables]
    extracts = Extracts(load_project(shop.root).extracts)
    return "\n".join(rows + [b"".join(extracts.read(table)).decode() for table in tables])


def refused(shop, change, replacement, fault):
    """Hold that a changed config is refused before any row moves."""
    assert change in CONFIG
    shop.configure(CONFIG.replace(change, replacement))
    with pytest.raises(DbCycleError, match=fault):
        shop.build()
    assert not list(load_project(shop.root).extracts.glob("*"))
    assert not shop.cycle.server.exists(shop.cycle.database("test"))


# --- a tool that does not anonymize at all --------------------------------------------------------


def test_a_missing_config_never_means_no_anonymization(small):
    """Without its config a project does nothing; it does not copy."""
    (small.root / "dbcycle.yaml").unlink()
    with pytest.raises((ConfigError, BadInput)):
        load_project(small.root)


def test_a_config_without_tables_never_means_no_anonymization(small):
    """A config that judges nothing stops with every column by name."""
    small.configure("tables: {}\n")
    with pytest.raises(PlanError, match=r"customers\.email: unjudged"):
        small.build()


def test_a_misspelt_section_is_an_error(small):
    """A key that nobody reads is not passed over."""
    text = (small.root / "dbcycle.yaml").read_text()
    (small.root / "dbcycle.yaml").write_text(text.replace("columns:", "colums:", 1))
    with pytest.raises(ConfigError, match="did you mean"):
        load_project(small.root)


@pytest.mark.case(96)
def test_a_new_column_stops_the_plan(small):
    """A column nobody has judged never reaches an extract."""
    small.produce(
        SCRIPT.format(**TYPES["sqlite"]) + "ALTER TABLE orders ADD COLUMN ssn TEXT;", CONFIG
    )
    with pytest.raises(PlanError, match=r"orders\.ssn: unjudged; proposed: "):
        small.build()
    assert not list(load_project(small.root).extracts.glob("*"))


@pytest.mark.case(96)
def test_a_new_table_stops_the_plan(small):
    """A table nobody has judged is not copied either."""
    more = "CREATE TABLE leads (id INTEGER PRIMARY KEY, email TEXT);"
    small.produce(SCRIPT.format(**TYPES["sqlite"]) + more, CONFIG)
    with pytest.raises(PlanError, match=r"leads\.email: unjudged"):
        small.build()


def test_a_column_of_no_known_kind_is_not_passed_through(small):
    """What the detector does not recognize is not kept; somebody must say so."""
    more = "ALTER TABLE orders ADD COLUMN xq7 TEXT; UPDATE orders SET xq7 = 'qwertz';"
    small.produce(SCRIPT.format(**TYPES["sqlite"]) + more, CONFIG)
    with pytest.raises(PlanError, match=r"orders\.xq7: unjudged"):
        small.build()


# --- a restore that loses something and says it was well ------------------------------------------

PLAIN = """\
--
-- PostgreSQL database dump
--

\\restrict 4kq0ZmCzQx

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.customers (id integer NOT NULL, email text);
CREATE TABLE public.products (id integer NOT NULL);
CREATE TABLE public.orders (id integer NOT NULL, customer_id integer, product_id integer, parent_id integer);

COPY public.customers (id, email) FROM stdin;
1\tada@quorvex.test
\\.

COPY public.products (id) FROM stdin;
5
\\.

COPY public.orders (id, customer_id, product_id, parent_id) FROM stdin;
7\t1\t5\t\\N
8\t1\t5\t7
\\.

ALTER TABLE ONLY public.customers ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.products ADD CONSTRAINT products_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.orders(id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.products(id);

--
-- Name: orders orders_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);{end}
"""
DONE = "--\n-- PostgreSQL database dump complete\n--\n"
PLAIN_CONFIG = (
    "tables: {customers: {columns: {email: email}, keep: [id]}, products: {keep: [id]},"
    " orders: {keep: [id, customer_id, product_id, parent_id]}}\n"
)


@pytest.fixture
def plain(server, tmp_path, monkeypatch):
    """Give a project whose dump is plain SQL."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop("postgresql", tmp_path / "shop", server)
    made.root.mkdir()
    made.configure(PLAIN_CONFIG)
    yield made
    made.close()


@pytest.mark.parametrize(
    "end", [f"\n{DONE}\\unrestrict 4kq0ZmCzQx", f"{DONE}\n\n\\unrestrict 4kq0ZmCzQx\n", f"\n{DONE}"]
)
def test_a_dump_with_unrestrict_lines_keeps_every_foreign_key(plain, end):
    """A line for psql right behind the last statement does not swallow it."""
    (plain.root / "prod.dump").write_text(PLAIN.replace("{end}", end))
    plain.build()
    keys = plain.rows("SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    wanted = ["orders_customer_id_fkey", "orders_parent_id_fkey", "orders_product_id_fkey"]
    assert [name for (name,) in keys] == wanted
    assert plain.rows("SELECT count(*) FROM orders") == [(2,)]


@pytest.mark.parametrize(
    "mark", ["8\t1\t5\t7\n\\.\n", "ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey"]
)
@pytest.mark.case(49)
def test_a_truncated_plain_dump_is_refused(plain, mark):
    """A dump that ends inside a table or a statement is no dump of less."""
    whole = PLAIN.replace("{end}", f"\n{DONE}")
    (plain.root / "prod.dump").write_text(whole[: whole.index(mark) + len(mark) // 2])
    with pytest.raises(DbCycleError):
        plain.build()
    assert not plain.cycle.server.exists(plain.cycle.database("test"))


def test_a_restore_without_rows_is_not_a_success(small):
    """A dump of a schema alone proves nothing, so nothing is published."""
    schema = SCRIPT.format(**TYPES["sqlite"]).split("INSERT", 1)[0]
    small.produce(schema, CONFIG)
    with pytest.raises(VerificationFailed, match="nothing was compared, so nothing is proven"):
        small.build()
    assert not small.cycle.server.exists(small.cycle.database("test"))


# --- a verification that passes over things -------------------------------------------------------


def test_verify_of_an_empty_target_fails(small):
    """A target without rows is a finding for every table, not a clean bill."""
    cycle = small.build()
    with open_file(small) as connection:
        for table in ("orders", "customers", "companies"):
            connection.execute(f"DELETE FROM {table}")
    found = verify(small.cycle, cycle.database("test"))
    assert not found.passed
    assert {line.split(":")[0] for line in found.lost_rows} >= {"orders", "customers", "companies"}
    assert "database: nothing was compared, so nothing is proven" in found.findings()


def test_a_verification_that_compares_nothing_fails():
    """Nothing found among nothing is no proof."""
    assert not Verification().passed
    with pytest.raises(VerificationFailed):
        Verification().require()


def test_a_run_that_stops_halfway_publishes_nothing(small):
    """A value that a rule cannot read stops the run; no half-filled target appears."""
    small.configure(CONFIG.replace("notes: scrub", "notes: digits"))
    with pytest.raises(DbCycleError):
        small.configure(CONFIG.replace("login: username", "login: timestamp"))
        small.build()
    assert not small.cycle.server.exists(small.cycle.database("test"))


def test_every_row_is_compared_not_a_sample(small):
    """One original in the last of 20 000 rows of another column is found: once in the extract and once in
    the database.
    """
    more = (
        "CREATE TABLE logs (id INTEGER PRIMARY KEY, line TEXT); WITH RECURSIVE n (i) AS (SELECT 1"
        " UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO logs SELECT i, 'step ' || i"
        " || CASE i WHEN 20000 THEN ' by bo@zantil.test' ELSE '' END FROM n;"
    )
    small.produce(SCRIPT.format(**TYPES["sqlite"]) + more, CONFIG + "  logs: {keep: [id, line]}\n")
    with pytest.raises(VerificationFailed, match=r"logs\.line: 2 values hold originals") as caught:
        small.build()
    coverage = next(c for c in caught.value.checks if c.name == "no_survivors").facts
    assert coverage["by_place"]["extracts"] >= 20_000
    assert coverage["by_place"]["database"] >= 20_000


def test_what_was_not_searched_has_a_reason(shop):
    """The account of the search adds up: compared or skipped, and why."""
    coverage = shop.cycle.ledger.get("test_db").facts["coverage"]
    assert coverage["rows"] == 20_010 + (2 if shop.engine == "postgresql" else 0)
    assert sum(coverage["skipped_reasons"].values()) == coverage["leaves_skipped"]
    assert sum(coverage["by_place"].values()) == coverage["leaves_compared"]


def test_a_harmless_number_is_no_leak(shop):
    """Keys and numbers that are kept do not stop a clean run."""
    assert column(shop, "orders", "id") == [1, 2, 3, 4]


# --- types that mask and search forget ------------------------------------------------------------


def test_json_documents_are_masked_by_default(shop):
    """Every leaf of a document is masked without being named, and its shape stays."""
    documents = [
        json.loads(value) if isinstance(value, str) else value
        for (value,) in shop.rows("SELECT meta FROM customers WHERE meta IS NOT NULL")
    ]
    (deep,) = [document for document in documents if "contact" in document]
    assert set(deep) == {"contact", "level", "x"}
    assert "@" in deep["contact"]["mail"]
    assert "quorvex" not in json.dumps(documents)
    assert "Adalira" not in json.dumps(documents)


def test_json_is_proposed_to_be_masked(shop):
    """What a detector makes of a document is never verbatim."""
    found = proposals(shop.cycle, [("customers", "meta"), ("customers", "notes")])
    assert {proposal.column: proposal.rule for proposal in found}["meta"] == "json"
    assert all(proposal.rule != "keep" for proposal in found)


@pytest.mark.case(101)
def test_an_original_in_a_kept_document_is_found(small):
    """A document that somebody keeps is searched leaf by leaf."""
    changed = CONFIG.replace("      meta: json\n", "").replace("keep: []", "keep: [meta]")
    small.configure(changed)
    with pytest.raises(
        VerificationFailed, match=r"customers\.meta: \d values hold originals of customers\.email"
    ):
        small.build()


@pytest.mark.parametrize("name", ["login", "notes", "photo", "meta", "email", "first_name"])
def test_citext_documents_and_bytea_are_masked(shop, name):
    """No type is forgotten: no value of any of these columns comes through."""
    before, after = (
        {str(value) for value in column(shop, "customers", name, role)} - {"None", "nothing to say"}
        for role in ("migrated", "test")
    )
    assert len(before) == len(after) > 0
    assert not before & after


@pytest.mark.case(101)
def test_no_original_is_anywhere(shop):
    """Nothing distinctive of production is in any row or extract, in letters or in hex."""
    text = everything(shop).casefold()
    for original in ("quorvex", "zantil", "adalira", "boromund", "cyprill", "boro_z", "reader77@"):
        assert original not in text
        assert original.encode().hex() not in text


LEFT = {
    "citext": ("login", "citext", "'ADALIRA'"),
    "text[]": ("tags", "text[]", "'{x,\"see Adalira\"}'"),
    "citext[]": ("tags", "citext[]", "'{x,adalira}'"),
    "bytea": ("scan", "bytea", "'\\x004164616c697261ff'"),
    "jsonb": ("doc", "jsonb", "'{\"a\": [{\"b\": \"Adalira\"}]}'"),
    "json": ("doc", "json", "'[\"Adalira\"]'"),
    "domain": ("alias", "label", "'Adalira'"),
    "composite": ("pair", "twin", "'(Adalira,2)'"),
    "xml": ("sheet", "xml", "'<a>Adalira</a>'"),
    "tsvector": ("words", "tsvector", "'''adalira'':1'"),
    "varchar": ("alias", "varchar(20)", "'adalira!'"),
    "char": ("alias", "char(20)", "'Adalira'"),
    "name": ("alias", "name", "'Adalira'"),
    "text generated": ("alias", "text GENERATED ALWAYS AS ('Ada' || 'lira') STORED", None),
    "hstore": ("pairs", "hstore", "'\"x\"=>\"Adalira\"'"),
}  # fmt: skip


@pytest.mark.case(101)
def test_every_type_that_is_kept_is_searched(server, tmp_path, monkeypatch):
    """An original left in a column of any type is found: citext, arrays, bytes, documents, ..."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop("postgresql", tmp_path / "shop", server)
    text = (
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE DOMAIN label AS text;"
        " CREATE TYPE twin AS (a text, b integer);"
        " CREATE TABLE people (id integer PRIMARY KEY, first_name text);"
        " INSERT INTO people VALUES (1, 'Adalira');"
    )
    config = "tables:\n  people: {columns: {first_name: first_name}, keep: [id]}\n"
    for number, (name, declared, value) in enumerate(LEFT.values()):
        text += f"CREATE TABLE t{number} (id integer, {name} {declared});"
        inserted = f"1, {value}" if value else "1"
        text += f"INSERT INTO t{number} VALUES ({inserted});"
        config += f"  t{number}: {{keep: [id{f', {name}' if value else ''}]}}\n"
    made.produce(text, config)
    try:
        with pytest.raises(VerificationFailed) as caught:
            made.build()
        found = str(caught.value)
        missed = [
            kind
            for number, (kind, (name, _, _)) in enumerate(LEFT.items())
            if f"t{number}.{name}: " not in found
        ]
        assert missed == []
    finally:
        made.close()


# --- the same person, and unique ones -------------------------------------------------------------


def test_the_same_email_joins_across_tables_without_a_key(shop):
    """An address in two tables becomes the same fake, whatever its case and outer blanks."""
    query = "SELECT o.id, c.first_name FROM orders o JOIN customers c ON lower(trim(c.email)) = lower(trim(o.email)) ORDER BY 1"
    before, after = shop.rows(query, "migrated"), shop.rows(query)
    assert [number for number, _ in before] == [number for number, _ in after] == [1, 2, 4]


def test_20000_emails_stay_unique(shop):
    """Fakes of 20 000 addresses do not collide, and none is an original."""
    before, after = column(shop, "subscribers", "email", "migrated"), column(shop, "subscribers", "email")  # fmt: skip
    assert len(set(after)) == len(before) == 20_000
    assert not set(before) & set(after)


def test_a_first_name_stays_one_name(shop):
    """A first name does not become a full name."""
    assert all(len(name.split()) == 1 for name in column(shop, "customers", "first_name"))


@pytest.mark.parametrize(
    "rule", ["first_name", "free_text", "redact", "{anonymize: constant, value: x}"]
)
@pytest.mark.case(102)
def test_a_rule_that_breaks_uniqueness_is_refused_before_a_row_moves(small, rule):
    """UNIQUE is a matter of the plan, not of hour three."""
    small.configure(CONFIG)
    if rule == "first_name":
        # Names are drawn from many, but nobody proves that no two people draw the same.
        changed = CONFIG.replace("      email: email\n", f"      email: {rule}\n", 1)
        small.configure(changed)
        decide_only(small)
        verdicts = [str(p.verdict) for p in current_plan(small.cycle).proofs() if "email" in p.constraint]  # fmt: skip
        assert "proven" not in verdicts[:1]
        return
    refused(
        small,
        "      email: email\n      first_name",
        f"      email: {rule}\n      first_name",
        "unique|UNIQUE",
    )


def decide_only(shop):
    """Run the stages up to the plan, whatever it says."""
    with contextlib.suppress(DbCycleError):
        shop.build()
    assert shop.cycle.catalog is not None


def test_a_rule_that_does_not_fit_the_type_is_refused_before_a_row_moves(small):
    """A company's name for an integer is a finding of the plan, not an aborted run."""
    refused(
        small, "      id: integer\n      email", "      id: company\n      email", "does not serve"
    )


def test_null_for_a_column_that_must_not_be_null_is_refused_before_a_row_moves(small):
    """NOT NULL is a matter of the plan."""
    refused(small, "first_name: first_name", "first_name: 'null'", "NOT NULL")


# --- keys -----------------------------------------------------------------------------------------


def test_a_masked_primary_key_keeps_its_children(shop):
    """Children follow a masked key without a rule of their own."""
    ids, old = column(shop, "customers", "id"), column(shop, "customers", "id", "migrated")
    assert set(ids) != set(old)
    query = "SELECT o.id, o.customer_id IS NOT NULL FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY 1"
    assert shop.rows(query) == shop.rows(query, "migrated")
    pairs = "SELECT count(DISTINCT customer_id) FROM orders"
    assert shop.rows(pairs) == shop.rows(pairs, "migrated")


def test_a_magic_key_value_can_be_kept_and_still_joins(shop):
    """A key that the application knows by heart is exempt, and so are the references to it."""
    assert 0 in column(shop, "companies", "id")
    assert 17 not in column(shop, "companies", "id")
    query = "SELECT count(*) FROM customers c JOIN companies k ON k.id = c.company_id"
    assert shop.rows(query) == shop.rows(query, "migrated") == [(3,)]
    zero = "SELECT count(*) FROM customers WHERE company_id = 0"
    assert shop.rows(zero) == shop.rows(zero, "migrated") == [(1,)]


def test_the_key_is_not_ignored(small, monkeypatch):
    """Another key gives other fakes; the same key gives the same ones."""
    seen = []
    for secret in ("one-" * 16, "two-" * 16, "one-" * 16):
        monkeypatch.setenv("DBCYCLE_KEY", secret)
        small.build()
        seen.append(column(small, "customers", "email"))
    assert seen[0] == seen[2] != seen[1]
    assert credentials.anonymization_secret(load_project(small.root))


def test_a_reference_cannot_have_a_mapping_of_its_own(small):
    """A child that says otherwise than its parent is refused, not joined to nobody."""
    refused(
        small, "columns: {email: email}\n    keep: [id]\n  subscribers",
        "columns: {email: email, customer_id: number}\n    keep: [id]\n  subscribers", "must follow",
    )  # fmt: skip


# --- the pipeline broken on purpose ---------------------------------------------------------------


def test_a_rule_turned_to_keep_is_caught(small):
    """Originals that one column hides are not shown by another one that keeps them."""
    small.configure(
        CONFIG.replace("columns: {email: email}\n    keep: [id]", "keep: [id, email]", 1)
    )
    with pytest.raises(
        VerificationFailed, match=r"orders\.email: 6 values hold originals of customers\.email"
    ) as error:
        small.build()
    assert "quorvex" not in str(error.value)
    assert not small.cycle.server.exists(small.cycle.database("test"))


def test_an_extract_edited_by_hand_is_caught(small):
    """A real address put back into an extract, manifest repaired, is found by the search."""
    cycle = small.build()
    store = cycle.extracts
    manifest = store.manifest("orders")
    rows = b"".join(store.read("orders"))
    fake = rows.split(b"\n")[0].split(b"\t")[2]
    with store.write("orders", manifest.columns, manifest.rules) as writer:
        writer.write(rows.replace(fake, b"ada@quorvex.test", 1), manifest.rows)
    assert b"quorvex" in b"".join(store.read("orders"))
    found = verify(small.cycle, cycle.database("test"))
    assert {(s.found_in, s.count) for s in found.survivors} == {("orders.email", 1)}
    small.build()
    assert b"quorvex" not in b"".join(store.read("orders"))


def test_an_extract_edited_behind_its_manifest_is_caught(small):
    """Bytes that are not those of the manifest are never loaded."""
    cycle = small.build()
    path = cycle.extracts.rows_path("orders")
    content = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    path.write_bytes(zstandard.ZstdCompressor().compress(content.replace(b"@", b"#", 1)))
    with pytest.raises(BadInput, match="does not match its manifest"):
        verify(small.cycle, cycle.database("test"))


def test_an_original_put_into_the_published_database_is_caught(small):
    """The database is searched itself, not only what it was made from."""
    cycle = small.build()
    with open_file(small) as connection:
        connection.execute("UPDATE orders SET email = 'x ADA@quorvex.test y' WHERE id = 1")
    found = verify(small.cycle, cycle.database("test"))
    assert {(s.found_in, s.count) for s in found.survivors} == {("orders.email", 1)}


def test_a_table_emptied_in_the_database_is_caught(small):
    """Rows that get lost after the extract are a finding."""
    cycle = small.build()
    with open_file(small) as connection:
        connection.execute("DELETE FROM orders")
    found = verify(small.cycle, cycle.database("test"))
    assert found.lost_rows == ["orders: 0 rows, 4 expected"]


def test_a_parent_deleted_in_the_database_is_caught(small):
    """A reference that dangles is a finding, though the rows of its own table are all there."""
    cycle = small.build()
    with open_file(small) as connection:
        connection.execute("DELETE FROM customers WHERE first_name IN (SELECT first_name FROM customers JOIN orders ON orders.customer_id = customers.id LIMIT 1)")  # fmt: skip
    found = verify(small.cycle, cycle.database("test"))
    assert len(found.orphans) == 1
    assert "through orders_customer_id_fkey to no row of customers" in found.orphans[0]


def test_lost_digests_are_no_pass(small):
    """What there is nothing to search for is unproven, not clean."""
    cycle = small.build()
    for file in (small.root / ".dbcycle/originals").glob("customers*"):
        file.unlink()
    found = verify(small.cycle, cycle.database("test"))
    assert found.uncovered == ["customers: the digests of its originals are missing or stale"]
    assert not found.passed


@contextlib.contextmanager
def open_file(shop):
    """Open the published SQLite file behind the product's back, without its keys and triggers."""
    path = shop.cycle.server.url(shop.cycle.database("test")).removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        yield connection
