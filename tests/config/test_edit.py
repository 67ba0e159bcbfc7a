"""Judgements land in the config, and nothing else of the file changes."""

import difflib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbcycle_assets.config import load_project
from dbcycle_assets.config.edit import Judgement, apply_judgements, new_config
from dbcycle_assets.errors import ConfigError

HEAD = "name: shop   # ours\nsource: {dump: prod.dump}\n"
GOOD = f"""\
{HEAD}
tables:
  # people
  users:   # everyone
    columns:
      email: email           # never keep
      # the next line is long
      password: {{anonymize: password_hash, password: testtest}}
      # after the columns
    keep: [id, role]
    # after users

  # things
  orders:
    keep:
    - id
    - total  # in cents
    # more to come

# when
schedule: {{nightly: "0 2 * * *"}}
# the end
"""
SOME = [
    Judgement("users", "phone", "phone", reason="its name says so"),
    Judgement("users", "created_at", "keep"),
    Judgement("orders", "note", "free_text", {"keep": [1, "a: b"], "deep": {"x": None}}),
    Judgement("orders", "sum", "keep"),
    Judgement("parcels", "street", "street"),
]


def write(folder, text):
    path = folder / "dbcycle.yaml"
    path.write_bytes(text.encode())
    return path


def check(folder, judgements):
    """Assert that the config in a folder says what was judged last about each column."""
    tables = load_project(folder).config.tables
    for (table, column), judgement in {
        (each.table, each.column): each for each in judgements
    }.items():
        if judgement.rule == "keep":
            assert column in tables[table].keep
            assert column not in tables[table].columns
        else:
            assert tables[table].columns[column].anonymize == judgement.rule
            assert tables[table].columns[column].options == judgement.options
            assert column not in tables[table].keep


def test_every_line_of_the_file_stays(tmp_path):
    """Comments, order, quotes and indents of the user survive; new lines come where they belong."""
    path = write(tmp_path, GOOD)
    apply_judgements(path, SOME)
    check(tmp_path, SOME)
    changes = list(difflib.ndiff(GOOD.splitlines(), path.read_text().splitlines()))
    assert [line for line in changes if line.startswith("-")] == ["-     keep: [id, role]"]
    assert path.read_text() == (
        GOOD.replace(
            "      # after the columns\n    keep: [id, role]\n",
            "      phone: phone # its name says so\n      # after the columns\n"
            "    keep: [id, role, created_at]\n",
        )
        .replace(
            "  orders:\n",
            "  orders:\n    columns:\n"
            '      note: {anonymize: free_text, keep: [1, "a: b"], deep: {x: null}}\n',
        )
        .replace(
            "    # more to come\n",
            "    - sum\n    # more to come\n  parcels:\n    columns:\n      street: street\n",
        )
    )


@pytest.mark.parametrize(
    "tables",
    [
        "",
        "tables:\n",
        "tables: {}\n",
        "tables:\n  users:\n  orders:   # soon\n",
        "tables:\n  users:\n    columns:\n    keep:\n",
        "tables: {users: {columns: {a: email}, keep: [b]}, orders: }\n",
        "tables:\n  users: {extract: rows}  # all\n  # note\n  orders: {keep: []}\n",
        "tables:\n    users:\n        keep:\n          - a\n# end",
        "tables:\n  users: &u\n    columns: {a: email}\n    keep: &k [id]\n  orders: *u\n  x: {keep: *k}\n",
        "tables:\n  users: &u\n    columns: {a: email}\n  orders:\n    <<: *u\n    keep: [b]\n",
        "tables:\n  users:\n    keep: [created_at]\n    columns: {sum: email}\n",
        "tables:\r\n  users: {keep: [a]} # c\r\n",
    ],
)
def test_any_way_of_writing_tables_can_be_edited(tmp_path, tables):
    """Block or flow, empty or null, aliased or merged: the judgements arrive, the rest stays."""
    path = write(tmp_path, HEAD + tables)
    before = load_project(tmp_path).config
    apply_judgements(path, SOME)
    check(tmp_path, SOME)
    after = load_project(tmp_path).config
    judged = {(each.table, each.column) for each in SOME}
    for name, table in before.tables.items():
        assert set(table.keep) - set(after.tables[name].keep) <= {c for t, c in judged if t == name}
        assert table.columns.items() <= after.tables[name].columns.items()
    once = path.read_bytes()
    assert (b"\r\n" in once) == ("\r\n" in tables)
    apply_judgements(path, SOME)
    assert path.read_bytes() == once


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lists_that_nobody_touches_keep_their_lines(tmp_path, ends):
    """However a list was broken into lines, and however long they are, it is no change."""
    untouched = """\
  tickets:
    keep: [id, opened_at, closed_at,   # when
           state, priority,
           "category"]
    columns:
      body: {anonymize: free_text,
             language: de}
      subject: text
    references: {customer: customers.id, assignee: users.id, reporter: users.id, team: teams.id, queue: queues.id}
"""
    text = f"{HEAD}tables:\n{untouched}  users:\n    keep: [id,\n      role]\n"
    path = write(tmp_path, text.replace("\n", ends))
    apply_judgements(path, [Judgement("users", "email", "email")])
    assert path.read_bytes().decode() == text.replace(
        "    keep: [id,\n      role]",
        "    columns:\n      email: email\n    keep: [id,\n      role]",
    ).replace("\n", ends)
    apply_judgements(path, [Judgement("users", "phone", "keep")])
    after = path.read_bytes().decode().replace(ends, "\n")
    assert untouched in after
    assert "keep: [id, role, phone]" in after


def test_a_judgement_moves_a_column(tmp_path):
    """Whoever judges again gets the newest judgement, in one place only."""
    path = write(tmp_path, GOOD)
    moved = [Judgement("users", "email", "keep"), Judgement("users", "role", "word")]
    apply_judgements(path, moved)
    check(tmp_path, moved)


@pytest.mark.parametrize(
    "tables", ["tables: 3\n", "tables:\n  users: [a]\n", "tables: {users: {keep: 1}}\n"]
)
def test_a_file_that_cannot_be_edited_stays(tmp_path, tables):
    """What a program cannot edit safely is refused, and no byte of it changes."""
    path = write(tmp_path, HEAD + tables)
    with pytest.raises(ConfigError):
        apply_judgements(path, SOME)
    assert path.read_text() == HEAD + tables
    assert [file.name for file in tmp_path.iterdir()] == ["dbcycle.yaml"]


def test_the_mode_of_the_file_stays(tmp_path):
    """A config that only its owner may read stays so."""
    path = write(tmp_path, GOOD)
    path.chmod(0o600)
    apply_judgements(path, SOME)
    assert path.stat().st_mode & 0o777 == 0o600


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(st.characters(codec="utf-8"), max_size=30)
)
judgements = st.lists(
    st.builds(
        Judgement,
        table=st.one_of(st.sampled_from(["users", "orders", "yes", "1"]), names),
        column=st.one_of(st.sampled_from(["email", "id", "null", "~"]), names),
        rule=st.sampled_from(["keep", "email", "null", "word"]),
        options=st.just({}),
        reason=st.text(max_size=20),
    )
    | st.builds(
        Judgement,
        table=names,
        column=names,
        rule=st.just("faker"),
        options=st.dictionaries(names.filter(lambda name: name != "anonymize"), values, max_size=3),
        reason=names,
    ),
    max_size=8,
)
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(found=judgements)
def test_whatever_is_judged_loads_again(tmp_path, found):
    """Any name that a database allows survives the way into the file and back."""
    path = write(tmp_path, GOOD)
    apply_judgements(path, found)
    check(tmp_path, found)
    once = path.read_text()
    for comment in ("ours", "people", "the next line is long", "after the columns", "the end"):
        assert f"# {comment}\n" in once
    apply_judgements(path, found)
    assert path.read_text() == once


@quick
@given(found=judgements)
def test_a_new_config_loads(tmp_path, found):
    """What init writes is a valid config; its comment first tells editors where the schema is."""
    path = tmp_path / "dbcycle.yaml"
    new_config(path, name="shop", engine="sqlite", dump="prod.db", judgements=found)
    first, _, third = path.read_text().split("\n")[:3]
    assert first == "# yaml-language-server: $schema=.dbcycle/dbcycle.schema.json"
    assert third.startswith("# The cycle of shop.")
    check(tmp_path, found)
