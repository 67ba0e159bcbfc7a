"""Models written from a schema import, configure, and make the same schema again."""

from pathlib import Path

import pytest

from .kit import ruff

HERE = Path(__file__).parent
PREPARE = {
    "sqlite": "",
    "postgresql": "CREATE SCHEMA sales; CREATE EXTENSION citext; CREATE EXTENSION hstore;"
    "CREATE EXTENSION ltree; CREATE EXTENSION btree_gist;",
}


@pytest.fixture
def odd(place):
    """A schema with much that is rare, and its models."""
    place.run((HERE / f"odd_{place.server.engine}.sql").read_text())
    place.write()
    return place


def test_generated_models_are_in_step_and_make_the_schema_again(odd):
    """They import and configure; what they create differs in nothing that can be compared."""
    found = odd.compare()
    assert not found.findings
    assert found.tables == len(odd.load().Base.metadata.tables)
    again = odd.create_all(f"{odd.name}_again", PREPARE[odd.server.engine])
    assert not again.sentences
    assert again.compare().columns == found.columns


def test_generated_modules_are_well_formed_and_always_the_same(odd):
    """Ruff finds nothing under its default settings, and a second run writes the same bytes."""
    assert ruff(odd.folder) == ""
    former = [(odd.folder / name).read_bytes() for name in ("models.py", "db_enums.py")]
    odd.write()
    assert [(odd.folder / name).read_bytes() for name in ("models.py", "db_enums.py")] == former


def test_our_own_bookkeeping_is_no_model(place):
    """What we keep beside the tables, and views and partitions, are left out."""
    place.run(
        "CREATE TABLE users (id int PRIMARY KEY); CREATE VIEW all_users AS TABLE users;"
        if place.server.engine == "postgresql"
        else "CREATE TABLE users (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS x;"
    )
    with place.server.open(place.name) as database:
        database.migrations().prepare()
    place.write()
    assert set(place.load().Base.metadata.tables) == {"users"}


def test_names_follow_the_conventions(place_on):
    """Singular classes, readable relationships on both sides, types that say it all."""
    place = place_on("postgresql")
    place.run((HERE / "odd_postgresql.sql").read_text())
    place.write()
    text = (place.folder / "models.py").read_text()
    for line in (
        "class Person(Base):",
        "follows = Table(",
        'parent: Mapped["Class | None"] = relationship(',
        'children: Mapped[list["Class"]] = relationship(',
        'groups_via_people_groups: Mapped[list["Group"]] = relationship(',
        'orders_as_bill_to: Mapped[list["Order"]] = relationship(',
        "ci: Mapped[list[str] | None] = mapped_column(ARRAY(CITEXT))",
        "code: Mapped[str] = mapped_column(",
        'path: Mapped[Any | None] = mapped_column(RawType("public.ltree"))',
        "n5: Mapped[decimal.Decimal | None] = mapped_column(Numeric(5, 0))",
        "log = Table(",
    ):
        assert line in text, line
    assert "class StatusEnum(enum.StrEnum):" in (place.folder / "db_enums.py").read_text()


def test_a_row_keeps_its_labels_and_its_references(place):
    """What the models write, the database takes: labels of enums, and both sides of a reference."""
    engine = place.server.engine
    role = "role text NOT NULL CHECK (role IN ('team lead', 'other'))"
    if engine == "postgresql":
        place.run("CREATE TYPE role AS ENUM ('team lead', 'other');")
        role = "role role NOT NULL"
    place.run(
        f"CREATE TABLE users (id int PRIMARY KEY, {role});"
        "CREATE TABLE notes (id int PRIMARY KEY,"
        " user_id int NOT NULL REFERENCES users (id) ON DELETE CASCADE);"
    )
    place.write()
    models = place.load()
    kind = models.Role if engine == "postgresql" else models.UserRole
    from sqlalchemy import select, text
    from sqlalchemy.exc import InvalidRequestError
    from sqlalchemy.orm import Session, selectinload

    with place.server.open(place.name) as database, database.sqlalchemy() as connection:
        session = Session(connection)
        user = models.User(id=1, role=kind.TEAM_LEAD)
        session.add(models.Note(id=1, user=user))
        session.flush()
        session.expire_all()
        assert connection.execute(text("SELECT role FROM users")).scalar() == "team lead"
        loaded = session.scalar(select(models.User).options(selectinload(models.User.notes)))
        assert loaded.role is kind.TEAM_LEAD
        assert [note.id for note in loaded.notes] == [1]
        with pytest.raises(InvalidRequestError):
            _ = loaded.notes[0].user
        if engine == "sqlite":  # a session of ours has foreign keys off, so nothing cascades
            return
        session.delete(loaded)
        session.flush()
        assert connection.execute(text("SELECT count(*) FROM notes")).scalar() == 0
