"""Django on a copy of the template: its settings for a database's URL."""

from typing import Any

import sqlalchemy

_ENGINES = {"postgresql": "django.db.backends.postgresql", "sqlite": "django.db.backends.sqlite3"}


def django_database(url: str) -> dict[str, Any]:
    """Return an entry of Django's ``DATABASES`` for the URL of a temporary database."""
    parts = sqlalchemy.make_url(url)
    return {
        "ENGINE": _ENGINES[parts.get_backend_name()],
        "NAME": parts.database,
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": parts.host or "",
        "PORT": str(parts.port or ""),
    }
