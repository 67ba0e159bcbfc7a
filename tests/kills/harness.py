# ruff: noqa: S311, C901
"""Rounds: change the project, start a run, fault it, look, run again, compare."""

import contextlib
import faulthandler
import os
import random
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import psycopg

from dbcycle_assets.databases import embedded

from .operations import Operations
from .world import ROLES, World, mounted

SOON = ("SIGKILL", "SIGKILL to the group", "SIGTERM", "SIGINT")
SERVER = (
    "session ended",
    "all sessions ended",
    "server stopped",
    "server killed",
    "connections taken",
)
DISKS = ("disk full", "server's disk full")
STEPS = {
    "kill before operation N": "kill",
    "ENOSPC at operation N": "disk",
    "session ended at operation N": "session",
    "SIGINT at operation N": "stop",
}
"""Each kind with what `Operations` calls it."""
PATIENCE = 180.0

CHAIN = 4
RESET = ["db", "reset", "--env", "development", "--seed"]
PUBLISH = ["refresh", "--select", 'key:"shop/test_db"']
COMMANDS = [["refresh"]] * 8 + [["refresh", "--all"], ["refresh", "--download-recent"]] * 2
COMMANDS += [RESET, RESET, PUBLISH]

DIRTY = 6
GOOD_ENDS = {0, 9, 130, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}


@dataclass
class Round:
    """One faulted run and what was seen of it."""

    kind: str
    words: list
    seed: int
    moved: str = ""
    code: int | None = None
    fell: str = ""
    stage: str = ""
    operation: int = 0
    inside: bool = False
    wrong: list = field(default_factory=list)


class Harness:
    """Runs rounds on one world and keeps what each state looks like undisturbed."""

    def __init__(self, engine, root, *, seed, small_disks=True, say=print):
        self.world = World(engine, root)
        self.random, self.seed, self.say = random.Random(seed), seed, say
        self.operations = Operations(root)
        self.rounds = []
        self.expected, self.times, self.counts = {}, defaultdict(lambda: 5.0), {}
        self.at = None
        self.disks = [d for d in DISKS if small_disks and self._mount(d)]

    # --- disks ----------------------------------------------------------------------------------

    def _mount(self, disk):
        world = self.world
        if disk == "disk full":
            world.state.mkdir(exist_ok=True)
            self.folders = []
            for name in ("extracts", ".dbcycle/records"):
                (world.root / name).mkdir(parents=True, exist_ok=True)
            if not mounted(world.root / "extracts", 24):
                return False
            self.folders.append(world.root / "extracts")
            if not mounted(world.state, 256):
                return False
            self.folders.append(world.state)
            return True
        if world.engine != "postgresql":
            return False
        embedded.ensure(world.state)
        embedded.stop(world.state)
        cluster = embedded._cluster(world.state)
        self.cluster = cluster if mounted(cluster, 700) else None
        embedded.ensure(world.state)
        return self.cluster is not None

    def close(self):
        with contextlib.suppress(Exception):
            embedded.stop(self.world.state)
        for folder in [*getattr(self, "folders", [])[::-1], getattr(self, "cluster", None)]:
            if folder is not None:
                os.system(f"umount '{folder}'")  # noqa: S605
        self.world.close()

    # --- one run --------------------------------------------------------------------------------

    def start(self, words, *, operation=0, fault=""):
        """Start one command in a process of its own; return its id."""
        operations, environment = self.operations, self.world.environment
        operations.forget()
        operations.target, operations.fault = operation, fault
        if self.world.engine == "postgresql":
            operations.admin = embedded.ensure(self.world.state).url(embedded.ADMIN)
        sys.stdout.flush()
        sys.stderr.flush()
        self.began = time.monotonic()
        process = os.fork()
        if process:
            return process
        code = 70
        try:
            os.setsid()
            self._become(environment)
            operations.watch()
            from dbcycle_assets.cli import main

            code = main(["--project", str(self.world.root), "--yes", *words])
            sys.stdout.flush()
        except BaseException:  # noqa: BLE001 - the process ends here
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def _become(self, environment):
        from dbcycle_assets.databases.postgres import streams

        os.environ.clear()
        os.environ.update(environment)
        os.chdir(self.world.root)
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                signum, signal.default_int_handler if signum == signal.SIGINT else signal.SIG_DFL
            )
        streams.WORTH = 1 << 14  # so that small tables go through psql as large ones do
        told = os.open(self.world.root.parent / "told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(told, 1)
        os.dup2(told, 2)
        faulthandler.register(signal.SIGUSR1, all_threads=True)

    def wait(self, process, seconds=PATIENCE):
        """Return how a process ended: its exit code, or minus its signal; None if it hangs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(process, signal.SIGUSR1)  # it tells where it hangs
        time.sleep(1)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return None

    @property
    def told(self):
        return (self.world.root.parent / "told").read_text(errors="replace")

    def run(self, *words):
        """Run a command undisturbed; return its exit code."""
        return self.wait(self.start(list(words)))

    # --- what is expected -----------------------------------------------------------------------

    def learn(self):
        """Go to every state undisturbed, and keep what each looks like."""
        for state in [*World.STATES, World.STATES[0]]:
            self.world.enter(state)
            started = time.monotonic()
            code = self.wait(self.start(["refresh"], fault="none"))
            assert code == 0, self.told
            self.times["refresh"] = time.monotonic() - started
            self.counts["refresh"] = self.operations.told[0]
            self.at = state
            seen = self.look()
            assert self.expected.setdefault(state, seen) == seen, "two undisturbed runs differ"
        self.world.enter(World.STATES[-1])
        assert self.wait(self.start(["refresh"], fault="disk")) == 0, self.told
        self.at, self.counts["disk"] = World.STATES[-1], self.operations.told[0]
        self.say(
            f"  undisturbed: {self.times['refresh']:.1f} s, {self.counts['refresh']} operations"
        )
        assert self.run("db", "setup", "--env", "development") == 0, self.told
        self.direct = self.world.published("dbcycle_shop_db_development")
        assert self.wait(self.start(RESET, fault="none")) == 0, self.told
        self.times["db"], self.counts["db"] = 3.0, self.operations.told[0]
        self.scenery = (self.world.databases(), self.world.files())

    def look(self):
        return {"published": self.world.published(), "extracts": self.world.extracts()}

    # --- one round ------------------------------------------------------------------------------

    def chain(self, kinds, *, number=0, words=None):
        """Fault one run after another, then go on undisturbed and compare."""
        done, former = [], self.at
        for kind in kinds:
            one, former = self.round(kind, former, number=number, words=words)
            done.append(one)
        try:
            self._go_on(done[-1], self.random, former)
        except Exception as error:  # noqa: BLE001 - what cannot be judged has failed
            done[-1].wrong.append(f"{type(error).__name__}: {error}")
        for one in done:
            if one.wrong:
                self._tell(one)
        if any(one.wrong for one in done):
            self._mend()
        return done

    def _tell(self, one):
        self.say(
            f"  WRONG {one.kind}, `{' '.join(one.words)}`, {one.moved}, at {one.operation} "
            f"({one.fell}), exit {one.code}:\n    " + "\n    ".join(one.wrong)
        )

    def round(self, kind, former, *, number=0, words=None):
        """Change the project, start a run, fault it and look; return the project's state too."""
        seed = self.random.getrandbits(32)
        choose = random.Random(seed)
        self.world.by_url = self.world.engine == "postgresql" and choose.random() < 0.3
        words = words or choose.choice(COMMANDS)
        state = choose.choice([s for s in World.STATES if s != former])
        if words == PUBLISH:
            self.world.cycle().ledger.forget("test_db")
        if words in (RESET, PUBLISH):
            state = former
        done = Round(kind, words, seed, moved=f"{'/'.join(former)} to {'/'.join(state)}")
        self.world.enter(state)
        self.rounds.append(done)
        try:
            before = self.world.published()
            self._faulted(done, words, choose, number)
            self._look_after(done, before, state)
        except Exception as error:  # noqa: BLE001 - what cannot be judged has failed
            done.wrong.append(f"{type(error).__name__}: {error}")
        return done, state

    def _faulted(self, done, words, choose, number):
        family = "db" if words[0] == "db" else "refresh"
        count, usual = self.counts[family], self.times[family]
        fault = STEPS.get(done.kind, "")
        if fault:
            count = self.counts["disk"] if fault == "disk" else count
            operation = number or choose.randint(1, count)
            process = self.start(words, operation=operation, fault=fault)
        else:
            process = self.start(words)
            time.sleep(choose.uniform(0.05, 0.9 * usual))
        with contextlib.ExitStack() as stack:
            ended, _ = os.waitpid(process, os.WNOHANG) if not fault else (0, 0)
            if ended:
                done.code = 0
            else:
                if not fault:
                    stack.enter_context(self._strike(done.kind, process, choose))
                    done.operation, done.fell, done.stage = *self.operations.told, self._stage()
                done.code = self.wait(process)
                if fault:
                    done.operation, done.fell, done.stage = *self.operations.told, self._stage()
                done.inside = not fault or done.operation >= operation
        if done.code is None:
            done.wrong.append(f"it hung: {self.told[-6000:]}")
        # Of what a killed run left half-way, nothing is published before a whole refresh.
        elif done.code not in GOOD_ENDS and not (words == PUBLISH and done.code == DIRTY):
            why = self.world.unknown() if done.code == 1 else ""
            done.wrong.append(f"ended with {done.code}: {self._last()} {why}")
        if fault == "stop" and words[0] == "refresh" and done.inside and done.code != 130:
            done.wrong.append(f"a stop was lost, exit {done.code}: {self._last()}")
        if "Traceback" in self.told:
            at = self.told.index("Traceback")
            done.wrong.append(f"a traceback: {self.told[max(0, at - 200) : at + 3000]}")

    def _stage(self):
        """Return the first word of what the run last told of its progress."""
        found = re.findall(r"^ *[\d.]+ s  (\w+)", self.told, re.MULTILINE)
        return found[-1] if found else "beginning"

    def _last(self):
        lines = [line for line in self.told.splitlines() if line.strip()]
        return " / ".join(lines[-4:])

    @contextlib.contextmanager
    def _strike(self, kind, process, choose):
        if kind == "SIGKILL to the group":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
        elif kind in SOON:
            os.kill(process, getattr(signal, kind))
        elif kind in {"session ended", "all sessions ended"}:
            self._end_sessions(kind, choose)
        elif kind == "server stopped":
            embedded.stop(self.world.state)
        elif kind == "server killed":
            self._kill_server()
        elif kind == "connections taken":
            with self._taken():
                yield
            return
        elif kind in DISKS:
            with self._full(kind):
                yield
            return
        yield

    def _admin(self):
        return psycopg.connect(
            embedded.ensure(self.world.state).url(embedded.ADMIN), autocommit=True
        )

    def _end_sessions(self, kind, choose):
        with self._admin() as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'dbcycle' AND datname IS NOT NULL"
            ).fetchall()
            chosen = found if kind.startswith("all") else found and [choose.choice(found)]
            for (pid,) in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    def _kill_server(self):
        data = embedded._cluster(self.world.state) / "data"
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def _taken(self):
        """Take every connection that the server has, for a while."""
        url, held = embedded.ensure(self.world.state).url(), []
        try:
            with contextlib.suppress(psycopg.Error):
                while len(held) < 200:
                    held.append(psycopg.connect(url))
            yield
        finally:
            for connection in held:
                connection.close()

    @contextlib.contextmanager
    def _full(self, kind):
        folders = self.folders if kind == "disk full" else [self.cluster]
        ballast = [folder / ".ballast" for folder in folders]
        try:
            for file in ballast:
                with contextlib.suppress(OSError), file.open("wb", buffering=0) as stream:
                    while True:
                        stream.write(bytes(1 << 16))
                with contextlib.suppress(OSError), file.open("ab", buffering=0) as stream:
                    while True:
                        stream.write(b"x" * 512)
            yield
        finally:
            for file in ballast:
                file.unlink(missing_ok=True)

    def _look_after(self, done, before, state):
        """Look at what the fault left, before anything is run."""
        world = self.world
        if world.published() not in {before, self.expected[state]["published"]}:
            done.wrong.append("the published database is neither the former nor the new one")
        world.usable()
        world.whole_files()

    def _go_on(self, done, choose, state):
        """Run again, as told or back to where it was, and compare with an undisturbed run."""
        world = self.world
        if any(one.words == RESET for one in self.rounds[-CHAIN:]):
            if self.run(*RESET) != 0:
                done.wrong.append(f"the next `db reset` failed: {self._last()}")
            if world.published("dbcycle_shop_db_development") != self.direct:
                done.wrong.append("the development database is another than undisturbed")
        goal = choose.choice([state, state, self.at])
        world.enter(goal)
        if self.run("refresh") != 0:
            done.wrong.append(f"the next refresh failed: {self._last()}")
        self.times["refresh"] = 0.7 * self.times["refresh"] + 0.3 * (time.monotonic() - self.began)
        self.at = goal
        seen, expected = self.look(), self.expected[goal]
        for what, content in expected.items():
            if seen[what] != content:
                done.wrong.append(f"after the next refresh {what} differ from an undisturbed run")
        databases, files = self.scenery
        if more := [n for n in world.databases() if n not in databases]:
            done.wrong.append(f"databases left: {more}")
        if more := [n for n in world.files() if n not in files]:
            done.wrong.append(f"files left: {more}")
        alive, version = world.events()
        if alive:
            done.wrong.append(f"Dagster takes runs for alive that are dead: {alive}")
        record = world.cycle().ledger.get("test_db")
        if record is None or record.data_version != version:
            done.wrong.append("Dagster's last event of test_db is not the ledger's")
        if stale := [entry.asset for entry in world.cycle().stale()]:
            done.wrong.append(f"stale after a refresh: {stale[:5]}")

    def _mend(self):
        """Bring the world back to a known state, so that one finding is told once."""
        self.world.by_url = False
        self.world.enter(self.at)
        self.run(*RESET)
        if self.run("refresh", "--all") != 0 or self.look() != self.expected[self.at]:
            raise SystemExit(f"the world cannot be mended: {self._last()}")

    # --- the table ------------------------------------------------------------------------------

    def kinds(self):
        found = [*SOON, *STEPS, *self.disks]
        if self.world.engine == "postgresql":
            found += SERVER
        else:
            found.remove("session ended at operation N")
        return found

    def table(self):
        """Return lines: each kind of fault, how often, where it fell, and what survived."""
        lines = [f"{'kind':32} {'times':>5} {'inside':>6} {'survived':>8}  where it fell"]
        for kind in self.kinds():
            rounds = [r for r in self.rounds if r.kind == kind]
            where = Counter(r.stage for r in rounds if r.inside)
            told = ", ".join(f"{name} {times}" for name, times in where.most_common())
            well = sum(not r.wrong for r in rounds)
            lines.append(
                f"{kind:32} {len(rounds):5} {sum(r.inside for r in rounds):6} {well:8}  {told}"
            )
        well = sum(not r.wrong for r in self.rounds)
        lines.append(
            f"{'all':32} {len(self.rounds):5} {sum(r.inside for r in self.rounds):6} {well:8}"
        )
        return lines


__all__ = ["ROLES", "Harness", "Round"]
