"""The short mode of the harness: a few faulted runs on each engine, at random."""

import re
import subprocess
import sys

import pytest

KINDS = ("SIGKILL to the group", "kill before operation N", "ENOSPC at operation N")
KINDS += ("SIGINT", "SIGINT at operation N")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_faulted_run_loses_nothing_and_the_next_one_finishes(engine):
    """Whatever kind of fault, wherever it falls; the seed that repeats it is in the output."""
    words = ["-m", "tests.kills", "--engine", engine, "--times", "5"]
    words += [word for kind in KINDS for word in ("--kind", kind)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    times, survived = re.findall(r"^all +(\d+) +\d+ +(\d+)", done.stdout, re.MULTILINE)[0]
    assert int(times) == int(survived) >= 5
