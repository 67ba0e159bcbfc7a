"""What real runs say, start and leave holds no secret and nobody of production.

The runs of a story are made once; each test looks at what they left. A refresh that succeeds is
among them, and ones that fail at every stage, with --debug, which tells the most.
"""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request

import pytest

from .kit import BROKEN_MASK, FILES, PYTHON_STEP, STEPS, TOOLS, Story
from .search import Search, forms, needles_of_person, needles_of_secret

DEBUG = ("--debug", "--verbose", "refresh")


def tell(story):
    """Make the runs of a story."""
    postgresql = story.engine == "postgresql"
    if postgresql:
        wrong, other = (
            re.sub(r":[^:@]+@", ":another-one@", story.secrets[name])
            for name in ("SECRECY_SERVER", "SECRECY_SOURCE")
        )
        story.run("a wrong password", *DEBUG, code=9, SECRECY_SERVER=wrong)
        story.run("a download refused", *DEBUG, "--download-recent", code=9, SECRECY_SOURCE=other)
    story.write("masks.py", BROKEN_MASK)
    story.run("a broken mask", *DEBUG, code=7)
    story.write("masks.py", FILES["masks.py"])
    for name, text in {**STEPS[story.engine], "2_step.py": PYTHON_STEP}.items():
        story.write(f"sql/{name}", text)
        story.run(f"migration {name}", *DEBUG, code=7)
        (story.root / "sql" / name).unlink()
    story.run_and_kill("a kill", b"extracting", "--verbose", "refresh")
    story.run("a success", *DEBUG[:-1], "--json", "refresh", *(["--download-recent"] * postgresql))
    if not postgresql:
        story.run("a report", "report")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request, tmp_path_factory):
    """A project on each engine in turn, after its runs."""
    root = tmp_path_factory.mktemp("secrecy") / "shop"
    server = request.getfixturevalue("server") if request.param == "postgresql" else None
    made = Story(request.param, root, server)
    try:
        with made.sampler:
            tell(made)
        yield made
    finally:
        made.close()


@pytest.mark.case(101, 122)
def test_nothing_that_is_left_tells_a_secret_or_a_person(story):
    """Messages, tracebacks, Dagster's storage, extracts, reports, temporary files, the published
    databases, the server's log, arguments and environments of programs: no six bytes of a secret.
    """
    assert sorted(story.look(), key=str) == []
    looked_at = story.search.looked_at
    assert looked_at["messages"] >= 6
    assert looked_at[".dbcycle"] >= 10
    assert looked_at["extracts"] >= 2
    assert looked_at["arguments"] >= 5
    if story.engine == "postgresql":
        assert {"pg_dump", "pg_restore"} <= story.sampler.programs()
        assert looked_at["environments"] >= 2
        assert looked_at["databases"] >= 2


def test_a_program_of_ours_has_a_secret_only_where_the_user_put_it(story):
    """Its own variable, and no other one."""
    assert story.strange_variables() == set()
    assert {name for name, _ in story.sampler.environments} - TOOLS


def test_what_a_run_needs_is_shut_to_others(story):
    """The folder of state has mode 0700, what holds raw rows 0600, and nothing lies about."""
    assert story.loose() == []
    raw = [path for path in (story.root / ".dbcycle").rglob("*") if path.is_file()]
    raw = [path for path in raw if story.raw(path) or "originals" in path.parts]
    assert not [p for p in raw if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert list(story.temporary.iterdir()) == []
    if story.engine == "postgresql":
        roles = {name.rpartition("_")[2] for name in story.databases()}
        assert not roles & {"restoring", "migrating", "staging", "replaced"}


def test_the_search_finds_what_is_planted(story):
    """In a copy of a real channel, in each form: a search that finds nothing must be able to."""
    storage = next((story.root / ".dbcycle/dagster").rglob("*.db")).read_bytes()
    for name, needles, text in (
        ("secret", needles_of_secret, story.secrets["SECRECY_KEY"]),
        ("person", needles_of_person, story.marks[0]),
    ):
        for form, planted in forms(text):
            search = Search()
            search.add(name, needles(text))
            if form != "lower case" or name == "person":
                middle = len(storage) // 2
                assert search.look("x", form, storage[:middle] + planted + storage[middle:]), form
    search = Search()
    search.add("secret", needles_of_secret(story.secrets["SECRECY_KEY"]))
    assert search.look("x", "x", b"before" + story.secrets["SECRECY_KEY"].encode()[9:15] + b"after")
    assert not search.look("x", "x", storage)


def test_a_rule_that_keeps_what_it_should_mask_is_seen_by_the_search(tmp_path):
    """With a deliberately broken rule people are found in the extract: the search is no idle one."""
    story = Story("sqlite", tmp_path / "shop")
    story.write("masks.py", "def code(value, secret):\n    return 'x' + value[::-1]\n")
    story.start("refresh").communicate()
    for path in (story.root / "extracts").glob("*"):
        story.search.look("extracts", path.name, path.read_bytes())
    found = {hit.form for hit in story.search.hits}
    assert "reversed" in found, found


@pytest.mark.parametrize("hard", ["infinity", "0"])
def test_no_run_leaves_a_core_dump(tmp_path, hard):
    """Killed with the signal that asks for one, though the user's limits allow it; nor its
    children."""
    code = """
import os, resource, signal, subprocess, sys
from dbcycle_assets.cli import main
main(["--version"])
soft, _ = resource.getrlimit(resource.RLIMIT_CORE)
child = subprocess.run(
    [sys.executable, "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[0])"],
    capture_output=True, text=True, check=True)
print(soft, child.stdout.strip(), flush=True)
os.kill(os.getpid(), signal.SIGQUIT)
"""

    def limit():
        import resource

        most = resource.RLIM_INFINITY if hard == "infinity" else 0
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == -signal.SIGQUIT, done.stderr
    assert done.stdout.split()[-2:] == (["1", "1"] if hard == "infinity" else ["0", "0"])
    assert not [path for path in tmp_path.iterdir() if "core" in path.name]


QUERY = """{ runsOrError { ... on Runs { results { runId status tags { key value } runConfigYaml
  eventConnection { events { ... on MessageEvent { message }
  ... on ErrorEvent { error { message stack causes { message stack } } }
  ... on MaterializationEvent { label description metadataEntries { label description
    ... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString }
    ... on MarkdownMetadataEntry { mdStr } } } } } } } }
  assetNodes { assetKey { path } description metadataEntries { label
    ... on TextMetadataEntry { text } ... on PathMetadataEntry { path } } } }"""


@pytest.mark.parametrize("story", ["postgresql"], indirect=True)
def test_dagsters_own_server_tells_nothing(story):
    """Its answers about the runs, those that failed included, and what it says to its log."""
    story.write(
        "definitions.py",
        "from pathlib import Path\nfrom dbcycle_assets import build_definitions, load_project\n"
        "defs = build_definitions(load_project(Path(__file__).parent))\n",
    )
    process = story.start("--json", "ui")
    try:
        with story.sampler.__class__() as sampler:
            answer = _asked(process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        out, err = process.communicate()
    document = json.loads(answer)
    assert "errors" not in document, document["errors"]
    assert len(document["data"]["runsOrError"]["results"]) >= 3
    search = story.search.__class__()
    search.__dict__.update(story.search.__dict__, hits=set(), looked_at={})
    search.look("answers", "GraphQL", answer)
    search.look("messages", "output of ui", out + err)
    for name, words in sampler.arguments:
        search.look("arguments", name, words)
    assert search.hits == set()


def _asked(process):
    """Ask Dagster's server for all that it knows, once it is up."""
    text = ""
    for line in process.stdout:
        text += line.decode()
        if line.startswith(b"}"):
            break
    address = json.loads(text)["url"] + "/graphql"
    request = urllib.request.Request(  # noqa: S310 - our own server
        address, json.dumps({"query": QUERY}).encode(), {"Content-Type": "application/json"}
    )
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                return answer.read()
        except urllib.error.HTTPError as error:
            return error.read()
        except OSError:
            assert process.poll() is None
            time.sleep(0.2)
    raise AssertionError("the server never came up")
