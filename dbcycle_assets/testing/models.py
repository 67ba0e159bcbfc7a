"""The models held against the schema, from a test."""

from ..config.model import Project
from ..cycle.session import Cycle, silent
from ..errors import Findings
from ..mapping.check import Compared, compare_models


def assert_models_match(project: Project, url: str | None = None) -> Compared:
    """Assert that a project's models say what the schema says, and return what was compared.

    The schema is that of the database at ``url``, else of the migrated one. The application is
    imported in a process of its own.

    Raises:
        AssertionError: it lists every difference.
        BadInput: the models do not import.
    """
    if url is None:
        cycle = Cycle(project)
        url = cycle.server.url(cycle.database("migrated"))
    found = compare_models(project, url, silent)
    if not found.passed:
        lines = [str(each) for each in found.findings]
        told = Findings("the models are not in step with the schema", lines)
        raise AssertionError(str(told))
    return found
