"""The order of tables: parents before children, with cycles and self-references named."""

from collections.abc import Iterable

import networkx

from .catalog import Catalog, ForeignKey


def load_order(catalog: Catalog) -> tuple[tuple[str, ...], ...]:
    """Return the tables in groups, parents first; a group of two or more tables is a cycle.

    A self-reference does not make a cycle. Ties are broken by name.
    """
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(sorted(catalog.tables))
    graph.add_edges_from(
        (key.parent, key.table) for key in catalog.foreign_keys if key.parent != key.table
    )
    condensed = networkx.condensation(graph)
    members = {node: tuple(sorted(condensed.nodes[node]["members"])) for node in condensed}
    ordered = networkx.lexicographical_topological_sort(condensed, key=lambda node: members[node])
    return tuple(members[node] for node in ordered)


def roots_of_columns(keys: Iterable[ForeignKey]) -> dict[tuple[str, str], tuple[str, str]]:
    """Map each referring (table, column) to the (table, column) at the end of its references.

    A column with several references follows the first by name; a cycle ends where it started.
    """
    step: dict[tuple[str, str], tuple[str, str]] = {}
    for key in sorted(keys, key=lambda key: (key.table, key.name)):
        for child, parent in zip(key.columns, key.parent_columns, strict=True):
            if (key.table, child) != (key.parent, parent):
                step.setdefault((key.table, child), (key.parent, parent))
    roots = {}
    for start in step:
        seen = [start]
        while (following := step.get(seen[-1])) is not None and following not in seen:
            seen.append(following)
        roots[start] = seen[-1]
    return roots
