"""What is locked is listed, with its licence and digest, and comes from one public index."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_locked_package_is_listed_with_its_licence():
    """The page is written by a script; this compares, and asks nobody."""
    done = subprocess.run(
        [sys.executable, "docs/supply.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_locked_file_has_a_digest_and_a_public_address():
    """A file that was replaced is not installed by whoever installs from the lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = [package for package in lock["package"] if "registry" in package["source"]]
    assert len(packages) > 100
    for package in packages:
        assert package["source"]["registry"] == "https://pypi.org/simple", package["name"]
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        for file in files:
            assert file["hash"].startswith("sha256:"), package["name"]
            assert file["url"].startswith("https://files.pythonhosted.org/"), package["name"]
