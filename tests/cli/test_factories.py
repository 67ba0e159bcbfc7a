"""`dbcycle factories` and `dbcycle constants`."""

import pytest


@pytest.fixture
def migrated(dbcycle, shop):
    """Give a project that has been migrated."""
    for stage in ("restore", "migrate"):
        assert dbcycle("--project", shop, stage).code == 0
    return shop


def test_factories_lists_what_is_made(dbcycle, migrated):
    """Every table is listed with what is made of each column; nothing is unknown."""
    done = dbcycle("--project", migrated, "factories", "--check", "--json")
    assert done.code == 0
    made = {column["column"]: column["made"] for column in done.json["tables"]["orders"]["columns"]}
    assert made["id"] == "left to the database"
    assert made["user_id"] == "a new row of users (`user`)"
    assert made["note"].startswith("like ")
    assert done.json["findings"] == []
    table = dbcycle("--project", migrated, "factories", "--table", "users")
    assert "unique" in table.out
    assert "1 of 1 factory can be used" in table.out
    assert dbcycle("--project", migrated, "factories", "--table", "user").code == 2


def test_a_factory_that_cannot_be_used_is_found(dbcycle, migrated):
    """--check ends with exit code 8 and names the class that is not there."""
    config = migrated / "dbcycle.yaml"
    config.write_text(
        config.read_text().replace("  users:", "  users:\n    factory: nowhere:It", 1)
    )
    done = dbcycle("--project", migrated, "factories", "--check")
    assert done.code == 8
    assert "users: cannot import nowhere" in done.out
    assert dbcycle("--project", migrated, "factories").code == 0
    assert dbcycle("--project", migrated, "plan", "--json").json["findings"] == []


def test_constants_are_written_and_checked(dbcycle, migrated, tmp_path):
    """The module is written once, and --check tells when it is old."""
    golden = migrated / "golden/users.yaml"
    golden.parent.mkdir(exist_ok=True)
    golden.write_text("- {id: 900, email: golden@example.com, role: admin}\n")
    out = tmp_path / "golden.py"

    assert dbcycle("--project", migrated, "constants", "--check").code == 2
    missing = dbcycle("--project", migrated, "constants", "--out", out, "--check")
    assert missing.code == 8
    assert dbcycle("--project", migrated, "constants", "--out", out).code == 0
    assert "USER_GOLDEN = User(" in out.read_text()
    assert dbcycle("--project", migrated, "constants").out == out.read_text()
    assert dbcycle("--project", migrated, "constants", "--out", out, "--check").code == 0
    golden.write_text("- {id: 900, email: other@example.com, role: admin}\n")
    stale = dbcycle("--project", migrated, "constants", "--out", out, "--check")
    assert stale.code == 8
    assert "USER_OTHER is missing" in stale.err
