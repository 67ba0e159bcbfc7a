"""Secrets come from the environment or a private file, and never leave in a message."""

import threading

import pytest

from dbcycle_assets.config import credentials, load_project
from dbcycle_assets.errors import BadInput, GuardRefused, UsageError

CONFIG = """\
name: shop
source: {dump: prod.dump, download: {url_env: SHOP_SOURCE}}
key_env: SHOP_KEY
targets: {test: {url_env: SHOP_TEST}, other: {default: embedded}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("SHOP_KEY", "SHOP_SOURCE", "SHOP_TEST", "DBCYCLE_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    root = tmp_path / "shop"
    root.mkdir()
    (root / "dbcycle.yaml").write_text(CONFIG)
    return load_project(root)


@pytest.mark.case(111)
def test_the_environment_has_names_and_no_fallback(project, monkeypatch):
    """An unknown word is refused: it must never quietly mean development."""
    assert credentials.environment() == "development"
    assert credentials.environment("prod") == "production"
    monkeypatch.setenv("DBCYCLE_ENV", " Stage ")
    assert credentials.environment() == "staging"
    monkeypatch.setenv("DBCYCLE_ENV", "prodction")
    with pytest.raises(UsageError):
        credentials.environment()


def test_a_key_is_made_once_and_private(project):
    """Without a variable each project has its own key, which nobody else can read."""
    first = credentials.anonymization_secret(project)
    assert len(bytes.fromhex(first.decode())) == 32
    assert credentials.anonymization_secret(project) == first
    file = credentials.key_file(project)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [project.name]
    assert not file.is_relative_to(project.root)


def test_two_runs_at_once_make_one_key(project):
    """Whoever comes second uses the key of the first."""
    found = set()
    threads = [
        threading.Thread(target=lambda: found.add(credentials.anonymization_secret(project)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_a_key_that_others_can_read_is_refused(project):
    """The message has the command that mends it."""
    credentials.anonymization_secret(project)
    credentials.key_file(project).chmod(0o644)
    with pytest.raises(GuardRefused, match="chmod 600"):
        credentials.anonymization_secret(project)


@pytest.mark.parametrize("place", ["test", "staging", "production"])
def test_without_a_key_nothing_runs_outside_development(project, monkeypatch, place):
    """A key made up in CI would change every fake with every run."""
    monkeypatch.setenv("DBCYCLE_ENV", place)
    with pytest.raises(BadInput, match="export SHOP_KEY"):
        credentials.anonymization_secret(project)


def test_a_rotated_key_is_another_one_and_the_former_is_kept(project):
    """Nothing is lost by a rotation."""
    first = credentials.anonymization_secret(project)
    former = credentials.rotate_key(project)
    assert former.read_text().strip().encode() == first
    assert former.stat().st_mode & 0o777 == 0o600
    assert credentials.anonymization_secret(project) != first


def test_a_key_of_a_variable_is_not_rotated_here(project, monkeypatch):
    """Only its owner can change what a secret store holds."""
    monkeypatch.setenv("SHOP_KEY", "k" * 32)
    with pytest.raises(GuardRefused, match="SHOP_KEY"):
        credentials.rotate_key(project)


def test_the_variable_comes_first_and_must_be_long(project, monkeypatch):
    """A key from the environment writes no file; a guessable one is refused."""
    monkeypatch.setenv("SHOP_KEY", "k" * 32)
    assert credentials.anonymization_secret(project) == b"k" * 32
    assert not project.state.exists()
    monkeypatch.setenv("SHOP_KEY", "hunter2")
    with pytest.raises(BadInput, match="SHOP_KEY") as caught:
        credentials.anonymization_secret(project)
    assert "hunter2" not in str(caught.value)


def test_urls_come_from_the_variables_that_the_config_names(project, monkeypatch):
    """The config names variables; their values stay outside of it."""
    assert credentials.target_url(project, "test") is None
    assert credentials.target_url(project, "other") is None
    with pytest.raises(BadInput, match="SHOP_SOURCE"):
        credentials.source_url(project)
    monkeypatch.setenv("SHOP_SOURCE", "postgresql://h/prod")
    monkeypatch.setenv("SHOP_TEST", "postgresql://h/test")
    assert credentials.source_url(project) == "postgresql://h/prod"
    assert credentials.target_url(project, "test") == "postgresql://h/test"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:S3CRET@h/db",
        "postgresql+psycopg://u:S3@CRET/x:S3CRET@h/db",
        "a://:S3CRET@h and b://v:S3CRET@i",
        "'postgresql://u:S3CRET@h/db'",
        "host=x password=S3CRET dbname=y",
        "host=x password = 'S3CRET\\' S3CRET' dbname=y",
        "postgresql://h/db?user=a&password=S3CRET&sslmode=require",
        "PGPASSWORD=S3CRET psql",
        "sslpassword=S3CRET",
        '{"password": "S3CRET S3CRET"}',
        "ALTER ROLE a PASSWORD 'S3CRET''S3CRET'",
    ],
)
@pytest.mark.case(122)
def test_no_password_is_shown(text):
    """Whatever form a password has in a text, the reader sees stars."""
    shown = credentials.redact(text)
    assert "CRET" not in shown
    assert "S3" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user@host:5432/db",
        'password authentication failed for user "x"',
        "users.password: not a hash; mail a@b.c:d",
        "see https://example.org/a:b",
    ],
)
def test_what_is_no_password_stays(text):
    """A message that holds no secret is shown as it is."""
    assert credentials.redact(text) == text
