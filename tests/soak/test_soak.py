"""The short mode of the soak."""

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_refreshes_in_a_row_make_what_runs_from_scratch_make(engine):
    """Whatever changed in between; and neither sessions nor databases are left over."""
    words = ["-m", "tests.soak", "--engine", engine, "--refreshes", "2"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        "^refreshes 2, different from a run from scratch 0$", done.stdout, re.MULTILINE
    )
