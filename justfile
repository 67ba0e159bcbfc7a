# `just` alone runs the checks that take less than half a minute.
default: check

# format, lint, imports, types and the fast tests
check:
    ruff format .
    ruff check --fix .
    lint-imports
    mypy
    pytest -q tests/model tests/anonymizers tests/config

# the whole suite, as in CI
test *words:
    python3 run.py test {{words}}

# write the generated pages of the reference
docs:
    python docs/generate.py

# the documentation as a site, in site/
site: docs
    zensical build --strict

# the main job of the default project
demo:
    python3 run.py demo

# the Dagster UI
dev:
    dbcycle ui
