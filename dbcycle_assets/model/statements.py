"""SQL read as trees, and which stored columns the columns of a query are made of."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

Place = tuple[str, str]
"""(table id, column name)."""

LONGEST = 200_000
"""Characters of a statement from which on it is data, and is not read."""

_TELLING = re.compile(
    r"\b(create|alter\s+table|update|insert|merge|select|drop\s+table|do)\b", re.IGNORECASE
)
_BODY = re.compile(r"\$(\w*)\$(.*)\$\1\$", re.DOTALL)
_INSIDE = re.compile(r"\b(?:UPDATE|INSERT\s+INTO|ALTER\s+TABLE)\b[^;]*", re.IGNORECASE)
_SAME = (exp.Alias, exp.Paren, exp.Cast, exp.TryCast)
_DIALECTS = {"postgresql": "postgres", "sqlite": "sqlite"}
_DEFAULT = {"postgresql": "public", "sqlite": "main"}


def trees_of(statement: str, engine: str) -> Iterator[exp.Expr]:
    """Yield the trees of a statement that can be read, those inside a DO block included."""
    if len(statement) > LONGEST or not _TELLING.search(statement):
        return
    logger = logging.getLogger("sqlglot")
    dialect = _DIALECTS[engine]
    former, logger.disabled = logger.disabled, True  # it quotes what it cannot read
    try:
        trees = [_folded(tree, engine) for tree in sqlglot.parse(statement, dialect=dialect)]
    except Exception:  # noqa: BLE001 - its parser raises whatever it stumbles over
        return
    finally:
        logger.disabled = former
    for tree in trees:
        if isinstance(tree, exp.Command) and (body := _BODY.search(statement)):
            for inner in _INSIDE.findall(body[2]):
                yield from trees_of(inner, engine)
        elif tree is not None:
            yield tree


def _folded(tree: exp.Expr | None, engine: str) -> exp.Expr | None:
    return (
        tree
        if tree is None or engine == "sqlite"
        else normalize_identifiers(tree, dialect="postgres")
    )


@dataclass(frozen=True)
class Value:
    """What one expression is made of; ``exact`` says that it is one column as it stands."""

    sources: frozenset[Place]
    exact: bool


Scope = dict[str, dict[str, Value]]
"""What a query can name: columns by table or alias."""


class Tables:
    """The tables at one point of a script, and queries over them."""

    def __init__(self, engine: str, columns: dict[str, list[str]]) -> None:
        self._default = _DEFAULT[engine]
        self.columns = columns

    def id(self, table: exp.Expr) -> str:
        """Return the id of a table as the catalog has it."""
        name, schema = table.name, table.text("db")
        plain = table.args.get("db") is None or schema.lower() == self._default
        wanted = name if plain else f"{schema}.{name}"
        same = [known for known in self.columns if known.lower() == wanted.lower()]
        return wanted if wanted in same or not same else same[0]

    def column(self, table: str, name: str) -> str:
        """Return the name of a column as the catalog has it."""
        same = [c for c in self.columns.get(table, ()) if c.lower() == name.lower()]
        return name if name in same or not same else same[0]

    def real(self, table: str) -> dict[str, Value]:
        """Return what a table itself lets a query name."""
        return {
            column: Value(frozenset([(table, column)]), exact=True)
            for column in self.columns.get(table, ())
        }

    def common(self, tree: exp.Expr) -> Scope:
        """Return the queries of a WITH clause."""
        found: Scope = {}
        clause = tree.args.get("with_")
        for cte in clause.expressions if clause is not None else []:
            if isinstance(cte.this, exp.Query):
                columns = cte.args["alias"].columns if cte.args.get("alias") else []
                values = self.query(cte.this, found, {})
                names = [c.name for c in columns] or [name for name, _ in values]
                found[cte.alias] = {n: v for n, (_, v) in zip(names, values, strict=False)}
        return found

    def query(self, tree: exp.Expr, common: Scope, outer: Scope) -> list[tuple[str, Value]]:
        """Return the columns of a query in order, each with what it is made of."""
        if isinstance(tree, exp.SetOperation):
            return self._united(tree, common, outer)
        if isinstance(tree, exp.Subquery):
            return self.query(tree.this, common, outer)
        return self._select(tree, common, outer) if isinstance(tree, exp.Select) else []

    def _united(self, tree: exp.Expr, common: Scope, outer: Scope) -> list[tuple[str, Value]]:
        # One inside the other as often as there are rows, where each row is a SELECT of its own.
        parts: list[exp.Expr] = []
        while isinstance(tree, exp.SetOperation):
            common = common | self.common(tree)
            parts.append(tree.right)
            tree = tree.left
        found = self.query(tree, common, outer)
        for part in reversed(parts):
            found = [
                (name, Value(a.sources | b.sources, a.exact and b.exact))
                for (name, a), (_, b) in zip(found, self.query(part, common, outer), strict=False)
            ]
        return found

    def _select(self, tree: exp.Select, common: Scope, outer: Scope) -> list[tuple[str, Value]]:
        common = common | self.common(tree)
        scope = self.origin(tree, common)
        for join in tree.args.get("joins") or []:
            scope |= self.named(join.this, common)
        found: list[tuple[str, Value]] = []
        for each in tree.expressions:
            if isinstance(each, exp.Star):
                found += [entry for columns in scope.values() for entry in columns.items()]
            elif isinstance(each, exp.Column) and isinstance(each.this, exp.Star):
                found += scope.get(each.table, {}).items()
            else:
                found.append((each.alias_or_name, self.value(each, outer | scope, common)))
        return found

    def origin(self, tree: exp.Expr, common: Scope) -> Scope:
        """Return what the FROM clause of a statement lets it name."""
        clause = tree.args.get("from_")
        return self.named(clause.this, common) if clause is not None else {}

    def named(self, tree: exp.Expr, common: Scope) -> Scope:
        """Return what a table, a query in FROM, or a join lets a query name."""
        found: Scope = {}
        for join in tree.args.get("joins") or []:
            found |= self.named(join.this, common)
        if isinstance(tree, exp.Table) and not tree.db and tree.name in common:
            found[tree.alias_or_name] = common[tree.name]
        elif isinstance(tree, exp.Table):
            found[tree.alias_or_name] = self.real(self.id(tree))
        elif isinstance(tree, exp.Subquery):
            found[tree.alias_or_name] = dict(self.query(tree.this, common, {}))
        return found

    def value(self, tree: exp.Expr, scope: Scope, common: Scope) -> Value:
        """Return what an expression is made of."""
        inner = tree
        while isinstance(inner, _SAME):
            inner = inner.this
        if isinstance(inner, exp.Column):
            return _looked_up(inner, scope)
        if isinstance(inner, exp.Subquery):
            rows = self.query(inner.this, common, scope)
            return rows[0][1] if rows else Value(frozenset(), exact=False)
        found: set[Place] = set()
        for query in inner.find_all(exp.Select):
            found |= {s for _, each in self.query(query, common, scope) for s in each.sources}
        for column in inner.find_all(exp.Column):
            found |= _looked_up(column, scope).sources
        return Value(frozenset(found), exact=False)

    def values(self, tree: exp.Expr, scope: Scope, common: Scope) -> Sequence[Value]:
        """Return what each part of a row is made of: a tuple, or a query's row."""
        if isinstance(tree, exp.Tuple):
            return [self.value(each, scope, common) for each in tree.expressions]
        if isinstance(tree, exp.Subquery):
            return [each for _name, each in self.query(tree.this, common, scope)]
        return []


def _looked_up(column: exp.Column, scope: Scope) -> Value:
    wanted, table = column.name.lower(), column.table.lower()
    found = [
        value
        for alias, columns in scope.items()
        for name, value in columns.items()
        if name.lower() == wanted and table in {"", alias.lower()}
    ]
    if len(found) == 1:
        return found[0]
    return Value(frozenset(s for value in found for s in value.sources), exact=False)
