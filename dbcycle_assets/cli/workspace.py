"""``ui`` and ``server``: the programs that run beside us."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..config.model import Project
from ..errors import BadInput, Unavailable, UsageError
from .invocation import Invocation, note, of
from .text import say

FIRST_PORT = 3000
PORTS = 50

server = typer.Typer(
    help="Look after the embedded PostgreSQL of the project.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def ui(
    ctx: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="The port; default: the first free one from 3000.")
    ] = None,
) -> None:
    """Run the Dagster UI for the workspace.

    It runs with its daemon, for schedules and sensors, until Ctrl-C.
    """
    from ..defs.run import dagster_home

    invocation = of(ctx)
    project = invocation.project
    if importlib.util.find_spec("dagster_webserver") is None:
        raise Unavailable("the Dagster UI is not installed", remedy="pip install dagster-webserver")
    if port is not None and not _free(host, port):
        raise Unavailable(f"port {port} is taken", where=host, remedy="give another with --port")
    chosen = port or next((p for p in range(FIRST_PORT, FIRST_PORT + PORTS) if _free(host, p)), 0)
    folder, location = _location(project)
    home = dagster_home(project)
    os.environ["DAGSTER_HOME"] = str(home)  # inherited by Dagster's processes
    os.environ["PYTHONWARNINGS"] = "ignore"  # Dagster's beta notices, once for each asset
    command = [sys.executable, "-m", "dagster", "dev", *location]
    command += ["--host", host, "--port", str(chosen), "--log-level", "warning"]
    address = f"http://{host}:{chosen}"
    invocation.show(
        {"url": address, "dagster_home": str(home), "command": command},
        lambda: say(f"Dagster UI: {address}   (Ctrl-C stops it; instance: {home})"),
    )
    sys.stdout.flush()
    process = subprocess.Popen(command, cwd=folder, stdout=sys.stderr)
    try:
        code = process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt):
            process.wait(30)  # Dagster got the same Ctrl-C and is stopping its children
        process.terminate()
        note("the Dagster UI was stopped")
        code = 0
    if code:
        raise Unavailable(f"Dagster ended with exit code {code}", remedy="see its messages above")


def _location(project: Project) -> tuple[Path, list[str]]:
    """Return where to run Dagster, and the arguments that name the code.

    Raises:
        BadInput: the project has no code location.
    """
    for folder in (project.root, *project.root.parents):
        workspace = folder / "workspace.yaml"
        if workspace.is_file():
            return folder, ["-w", str(workspace)]
    definitions = project.root / "definitions.py"
    if definitions.is_file():
        return project.root, ["-f", str(definitions)]
    raise BadInput(
        "there is neither a workspace.yaml upwards nor a definitions.py",
        where=str(project.root),
        remedy="write definitions.py: `from pathlib import Path`, `from dbcycle_assets import "
        "build_definitions, load_project`, `defs = build_definitions(load_project("
        "Path(__file__).parent))`",
    )


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@server.command("status", epilog="\b\nExamples:\n  dbcycle server status --json")
def status(ctx: typer.Context) -> None:
    """Say whether the embedded server runs, and where."""
    invocation = of(ctx)
    _show(invocation, _facts(invocation))


@server.command("start", epilog="\b\nExamples:\n  dbcycle server start")
def start(ctx: typer.Context) -> None:
    """Start the embedded server; it is made first where there is none."""
    invocation = of(ctx)
    _require_embedded(invocation)
    with invocation.progress() as progress:
        progress("starting the embedded server")
        from ..databases import embedded

        embedded.ensure(invocation.project.state)
    _show(invocation, _facts(invocation))


@server.command("stop", epilog="\b\nExamples:\n  dbcycle server stop")
def stop(ctx: typer.Context) -> None:
    """Stop the embedded server; its databases stay."""
    from ..artifacts import project_lock
    from ..databases import embedded

    invocation = of(ctx)
    _require_embedded(invocation)
    with project_lock(invocation.project.state, "server stop"), invocation.progress() as progress:
        progress("stopping the embedded server")
        embedded.stop(invocation.project.state)
    _show(invocation, _facts(invocation))


def _require_embedded(invocation: Invocation) -> None:
    from ..config import credentials

    project = invocation.project
    if project.config.engine == "sqlite":
        raise UsageError("a SQLite project has no server", where=project.name)
    if credentials.target_url(project, "test") is not None:
        raise UsageError(
            "this project uses a server of yours, not the embedded one",
            where=project.name,
            remedy="look after it with its own tools",
        )


def _facts(invocation: Invocation) -> dict[str, object]:
    from ..databases import embedded

    project = invocation.project
    known = dict(embedded.facts(project.state)) if project.config.engine != "sqlite" else {}
    return {"engine": project.config.engine, "running": False, "port": None, "data": None} | known


def _show(invocation: Invocation, facts: dict[str, object]) -> None:
    def for_people() -> None:
        if facts["engine"] == "sqlite":
            say("SQLite needs no server")
        elif facts["running"]:
            say(f"running on port {facts['port']}; data in {facts['data']}", style="green")
        elif facts["data"]:
            say(f"stopped; data in {facts['data']}")
        else:
            say("not made yet; `dbcycle server start` or any refresh makes it")

    invocation.show(facts, for_people)
