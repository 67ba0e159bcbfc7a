"""The project's Dagster definitions; ``workspace.yaml`` lists this file."""

from pathlib import Path

from dbcycle_assets import build_definitions, load_project

defs = build_definitions(load_project(Path(__file__).parent))
