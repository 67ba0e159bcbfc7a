"""The first command of a newcomer: what it needs, and what it says when a word is wrong."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*words):
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "run.py"), *words],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_bootstrap_explains_itself_without_any_environment():
    """Help needs no variable and no package; an unknown word is a usage error."""
    assert run("--help").returncode == 0
    assert "run.py demo" in run("--help").stdout
    assert run("dmeo").returncode == 2


def test_the_lock_file_names_public_hosts_only():
    """Whoever installs from the lock file reaches PyPI, and nothing else."""
    hosts = re.findall(r"[a-z+]+://([^/\"]+)", (ROOT / "uv.lock").read_text())
    assert set(hosts) == {"pypi.org", "files.pythonhosted.org"}
