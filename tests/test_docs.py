"""The documentation is run, resolved and compared with the code."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.databases import embedded

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """Return (rest of the info string, text) of every block in a language."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(info.strip(), text) for name, info, text in found if name == language]


def test_the_readme_starts_with_the_two_commands():
    """A script can take the main job and the tests from the first two blocks."""
    commands = [text.strip() for _, text in blocks(ROOT / "README.md", "sh")]
    assert commands[:2] == ["python3 run.py demo", "python3 run.py test"]


def test_the_generated_reference_is_fresh():
    """Every command, anonymizer, config key, asset and public name is in the reference."""
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """Relative links name files that exist; links inside a page name its headings."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


def anchors(page):
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_config_example_is_valid(page, tmp_path):
    """A whole `dbcycle.yaml` loads; a part of one has no key that the real one lacks."""
    for info, text in blocks(page, "yaml"):
        if info == "foreign" or re.search("^-", text, re.MULTILINE):  # not ours; golden records
            continue
        head = "" if re.search("^name:", text, re.MULTILINE) else "name: example\n"
        head += "" if re.search("^source:", text, re.MULTILINE) else "source: {dump: a.dump}\n"
        (tmp_path / "dbcycle.yaml").write_text(head + text)
        load_project(tmp_path)


def test_every_page_can_be_reached():
    """A page that no other page leads to is a page that nobody reads."""
    reached = {ROOT / "README.md"}
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve()
            if file.suffix == ".md" and file.exists() and file not in reached:
                reached.add(file)
                waiting.append(file)
    assert [page for page in PAGES if page not in reached] == []


def test_the_tutorial_runs(tmp_path):
    """Each command of the tutorial ends as the page says, and prints what the page shows."""
    (tmp_path / "chinook.dump").write_bytes((ROOT / "tests/data/chinook.dump").read_bytes())
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    compared = 0
    try:
        for info, text in blocks(ROOT / "docs/tutorial.md", "console"):
            steps = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
            for number, step in enumerate(steps, 1):
                command, shown = split(step)
                done = subprocess.run(
                    ["bash", "-c", command],
                    cwd=tmp_path,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                code = int(info.removeprefix("exit=") or 0) if number == len(steps) else 0
                assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
                compared += compare(shown, done.stdout, command)
    finally:
        embedded.remove(tmp_path / "shop/.dbcycle")
    assert compared


def split(step):
    """Return (command, lines shown after it); a here-document belongs to its command."""
    lines = step.splitlines()
    end = re.search(r"<<'(\w+)'", lines[0])
    last = lines.index(end.group(1)) if end else 0
    return "\n".join(lines[: last + 1]), lines[last + 1 :]


def compare(shown, printed, command):
    """Check each shown line, up to its ellipsis, against the output; return how many."""
    wanted = [line.partition("…")[0].rstrip() for line in shown]
    wanted = [re.sub(r"\s+", " ", line) for line in wanted if line]
    lines = [re.sub(r"\s+", " ", line) for line in printed.splitlines()]
    for line in wanted:
        assert any(found.startswith(line) for found in lines), f"{command}: {line}\n{printed}"
    return len(wanted)


def commands_in(page):
    """Return the words of every `dbcycle …` that a page shows in a line of text."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [found.split() for found in re.findall(r"`dbcycle ([^`]*)`", text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_shown_exists(page):
    """Each command and each flag in the text is one that the command line knows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import typer

        from dbcycle_assets.cli.app import FLAGS, VALUES, app

        root = typer.main.get_command(app)
    shared = FLAGS | VALUES | {"--help", "--version"}
    for words in commands_in(page):
        if any(char in word for word in words for char in "‹|…{"):
            continue
        command = root
        for word in words:
            below = getattr(command, "commands", {})
            if word in below:
                command = below[word]
        known = {option for parameter in command.params for option in parameter.opts}
        known |= {option for parameter in command.params for option in parameter.secondary_opts}
        flags = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
        assert flags <= known | shared, f"{page.name}: {' '.join(words)}"
        first = next((w for w in words if not w.startswith("-")), None)
        if first is not None and words[0] not in VALUES:
            assert command is not root, f"{page.name}: {' '.join(words)}"
