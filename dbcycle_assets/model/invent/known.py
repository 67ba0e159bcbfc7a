"""The recipes of a project: its catalog, with what its config knows of references."""

from collections.abc import Mapping

from ...config.model import Config
from ..catalog import Catalog, ForeignKey
from ..decision import virtual_keys
from ..detect import propose
from ..head import at_head
from .recipe import Recipes


def recipes_for(config: Config, catalog: Catalog, seed: str = "") -> Recipes:
    """Return the recipes of every table of a catalog; another seed makes other rows."""
    config = at_head(config, catalog).config
    conditional, fixed = _conditional(config, catalog)
    classes = {(p.table, p.column): p.klass for p in propose(catalog, {})}
    return Recipes(
        catalog, (*virtual_keys(config), *conditional), classes, seed or config.name, fixed
    )


def _conditional(
    config: Config, catalog: Catalog
) -> tuple[list[ForeignKey], dict[str, Mapping[str, str]]]:
    """Return the first reference of each column that depends on others, and what those must be."""
    keys: list[ForeignKey] = []
    fixed: dict[str, Mapping[str, str]] = {}
    for name, settings in sorted(config.tables.items()):
        table = catalog.tables.get(name)
        for column, references in sorted(settings.references.items()):
            plain = (r for r in references if r.when and all(map(_is_plain, r.when.values())))
            first = next(plain, None)
            found = table.column(column) if table is not None else None
            if first is None or found is None or any(not r.when for r in references):
                continue
            parent, _, target = first.to.rpartition(".")
            keys.append(ForeignKey(f"references.{column}", name, (column,), parent, (target,)))
            if not found.nullable:
                fixed[name] = {c: str(value) for c, value in first.when.items()}
    return keys, fixed


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
