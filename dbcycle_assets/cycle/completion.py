"""Golden records that give only some columns, completed: always the same for the same record."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config.model import Project
from ..databases.port import Row
from ..errors import GoldenError
from ..model.catalog import Catalog, Column, ForeignKey, Table
from ..model.head import renamed_columns
from ..model.invent import Recipe, Recipes, complete, lacking
from ..model.invent.known import recipes_for
from .golden import golden_files, read_golden

_SHORTEST = 10
"""A unique text needs so many characters, or two records might meet in one value."""


@dataclass
class Completion:
    """Completes the golden records of one project against one catalog."""

    project: Project
    catalog: Catalog
    _recipes: Recipes | None = None
    _parents: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def recipes(self) -> Recipes:
        """What every table asks of a row."""
        if self._recipes is None:
            self._recipes = recipes_for(self.project.config, self.catalog)
        return self._recipes

    def records(self, name: str, path: Path) -> tuple[list[Row], dict[str, int]]:
        """Return the golden records of a table, completed, and how often each column was.

        Raises:
            GoldenError: with the file, the record's number and the column that nothing is known
                for; never a value.
        """
        table = self.catalog.tables[name]
        told: Counter[str] = Counter()
        rows: list[Row] = []
        for number, record in enumerate(self._read(name, path), 1):
            missing = lacking(table, record)
            if missing:
                where = f"{path}: record {number}"
                added = self._added(table, record, missing, where)
                told.update(added.keys())
                record = {**record, **added}  # noqa: PLW2901 - the same record, whole
            rows.append(record)
        return rows, dict(sorted(told.items()))

    def _read(self, name: str, path: Path) -> list[Row]:
        if name not in self._parents:
            engine = self.project.config.engine
            self._parents[name] = read_golden(
                path, self.catalog.tables[name], engine, renamed_columns(self.catalog, name)
            )
        return self._parents[name]

    def _added(
        self, table: Table, record: Row, missing: Sequence[Column], where: str
    ) -> dict[str, str]:
        given = dict(record)
        wanted = {column.name for column in missing}
        for key in self.recipes.keys_of(table):
            if wanted & set(key.columns) and key.parent != table.id:
                given |= self._referred(key, given, where)
        recipe = self.recipes.of(table.id, given)
        found = complete(recipe, given)
        for column in missing:
            if column.name in given:
                found[column.name] = given[column.name] or ""
            elif column.name not in found:
                raise _unknown(recipe, column, where)
            elif _is_narrow(recipe, column):
                raise GoldenError(
                    f"lacks {column.name}, which is unique and too narrow to be completed",
                    where=f"{where}, field {column.name}",
                    remedy="give the record this column",
                )
        return {name: found[name] for name in sorted(wanted)}

    def _referred(self, key: ForeignKey, given: Row, where: str) -> dict[str, str]:
        """Return the missing columns of a reference: the key of the only golden record it can mean.

        Raises:
            GoldenError: there is none, or there are several.
        """
        path = golden_files(self.project).get(key.parent)
        records = self._read(key.parent, path) if path is not None else []
        pairs = list(zip(key.columns, key.parent_columns, strict=True))
        fitting = [
            parent
            for parent in records
            if all(parent.get(there) is not None for _, there in pairs)
            and all(parent[there] == given[here] for here, there in pairs if here in given)
        ]
        missing = [here for here, _ in pairs if here not in given]
        if len(fitting) != 1:
            raise GoldenError(
                f"lacks {', '.join(missing)}, and {key.parent} has {len(fitting) or 'no'} golden "
                f"records that {'it' if len(fitting) > 1 else 'one'} could refer to",
                where=f"{where}, field {missing[0]}",
                remedy=f"give the record this column, or {key.parent} exactly one golden record",
            )
        return {here: fitting[0][there] or "" for here, there in pairs if here in missing}


def _unknown(recipe: Recipe, column: Column, where: str) -> GoldenError:
    why = next((text for text in recipe.findings if column.name in text), "")
    return GoldenError(
        f"lacks {column.name}, and no value is known for it{': ' + why if why else ''}",
        where=f"{where}, field {column.name}",
        remedy="give the record this column, or the column a default",
    )


def _is_narrow(recipe: Recipe, column: Column) -> bool:
    item = recipe.field(column.name)
    if item is None or not item.want.unique:
        return False
    longest = min(column.max_length or _SHORTEST, item.want.limits.longest)
    few = column.kind in {"enum", "boolean"} or item.want.limits.allowed is not None
    return few or (column.kind == "text" and longest < _SHORTEST) or column.base == "smallint"


def parents_needed(
    catalog: Catalog | None, golden: Mapping[str, Path], name: str
) -> tuple[str, ...]:
    """Return the tables whose golden records may complete those of a table.

    The file is not parsed for that: a column that is named as often as the primary key is, lacks
    nowhere.
    """
    table = catalog.tables.get(name) if catalog is not None else None
    if table is None or not table.primary_key:
        return ()
    keys = [key for key in table.foreign_keys if key.parent in golden and key.parent != name]
    if not keys:
        return ()
    text = golden[name].read_text(encoding="utf-8-sig", errors="replace")
    records = _named(table.primary_key[0], text)
    needed = {column.name for column in lacking(table, {})}
    return tuple(
        sorted(
            {
                key.parent
                for key in keys
                if any(c in needed and _named(c, text) < records for c in key.columns)
            }
        )
    )


def _named(column: str, text: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(column)}[\"']?\s*:", text))
