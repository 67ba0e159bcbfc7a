"""The check that warns where the application's models and the migrated schema come apart."""

import pytest

from dbcycle_assets.cycle import migrate, restore
from dbcycle_assets.mapping.generate import generate


@pytest.fixture
def migrated(shop, cycle_of):
    """Give a function that migrates the shop and returns the check, and if it was memoized."""
    config = shop / "dbcycle.yaml"
    config.write_text(config.read_text() + "models: {module: models, enums: db_enums}\n")

    def run():
        cycle = cycle_of(shop)
        for stage in (restore.take_dump, restore.restore):
            stage(cycle)
        outcome = migrate.migrate(cycle)[0]
        (check,) = [each for each in outcome.record.checks if each.name == "models_in_step"]
        assert not check.blocking
        return check, outcome.memoized

    return run


def write(shop, cycle_of):
    """Write the models of the migrated schema into the project's folder."""
    cycle = cycle_of(shop)
    with cycle.server.open(cycle.database("migrated")) as database:
        found = generate(database)
    (shop / "models.py").write_text(found.models)
    (shop / "db_enums.py").write_text(found.enums)


def test_the_check_follows_the_models_without_migrating_again(shop, cycle_of, migrated):
    """Models that are missing warn; edited ones are looked at again, and the schema stays."""
    check, memoized = migrated()
    assert (check.passed, memoized) == (False, False)
    assert "does not import: ModuleNotFoundError of `models`" in check.facts["findings"][0]
    write(shop, cycle_of)
    check, memoized = migrated()
    assert (check.passed, memoized) == (True, True)
    assert check.facts["tables"] == 4
    path = shop / "models.py"
    path.write_text(
        path.read_text().replace('"discount"', '"rebate"').replace("discount:", "rebate:")
    )
    check, memoized = migrated()
    assert (check.passed, memoized) == (False, True)
    assert any(
        "products.discount (Product): the model lacks" in each for each in check.facts["findings"]
    )


def test_the_check_goes_when_the_config_no_longer_names_models(shop, cycle_of, migrated):
    """A memoized result holds no check that the graph no longer has."""
    migrated()
    config = shop / "dbcycle.yaml"
    config.write_text(config.read_text().replace("models: {module: models, enums: db_enums}", ""))
    (outcome, *_) = migrate.migrate(cycle_of(shop))
    assert (outcome.memoized, outcome.record.checks) == (True, ())
