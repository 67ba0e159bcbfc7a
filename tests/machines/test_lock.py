"""One command or one run has a project at a time; the steps of one run have it together."""

import multiprocessing
from contextlib import ExitStack, suppress

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import Extracts
from dbcycle_assets.cycle.lock import holding, one_at_a_time
from dbcycle_assets.errors import Locked

FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=["one machine", "two machines"])
def places(request, tmp_path, server, monkeypatch):
    """The project as two processes have it: in one folder, or in two that share a server."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        config = "name: shop\nsource: {dump: a.dump}\ntables: {}\n"
        if request.param == "two machines":
            config += "targets: {test: {url_env: SHOP_SERVER}}\n"
        (folder / "dbcycle.yaml").write_text(config)
    return load_project(here), load_project(there if request.param == "two machines" else here)


class Other:
    """Another process that holds a project until it is told to stop."""

    def __init__(self, project, action, run):
        self._held, self._done = FORK.Event(), FORK.Event()
        self.process = FORK.Process(target=self._hold, args=(project, action, run))
        self.process.start()
        assert self._held.wait(30)

    def _hold(self, project, action, run):
        with suppress(Locked), holding(project, action, run):
            self._held.set()
            self._done.wait(60)

    def stop(self):
        self._done.set()
        self.process.join(30)

    def kill(self):
        self.process.kill()
        self.process.join(30)


def test_steps_of_one_run_work_at_once(places):
    """Two processes hold the project for the same run."""
    here, there = places
    other = Other(there, "extracts_users", "11111111-a")
    with holding(here, "extracts_orders", "11111111-a"):
        assert other.process.is_alive()
    other.stop()


def test_another_run_is_told_who_holds_the_project(places):
    """A second run, and a command, are refused with the first run's name, action and time."""
    here, there = places
    other = Other(there, "extracts_users", "11111111-a")
    for run in ("22222222-b", ""):
        with (
            pytest.raises(Locked, match=r"run 11111111.*extracts_users.*since 20"),
            ExitStack() as s,
        ):
            s.enter_context(holding(here, "refresh", run))
    other.stop()


def test_a_command_is_alone(places):
    """While a command works, no step of any run does."""
    here, there = places
    other = Other(there, "restore", "")
    with pytest.raises(Locked, match="restore"), ExitStack() as stack:
        stack.enter_context(holding(here, "extracts_users", "11111111-a"))
    other.stop()
    with holding(here, "extracts_users", "11111111-a"):
        pass


def test_the_lock_of_a_killed_step_goes_with_it(places):
    """Nothing has to be unlocked by hand."""
    here, there = places
    other = Other(there, "extracts_users", "11111111-a")
    other.kill()
    with holding(here, "refresh"):
        pass


def test_the_lock_stays_until_the_last_step_leaves(places):
    """A step that ends early does not let another run in."""
    here, there = places
    with holding(here, "extracts_orders", "11111111-a"):
        pass
    first = Other(there, "extracts_users", "11111111-a")
    with holding(here, "extracts_orders", "11111111-a"):
        pass
    with pytest.raises(Locked), ExitStack() as stack:
        stack.enter_context(holding(here, "refresh", "22222222-b"))
    first.stop()


def test_a_process_enters_again(places):
    """A command holds the project; the steps that run inside it are of a run."""
    here, _there = places
    with holding(here, "refresh"), holding(here, "extracts", "11111111-a"):
        pass
    with holding(here, "refresh"):
        pass


def _in_turn(project, log):
    with one_at_a_time(project, "seeded"):
        with log.open("a") as file:
            file.write("in\n")
        with log.open("a") as file:
            file.write("out\n")


def test_what_one_step_may_do_is_done_in_turn(places, tmp_path):
    """Steps of the same run wait for each other where they change the same thing."""
    log = tmp_path / "log"
    workers = [FORK.Process(target=_in_turn, args=(places[n % 2], log)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert log.read_text() == "in\nout\n" * 8


def _write_for_ever(folder, started):
    with Extracts(folder).write("users", (("id", "int"),), {}) as writer:
        writer.write(b"1\n", 1)
        started.set()
        FORK.Event().wait(60)


def test_only_leftovers_of_the_dead_are_removed(tmp_path):
    """A part file of a step that works is not swept away by another step's start."""
    store, started = Extracts(tmp_path), FORK.Event()
    writer = FORK.Process(target=_write_for_ever, args=(tmp_path, started))
    writer.start()
    assert started.wait(30)
    store.remove_leftovers()
    assert len(list(tmp_path.glob(".*.part"))) == 1
    writer.kill()
    writer.join(30)
    store.remove_leftovers()
    assert not list(tmp_path.glob(".*.part"))
