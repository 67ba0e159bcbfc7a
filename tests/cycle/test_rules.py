"""Rules that read more than their value keep their promises through a whole cycle."""

import datetime

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.plan import current_plan
from dbcycle_assets.errors import ConfigError, PlanError

from .kit import Shop

SCRIPT = """
CREATE TABLE people (
  id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, role TEXT NOT NULL, email TEXT NOT NULL,
  first_name TEXT, last_name TEXT, display TEXT, sex TEXT, joined DATE, seen DATE, salary INTEGER
);
CREATE TABLE visits (
  id INTEGER PRIMARY KEY, person INTEGER NOT NULL REFERENCES people (id), at DATE, login TEXT,
  contact TEXT, note TEXT
);
CREATE TABLE teams (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT, partner TEXT);
INSERT INTO people VALUES
  (1, 'P-1', 'admin', 'root@corp.test', 'Ada', 'Lovelace', 'Ada Lovelace', 'f',
   '2020-01-10', '2020-02-09', 100),
  (2, 'P-2', 'user', 'grace@corp.test', 'Grace', 'Hopper', 'Grace Hopper', 'f',
   '2021-03-01', '2021-03-08', 200),
  (3, 'P-3', 'user', 'alan@corp.test', 'Alan', 'Turing', 'Alan Turing', 'm',
   '2019-05-05', NULL, 300),
  (4, 'P-4', 'user', 'kurt@corp.test', 'Kurt', 'Goedel', NULL, 'm',
   '2018-01-01', '2018-12-31', 400);
INSERT INTO visits VALUES
  (1, 1, '2020-03-10', 'P-1', 'root@corp.test', 'Ada met Grace Hopper, mail root@corp.test'),
  (2, 2, '2021-04-01', 'P-2', 'grace@corp.test', 'the lift was late'),
  (3, 2, '2021-04-03', 'P-2', 'Grace@Corp.test', NULL),
  (4, 3, NULL, 'P-3', NULL, 'call +44 20 7946 0999 about order 2021-55-881');
INSERT INTO teams VALUES (1, 'T-1'), (2, 'P-2');
INSERT INTO events VALUES
  (1, 'person', 'P-2', 'a'), (2, 'team', 'T-1', 'a'), (3, 'person', 'P-1', 'b'),
  (4, 'none', 'free', NULL);
"""

CONFIG = """\
tables:
  people:
    columns:
      code:
        - {anonymize: keep, when: {role: admin}}
        - scramble
      email: email
      first_name: {anonymize: first_name, domain: given}
      last_name: last_name
      display: {anonymize: template, template: "{first_name} {last_name}"}
      joined: {anonymize: date, per: id, max_days: 300}
      seen: {anonymize: date, per: id, max_days: 300}
      salary: shuffle
    keep: [id, role, sex]
  visits:
    columns:
      at: {anonymize: date, per: person, max_days: 300}
      contact: email
      note: scrub
    keep: [id, person]
    references: {login: people.code}
  teams:
    columns: {code: {anonymize: scramble, domain: teams}}
    keep: [id]
  events:
    columns:
      owner: hash
      partner: {anonymize: sql, expression: "upper(partner) || '-' || kind"}
    keep: [id, kind]
    references:
      owner:
        - {to: people.code, when: {kind: person}}
        - {to: teams.code, when: {kind: [team, squad]}}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def shop(engine, tmp_path_factory, request):
    """Give the published shop."""
    server = request.getfixturevalue("server") if engine == "postgresql" else None
    with pytest.MonkeyPatch.context() as patch:
        if server is not None:
            patch.setenv("SHOP_SERVER", server.url("postgres"))
        made = Shop(engine, tmp_path_factory.mktemp("rules") / "shop", server)
        made.produce(SCRIPT, CONFIG)
        done = made.refresh()
        assert done.published, done.failed
        yield made
        made.close()


def both(shop, query):
    """Return the rows of a query before and after."""
    return shop.rows(query, "migrated"), shop.rows(query)


def test_the_first_rule_whose_condition_holds_is_taken(shop):
    """An administrator's code is kept, everybody else's is not."""
    before, after = both(shop, "SELECT role, code FROM people ORDER BY id")
    assert [(role, old == new) for (role, old), (_, new) in zip(before, after, strict=True)] == [
        ("admin", True),
        ("user", False),
        ("user", False),
        ("user", False),
    ]


def test_a_declared_reference_follows_through_the_condition(shop):
    """A login joins its person afterwards, though the condition reads the person's own row."""
    query = "SELECT v.id, p.id FROM visits v JOIN people p ON p.code = v.login ORDER BY v.id"
    before, after = both(shop, query)
    assert before == after == [(1, 1), (2, 2), (3, 2), (4, 3)]


def test_a_polymorphic_reference_follows_whom_it_means(shop):
    """An owner joins the person or the team, by the kind of the row; others go by their rule."""
    people = (
        "SELECT e.id, p.id FROM events e JOIN people p ON p.code = e.owner WHERE kind = 'person'"
    )
    teams = "SELECT e.id, t.id FROM events e JOIN teams t ON t.code = e.owner WHERE kind = 'team'"
    for query in (people, teams):
        before, after = both(shop, f"{query} ORDER BY e.id")
        assert before == after
        assert before
    (free,) = shop.rows("SELECT owner FROM events WHERE kind = 'none'")
    assert free != ("free",)


def test_a_domain_is_a_world_of_its_own(shop):
    """The same code in two domains gets two fakes."""
    (person,) = shop.rows("SELECT code FROM people WHERE id = 2")
    (team,) = shop.rows("SELECT code FROM teams WHERE id = 2")
    assert person != team


def test_the_same_person_has_the_same_address_everywhere(shop):
    """Case does not matter, and no key is needed."""
    query = "SELECT v.id, p.id FROM visits v JOIN people p ON p.email = lower(v.contact) ORDER BY 1"
    before, after = both(shop, query)
    assert before == after == [(1, 1), (2, 2), (3, 2)]


def test_what_lies_between_two_dates_of_a_person_stays(shop):
    """All dates of a person move by the same days, in every table that names the person."""
    query = "SELECT p.joined, p.seen, v.at FROM people p LEFT JOIN visits v ON v.person = p.id ORDER BY p.id, v.id"
    before, after = both(shop, query)
    for old, new in zip(before, after, strict=True):
        assert old[0] != new[0]
        assert spans(old) == spans(new)


def spans(dates):
    """Return the days from the first date to each other one."""
    read = [None if d is None else datetime.date.fromisoformat(str(d)) for d in dates]
    return [None if date is None else (date - read[0]).days for date in read]


def test_a_template_is_made_of_the_anonymized_row(shop):
    """A display name agrees with the names beside it; null stays null."""
    rows = shop.rows("SELECT first_name, last_name, display FROM people ORDER BY id")
    assert [display for *_, display in rows[:3]] == [f"{a} {b}" for a, b, _ in rows[:3]]
    assert rows[3][2] is None


def test_a_shuffled_column_keeps_its_values(shop):
    """The distribution stays to the last value."""
    before, after = both(shop, "SELECT salary FROM people ORDER BY salary")
    assert before == after


def test_an_expression_sees_the_row(shop):
    """SQL of the user's is run by the database, over the raw row."""
    rows = shop.rows("SELECT partner FROM events ORDER BY id")
    assert rows == [("A-person",), ("A-team",), ("B-person",), (None,)]


def test_prose_stays_readable_without_its_people(shop):
    """Known names become what they are in their own column; the rest of the prose is kept."""
    names = dict(shop.rows("SELECT id, first_name FROM people"))
    last = dict(shop.rows("SELECT id, last_name FROM people"))
    notes = [note for (note,) in shop.rows("SELECT note FROM visits ORDER BY id")]
    assert notes[0].startswith(f"{names[1]} met {names[2]} {last[2]}, mail ")
    assert "corp.test" not in notes[0]
    assert notes[1] == "the lift was late"
    assert notes[2] is None
    assert "7946" not in notes[3]
    assert "881" not in notes[3]
    assert notes[3].startswith("call +44 ")


def test_references_that_nobody_declared_to_the_database_are_verified(shop):
    """The same number of rows refers to nobody before and after."""
    plan = current_plan(shop.cycle)
    assert plan.tables["visits"].columns[3].follows == "people.code"
    assert [key.name for key in plan.virtual] == ["references.login"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("when: {role: admin}", "when: {rolle: admin}"), "has no column `rolle`; did you mean"),
        (("per: person", "per: persn"), "has no column `persn`"),
        (("{first_name} {last_name}", "{first_name} {surname}"), "has no column `surname`"),
        (("login: people.code", "login: people.codex"), "has no column `codex`"),
        (("login: people.code", "login: people.role"), "people.role is not unique"),
        (("login: people.code", "login: persons.code"), "`persons` is no table"),
        (("        - scramble\n", ""), "`when` needs an `otherwise`"),
        (("email: email", "email: {anonymize: email, per: id}"), "email takes no `per`"),
    ],
)
def test_what_a_rule_reads_must_be_there(shop, change, fault):
    """A misspelt name inside a rule is an error with a suggestion, not a rule that never holds."""
    assert change[0] in CONFIG
    shop.configure(CONFIG.replace(*change))
    try:
        with pytest.raises((ConfigError, PlanError), match=fault.replace("{", "\\{")):
            current_plan(shop.cycle).require()
    finally:
        shop.configure(CONFIG)
    assert load_project(shop.root)


LEAKS = {
    "default": "ALTER TABLE people ADD COLUMN owner text DEFAULT 'alan@corp.test'",
    "function": "CREATE FUNCTION boss() RETURNS text LANGUAGE sql AS $$ SELECT 'kurt@corp.test' $$",
    "materialized view": "CREATE MATERIALIZED VIEW shown AS SELECT 'root@corp.test'::text AS email",
}


@pytest.mark.parametrize("place", LEAKS)
@pytest.mark.case(101)
def test_an_original_in_the_schema_is_found(server, monkeypatch, tmp_path, place):
    """A default, a function or a materialized view can hold a person too."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop("postgresql", tmp_path / "shop", server)
    keep = "[id, role, sex, owner]" if place == "default" else "[id, role, sex]"
    made.produce(f"{SCRIPT};\n{LEAKS[place]};", CONFIG.replace("[id, role, sex]", keep))
    try:
        done = made.refresh()
        assert not done.ok
        assert [failure["asset"] for failure in done.failed] == ["shop/test_db"]
        assert "originals of people.email" in done.failed[0]["error"]
        assert "corp.test" not in done.failed[0]["error"]
    finally:
        made.close()


@pytest.mark.case(101)
def test_comments_stay_behind(server, monkeypatch, tmp_path):
    """What people wrote on tables and columns does not reach the test database."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop("postgresql", tmp_path / "shop", server)
    comment = "COMMENT ON TABLE people IS 'ask grace@corp.test about it'"
    made.produce(f"{SCRIPT};\n{comment};", CONFIG)
    try:
        done = made.refresh()
        assert done.published, done.failed
        count = "SELECT count(*) FROM pg_description WHERE objoid = 'people'::regclass"
        assert made.rows(count, "migrated") == [(1,)]
        assert made.rows(count) == [(0,)]
    finally:
        made.close()


def test_what_the_database_takes_for_the_same_stays_the_same(server, monkeypatch, tmp_path):
    """Under citext two spellings of one code join before and after, whatever the rule."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop("postgresql", tmp_path / "shop", server)
    made.produce(
        "CREATE EXTENSION citext; CREATE TABLE a (id int PRIMARY KEY, code citext UNIQUE);"
        "CREATE TABLE b (id int PRIMARY KEY, code citext);"
        "INSERT INTO a VALUES (1, 'AbC-77'), (2, 'xyz-12');"
        "INSERT INTO b VALUES (1, 'aBc-77'), (2, 'XYZ-12'), (3, 'other');",
        "tables:\n  a: {keep: [id], columns: {code: scramble}}\n"
        "  b: {keep: [id], columns: {code: scramble}}\n",
    )
    try:
        done = made.refresh()
        assert done.published, done.failed
        query = "SELECT a.id, b.id FROM a JOIN b USING (code) ORDER BY 1"
        before, after = made.rows(query, "migrated"), made.rows(query)
        assert before == after == [(1, 1), (2, 2)]
        assert made.rows("SELECT count(*) FROM a WHERE code IN ('AbC-77', 'xyz-12')") == [(0,)]
    finally:
        made.close()


def test_what_a_function_of_the_users_raises_is_not_told(tmp_path, monkeypatch):
    """A lookup that fails names the value in its error; no message, event or file holds it."""
    (tmp_path / "leaky_masks.py").write_text("def mask(value, secret):\n    return {}[value]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Shop("sqlite", tmp_path / "shop", None)
    rule = '{anonymize: python, function: "leaky_masks:mask"}'
    made.produce(SCRIPT, CONFIG.replace("last_name: last_name", f"last_name: {rule}"))
    done = made.refresh()
    assert not done.ok
    assert "of the extract: the value does not fit python (KeyError)" in str(done.failed)
    for path in [*(made.root / "home").rglob("*"), *(made.root / ".dbcycle/ledger").rglob("*")]:
        if path.is_file():
            assert b"Lovelace" not in path.read_bytes(), path
