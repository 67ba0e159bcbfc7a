"""A stop ends work at its points, wherever the signal arrives; nothing of it is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

BEGIN = """
import os, signal, sys, threading, time
from pathlib import Path
from dbcycle_assets.databases import stopping
from dbcycle_assets.errors import Cancelled

def strike(number=signal.SIGINT):
    os.kill(os.getpid(), number)

def stopped(work):
    try:
        stopping.stoppable(work)
    except KeyboardInterrupt:
        print("stopped")
    except Cancelled:
        print("all was done")
    else:
        print("lost")
"""


def start(script, *words, **named):
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(script), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **named,
    )


def told(script, *words, code=0):
    """Run a script to its end; return what it printed."""
    process = start(script, *words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert "Exception ignored" not in err
    return out.split("\n")[:-1], err


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_in_a_destructor_is_not_lost(number):
    """Python only prints an exception that is raised there."""
    script = f"""
    class Deaf:
        def __del__(self):
            strike(signal.{number})

    def work():
        Deaf()
        while True:
            time.sleep(0.01)
            stopping.point()

    stopped(work)
    """
    assert told(script)[0] == ["stopped"]


def test_a_stop_behind_a_lock_leaves_it_to_be_had():
    """A signal handler's exception there would be raised before the block that lets go of it."""
    script = """
    from concurrent.futures import ThreadPoolExecutor
    condition = threading.Condition()
    enter = threading.Condition.__enter__

    def struck(self):
        entered = enter(self)
        if self is condition:
            strike()
            time.sleep(0.3)
        return entered

    threading.Condition.__enter__ = struck

    def work():
        with condition:
            pass
        with ThreadPoolExecutor(1) as pool:
            pool.submit(condition.acquire).result()
        print("had again")
        stopping.point()

    stopped(work)
    """
    assert told(script)[0] == ["had again", "stopped"]


def test_what_tidies_up_is_not_stopped_too():
    """While an error is handled, points let work pass; the error is told as a stop all the same."""
    script = """
    def work():
        try:
            strike()
            while True:
                time.sleep(0.01)
                stopping.point()
        except BaseException:
            stopping.point()
            print("tidied", stopping.asked())
            raise

    stopped(work)
    print(stopping.asked())
    """
    assert told(script)[0] == ["tidied True", "stopped", "False"]


def test_a_stop_when_everything_is_done_is_told_as_that():
    """It is neither lost nor told as if nothing was made."""
    script = """
    def work():
        strike()
        time.sleep(0.3)

    stopped(work)
    """
    assert told(script)[0] == ["all was done"]


def test_an_error_is_the_error_it_was():
    """So is what work returns, and the handlers that were there before."""
    script = """
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    print(stopping.stoppable(lambda: 7))
    try:
        stopping.stoppable(lambda: 1 / 0)
    except ZeroDivisionError:
        print("error")
    print(before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)])
    """
    assert told(script)[0] == ["7", "error", "True"]


def test_a_second_stop_ends_at_once():
    """A second after the first; one that follows at once is the same Ctrl-C, passed on."""
    script = """
    stopping.TWICE = 0.5
    strike_later = lambda after: threading.Timer(after, strike).start()

    def work():
        for after in (0.0, 0.1, 1.0):
            strike_later(after)
        time.sleep(60)

    stopped(work)
    """
    started = time.monotonic()
    out, err = told(script, code=130)
    assert out == []
    assert "dbcycle refresh" in err
    assert time.monotonic() - started < 50


def test_work_that_comes_to_no_point_is_ended():
    """A step of the user's own may wait for something that we know nothing of."""
    script = """
    stopping.GRACE = 0.5

    def work():
        strike()
        time.sleep(60)

    stopped(work)
    """
    assert "at once" in told(script, code=130)[1]


def test_an_ignored_signal_stays_ignored():
    """Under `nohup`, a closed terminal stops nothing."""
    script = """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def work():
        strike(signal.SIGHUP)
        time.sleep(0.3)
        stopping.point()

    stopped(work)
    """
    assert told(script)[0] == ["lost"]


def test_a_program_can_be_ended_where_sigterm_was_ignored():
    """It would inherit that, as what Dagster starts did, and only be killed."""
    script = """
    import subprocess

    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def work():
        program = subprocess.Popen(["sleep", "60"])
        program.terminate()
        print(program.wait(20))

    stopping.stoppable(work)
    """
    assert told(script)[0] == ["-15"]


def test_a_program_is_ended():
    """Whatever it waits for."""
    script = """
    from dbcycle_assets.databases.postgres.clients import run

    def work(run):
        threading.Timer(0.3, strike).start()
        run()

    stopped(lambda: work(lambda: stopping.run(["sleep", "60"])))
    stopped(lambda: work(lambda: run(["sleep", "60"], {})))
    """
    assert told(script)[0] == ["stopped", "stopped"]


def test_a_long_statement_of_sqlite_is_ended(tmp_path):
    """And its session takes further ones, as what tidies up needs."""
    script = """
    from dbcycle_assets.databases.sqlite.session import connect
    connection = connect(Path(sys.argv[1]), "rwc")
    long = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT max(n) FROM s"

    def work():
        threading.Timer(0.3, strike).start()
        try:
            connection.execute(long)
        except Exception:
            print(connection.execute("SELECT 1").fetchone())
            raise KeyboardInterrupt from None

    stopped(work)
    """
    assert told(script, str(tmp_path / "a.db"))[0] == ["(1,)", "stopped"]


def test_a_long_statement_of_postgresql_is_cancelled(server):
    """On the server too, and its session takes further ones, as what tidies up needs."""
    script = """
    from dbcycle_assets.databases.postgres.session import connect
    connection = connect(sys.argv[1])

    def work():
        threading.Timer(0.3, strike).start()
        try:
            connection.execute("SELECT pg_sleep(60)")
        except BaseException:
            print(connection.execute("SELECT 1 AS one").fetchone())
            raise

    stopped(work)
    """
    assert told(script, server.url("postgres"))[0] == ["{'one': 1}", "stopped"]


def test_a_closed_terminal_stops_a_command_but_under_nohup(tmp_path):
    """Every command, not only those that work in a thread."""
    script = """
    from dbcycle_assets.cli import edge
    print(edge._command)
    def command(_words):
        print("begun", flush=True)
        time.sleep(1.5)
        return 0

    edge._command = command
    sys.exit(edge.run([]))
    """
    for handler, code in ((signal.SIG_DFL, 130), (signal.SIG_IGN, 0)):
        process = start(script, preexec_fn=lambda h=handler: signal.signal(signal.SIGHUP, h))
        process.stdout.readline()
        assert process.stdout.readline() == "begun\n"
        os.kill(process.pid, signal.SIGHUP)
        process.communicate(timeout=60)
        assert process.returncode == code
