"""Models and enums written from a schema."""

import re
import warnings
from dataclasses import dataclass

from ..databases.port import Database
from ..errors import Unavailable

MISSING = "pip install 'dbcycle-assets[models]'"


@dataclass(frozen=True)
class Generated:
    """The source of the two modules, and how much is in them."""

    models: str
    enums: str
    classes: int
    tables: int
    enum_classes: int


def generate(database: Database, *, enums: str = "db_enums", base: str = "Base") -> Generated:
    """Return the models of a database's tables. ``enums`` is how the module of the models imports
    that of the enums. Equal schemas give equal text.

    Raises:
        Unavailable: sqlacodegen is not installed.
    """
    try:
        import sqlacodegen  # noqa: F401
    except ModuleNotFoundError:
        raise Unavailable("sqlacodegen is not installed", remedy=MISSING) from None
    from .generator import RefinedGenerator
    from .layout import lay_out
    from .types import enum_module

    with database.inspecting() as (connection, metadata), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generator = RefinedGenerator(metadata, connection, enums=enums, base_class_name=base)
        source = generator.generate()
        listed = generator.types.enums()
    classes = len(re.findall(r"^    __tablename__ = ", source, re.MULTILINE))
    return Generated(
        models=lay_out(
            source, docstring="The tables of the database, as SQLAlchemy's models.", local=enums
        ),
        enums=lay_out(enum_module(listed), docstring="The enums of the database."),
        classes=classes,
        tables=len(metadata.tables) - classes,
        enum_classes=len(listed),
    )
