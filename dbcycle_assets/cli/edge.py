"""The one edge where errors become messages and exit codes, and where secrets are redacted."""

import json
import os
import re
import shlex
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import typer

from ..config import credentials
from ..errors import Cancelled, DbCycleError, DiskUnavailable, UsageError

UNEXPECTED = 1
AGAIN = 0.05
"""Seconds after which a stop that Python ignored comes again."""

_HINTS = re.compile(r"(Did you mean [^?]+\?)(?: \(?Did you mean .*)", re.DOTALL)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. Nothing is raised."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    own = words[: words.index("--")] if "--" in words else words
    debug = "--debug" in own
    credentials.keep_out_of_core_dumps()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a terminal without UTF-8 still gets every message
            reconfigure(errors="replace")
    try:
        with warnings.catch_warnings(), _stopped_by_signals():
            if not debug:
                warnings.simplefilter("ignore")
            code = _command(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`| head`): no message, and no second error at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except SystemExit as end:  # whoever raised it has said why
        return end.code if isinstance(end.code, int) else UNEXPECTED
    except BaseException as error:  # noqa: BLE001 - this is the edge
        return _explain(error, _project(own), as_json="--json" in own, debug=debug)
    return code


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let what a scheduler, a container or a closed terminal sends stop a command as Ctrl-C does:
    what is half-made is taken away, and the lock is freed. Where Python can only ignore it, as in a
    destructor, it comes again a moment later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    again: list[threading.Timer] = []
    report, main = sys.unraisablehook, threading.get_ident()

    def ignored(found: "sys.UnraisableHookArgs") -> None:
        if issubclass(found.exc_type, Exception):
            report(found)
            return
        again.append(threading.Timer(AGAIN, signal.pthread_kill, [main, signal.SIGINT]))
        again[-1].start()

    # Under nohup, a closed terminal stops nothing.
    heeded = [signal.SIGTERM]
    heeded += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []
    former = {each: signal.signal(each, stop) for each in heeded}
    sys.unraisablehook = ignored
    try:
        yield
    finally:
        for timer in again:
            timer.cancel()
        sys.unraisablehook = report
        for each, handler in former.items():
            signal.signal(each, handler)


def _command(words: list[str]) -> int:
    from .app import app

    result = app(words, prog_name="dbcycle", standalone_mode=False)
    if result == Cancelled.exit_code:  # typer swallows Ctrl-C and returns its exit code
        raise KeyboardInterrupt
    return result if isinstance(result, int) else 0


def _project(words: Sequence[str]) -> str:
    """Return the words that choose the project, as the commands that we name need them too."""
    for at, word in enumerate(words):
        if word in {"--project", "-p"} and at + 1 < len(words):
            return f" --project {shlex.quote(words[at + 1])}"
        if word.startswith("--project="):
            return f" --project {shlex.quote(word.partition('=')[2])}"
    return ""


def _explain(error: BaseException, project: str, *, as_json: bool, debug: bool) -> int:
    """Print one message for an error, and return its exit code."""
    kind, message, code = _describe(error)
    message = credentials.redact(message).replace("`dbcycle ", f"`dbcycle{project} ")
    if debug and not isinstance(error, click.ClickException):
        typer.echo(credentials.redact("".join(traceback.format_exception(error))), err=True)
    typer.echo(f"dbcycle: {message}", err=True)
    if as_json:
        document = {"error": {"kind": kind, "message": message, "exit_code": code}}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    return code


def _describe(error: BaseException) -> tuple[str, str, int]:
    """Return the kind, the message and the exit code of an error."""
    if isinstance(error, DbCycleError):
        return type(error).__name__, str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        stopped = "stopped; nothing half-made was kept"
        return "Cancelled", stopped, Cancelled.exit_code
    if isinstance(error, click.ClickException):
        return "UsageError", _usage(error), UsageError.exit_code
    if isinstance(error, OSError) and error.errno in DiskUnavailable.ERRNOS:
        where = f"{error.filename}: " if error.filename else ""
        remedy = "\n  → see that the disk has room and that the place is yours, then run again"
        return (
            "DiskUnavailable",
            f"{where}{os.strerror(error.errno)}{remedy}",
            DiskUnavailable.exit_code,
        )
    # The text of a foreign exception may hold a row or a password, so only its class is shown.
    where = _where(error)
    message = f"unexpected {type(error).__name__}{where}\n  → run again with --debug to see more"
    return "Unexpected", message, UNEXPECTED


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "dbcycle"
    # Both click and typer suggest a command, one behind the other.
    message = _HINTS.sub(r"\1", error.format_message())
    return f"{message[:1].lower()}{message[1:].rstrip('.')}\n  → see `{command} --help`"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "dbcycle_assets" in frame.filename]
    return f" in {os.path.basename(own[-1].filename)}:{own[-1].lineno}" if own else ""  # noqa: PTH119
