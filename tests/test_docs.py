"""The documentation is run, resolved and compared with the code."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import ruamel.yaml

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
        if info.startswith("foreign") or re.search(
            "^-", text, re.MULTILINE
        ):  # not ours; golden records
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


def test_the_site_is_built_and_has_every_page(tmp_path):
    """No link or anchor of the site leads nowhere, and its menu leads to every page."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "docs", site / "docs")
    shutil.copy(ROOT / "mkdocs.yml", site)
    program = Path(sys.executable).with_name("zensical")
    done = subprocess.run(
        [program, "build", "--strict"], cwd=site, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")}
    made = {page for page in pages if (site / "site" / page.with_suffix(".html")).exists()}
    assert made == pages
    menu = (ROOT / "mkdocs.yml").read_text()
    assert {str(page) for page in pages if f"- {page}\n" not in menu} == set()


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
    for words in commands_in(page):
        check_command(words, page.name)


def check_command(words, where):
    """Hold one line after `dbcycle` against the command line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import typer

        from dbcycle_assets.cli.app import FLAGS, VALUES, app

        root = typer.main.get_command(app)
    if any(char in word for word in words for char in "‹|…{"):
        return
    command = root
    for word in words:
        below = getattr(command, "commands", {})
        if word in below:
            command = below[word]
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    known |= FLAGS | VALUES | {"--help", "--version"}
    flags = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
    assert flags <= known, f"{where}: {' '.join(words)}"
    first = next((w for w in words if not w.startswith("-")), None)
    if first is not None and words[0] not in VALUES:
        assert command is not root, f"{where}: {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_yaml_of_others_is_yaml(page):
    """Workflows and compose files parse."""
    for info, text in blocks(page, "yaml"):
        if info.startswith("foreign"):
            assert all(ruamel.yaml.YAML(typ="safe", pure=True).load_all(text))


def yaml(text):
    """Return a YAML document as plain values."""
    return ruamel.yaml.YAML(typ="safe", pure=True).load(text)


def test_every_command_in_a_container_exists():
    """Those of the Dockerfile, of the compose file and of their health checks."""
    page = ROOT / "docs/how-to/run-in-a-container.md"
    ((_, compose),) = [found for found in blocks(page, "yaml") if found[0] == "foreign"]
    services = yaml(compose)["services"].values()
    lines = [each["command"] for each in services if "command" in each]
    lines += [each["healthcheck"]["test"][1:] for each in services if "healthcheck" in each]
    ((_, recipe),) = blocks(page, "dockerfile")
    lines += [json.loads(found) for found in re.findall(r"CMD (\[.*\])", recipe)]
    seen = [found for line in lines for found in re.findall(r"\bdbcycle ([^&]+)", " ".join(line))]
    assert len(seen) == 4
    for found in seen:
        check_command(found.split(), page.name)


def test_the_workflow_runs(tmp_path):
    """Every step of the workflow, in its order, in a fresh copy of a project; the second time the
    cache is there and nothing works. Packages are there already, and SQLite has no server to stop.
    """
    left_out = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__", "dev_*", "backups")
    for part in ("data/iron_token_manager", "sql/iron_token_manager"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=left_out)
    root = tmp_path / "data/iron_token_manager"
    config = root / "dbcycle.yaml"
    config.write_text(config.read_text() + "targets: {staging: {url_env: DATABASE_URL_STAGING}}\n")
    (tmp_path / "staging.db").touch()
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    jobs = recipes()["database"]["jobs"]
    values = {
        "DAGSTER_HOME": str(tmp_path / ".dagster"),
        "DBCYCLE_KEY": "a key of the workflow's own, long enough",
        "DATABASE_URL_STAGING": f"sqlite:///{tmp_path / 'staging.db'}",
        "DBCYCLE_PROJECT": str(root),
    }
    for worked in (True, False):
        told = {}
        for job in jobs.values():
            told |= run_steps(job, tmp_path, values)
        assert bool(json.loads(told["Build the test database"])["materialized"]) is worked
    assert "base" not in told["Apply seeds"]
    assert "head v1/008_agents.sql" in told["Verify database"]


def recipes(project="data/shop"):
    """Return the recipes for CI: GitHub's by their names, GitLab's and the hook's by their own."""
    texts = [text for _, text in blocks(ROOT / "docs/how-to/run-in-ci.md", "yaml")]
    *github, gitlab, hook = [yaml(text.replace("data/shop", project)) for text in texts]
    return {each["name"]: each for each in github} | {"gitlab": gitlab, "hook": hook}


def test_the_comment_and_the_hook_run(tmp_path):
    """GitHub's comment, GitLab's, and the hook before a commit, in a clone of a project in which a
    column leaves judgement; then the test database that GitLab builds.
    """
    project = "data/iron_token_manager"
    left_out = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__", "dev_*", "backups")
    for part in (project, "sql/iron_token_manager"):
        shutil.copytree(ROOT / part, tmp_path / "origin" / part, ignore=left_out)
    (tmp_path / "origin/test_it.py").write_text("def test_it():\n    pass\n")
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]

    def git(*words, where="work", check=True):
        command = ["git", "-C", tmp_path / where, *who, *words]
        return subprocess.run(command, capture_output=True, text=True, check=check)

    git("init", "-q", "-b", "main", ".", where="origin")
    git("add", "-A", "-f", where="origin")
    git("commit", "-q", "-m", "all", where="origin")
    git("clone", "-q", "origin", "work", where=".")
    work, found = tmp_path / "work", recipes(project)
    config = work / project / "dbcycle.yaml"
    text = config.read_text()
    head, keep, rest = text.partition("keep: [")
    config.write_text(head + keep + rest.partition(", ")[2])
    values = {
        "DBCYCLE_PROJECT": str(work / project),
        "GITHUB_BASE_REF": "main",
        "CI_PROJECT_DIR": str(work),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    (job,) = found["judgement"]["jobs"].values()
    run_steps(job, work, values)
    comment = (work / "plan.md").read_text()
    assert "0 enter, 1 leave, 0 change" in comment
    (work / "plan.md").unlink()
    gitlab = found["gitlab"]
    run_steps(stages(gitlab["judgement"]), work, values)
    assert (work / "plan.md").read_text() == comment
    config.write_text(text)
    told = run_steps(stages(gitlab["test-database"]), work, values)
    assert any('"published": true' in each for each in told.values())
    (work / ".pre-commit-config.yaml").write_text(json.dumps(found["hook"]))
    hook = [Path(sys.executable).with_name("pre-commit"), "run", "--all-files"]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "hooks"),
    }
    git("add", "-A")
    good = subprocess.run(hook, cwd=work, env=environment, capture_output=True, text=True)  # noqa: PLW1510
    assert (good.returncode, "Passed" in good.stdout) == (0, True), good.stdout + good.stderr
    config.write_text(head + keep + rest.partition(", ")[2])
    git("add", "-A")
    bad = subprocess.run(hook, cwd=work, env=environment, capture_output=True, text=True)  # noqa: PLW1510
    assert bad.returncode == 1
    assert "unjudged" in bad.stdout


def stages(job):
    """Return a job of GitLab's in the form of GitHub's."""
    steps = [{"name": line, "run": line} for line in job["script"]]
    return {"env": job["variables"], "steps": steps}


def run_steps(job, folder, values):
    """Run the steps of a job as its shell would; return what each printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBCYCLE", "DAGSTER", "DATABASE", "DB_PATH"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment |= values
    for name, value in job.get("env", {}).items():
        known = "" if "${{" in value else value.replace("$CI_PROJECT_DIR", str(folder))
        environment[name] = values.get(name, known)
    told = {}
    for step in job["steps"]:
        apart = step.get("if") or "pip install" in step.get("run", "")  # another event; PostgreSQL
        if apart or "run" not in step:
            continue
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step['name']}\n{done.stdout}\n{done.stderr}"
        told[step["name"]] = done.stdout
    return told


PRACTICES = ROOT / "docs/reference/practices.md"


def test_every_practice_names_a_test_that_exists():
    """Path and name of each; a row without one says that there is nothing yet, or that it is not
    ours to keep.
    """
    known = {
        f"{path.relative_to(ROOT / 'tests')}::{node.name}"
        for path in ROOT.glob("tests/**/test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in PRACTICES.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| ---", "| there |"))
    ]
    assert len(rows) > 250
    for there, here, proof, *_page in rows:
        named = set(re.findall(r"`([\w/]+\.py::\w+)`", proof))
        assert named <= known, f"{there}: {named - known}"
        assert named or here.startswith(("not yet", "theirs")), there
