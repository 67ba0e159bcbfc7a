"""Python source laid out as ruff and black lay it out, without either; for what models need."""

import ast
import sys
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 88
INDENT = "    "


def lay_out(source: str, *, docstring: str, local: str = "") -> str:
    """Return a module in its final form: imports sorted, those that nothing uses left out, strings
    in double quotes, and every line that can be within the width.

    ``local`` is the one package among the imports that is neither standard nor installed.
    """
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    used = _used_names(body)
    groups = _imports(imports, used, local)
    parts = [f'"""{docstring}"""', *("\n".join(group) for group in groups if group)]
    text = "\n\n".join(parts) + "\n"
    former: ast.stmt | None = None
    for node in body:
        wide = isinstance(node, _BLOCKS) or isinstance(former, _BLOCKS)
        text += ("\n\n" if wide else "\n" if former is None else "") + _statement(node, 0)
        former = node
    return text


_BLOCKS = (ast.ClassDef, ast.FunctionDef)


def _used_names(body: Iterable[ast.stmt]) -> set[str]:
    """Return every name that is used, also within quoted annotations."""
    found: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.AnnAssign):
                for part in ast.walk(node.annotation):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found |= _used_names(ast.parse(part.value).body)
    return found


def _imports(
    nodes: Iterable[ast.Import | ast.ImportFrom], used: set[str], local: str
) -> list[list[str]]:
    """Return the standard library's, the installed packages' and the local imports."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            plain |= {alias.name for alias in node.names if alias.name.split(".")[0] in used}
            continue
        names = {alias.name for alias in node.names if alias.name in used}
        if names:
            named.setdefault("." * node.level + (node.module or ""), set()).update(names)

    def standing(package: str) -> int:
        if package == local:
            return 2
        return 0 if package.split(".", maxsplit=1)[0] in sys.stdlib_module_names else 1

    groups: list[list[str]] = [[], [], []]
    for package in sorted(plain):
        groups[standing(package)].append(f"import {package}")
    for package, names in sorted(named.items()):
        groups[standing(package)].append(_import_from(package, sorted(names, key=_import_order)))
    return groups


def _import_order(name: str) -> tuple[int, str]:
    """Return what isort sorts by: constants, then classes, then functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


def _import_from(package: str, names: Sequence[str]) -> str:
    line = f"from {package} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    listed = "".join(f"{INDENT}{name},\n" for name in names)
    return f"from {package} import (\n{listed})"


def _statement(node: ast.stmt, depth: int) -> str:
    pad = INDENT * depth
    if isinstance(node, ast.ClassDef):
        return _class(node, depth)
    if isinstance(node, ast.FunctionDef):
        return textwrap.indent(ast.unparse(node), pad) + "\n"
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        head, before = f"{pad}{_flat(node.target)}: {_flat(node.annotation)} = ", ""
        if len(f"{head}(") > WIDTH and isinstance(node.annotation, ast.Subscript):
            before = f"{pad}{_flat(node.target)}: {_flat(node.annotation.value)}[\n"
            before += f"{pad}{INDENT}{_flat(node.annotation.slice)}\n"
            head = f"{pad}] = "
        return before + _broken(node.value, head, depth) + "\n"
    if isinstance(node, ast.Assign):
        return _broken(node.value, f"{pad}{_flat(node.targets[0])} = ", depth) + "\n"
    return f"{pad}{ast.unparse(node)}\n"


def _class(node: ast.ClassDef, depth: int) -> str:
    pad = INDENT * depth
    bases = ", ".join(map(_flat, node.bases))
    lines = [f"{pad}class {node.name}({bases}):\n"]
    kind = ""
    for child in node.body:
        if isinstance(child, ast.Expr):
            lines.append(f'{pad}{INDENT}"""{_flat(child.value)[1:-1]}"""\n')
            kind = "docstring"
            continue
        present = _kind(child)
        if kind and (present != kind or isinstance(child, ast.FunctionDef)):
            lines.append("\n")
        lines.append(_statement(child, depth + 1))
        kind = present
    return "".join(lines)


def _kind(node: ast.stmt) -> str:
    """Return which block of a class a statement belongs to."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
        return _flat(node.value.func)
    return "function" if isinstance(node, ast.FunctionDef) else "declaration"


def _broken(node: ast.expr, head: str, depth: int, tail: str = "") -> str:
    """Return an expression after ``head``, over several lines where one is too short."""
    line = head + _flat(node) + tail
    if len(line) <= WIDTH:
        return line
    parts = _bracketed(node)
    if parts is None:
        return line
    if head.endswith(" = ") and len(head + parts[0]) > WIDTH:
        inner = _broken(node, INDENT * (depth + 1), depth + 1)
        return f"{head}(\n{inner}\n{INDENT * depth}){tail}"
    opening, items, closing = parts
    pad = INDENT * (depth + 1)
    together = pad + ", ".join(_item_flat(item) for item in items)
    if len(together) <= WIDTH and not (isinstance(node, ast.Tuple) and len(items) == 1):
        rows = f"{together}\n"
    else:
        rows = "".join(_item(item, pad, depth + 1) + "\n" for item in items)
    return f"{head}{opening}\n{rows}{INDENT * depth}{closing}{tail}"


_Item = ast.expr | ast.keyword | tuple[ast.expr, ast.expr]


def _bracketed(node: ast.expr) -> tuple[str, Sequence[_Item], str] | None:
    """Return the opening bracket with what precedes it, the items inside, and the closing one."""
    if isinstance(node, ast.Call) and (node.args or node.keywords):
        return f"{_flat(node.func)}(", [*node.args, *node.keywords], ")"
    if isinstance(node, ast.Tuple) and node.elts:
        return "(", node.elts, ")"
    if isinstance(node, ast.List) and node.elts:
        return "[", node.elts, "]"
    if isinstance(node, ast.Dict) and node.keys:
        keys = [key for key in node.keys if key is not None]
        return "{", list(zip(keys, node.values, strict=True)), "}"
    return None


def _item(item: _Item, pad: str, depth: int) -> str:
    if isinstance(item, ast.keyword):
        return _broken(item.value, f"{pad}{item.arg}=", depth, ",")
    if isinstance(item, tuple):
        return _broken(item[1], f"{pad}{_flat(item[0])}: ", depth, ",")
    return _broken(item, pad, depth, ",")


def _item_flat(item: _Item) -> str:
    if isinstance(item, ast.keyword):
        return f"{item.arg}={_flat(item.value)}"
    if isinstance(item, tuple):
        return f"{_flat(item[0])}: {_flat(item[1])}"
    return _flat(item)


def _flat(node: ast.expr) -> str:
    """Return an expression on one line."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return quoted(node.value)
    parts = _bracketed(node)
    if parts is not None:
        opening, items, closing = parts
        comma = "," if isinstance(node, ast.Tuple) and len(items) == 1 else ""
        return f"{opening}{', '.join(map(_item_flat, items))}{comma}{closing}"
    if isinstance(node, ast.Subscript):
        inner = node.slice
        inside = ", ".join(map(_flat, inner.elts)) if isinstance(inner, ast.Tuple) else _flat(inner)
        return f"{_flat(node.value)}[{inside}]"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return f"{_flat(node.left)} | {_flat(node.right)}"
    return ast.unparse(node)


def quoted(text: str) -> str:
    """Return a string literal in double quotes, unless single ones save escapes."""
    single, double = text.count("'"), text.count('"')
    mark = "'" if double > single else '"'
    plain = repr(text + "'\"" if mark == "'" else text)
    body = plain[1:-1]
    if mark == "'":
        return "'" + body.removesuffix("\\'\"").replace('\\"', '"') + "'"
    if plain[0] == "'":
        body = body.replace("\\'", "'").replace('"', '\\"')
    return f'"{body}"'
