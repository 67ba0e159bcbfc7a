"""The default project's definitions, for ``-m dbcycle_assets.definitions``."""

from pathlib import Path

from .config import load_project
from .config.locate import find_project
from .defs import build_definitions

defs = build_definitions(load_project(find_project(None, Path.cwd())))
