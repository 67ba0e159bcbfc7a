"""Python seeds, and the modules beside their folders that they import by name.

``from fleet import state`` in a seed means ``seeds/fleet.py``. Such a module is executed anew for
each run of a seed and is seen by no other program, so that two projects may use the same name,
and its text counts as text of every seed that imports it.
"""

import ast
import builtins
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..model.digest import digest_of, digest_of_text


def checksum_with_modules(text: bytes, folder: Path) -> str:
    """Return the checksum of a Python seed: that of its text, and of the modules it imports."""
    own = digest_of_text(text)
    modules = _imported(text, folder, {})
    if not modules:
        return own
    return digest_of([own, [[name, digest_of_text(modules[name])] for name in sorted(modules)]])


def _imported(text: bytes, folder: Path, found: dict[str, bytes]) -> dict[str, bytes]:
    """Return the modules of the folder that a text imports, and those that they import."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # whoever runs it says where
        return found
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        for name in names:
            path = _module(folder, name)
            if path is not None and name not in found:
                found[name] = path.read_bytes()
                _imported(found[name], folder, found)
    return found


def _module(folder: Path, name: str) -> Path | None:
    path = folder / f"{name}.py"
    return path if name.isidentifier() and path.is_file() else None


def functions_of(path: Path) -> dict[str, Any]:
    """Execute a Python seed and return what it defines; ``path`` is ``seeds/folder/NN_name.py``."""
    return _Imports(path.parents[1]).execute(path).__dict__


class _Imports:
    """Imports for one run: the folder's own modules first, then everybody's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[str, ModuleType] = {}

    def execute(self, path: Path, name: str = "") -> ModuleType:
        """Execute a file as a module; the name is one that no other module has."""
        text = path.read_bytes()
        module = ModuleType(f"_dbcycle_seed_{digest_of([str(path), digest_of_text(text)])[:16]}")
        module.__file__ = str(path)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        if name:
            self._modules[name] = module  # before it runs: modules may import each other
        sys.modules[module.__name__] = module  # dataclasses look there
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - a seed is code
        return module

    def _import(  # the signature is that of builtins.__import__
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0:
            if name in self._modules:
                return self._modules[name]
            path = _module(self._folder, name)
            if path is not None:
                return self.execute(path, name)
        return builtins.__import__(name, globals, locals, fromlist or (), level)
