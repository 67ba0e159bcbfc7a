"""Small random databases full of references, and which of their rows a subset keeps, computed by
plain loops over Python values.
"""

import hashlib
from dataclasses import dataclass, field

from hypothesis import strategies as st

from dbcycle_assets.config.model import Config

from ..cycle.worlds import quoted

SALT = "5a" * 32
NAMES = ("a", "b b", 'c"c', "d%s", "É e")


@dataclass
class Link:
    """One reference: by the parent's key, its code, or both of its composite's columns."""

    child: int
    parent: int
    by: str
    columns: list[str]
    kind: str = "declared"

    @property
    def parent_columns(self):
        """The columns that it refers to."""
        return {"id": ["id"], "code": ["code"], "pair": ["k1", "k2"]}[self.by]

    def holds(self, row):
        """Tell whether it is about a row at all."""
        return self.kind != "polymorphic" or row["kind"] == self.columns[0]


@dataclass
class World:
    """Tables of rows by number, the references between them, and the samples."""

    names: list[str]
    keys: list[str]
    rows: list[list[dict]]
    links: list[Link]
    samples: dict[int, dict]
    tenants: set[int] = field(default_factory=set)
    values: list = field(default_factory=list)

    def __repr__(self):
        links = [(x.child, x.parent, x.by, x.columns, x.kind) for x in self.links]
        return (
            f"World(keys={self.keys}, rows={self.rows}, links={links}, samples={self.samples},"
            f" tenants={self.tenants}, values={self.values})"
        )

    def columns(self, table):
        """Return the columns that a table has for its references."""
        return [c for link in self.links if link.child == table for c in link.columns]

    def script(self, engine):
        """Return the SQL that makes it."""
        made, later = [], []
        for number, name in enumerate(self.names):
            parts = ["rn integer NOT NULL", "id integer NOT NULL UNIQUE", "code text UNIQUE"]
            parts += ["k1 integer NOT NULL", "k2 text NOT NULL", "UNIQUE (k1, k2)", "kind text"]
            parts += [f"{c} integer" if not c.endswith("t") else f"{c} text"
                      for c in self.columns(number)]  # fmt: skip
            if number in self.tenants:
                parts.append("tenant integer")
            parts = [p for p in parts if not p.startswith("UNIQUE")] + [
                p for p in parts if p.startswith("UNIQUE")
            ]
            key = {"id": "id", "pair": "k1, k2", "rowless": "k1, k2"}.get(self.keys[number])
            if key:
                parts.append(f"PRIMARY KEY ({key})")
            for link in self.links:
                if link.child != number or link.kind != "declared":
                    continue
                text = (
                    f"FOREIGN KEY ({', '.join(link.columns)}) REFERENCES"
                    f" {quoted(self.names[link.parent])} ({', '.join(link.parent_columns)})"
                )
                if engine == "sqlite":
                    parts.append(text)
                else:
                    later.append(f"ALTER TABLE {quoted(name)} ADD {text};")
            rowless = (
                " WITHOUT ROWID" if (engine, self.keys[number]) == ("sqlite", "rowless") else ""
            )
            made.append(f"CREATE TABLE {quoted(name)} ({', '.join(parts)}){rowless};")
            for row in self.rows[number]:
                listed = ", ".join(row)
                values = ", ".join(map(_literal, row.values()))
                made.append(f"INSERT INTO {quoted(name)} ({listed}) VALUES ({values});")
        return "\n".join([*made, *later])

    def config(self, ids):
        """Return the config that asks for the subset; ``ids`` are those of the tables by name."""
        tables = {}
        for number, name in enumerate(ids[name] for name in self.names):
            references = {}
            for link in self.links:
                if link.child == number and link.kind != "declared":
                    to = f"{ids[self.names[link.parent]]}.{link.parent_columns[0]}"
                    when = {"kind": link.columns[0]} if link.kind == "polymorphic" else {}
                    references[link.columns[0]] = [{"to": to, "when": when}]
            tables[name] = {"references": references}
            if number in self.samples:
                tables[name]["sample"] = self._sample(number, ids)
        subset = {}
        if self.tenants and self.values:
            subset["tenants"] = {"column": "tenant", "values": self.values, "strays": "keep"}
        return Config.model_validate(
            {"name": "w", "source": {"dump": "x"}, "tables": tables, "subset": subset}
        )

    def _sample(self, number, ids):
        sample = dict(self.samples[number])
        if isinstance(sample.get("children"), list):
            sample["children"] = [ids[self.names[child]] for child in sample["children"]]
        if "modulus" in sample:
            sample["where"] = f"rn % {sample.pop('modulus')} = 0 -- every so many"
        return sample

    # --- the reference --------------------------------------------------------------------------

    def kept(self, engine):
        """Return the set of the numbers of the kept rows of each table."""
        chosen = self.chosen(engine)
        found = [set(rows) for rows in chosen]
        changed = True
        while changed:
            changed = False
            for link in self.links:
                for row in self.rows[link.child]:
                    if row["rn"] not in found[link.child] or not link.holds(row):
                        continue
                    for parent in self._parents(link, row):
                        if parent["rn"] not in found[link.parent]:
                            found[link.parent].add(parent["rn"])
                            changed = True
        return found

    def _parents(self, link, row):
        wanted = [row[column] for column in link.columns]
        if None in wanted:
            return []
        return [
            parent
            for parent in self.rows[link.parent]
            if [str(parent[c]) for c in link.parent_columns] == [str(v) for v in wanted]
            and all(parent[c] is not None for c in link.parent_columns)
        ]

    def scope(self, root):
        """Return the tables that come as children of a sampled one."""
        asked = self.samples[root].get("children", False)
        return self._reach(root, lambda t: asked is True or (asked and t in asked))

    def _reach(self, root, allowed):
        reached, waiting = set(), [root]
        while waiting:
            parent = waiting.pop()
            for link in self.links:
                if link.parent == parent and allowed(link.child) and link.child not in reached:
                    reached.add(link.child)
                    waiting.append(link.child)
        return reached

    def plan(self):
        """Return which tables lie below, and the (root, tables) of every scope."""
        scopes = [(r, self.scope(r)) for r in self.samples if self.samples[r].get("children")]
        known = dict(scopes)
        below = {
            t for r, tables in scopes for t in tables if t != r and r not in known.get(t, set())
        }
        if self.values:
            for root in sorted(self.tenants):
                reached = self._reach(root, lambda t: t not in self.tenants)
                scopes.append((root, reached))
                below |= reached
        return below, scopes

    def chosen(self, engine):
        """Return the set of the numbers of the chosen rows of each table."""
        below, scopes = self.plan()
        chosen = [set() for _ in self.names]
        for _ in range(200):
            former = [set(rows) for rows in chosen]
            chosen = [self._of(engine, n, below, scopes, former) for n, _ in enumerate(self.names)]
            if chosen == former:
                return chosen
        raise AssertionError

    def _of(self, engine, number, below, scopes, chosen):
        rows = self.rows[number]
        tenant = number in self.tenants and bool(self.values)
        mine = [r for r in rows if not tenant or r["tenant"] in self.values]
        brought = [row for row in mine if self._brought(number, row, scopes, chosen)]
        if number in below:
            return {row["rn"] for row in self._picked(engine, number, brought)}
        if number in self.samples or tenant:
            return {row["rn"] for row in [*self._picked(engine, number, mine), *brought]}
        return {row["rn"] for row in rows}

    def _brought(self, number, row, scopes, chosen):
        return any(
            parent["rn"] in chosen[link.parent]
            for root, tables in scopes
            for link in self.links
            if link.child == number and number in tables and link.parent in {root, *tables}
            if link.holds(row)
            for parent in self._parents(link, row)
        )

    def _picked(self, engine, number, rows):
        sample = self.samples.get(number, {})
        if "modulus" in sample:
            rows = [row for row in rows if row["rn"] % sample["modulus"] == 0]
        if sample.get("fraction", 1) < 1:
            most = int(sample["fraction"] * 2**64).to_bytes(8, "big")
            rows = [row for row in rows if _drawn(engine, row) < most]
        if "rows" in sample:
            rows = sorted(rows, key=lambda row: _drawn(engine, row))[: sample["rows"]]
        return rows


def _drawn(engine, row):
    if engine == "sqlite":
        text = repr((str(row["id"]).encode(),)).encode()
        return hashlib.blake2b(text, key=bytes.fromhex(SALT), digest_size=8).digest()
    return hashlib.sha256(f"{SALT}{row['id']}".encode()).digest()


def _literal(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else f"'{value}'"


@st.composite
def worlds(draw):
    """Make a world with at least one sample."""
    size = draw(st.integers(1, 5))
    numbers = st.integers(0, size - 1)
    keys = [draw(st.sampled_from(["id", "id", "pair", "rowless", "none"])) for _ in range(size)]
    links = []
    for number in range(draw(st.integers(0, 8))):
        child, parent = draw(numbers), draw(numbers)
        kind = draw(st.sampled_from(["declared", "declared", "virtual", "polymorphic"]))
        by = draw(st.sampled_from(["id", "code"] + (["pair"] if kind == "declared" else [])))
        columns = {
            "id": [f"f{number}"],
            "code": [f"f{number}t"],
            "pair": [f"f{number}", f"f{number}t"],
        }
        links.append(Link(child, parent, by, columns[by], kind))
    world = World(list(NAMES[:size]), keys, [], links, {})
    if draw(st.booleans()):
        world.tenants = set(draw(st.lists(numbers, max_size=3)))
        world.values = draw(st.lists(st.sampled_from([1, 2, None]), min_size=1, max_size=2))
    counts = [draw(st.integers(0, 7)) for _ in range(size)]
    for number in range(size):
        world.rows.append([_row(draw, world, number, rn, counts) for rn in range(counts[number])])
    for number in draw(st.lists(numbers, min_size=1, max_size=3, unique=True)):
        sample = {}
        if draw(st.booleans()) or keys[number] != "id":
            sample["modulus"] = draw(st.integers(1, 4))
        if keys[number] == "id" and (not sample or draw(st.booleans())):
            sample["fraction"] = draw(st.sampled_from([0.3, 0.7, 1.0]))
        if keys[number] == "id" and draw(st.booleans()):
            sample["rows"] = draw(st.integers(1, 4))
        sample["children"] = draw(
            st.sampled_from([False, True, True])
            | st.lists(numbers, min_size=1, max_size=3, unique=True)
        )
        world.samples[number] = sample
    return world


def _code(rn):
    return None if rn % 5 == 4 else f"c{rn}"


def _row(draw, world, number, rn, counts):
    row = {"rn": rn, "id": rn * 3 + 1, "code": _code(rn)}
    row |= {"k1": rn % 2, "k2": f"p{rn}"}
    row["kind"] = draw(st.sampled_from([None, *world.columns(number)]))
    if number in world.tenants:
        row["tenant"] = draw(st.sampled_from([1, 2, 3, None]))
    for link in world.links:
        if link.child != number:
            continue
        most = counts[link.parent]
        which = draw(st.integers(-1, most - 1))
        values = {
            "id": [which * 3 + 1],
            "code": [_code(which)],
            "pair": [which % 2, f"p{which}"],
        }[link.by]
        if which < 0:
            values = [None] * len(values)
        elif link.by == "pair" and not draw(st.integers(0, 3)):
            values[draw(st.integers(0, 1))] = None
        row |= dict(zip(link.columns, values, strict=True))
    return row
