"""Where columns come from, read from what a migration says."""

import pytest

from dbcycle_assets.model.descent import Descent

USERS = {"users": ["id", "email", "first_name", "last_name"]}


def descent(engine, statements, before, after):
    """Return every ancestor as ``child < parent``, with ``=`` for an exact one."""

    def named(tables):
        return {f"{t}.{c}": (t, c) for t, columns in tables.items() for c in columns}

    found = Descent(engine)
    found.follow("v1/1.sql", statements, named(before), named(after))
    return {
        f"{a.table}.{a.column} {'=' if a.exact else '<'} {a.from_table}.{a.from_column}"
        for a in found.ancestors
    }


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
@pytest.mark.parametrize(
    ("statements", "after", "expected"),
    [
        (
            ["ALTER TABLE users RENAME COLUMN email TO email_address"],
            ["id", "email_address", "first_name", "last_name"],
            {"users.email_address = users.email"},
        ),
        (
            ["UPDATE users SET mail = email"],
            [*USERS["users"], "mail"],
            {"users.mail = users.email"},
        ),
        (
            ["UPDATE users SET full_name = trim(first_name) || ' ' || last_name"],
            [*USERS["users"], "full_name"],
            {"users.full_name < users.first_name", "users.full_name < users.last_name"},
        ),
        (
            ["ALTER TABLE users ADD COLUMN low text GENERATED ALWAYS AS (lower(email)) STORED"],
            [*USERS["users"], "low"],
            {"users.low < users.email"},
        ),
        (
            ["UPDATE users SET mail = coalesce((SELECT max(u.email) FROM users u), '')"],
            [*USERS["users"], "mail"],
            {"users.mail < users.email"},
        ),
        (
            [
                "CREATE TABLE fresh (id INTEGER, mail TEXT, first_name TEXT)",
                "INSERT INTO fresh SELECT id, email, first_name FROM users",
                "DROP TABLE users",
                "ALTER TABLE fresh RENAME TO users",
            ],
            ["id", "mail", "first_name"],
            {
                "users.mail = users.email",
                "users.mail = fresh.mail",
                "users.id = fresh.id",
                "users.first_name = fresh.first_name",
            },
        ),
        (["UPDATE users SET email = lower(email)"], USERS["users"], set()),
        (["SELECT 1; this is no SQL at all"], USERS["users"], set()),
    ],
)
def test_a_statement_tells_what_its_columns_are_made_of(engine, statements, after, expected):
    assert descent(engine, statements, USERS, {"users": after}) == expected


def test_queries_are_followed_through_aliases_joins_and_with():
    found = descent(
        "postgresql",
        [
            (
                "CREATE TABLE crm.contacts AS WITH q AS (SELECT id, lower(email) AS mail, first_name fn"
                " FROM users) SELECT q.id AS uid, q.mail, fn::varchar AS called, o.city"
                " FROM q JOIN offices o ON o.id = q.id"
            )
        ],
        {**USERS, "offices": ["id", "city"]},
        {**USERS, "crm.contacts": ["uid", "mail", "called", "city"]},
    )
    assert found == {
        "crm.contacts.uid = users.id",
        "crm.contacts.mail < users.email",
        "crm.contacts.called = users.first_name",
        "crm.contacts.city = offices.city",
    }


def test_rows_that_two_queries_give_come_from_both():
    found = descent(
        "postgresql",
        ["INSERT INTO log (who) SELECT email FROM users UNION ALL SELECT last_name FROM users"],
        {**USERS, "log": ["who"]},
        {**USERS, "log": ["who"]},
    )
    assert found == {"log.who = users.email", "log.who = users.last_name"}


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_rows_that_are_a_select_each_are_followed_however_many_they_are(engine):
    """Scripts wrote many rows in one INSERT like that before VALUES took more than one."""
    rows = " UNION ALL ".join(["SELECT 'x', email FROM users"] * 1500)
    tables = {**USERS, "log": ["what", "who"]}
    assert descent(engine, [f"INSERT INTO log {rows}"], tables, tables) == {"log.who = users.email"}


def test_a_with_clause_serves_every_part_of_a_union():
    found = descent(
        "postgresql",
        [
            (
                "INSERT INTO log (who) WITH q AS (SELECT email AS mail FROM users)"
                " SELECT mail FROM q UNION ALL SELECT last_name FROM users"
            )
        ],
        {**USERS, "log": ["who"]},
        {**USERS, "log": ["who"]},
    )
    assert found == {"log.who = users.email", "log.who = users.last_name"}


def test_a_statement_that_cannot_be_followed_is_left_out_and_the_others_are_not():
    endless = "INSERT INTO users (nick) SELECT email" + "::text" * 5000 + " FROM users"
    after = {"users": [*USERS["users"], "nick", "called"]}
    found = descent(
        "postgresql",
        ["UPDATE users SET nick = first_name", endless, "UPDATE users SET called = last_name"],
        after,
        after,
    )
    assert found == {"users.nick = users.first_name", "users.called = users.last_name"}


def test_a_constraint_of_sqlite_may_be_a_name_alone():
    made = "CREATE TABLE notes (a TEXT CONSTRAINT told, b TEXT CONSTRAINT low, c AS (lower(a)))"
    after = {**USERS, "notes": ["a", "b", "c"]}
    filled = "INSERT INTO notes (a) SELECT email FROM users"
    assert descent("sqlite", [made, filled], USERS, after) == {
        "notes.c < notes.a",
        "notes.a = users.email",
    }


@pytest.mark.parametrize(
    "odd",
    [
        "DROP TABLE shop..users",
        "ALTER TABLE `` ADD KEY `by_email` (``)",
        "ALTER TABLE users RENAME email DEFAULT TO mail",
        "ALTER TABLE users ADD COLUMN told OUT JSONB",
    ],
)
@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_what_no_engine_would_run_takes_nothing_away(engine, odd):
    """A tool of the user's own may tell statements of any kind."""
    told = [odd, "UPDATE users SET nick = first_name"]
    after = {"users": [*USERS["users"], "nick", "told"]}
    assert descent(engine, told, USERS, after) == {"users.nick = users.first_name"}


@pytest.mark.parametrize(
    "statement",
    [
        "DO $body$ BEGIN IF true THEN UPDATE users SET nick = first_name; END IF; END $body$",
        "UPDATE public.users AS u SET nick = v.first_name FROM users v WHERE v.id = u.id",
        "UPDATE users SET (nick, last_name) = (first_name, 'x')",
        (
            "MERGE INTO users t USING (SELECT id, first_name f FROM users) s ON t.id = s.id"
            " WHEN MATCHED THEN UPDATE SET nick = s.f"
        ),
    ],
)
def test_postgresql_says_it_in_many_ways(statement):
    after = {"users": [*USERS["users"], "nick"]}
    assert descent("postgresql", [statement], after, after) == {"users.nick = users.first_name"}


def test_a_new_column_under_an_old_name_has_no_ancestors():
    found = descent(
        "postgresql",
        [
            "ALTER TABLE users RENAME COLUMN email TO mail",
            "ALTER TABLE users DROP COLUMN mail",
            "ALTER TABLE users ADD COLUMN mail text",
        ],
        USERS,
        {"users": ["id", "mail", "first_name", "last_name"]},
    )
    assert found == set()


def test_names_that_outlive_a_renaming_need_no_statement():
    """A tool of the user's own says nothing; the numbers of PostgreSQL's columns do."""
    found = Descent("postgresql")
    found.follow("tool", [], {"7.1": ("users", "email")}, {"7.1": ("people", "mail")})
    found.follow("tool 2", [], {"7.1": ("people", "mail")}, {"7.1": ("people", "e_mail")})
    assert [(a.from_table, a.from_column, a.exact, a.step) for a in found.ancestors] == [
        ("people", "mail", True, "tool 2"),
        ("users", "email", True, "tool"),
    ]
