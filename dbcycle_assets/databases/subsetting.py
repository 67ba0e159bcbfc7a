"""Drawing a subset inside the database: sets of row identities, filled by INSERT … SELECT.

Each table that loses rows has a table of its own among our bookkeeping: the identity of every kept
row, the columns that references read, the number of the link that brought it (0: it was chosen) and
the number of the step in which it came. Only rows that are new in a step are joined in the next.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from ..errors import Findings
from ..model.catalog import Table
from ..model.decision import Condition
from ..model.digest import digest_of
from ..model.subset import Choice, Kept, Link, Program, Stage
from .port import Progress
from .sets import BOUND, KEPT, Dialect, Sql, forget, joining, kept_name, same_row

PATIENCE = 8
"""After how many rounds of a cycle its sets get indexes: long chains are rare."""


@dataclass(frozen=True)
class _Rows:
    """Rows to take from, under the alias t: a source, conditions, and what tells them apart."""

    source: Sql
    conditions: Sql
    identity: tuple[Sql, ...]


@dataclass
class Drawing:
    """One drawing of a subset in one transaction, which the caller begins and ends."""

    dialect: Dialect
    program: Program
    salts: Mapping[str, str]
    progress: Progress
    step: int = 0
    _seen: dict[int, int] = field(default_factory=dict)
    _made: set[str] = field(default_factory=set)
    _filled: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.numbers = self.program.numbered()
        self.links = {link.number: link for link in self.program.links}
        self._down = {
            (link.key, link.when): link.number for link in self.links.values() if link.down
        }
        sets = {repr(c.values): c.values for link in self.links.values() for c in link.when}
        if self.program.tenants is not None:
            sets[""] = _texts(self.program.tenants.values)
        self._sets = sets
        self._conditions = {known: number for number, known in enumerate(sorted(sets))}

    def draw(self, totals: Mapping[str, int] | None = None) -> list[Kept]:
        """Fill the sets and return what is kept of every table; see the protocol.

        Raises:
            BadInput: the database refuses a predicate.
            Findings: nothing would be kept, or rows of other tenants would be.
        """
        self._prepare()
        for stage in self.program.down:
            for name in stage.tables:
                if stage.loop or self.program.choices[name].mode == "root":
                    self._begin(name)
            self._fill(stage)
            for name in stage.tables:
                self._begin(name)
                self._limit(name)
        self._refuse_nothing()
        for stage in self.program.up:
            self._fill(stage)
        self._refuse_strays()
        return [self._result(name, (totals or {}).get(name)) for name in self.program.choices]

    # --- making the sets ------------------------------------------------------------------------

    def _prepare(self) -> None:
        run, book = self.dialect.run, self.dialect.bookkeeping
        forget(self.dialect)
        run(f"CREATE TABLE {book('subset')} (table_id text PRIMARY KEY, number integer)")
        run(f"CREATE TABLE {book('subset_values')} (number integer, value text)")
        for name in self.program.choices:
            row = [name, self.numbers.get(name)]
            run(f"INSERT INTO {book('subset')} VALUES ({BOUND}, {BOUND})", row)
        into = f"INSERT INTO {book('subset_values')} VALUES ({BOUND}, {BOUND})"
        for known, values in self._sets.items():
            for value in values:
                if value is not None:
                    run(into, [self._conditions[known], value])

    def kept(self, table: str) -> Sql:
        """Return the set of a table that is not kept whole."""
        return self.dialect.bookkeeping(kept_name(self.numbers[table]))

    def _columns(self, table: str) -> list[str]:
        """Return the names of a set's columns."""
        choice = self.program.choices[table]
        identity = [f"i{n}" for n, _ in enumerate(self.dialect.identity(choice.table))]
        carried = [f"c{n}" for n, _ in enumerate(self.program.carried(table))]
        return [*identity, *carried, "mark", "why", "step"]

    def _selected(self, table: str, rows: _Rows, why: int) -> Sql:
        """Return what becomes a row of the set."""
        carried = map(self.dialect.identifier, self.program.carried(table))
        found = [f"t.{name}" for name in (*rows.identity, *carried)]
        found.append(self.dialect.mark(self.program.choices[table].table, "t"))
        named = zip([*found, str(why), str(self.step)], self._columns(table), strict=True)
        return ", ".join(f"{value} AS {name}" for value, name in named)

    def _begin(self, table: str) -> None:
        """Make the set of a table, with what its sample picks at once if it is a root."""
        choice = self.program.choices[table]
        if choice.mode == "whole" or table in self._made:
            return
        self.step += 1
        order, rows = "", self._everything(choice, "1 = 0")
        if choice.mode == "root":
            self.progress(f"choosing rows of {table}")
            rows = self._candidates(choice)
            if choice.sample is not None and choice.sample.rows is not None:
                order = self._first(choice.sample.rows, choice, rows.identity)
        select = (
            f"SELECT {self._selected(table, rows, 0)} FROM {rows.source}"
            f" WHERE {rows.conditions}{order}"
        )
        self._put(choice, select)

    def _put(self, choice: Choice, select: Sql) -> int:
        """Put what a query finds into the set of a table; the first query makes it."""
        table, columns = choice.table.id, self._columns(choice.table.id)
        with self._asked(choice):
            if table in self._made:
                into = f"{self.kept(table)} ({', '.join(columns)})"
                rows = self.dialect.run(f"INSERT INTO {into} {select}")
            else:
                identity = len(self.dialect.identity(choice.table))
                name = kept_name(self.numbers[table])
                rows = self.dialect.create(name, identity, select, columns)
        self._made.add(table)
        if rows:
            self._filled.add(table)
            self.dialect.measured(kept_name(self.numbers[table]), rows)
        return rows

    def _asked(self, choice: Choice) -> AbstractContextManager[None]:
        return self.dialect.refused(f"tables.{choice.table.id}.sample.where")

    def _everything(self, choice: Choice, conditions: Sql = "1 = 1") -> _Rows:
        table = choice.table
        source = f"{self.dialect.relation(table)} AS t"
        return _Rows(source, conditions, self.dialect.identity(table))

    def _candidates(self, choice: Choice, *, narrowed: bool = True) -> _Rows:
        """Return the rows of a table that may be chosen; ``narrowed`` by its sample."""
        rows, sample = self._everything(choice), choice.sample
        conditions = [rows.conditions]
        if sample is not None and narrowed:
            self.dialect.salted(self.salts.get(choice.table.id, ""))
            if sample.where is not None:
                rows = self._asked_for(choice.table, sample.where)
            if sample.fraction is not None:
                drawn = self.dialect.drawn(choice.table, "t")
                conditions.append(f"{drawn} {self.dialect.below(sample.fraction)}")
        if choice.tenant is not None:
            conditions.append(self._of_tenant(choice.tenant))
        return _Rows(rows.source, " AND ".join(conditions), rows.identity)

    def _asked_for(self, table: Table, where: Sql) -> _Rows:
        """Return the rows that the user's predicate holds for. It sees its table under the name
        that this has and nothing of ours, and whatever it is, it ends with the subquery.
        """
        name, own = self.dialect.identifier(table.name), self.dialect.identity(table)
        aliases = tuple(f'"_dbcycle_{n}"' for n, _ in enumerate(own))
        named = [f"{name}.{each} AS {alias}" for each, alias in zip(own, aliases, strict=True)]
        relation = f"{self.dialect.relation(table)} AS {name}"
        select = f"SELECT {', '.join(named)}, {name}.* FROM {relation} WHERE ({where}\n)"
        return _Rows(f"({select}) AS t", "1 = 1", aliases)

    def _of_tenant(self, column: str) -> Sql:
        tenants = self.program.tenants
        values = _texts(tenants.values) if tenants is not None else ()
        return self._one_of(f"t.{self.dialect.identifier(column)}", values, "", negated=False)

    def _one_of(
        self, value: Sql, values: Sequence[str | None], known: str, *, negated: bool
    ) -> Sql:
        table = self.dialect.bookkeeping("subset_values")
        number = self._conditions[known]
        listed = f"(SELECT v.value FROM {table} AS v WHERE v.number = {number})"
        inside = f"{self.dialect.text(value)} IN {listed}"
        if None in values:
            inside = f"({value} IS NULL OR {inside})"
        return f"({inside}) IS NOT TRUE" if negated else f"({inside})"

    def _first(self, rows: int, choice: Choice, identity: Sequence[Sql]) -> Sql:
        order = [self.dialect.drawn(choice.table, "t"), *(f"t.{name}" for name in identity)]
        return f" ORDER BY {', '.join(order)} LIMIT {rows}"

    def _limit(self, table: str) -> None:
        """Leave of the children that came only as many as the sample allows."""
        choice = self.program.choices[table]
        if choice.mode != "below" or choice.sample is None or choice.sample.rows is None:
            return
        self.dialect.salted(self.salts.get(table, ""))
        identity = self.dialect.identity(choice.table)
        kept, mine = self.kept(table), ", ".join(f"i{n}" for n, _ in enumerate(identity))
        first = ", ".join(f"t.{name}" for name in identity)
        self.dialect.run(
            f"DELETE FROM {kept} WHERE ({mine}) NOT IN (SELECT {first}"
            f" FROM {self.dialect.relation(choice.table)} AS t{joining(identity, kept, 't')}"
            f"{self._first(choice.sample.rows, choice, identity)})"
        )

    # --- walking the links ----------------------------------------------------------------------

    def _fill(self, stage: Stage) -> None:
        for link in stage.entry:
            self._follow(link)
        rounds, came = 0, bool(stage.loop)
        while came:
            came = False
            rounds += 1
            if rounds == PATIENCE:
                self._index(stage.tables)
            for link in stage.loop:
                came = bool(self._follow(link)) or came

    def _index(self, tables: Collection[str]) -> None:
        for table in tables:
            if (number := self.numbers.get(table)) is not None:
                kept = kept_name(number)
                identity = [name for name in self._columns(table) if name.startswith("i")]
                for suffix, columns in (("step", ["step"]), ("row", identity)):
                    name = self.dialect.identifier(f"_dbcycle_{kept}_{suffix}")
                    self.dialect.run(
                        f"CREATE INDEX IF NOT EXISTS {name}"
                        f" ON {self.kept(table)} ({', '.join(columns)})"
                    )

    def _follow(self, link: Link) -> int:
        """Bring what the rows that are new since the last time refer to; return how many rows."""
        self.progress(f"following {link.key.table} → {link.key.parent}")
        since, self.step = self._seen.get(link.number, -1), self.step + 1
        choice = self.program.choices[link.target]
        rows, when = self._everything(choice), ""
        if link.down:
            rows = self._candidates(choice, narrowed=choice.mode == "below")
            when = self.when(link.when, "t", link.key.table)
        rows = replace(rows, conditions=f"{rows.conditions}{when}{self._new(link, rows)}")
        first = self._matching(link, self._source(link, since))
        self._seen[link.number] = self.step - 1
        if self.dialect.recursive and link.source == link.target and not link.when:
            self._seen[link.number] = self.step  # to the end of every chain
            select = self._chain(link, rows, first)
        else:
            selected = self._selected(link.target, rows, link.number)
            select = f"SELECT {selected} FROM {rows.source} WHERE {rows.conditions} AND {first}"
        return self._put(choice, select)

    def _new(self, link: Link, rows: _Rows) -> Sql:
        """Return the condition that leaves out what the target's set has already."""
        if link.target not in self._filled and link.source != link.target:
            return ""
        kept = self.kept(link.target)
        same = same_row(rows.identity, "t", "k")
        return f" AND NOT EXISTS (SELECT 1 FROM {kept} AS k WHERE {same})"

    def ends(self, link: Link) -> tuple[list[Sql], list[Sql]]:
        """Return the columns of the target under t, and those of the source without an alias."""
        key, of_target = link.key, link.key.columns if link.down else link.key.parent_columns
        of_source = key.parent_columns if link.down else key.columns
        target = [f"t.{self.dialect.identifier(name)}" for name in of_target]
        source = [self._source_column(link, name) for name in of_source]
        if link.cast:
            return list(map(self.dialect.text, target)), list(map(self.dialect.text, source))
        return target, source

    def _source_column(self, link: Link, name: str) -> Sql:
        if self.program.choices[link.source].mode == "whole":
            return f"f.{self.dialect.identifier(name)}"
        return f"f.c{self.program.carried(link.source).index(name)}"

    def _source(self, link: Link, since: int) -> Sql:
        """Return the part of a query that gives the source rows that are new since a step."""
        choice = self.program.choices[link.source]
        if choice.mode == "whole":
            relation, new = self.dialect.relation(choice.table), "1 = 1"
        else:
            relation, new = self.kept(link.source), f"f.step > {since}"
            if (way_down := self._down.get((link.key, link.when))) and not link.down:
                new += f" AND f.why <> {way_down}"  # its parent is what brought it
        when = "" if link.down else self.when(link.when, "f", link.source)
        return f"FROM {relation} AS f WHERE {new}{when}"

    def when(self, when: Sequence[Condition], alias: str, table: str) -> Sql:
        """Return the conditions of a polymorphic reference on the child's row."""
        found = ""
        for each in when:
            name = self.dialect.identifier(each.beside.column)
            if alias == "f" and self.program.choices[table].mode != "whole":
                name = f"c{self.program.carried(table).index(each.beside.column)}"
            known = repr(each.values)
            found += " AND " + self._one_of(
                f"{alias}.{name}", each.values, known, negated=each.negated
            )
        return found

    def _matching(self, link: Link, source: Sql) -> Sql:
        target, columns = self.ends(link)
        listed = ", ".join(target)
        mine = f"({listed})" if len(target) > 1 else listed
        return f"{mine} IN (SELECT {', '.join(columns)} {source})"

    def _chain(self, link: Link, rows: _Rows, first: Sql) -> Sql:
        """Return the query for a self-reference: the rows of the whole chain at once."""
        target, walked = self.ends(link)
        pairs = " AND ".join(
            f"{mine} = {theirs.replace('f.', 'w.', 1)}"
            for mine, theirs in zip(target, walked, strict=True)
        )
        names = ", ".join(self._columns(link.target))
        part = f"SELECT {self._selected(link.target, rows, link.number)} FROM {rows.source}"
        return (
            f"WITH RECURSIVE w ({names}) AS ({part} WHERE {rows.conditions} AND {first}"
            f" UNION {part} JOIN w ON {pairs} WHERE {rows.conditions}) SELECT {names} FROM w"
        )

    # --- what came of it ------------------------------------------------------------------------

    def _refuse_nothing(self) -> None:
        """Refuse a subset for which no sample picks anything."""
        roots = [name for name, choice in self.program.choices.items() if choice.mode == "root"]
        for name in roots:
            if self.dialect.rows(f"SELECT 1 FROM {self.kept(name)} LIMIT 1"):
                return
        raise Findings(
            "the subset chooses no row of any table that it samples:",
            [f"{name}: no row is chosen" for name in roots],
            remedy="correct `sample` and `subset` in dbcycle.yaml",
        )

    def _refuse_strays(self) -> None:
        tenants = self.program.tenants
        if tenants is None or tenants.strays == "keep":
            return
        lines = []
        for name, choice in self.program.choices.items():
            if choice.tenant is None:
                continue
            column = f"t.{self.dialect.identifier(choice.tenant)}"
            identity = self.dialect.identity(choice.table)
            for why, number in self.dialect.rows(
                f"SELECT {KEPT}.why, count(*) FROM {self.dialect.relation(choice.table)}"
                f" AS t{joining(identity, self.kept(name), 't')} WHERE {column} IS NOT NULL"
                f" AND {self._of_tenant(choice.tenant)} IS NOT TRUE GROUP BY 1 ORDER BY 1"
            ):
                by = self.links[why].key
                lines.append(
                    f"{name}: {number} rows of other tenants, to which {by.table} refers by "
                    f"{', '.join(by.columns)}"
                )
        if lines:
            raise Findings(
                "rows of these tenants refer to rows of others:",
                lines,
                remedy="`subset: {tenants: {strays: keep}}` in dbcycle.yaml keeps those rows, and "
                "only those, of the others",
            )

    def _result(self, name: str, total: int | None) -> Kept:
        choice = self.program.choices[name]
        if total is None:
            relation = self.dialect.relation(choice.table)
            ((total,),) = self.dialect.rows(f"SELECT count(*) FROM {relation}")
        size = self.dialect.size(choice.table)
        if choice.mode == "whole":
            return Kept(name, "whole", total, total, total, size_bytes=size)
        kept, marks = self.dialect.marked(self.kept(name))
        chosen, by, of_whole = 0, Counter[str](), Counter[str]()
        for why, number in self.dialect.rows(
            f"SELECT why, count(*) FROM {self.kept(name)} GROUP BY why ORDER BY why"
        ):
            if why == 0:
                chosen = number
                continue
            link = self.links[why]
            by[link.words] += number
            if self.program.choices[link.source].mode == "whole":
                of_whole[link.source] += number
        return Kept(
            name,
            choice.mode,
            total,
            kept,
            chosen,
            dict(by),
            dict(of_whole),
            None if size is None else round(size * kept / total) if total else 0,
            digest_of([kept, marks]),
        )


def _texts(values: Sequence[bool | int | str | None]) -> tuple[str | None, ...]:
    """Return how the engines write values of the config."""
    found: list[str | None] = []
    for value in values:
        if isinstance(value, bool):
            found += ["t", "true", "1"] if value else ["f", "false", "0"]
        else:
            found.append(None if value is None else str(value))
    return tuple(found)
