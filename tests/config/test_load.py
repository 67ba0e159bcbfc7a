"""Mistakes in the config are found all at once, with their lines."""

import pytest

from dbcycle_assets.config import load_project
from dbcycle_assets.config.locate import find_project
from dbcycle_assets.errors import ConfigError, UsageError

GOOD = """\
name: shop   # ours
source: {dump: prod.dump}
tables:
  # people
  users:
    columns:
      email: email           # never keep
      password: {anonymize: password_hash, password: testtest}
      nickname:
    keep: [id, role]
"""


def write(tmp_path, text):
    (tmp_path / "dbcycle.yaml").write_text(text)
    return tmp_path


def test_short_and_long_rules_mean_the_same(tmp_path):
    """A rule may be a name, a mapping with parameters, or nothing for null."""
    columns = load_project(write(tmp_path, GOOD)).config.tables["users"].columns
    assert columns["email"].anonymize == "email"
    assert columns["password"].options == {"password": "testtest"}
    assert columns["nickname"].anonymize == "null"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    columns:",
            "    colums:",
            "dbcycle.yaml:6: tables.users.colums: unknown key; did you mean `columns`?",
        ),
        ("name: shop", "nam: shop", "nam: unknown key; did you mean `name`?"),
        (
            "keep: [id, role]",
            "keep: [id, email]",
            "dbcycle.yaml:7: tables.users.columns.email: both kept and anonymized",
        ),
        ("source: {dump: prod.dump}", "source: {}", "dbcycle.yaml:2: source.dump: is missing"),
        ("tables:", "schedule: {nightly: often}\ntables:", "not a cron line"),
        ("tables:", "schedule: {timezone: Mars/Base}\ntables:", "not an IANA time zone"),
        ("tables:", "golden: ../elsewhere\ntables:", "golden: must lie inside the project"),
        ("    keep:", "    export: /x.py\n    keep:", "tables.users.export: must lie inside"),
        (
            "tables:",
            "migrations: [{version: a, directory: d, steps: [../x.sql]}]\ntables:",
            "dbcycle.yaml:3: migrations.0.steps.0: a step is the name of a .sql or .py file",
        ),
    ],
)
@pytest.mark.case(123)
def test_a_mistake_is_named_with_its_line(tmp_path, old, new, message):
    """The message says what is wrong and where."""
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, GOOD.replace(old, new)))
    assert message in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path):
    """Nobody has to run twice to see the second mistake, of whatever kind."""
    text = GOOD.replace("    keep:", "    kep:").replace("source:", "sorce:")
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, text + "schedule: {nightly: '61 * * * *', timezone: X}\n"))
    message = str(caught.value)
    assert "5 mistakes" in message
    for part in ("users.kep", "sorce: unknown", "source: is missing", "minute", "time zone"):
        assert part in message


def test_a_missing_config_says_how_to_make_one(tmp_path):
    """The first thing that goes wrong for a newcomer names the command that helps."""
    with pytest.raises(ConfigError, match="dbcycle init"):
        load_project(tmp_path)


def test_an_error_repeats_no_value(tmp_path):
    """A message names the place of a mistake, never what stands there."""
    rule = "{password: hunter2, unknown: hunter3}"
    text = GOOD.replace("{anonymize: password_hash, password: testtest}", rule)
    for bad in (text, GOOD + "name: hunter2\n", GOOD.replace("shop", "Hunter2")):
        with pytest.raises(ConfigError) as caught:
            load_project(write(tmp_path, bad))
        assert "hunter" not in str(caught.value).casefold()


@pytest.mark.parametrize(
    "text",
    ["", "- a\n", "name: [", "name: a\nname: b\n", "name: !!python/object x\n", "a: !t {}\n"],
)
@pytest.mark.case(123)
def test_what_is_no_config_is_refused(tmp_path, text):
    """Broken YAML, tags and duplicate keys are errors with a place."""
    with pytest.raises(ConfigError):
        load_project(write(tmp_path, text))


@pytest.mark.case(123)
def test_a_bomb_of_aliases_is_refused(tmp_path):
    """Aliases that multiply are counted before they are expanded."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ConfigError, match="too many values"):
        load_project(write(tmp_path, "\n".join(lines)))


def test_a_project_is_found_by_name_folder_or_place(tmp_path):
    """A hint may be a folder or a bundled name; without one the nearest config counts."""
    project = tmp_path / "data" / "shop"
    project.mkdir(parents=True)
    write(project, GOOD)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.dbcycle]\ndefault = "shop"\nprojects = {shop = "data/shop"}\n'
    )
    assert find_project("shop", tmp_path) == project
    assert find_project("data/shop", tmp_path) == project
    assert find_project(None, tmp_path) == project
    (project / "golden").mkdir()
    assert find_project(None, project / "golden") == project
    with pytest.raises(UsageError, match="did you mean `shop`"):
        find_project("shup", tmp_path)


def test_quasi_identifiers_are_sets_of_columns(tmp_path):
    """A set without a column, and a k that hides nobody, are mistakes with their lines."""
    table = "tables:\n  users:\n    quasi_identifiers: [[born, postal_code], []]\nverify: {k: 1}\n"
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, "name: shop\nsource: {dump: a.dump}\n" + table))
    assert "dbcycle.yaml:5: tables.users.quasi_identifiers: each set names" in str(caught.value)
    assert "verify.k" in str(caught.value)
