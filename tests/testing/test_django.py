"""Django's own tests, on a copy of the published database."""

import textwrap

import pytest

from .test_plugin import left, plugin, published, shop

pytest_plugins = ["pytester"]

__all__ = ["published", "shop"]

CONFTEST = """
    import pytest
    from django.db import connection
    from dbcycle_assets.testing import django_database

    @pytest.fixture(scope="session")
    def django_db_setup(dbcycle_template, django_db_blocker):
        copy = dbcycle_template.copy()
        with django_db_blocker.unblock():
            connection.close()
            connection.settings_dict.update(django_database(copy.url))
        yield
        with django_db_blocker.unblock():
            connection.close()
        dbcycle_template.drop(copy)
"""
SUITE = """
    import pytest
    from django.db import connection

    @pytest.mark.django_db
    @pytest.mark.parametrize("number", range(3))
    def test_what_was_deleted_is_there_again(number):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM users")
            assert cursor.fetchone() == (2,)
            cursor.execute("DELETE FROM orders")
            cursor.execute("DELETE FROM users")
"""


@pytest.fixture
def django(pytester, shop):
    """A Django project whose tests take their rows from the shop."""
    kind = {"sqlite": "sqlite3", "postgresql": "postgresql"}[shop.engine]
    pytester.makepyfile(
        site_settings=f"""
        SECRET_KEY = "x"
        INSTALLED_APPS = []
        USE_TZ = True
        DATABASES = {{"default": {{"ENGINE": "django.db.backends.{kind}", "NAME": "elsewhere"}}}}
        """,
        test_site=textwrap.dedent(SUITE),
    )
    pytester.makeconftest(textwrap.dedent(CONFTEST))
    pytester.makefile(
        ".ini",
        pytest="[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\npythonpath = .\n"
        f"dbcycle_project = {shop.root}\n",
    )
    return pytester


def test_djangos_transactions_take_everything_back(django, shop):
    done = django.runpytest_subprocess(*plugin(), "-p", "no:asyncio")
    done.assert_outcomes(passed=3)
    assert left(shop) == []
