"""Every way in which models and a schema come apart is found, and said with its place."""

import json

import pytest

from dbcycle_assets.errors import BadInput
from dbcycle_assets.testing import assert_models_match

ROLE = {
    "postgresql": ("CREATE TYPE role AS ENUM ('user', 'admin');", "role role NOT NULL"),
    "sqlite": ("", "role varchar(9) NOT NULL CHECK (role IN ('user', 'admin'))"),
}


@pytest.fixture
def shop(place):
    """A small schema and its models, in step."""
    before, role = ROLE[place.server.engine]
    place.run(
        f"{before} CREATE TABLE users (id int PRIMARY KEY, email varchar(40) NOT NULL UNIQUE,"
        f" nick text DEFAULT 'none', {role});"
        "CREATE TABLE orders (id int PRIMARY KEY, note text, user_id int NOT NULL,"
        " total numeric(10, 2) NOT NULL,"
        " CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)"
        " ON DELETE CASCADE, CONSTRAINT orders_total_check CHECK (total >= 0));"
        "CREATE INDEX orders_note_idx ON orders (note);"
    )
    place.write()
    assert not place.sentences
    return place


def test_a_column_that_was_added_or_removed(shop):
    """The schema has one more, or one fewer."""
    shop.run("ALTER TABLE users ADD COLUMN phone text; ALTER TABLE users DROP COLUMN nick;")
    more, fewer = sorted(shop.sentences, reverse=True)
    assert more.startswith("users.phone (User): the model lacks this column (")
    assert fewer.startswith("users.nick (User.nick): the schema has no such column")


def test_a_type_that_changed(shop):
    """Also when only its length or its precision did."""
    if shop.server.engine == "postgresql":
        shop.run(
            "ALTER TABLE users ALTER COLUMN email TYPE varchar(80);"
            "ALTER TABLE orders ALTER COLUMN total TYPE bigint;"
        )
        assert [sentence.split(" →")[0] for sentence in shop.sentences] == [
            "orders.total (Order.total): the schema has BIGINT, the model NUMERIC(10, 2)",
            "users.email (User.email): the schema has VARCHAR(80), the model VARCHAR(40)",
        ]
    else:
        shop.edit(("String(40)", "String(80)"))
        assert (
            "users.email (User.email): the schema has VARCHAR(40), the model VARCHAR(80)"
            in (shop.sentences[0])
        )


def test_null_and_defaults(shop):
    """What may be null, and what stands where nothing is given."""
    shop.edit(
        ("note: Mapped[str | None]", "note: Mapped[str]"),
        ("email: Mapped[str]", "email: Mapped[str | None]"),
        ("'none'", "'nobody'"),
    )
    told = "\n".join(shop.sentences)
    assert "orders.note (Order.note): the schema allows NULL, the model does not" in told
    assert "users.email (User.email): the schema refuses NULL, the model allows it" in told
    assert "users.nick (User.nick): the default is" in told
    assert len(shop.sentences) == 3


def test_the_same_default_in_other_words(shop):
    """A default is compared by what it comes to."""
    shop.edit(
        ("server_default=text(\"'none'::text\")", 'server_default="none"')
        if shop.server.engine == "postgresql"
        else ("server_default=text(\"'none'\")", 'server_default="none"')
    )
    assert not shop.sentences


def test_a_foreign_key_that_was_dropped_or_cascades_otherwise(shop):
    """Where it leads, and what it does on delete."""
    shop.edit((', ondelete="CASCADE"', ""))
    (told,) = shop.sentences
    assert told.startswith(
        "orders.user_id (Order.user_id): the foreign key has ON DELETE CASCADE, in the model unset"
    )
    if shop.server.engine == "postgresql":
        shop.run("ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;")
        (told,) = shop.sentences
        assert "the schema lacks the foreign key `orders_user_id_fkey` (user_id)" in told


def test_keys_checks_and_indexes(shop):
    """Unique constraints, checks by their names, indexes, and the primary key."""
    if shop.server.engine == "postgresql":
        shop.run(
            "ALTER TABLE users DROP CONSTRAINT users_email_key;"
            "ALTER TABLE orders DROP CONSTRAINT orders_total_check;"
            "DROP INDEX orders_note_idx;"
            "ALTER TABLE orders DROP CONSTRAINT orders_pkey;"
            "ALTER TABLE orders ADD PRIMARY KEY (id, user_id);"
        )
        told = "\n".join(shop.sentences)
        assert "users.email (User.email): the schema lacks the unique constraint" in told
        assert "orders (Order): the schema lacks the check `orders_total_check`" in told
        assert "orders.note (Order.note): the schema lacks the index `orders_note_idx`" in told
        assert "orders (Order): the primary key is (id, user_id), in the model (id)" in told
        assert len(shop.sentences) == 4
    else:
        shop.run("DROP INDEX orders_note_idx; CREATE UNIQUE INDEX more ON orders (total);")
        assert [sentence.split(" →")[0] for sentence in shop.sentences] == [
            "orders.note (Order.note): the schema lacks the index `orders_note_idx` (note)",
            "orders.total (Order.total): the model lacks the unique index `more` (total)",
        ]


def test_a_label_that_was_added(shop):
    """In the type, in the class, and in a check that lists values."""
    if shop.server.engine == "postgresql":
        shop.run("ALTER TYPE role ADD VALUE 'guest';")
        told = "users.role (User.role): the enum `role` lacks `guest`"
        assert any(sentence.startswith(told) for sentence in shop.sentences)
        assert any(s.startswith("role (Role): the class lacks `guest`") for s in shop.sentences)
    else:
        shop.edit(('    ADMIN = "admin"', '    ADMIN = "admin"\n    GUEST = "guest"'))
        (told,) = shop.sentences
        assert told.startswith("users.role (User.role): the enum has `guest`, which the schema")


def test_an_enum_in_another_order_and_one_without_a_class(place_on):
    """The order of labels is how the database compares them."""
    place = place_on("postgresql")
    place.run(
        "CREATE TYPE level AS ENUM ('low', 'high'); CREATE TABLE a (id int PRIMARY KEY, l level);"
    )
    place.write()
    place.edit(('    LOW = "low"\n    HIGH = "high"', '    HIGH = "high"\n    LOW = "low"'))
    told = place.sentences
    assert any(
        "a.l (A.l): the enum `level` has another order: the schema has `low`, `high`" in s
        for s in told
    )
    place.run("CREATE TYPE mood AS ENUM ('sad');")
    assert any(
        "mood: no class of the enums module is the enum type `mood`" in s for s in place.sentences
    )


def test_names_of_members_instead_of_labels(place_on):
    """Without `values_callable` SQLAlchemy stores the names of the members."""
    place = place_on("postgresql")
    place.run(
        "CREATE TYPE level AS ENUM ('low', 'high'); CREATE TABLE a (id int PRIMARY KEY, l level);"
    )
    place.write()
    place.edit((", values_callable=labels_of", ""))
    (told,) = place.sentences
    assert "give values_callable" in told


def test_a_table_that_was_renamed_or_is_new(shop):
    """Both sides are named, with the guess that they are one."""
    shop.run("ALTER TABLE orders RENAME TO purchases; CREATE TABLE extra (id int PRIMARY KEY);")
    told = "\n".join(shop.sentences)
    assert "orders (Order): the schema has no such table; it seems to be called `purchases`" in told
    assert "purchases: no model maps this table; it seems to have been `orders`" in told
    assert "extra: no model maps this table → add a class" in told


def test_a_comparison_of_nothing_fails(shop):
    """An empty base is a mistake, not a success."""
    (shop.folder / "models.py").write_text(
        "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase):\n    pass\n"
    )
    found = shop.compare()
    assert not found.passed
    assert "no table was compared" in str(found.findings[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import os\nraise ValueError('hunter2')\n", "ValueError in models.py:2"),
        ("class Base(:\n", "SyntaxError in models.py:1"),
        ("import nosuch_module\n", "ModuleNotFoundError of `nosuch_module` in models.py:1"),
        ("Base = 1\n", "`Base` of models has no `metadata`"),
        ("raise SystemExit('hunter2')\n", "SystemExit in models.py:1"),
    ],
)
def test_models_that_do_not_import(shop, text, told):
    """The class of the error and its place are told; never its text."""
    (shop.folder / "models.py").write_text(text)
    with pytest.raises(BadInput) as caught:
        shop.compare()
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_the_application_prints_is_no_answer(shop):
    """Its output goes nowhere, and it is never imported into our process."""
    import sys

    path = shop.folder / "models.py"
    path.write_text(path.read_text() + "\nprint('{}')\n")
    assert not shop.sentences
    assert "models" not in sys.modules


def test_the_assertion_lists_every_difference(shop):
    """As a test of the application uses it."""
    url = shop.server.url(shop.name)
    assert assert_models_match(shop.project, url).tables == 2
    shop.edit(("note: Mapped[str | None]", "note: Mapped[str]"))
    with pytest.raises(AssertionError, match=r"Order\.note"):
        assert_models_match(shop.project, url)


def test_the_command(shop, tmp_path):
    """It ends with 0, 8 or 7, prints JSON, and overwrites nothing that was refined."""
    import subprocess
    import sys

    (shop.folder / "dbcycle.yaml").write_text(
        f"name: shop\nengine: {shop.server.engine}\nsource: {{dump: x}}\n"
        "models: {module: models, enums: db_enums}\n"
    )

    def run(*words):
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "dbcycle_assets",
                "--project",
                str(shop.folder),
                "models",
                "--db-url",
                shop.server.url(shop.name),
                *words,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    done = run("--check", "--json")
    assert (done.returncode, json.loads(done.stdout)["passed"]) == (0, True), done.stderr
    shop.edit(("note: Mapped[str | None]", "note: Mapped[str]"))
    done = run("--check", "--json")
    (finding,) = json.loads(done.stdout)["findings"]
    assert (done.returncode, finding["member"], finding["kind"]) == (8, "Order.note", "nullable")
    assert run("--out", str(shop.folder / "models.py")).returncode == 3
    assert run("--out", str(tmp_path / "models.py")).returncode == 0
    assert (tmp_path / "models.py").read_text() != (shop.folder / "models.py").read_text()
    (shop.folder / "models.py").write_text("raise ValueError\n")
    assert run("--check").returncode == 7
