"""Where the columns at the head come from: what migrations renamed, copied and derived.

Read from the statements themselves, and from names that the engine keeps for a column whatever it
is called. What cannot be read is left out, so that its columns have no ancestors and are judged
like any new ones.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from sqlglot import exp

from .catalog import Ancestor
from .statements import Place, Scope, Tables, Value, trees_of


class Descent:
    """Follows the columns of a database through the steps of its migrations."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._known: dict[Place, dict[Place, Ancestor]] = {}

    def follow(
        self,
        step: str,
        statements: Iterable[str],
        before: Mapping[str, Place],
        after: Mapping[str, Place],
    ) -> None:
        """Follow one step, given its statements and the columns before and after it.

        Both are given by names that outlive a renaming, as far as the engine has such names.
        """
        book = _Book(step, self._engine, before.values(), self._known)
        for statement in statements:
            for tree in trees_of(statement, self._engine):
                # A tree of a shape that nobody foresaw must not end a migration that was applied.
                with suppress(Exception):
                    book.read(tree)
        places = set(after.values())
        for lasting, place in after.items():
            former = before.get(lasting, place)
            if former != place and former not in book.known[place]:
                book.renamed(former, place, gone=former not in places)
        self._known = self._settled(book.known, places)

    @property
    def ancestors(self) -> tuple[Ancestor, ...]:
        """Every ancestor of every column that has any."""
        found = [a for known in self._known.values() for a in known.values()]
        return tuple(sorted(found, key=lambda a: (a.table, a.column, a.from_table, a.from_column)))

    def _settled(
        self, book: Mapping[Place, Mapping[Place, Ancestor]], places: Iterable[Place]
    ) -> dict[Place, dict[Place, Ancestor]]:
        """Keep what is known of the columns that are there, under their names in the catalog."""
        there = {self._folded(place): place for place in places}
        kept: dict[Place, dict[Place, Ancestor]] = {}
        for place, known in book.items():
            now = there.get(self._folded(place))
            if now is not None:
                kept[now] = {
                    source: replace(ancestor, table=now[0], column=now[1])
                    for source, ancestor in known.items()
                    if source != now
                }
        return kept

    def _folded(self, place: Place) -> Place:
        """Return a place as the engine compares names; PostgreSQL's are folded when read."""
        return (place[0].lower(), place[1].lower()) if self._engine == "sqlite" else place


class _Book:
    """The ancestors of every column while the statements of one step are read."""

    def __init__(
        self,
        step: str,
        engine: str,
        places: Iterable[Place],
        known: Mapping[Place, Mapping[Place, Ancestor]],
    ) -> None:
        self._step = step
        columns: dict[str, list[str]] = {}
        for table, column in places:
            columns.setdefault(table, []).append(column)
        self._tables = Tables(engine, columns)
        self.known: dict[Place, dict[Place, Ancestor]] = defaultdict(dict)
        self.known |= {place: dict(ancestors) for place, ancestors in known.items()}

    @functools.singledispatchmethod
    def read(self, tree: exp.Expr) -> None:
        """Take in what one statement does to columns; most do nothing to them."""

    @read.register
    def _alter(self, tree: exp.Alter) -> None:
        if not isinstance(tree.this, exp.Table):
            return
        table = self._tables.id(tree.this)
        for action in tree.args.get("actions") or []:
            if isinstance(action, exp.RenameColumn):
                self._rename(table, action.this.name, action.args["to"].name)
            elif isinstance(action, exp.AlterRename):
                schema, name = tree.this.db, action.this.name
                self._rename_table(table, f"{schema}.{name}" if "." in table else name)
            elif isinstance(action, exp.ColumnDef):
                self._define(table, action)
            elif isinstance(action, exp.Drop):
                for column in action.args["tables"]:
                    self._forget(table, self._tables.column(table, column.name))

    @read.register
    def _create(self, tree: exp.Create) -> None:
        if tree.kind != "TABLE":
            return
        schema = tree.this if isinstance(tree.this, exp.Schema) else None
        table = self._tables.id(schema.this if schema else tree.this)
        if table in self._tables.columns:
            return
        self._tables.columns[table] = []
        parts = schema.expressions if schema else []
        for part in parts:
            if isinstance(part, exp.ColumnDef):
                self._define(table, part)
        if isinstance(tree.expression, exp.Query):
            named = [part.name for part in parts if isinstance(part, exp.Identifier)]
            self._fill(table, named, tree.expression, self._tables.common(tree))

    @read.register
    def _drop(self, tree: exp.Drop) -> None:
        for dropped in tree.args.get("tables") or [] if tree.args.get("kind") == "TABLE" else []:
            table = self._tables.id(dropped)
            for column in self._tables.columns.pop(table, []):
                self.known.pop((table, column), None)

    @read.register
    def _update(self, tree: exp.Update) -> None:
        table, common = self._tables.id(tree.this), self._tables.common(tree)
        scope = {tree.this.alias_or_name: self._tables.real(table)}
        self._assign(table, tree.expressions, scope | self._tables.origin(tree, common), common)

    @read.register
    def _insert(self, tree: exp.Insert) -> None:
        schema = tree.this if isinstance(tree.this, exp.Schema) else None
        if isinstance(tree.expression, exp.Query):
            table = self._tables.id(schema.this if schema else tree.this)
            named = [each.name for each in schema.expressions] if schema else []
            self._fill(table, named, tree.expression, self._tables.common(tree))

    @read.register
    def _select_into(self, tree: exp.Select) -> None:
        if isinstance(into := tree.args.get("into"), exp.Into):
            self._fill(self._tables.id(into.this), [], tree, {})

    @read.register
    def _merge(self, tree: exp.Merge) -> None:
        table, common = self._tables.id(tree.this), self._tables.common(tree)
        scope = {tree.this.alias_or_name: self._tables.real(table)}
        scope |= self._tables.named(tree.args["using"], common)
        for when in tree.args["whens"].expressions:
            then = when.args.get("then")
            if isinstance(then, exp.Update):
                self._assign(table, then.expressions, scope, common)
            elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
                values = self._tables.values(then.expression, scope, common)
                self._derive_each(table, [each.name for each in then.this.expressions], values)

    def _define(self, table: str, column: exp.ColumnDef) -> None:
        self._tables.columns.setdefault(table, []).append(column.name)
        for constraint in column.args.get("constraints") or []:
            kind = constraint.args.get("kind")  # a name alone is a constraint too, in SQLite
            if isinstance(kind, exp.ComputedColumnConstraint):
                scope = {table: self._tables.real(table)}
                value = self._tables.value(kind.this, scope, {})
                self._derive((table, column.name), Value(value.sources, exact=False))

    def _assign(self, table: str, pairs: Sequence[exp.Expr], scope: Scope, common: Scope) -> None:
        for pair in pairs:
            if not isinstance(pair, exp.EQ):
                continue
            if isinstance(pair.this, exp.Tuple):
                values = self._tables.values(pair.expression, scope, common)
                self._derive_each(table, [each.name for each in pair.this.expressions], values)
            else:
                value = self._tables.value(pair.expression, scope, common)
                self._derive_each(table, [pair.this.name], [value])

    def _fill(self, table: str, named: Sequence[str], query: exp.Expr, common: Scope) -> None:
        """Follow the rows of a query into a table, which may be a new one."""
        found = self._tables.query(query, common, {})
        if not self._tables.columns.get(table):
            self._tables.columns[table] = list(named or [name for name, _ in found])
        names = named or self._tables.columns[table]
        self._derive_each(table, names, [value for _name, value in found])

    # --- ancestors ------------------------------------------------------------------------------

    def renamed(self, old: Place, new: Place, *, gone: bool) -> None:
        """Take in that a column has another name now; ``gone`` if none has the former one."""
        if gone:
            self._carry(old, new)
        else:
            self._derive(new, Value(frozenset([old]), exact=True))

    def _derive_each(self, table: str, names: Sequence[str], values: Sequence[Value]) -> None:
        for name, value in zip(names, values, strict=False):
            self._derive((table, self._tables.column(table, name)), value)

    def _derive(self, place: Place, value: Value) -> None:
        for source in value.sources:
            self._note(place, source, exact=value.exact)
            for former, known in list(self.known.get(source, {}).items()):
                self._note(place, former, exact=value.exact and known.exact)

    def _note(self, place: Place, source: Place, *, exact: bool) -> None:
        known = self.known[place].get(source)
        if source != place and (known is None or (exact and not known.exact)):
            self.known[place][source] = Ancestor(*place, *source, exact, self._step)

    def _rename(self, table: str, old: str, new: str) -> None:
        old = self._tables.column(table, old)
        columns = self._tables.columns.get(table, [])
        self._tables.columns[table] = [new if column == old else column for column in columns]
        self._carry((table, old), (table, new))

    def _rename_table(self, old: str, new: str) -> None:
        self._tables.columns[new] = self._tables.columns.pop(old, [])
        for column in self._tables.columns[new]:
            self._carry((old, column), (new, column))

    def _carry(self, old: Place, new: Place) -> None:
        former = self.known.pop(old, {})
        self.known[new] = {
            source: replace(known, table=new[0], column=new[1])
            for source, known in former.items()
            if source != new
        }
        self._note(new, old, exact=True)

    def _forget(self, table: str, column: str) -> None:
        self.known.pop((table, column), None)
        if column in self._tables.columns.get(table, ()):
            self._tables.columns[table].remove(column)
