"""``config.‹environment›.toml``: read strictly, overridden by variables, and never a password in it."""

import re

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.config import credentials
from dbcycle_assets.config.settings import read_settings
from dbcycle_assets.errors import BadInput, ConfigError

WHOLE = """\
[database]
url = "sqlite:///./data/tokens.db?mode=rwc"
max_connections = 12
auto_migrate = true
foreign_keys = true

[production]
debug = true
auto_seed = true
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("URL", "MAX_CONNECTIONS", "AUTO_MIGRATE", "FOREIGN_KEYS"):
        monkeypatch.delenv(f"DATABASE_{name}", raising=False)
    (tmp_path / "dbcycle.yaml").write_text("name: shop\nengine: sqlite\nsource: {dump: prod.db}\n")
    return load_project(tmp_path)


def written(project, text, name="config.development.toml"):
    path = project.root / name
    path.write_text(text)
    return path


def test_every_setting_is_read(project):
    """And what the file itself allows is known, whatever overrides it later."""
    path = written(project, WHOLE)
    found = read_settings(path)
    assert (found.url, found.max_connections) == ("sqlite:///./data/tokens.db?mode=rwc", 12)
    assert (found.auto_migrate, found.foreign_keys) == (True, True)
    assert (found.debug, found.auto_seed) == (True, True)
    assert (found.file, found.base) == (path, project.root)
    assert found.allows == {"auto_migrate", "auto_seed"}


def test_what_is_left_away_is_the_careful_choice(project):
    """No migration, no seed, keys enforced."""
    found = read_settings(written(project, ""))
    assert (found.auto_migrate, found.auto_seed, found.debug) == (False, False, False)
    assert found.foreign_keys is True


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("[database]\nmax_conections = 5\n", 2, "did you mean `max_connections`?"),
        ("\n[databse]\nurl = 'x'\n", 2, "did you mean `database`?"),
        ("[database]\nurl = 5\n", 2, "must be text"),
        ("[database]\n\nauto_migrate = 'yes'\n", 3, "must be true or false"),
        ("[database]\nmax_connections = true\n", 2, "must be a whole number"),
        ("[database]\nmax_connections = 0\n", 2, "greater than or equal to 1"),
        ("[database]\n[production]\nauto_seed = 1\n", 3, "must be true or false"),
        ("database = 3\n", 1, "must be a section"),
        ("[production]\nurl = 'x'\n", 2, "unknown key"),
    ],
)
def test_a_mistake_is_told_with_its_line(project, text, line, told):
    """An unknown key, with what was perhaps meant, or a value of another type."""
    path = written(project, text)
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        read_settings(path)
    assert f"{path.name}:{line}: " in str(caught.value)


def test_all_mistakes_are_told_at_once(project):
    """So that a file is corrected once."""
    path = written(project, "[database]\nurll = 'a'\nauto_migrate = 1\n[production]\ndebugg = 1\n")
    with pytest.raises(ConfigError, match="3 mistakes"):
        read_settings(path)


def test_what_is_no_toml_is_told_with_its_line(project):
    """And without the text that stands there."""
    path = written(project, "[database]\nurl = secret-of-mine\n")
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        read_settings(path)
    assert f"{path}:2" in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(project.root / "absent.toml")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:hunter22@db.example.com/shop",
        "postgresql://shop@db.example.com/shop?password=hunter22",
        "postgresql://shop:@db.example.com/shop",
    ],
)
def test_a_password_in_the_file_is_refused(project, url):
    """The file is for everybody who has the repository; the variable is not. It is not told."""
    path = written(project, f"[database]\nurl = '{url}'\n")
    with pytest.raises(ConfigError, match="export the whole URL as DATABASE_URL") as caught:
        read_settings(path)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("word", ["production", "prod"])
def test_an_environment_has_its_file_under_each_of_its_names(project, word):
    """``config.prod.toml`` is ``config.production.toml``; two of them are one too many."""
    written(project, "[database]\nmax_connections = 3\n", f"config.{word}.toml")
    assert credentials.settings(project, "production").max_connections == 3
    assert credentials.settings(project, "staging").file is None
    other = {"production": "prod", "prod": "production"}[word]
    written(project, "", f"config.{other}.toml")
    with pytest.raises(ConfigError, match="two files configure one environment"):
        credentials.settings(project, "production")


def test_variables_override_the_file(project, monkeypatch):
    """Each of the four; what the file allows stays what it is."""
    written(project, WHOLE)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.db")
    monkeypatch.setenv("DATABASE_MAX_CONNECTIONS", "20")
    monkeypatch.setenv("DATABASE_AUTO_MIGRATE", "False")
    monkeypatch.setenv("DATABASE_FOREIGN_KEYS", "0")
    found = credentials.settings(project, "development")
    assert (found.url, found.base, found.max_connections) == ("sqlite:///elsewhere.db", None, 20)
    assert (found.auto_migrate, found.foreign_keys) == (False, False)
    assert "auto_migrate" in found.allows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_AUTO_MIGRATE", "perhaps"),
        ("DATABASE_FOREIGN_KEYS", "2"),
        ("DATABASE_MAX_CONNECTIONS", "many"),
        ("DATABASE_MAX_CONNECTIONS", "0"),
        ("DATABASE_MAX_CONNECTIONS", "1001"),
        ("DATABASE_MAX_CONNECTIONS", "99999999999"),
    ],
)
def test_a_variable_that_means_nothing_is_an_error(project, monkeypatch, name, value):
    """It names the variable, and not what it holds."""
    written(project, WHOLE)
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=name) as caught:
        credentials.settings(project, "development")
    assert value not in str(caught.value).replace("1 to 1000", "")


def test_without_a_file_no_variable_is_read(project, monkeypatch):
    """DATABASE_URL is a name that many programs use."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/else")
    monkeypatch.setenv("DATABASE_AUTO_MIGRATE", "true")
    found = credentials.settings(project, "development")
    assert (found.url, found.auto_migrate) == (None, False)


def test_settings_show_no_url(project, monkeypatch):
    """Their repr is what a traceback or a log shows."""
    written(project, WHOLE)
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter22@db/shop")
    assert "hunter22" not in repr(credentials.settings(project, "development"))
