"""What a run does to the world, counted from outside: files, statements, programs.

Nothing of the product knows of it. Python's audit events tell of files and programs, the drivers
are wrapped; the Nth operation may kill the process, fail, or lose its session.
"""

import errno
import mmap
import os
import re
import signal
import sqlite3
import sys
import threading
from pathlib import Path

import psycopg

FILES = ("open", "rename", "link", "mkdir", "fsync", "truncate")
CHANGES = re.compile(r"\s*(INSERT|UPDATE|DELETE|COMMIT|CREATE|DROP|ALTER|BEGIN|REPLACE|VACUUM)")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Operations:
    """Counts operations in this process; the name of the last is in memory that is shared with
    whoever started it, so that it outlives a kill."""

    def __init__(self, root):
        self.root = str(root)
        self._shared = mmap.mmap(-1, 4096)
        self._lock = threading.Lock()
        self._busy = threading.local()
        self.target, self.fault, self.number = 0, "", 0
        self.last = ""
        self.admin = ""

    @property
    def told(self):
        """Return how many there were and the name of the last."""
        number, _, name = bytes(self._shared).split(b"\0", 1)[0].decode().partition(" ")
        return int(number or 0), name

    def forget(self):
        self._shared[:] = bytes(4096)

    def at(self, name):
        """Count one operation that is about to happen."""
        if getattr(self._busy, "here", False):
            return
        self._busy.here = True
        try:
            with self._lock:
                if name == self.last or (self.fault == "disk" and not name.startswith(FILES)):
                    return
                self.last = name
                self.number += 1
                text = f"{self.number} {name}".encode()[:200]
                self._shared[: len(text) + 1] = text + b"\0"
                hit = self.number == self.target
            if hit:
                self._fail()
        finally:
            self._busy.here = False

    def _fail(self):
        if self.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.fault == "group":
            os.killpg(0, signal.SIGKILL)
        elif self.fault == "stop":
            os.kill(os.getpid(), signal.SIGINT)
        elif self.fault == "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.fault == "session":
            with psycopg.connect(self.admin, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'dbcycle%' AND pid <> pg_backend_pid()"
                )

    # --- where they are seen --------------------------------------------------------------------

    def watch(self):
        """See every operation of this process from now on."""
        sys.addaudithook(self._hear)
        fsync = os.fsync
        os.fsync = lambda handle: (self.at("fsync"), fsync(handle))[1]
        if self.fault:  # SQLite swallows a Ctrl-C that comes while it calls back
            self._watch_sqlite()
        for owner, method in (
            (psycopg.Connection, "execute"),
            (psycopg.Cursor, "execute"),
            (psycopg.Cursor, "copy"),
            (psycopg.Connection, "commit"),
            (psycopg.Transaction, "__exit__"),
        ):
            self._wrap(owner, method)

    def _watch_sqlite(self):
        connect = sqlite3.connect

        def connected(*arguments, **named):
            connection = connect(*arguments, **named)
            self._trace(connection, str(arguments[0] if arguments else named["database"]))
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = connected

    def _wrap(self, owner, method):
        former = getattr(owner, method)

        def wrapped(this, *arguments, **named):
            sql = arguments[0] if arguments and method in {"execute", "copy"} else method
            self.at(f"sql {_verb(sql)}")
            return former(this, *arguments, **named)

        setattr(owner, method, wrapped)

    def _hear(self, event, arguments):
        if event in {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}:
            name = str(arguments[1] if event in {"os.rename", "os.link"} else arguments[0])
            if self._mine(name):
                self.at(f"{event[3:]} {_plain(name)}")
        elif event == "open":
            name, _mode, flags = arguments
            if (
                isinstance(name, str | bytes | os.PathLike)
                and isinstance(flags, int)
                and flags & WRITES
            ):
                text = os.fsdecode(name)
                if self._mine(text):
                    self.at(f"open {_plain(text)}")
        elif event == "subprocess.Popen":
            self.at(f"program {Path(os.fsdecode(arguments[0])).name}")

    def _trace(self, connection, path):
        dagster = "dagster" in path
        if self._mine(path):
            kind = "dagster" if dagster else "sql"

            def seen(sql):
                if CHANGES.match(sql):
                    self.at(f"{kind} {_verb(sql)}")

            connection.set_trace_callback(seen)

    def _mine(self, name):
        return self.root in name and "__pycache__" not in name


def _plain(name):
    """Return the last parts of a path without what is random in it."""
    name = re.sub(r"\.[^./]*\.?\w{8}\.part$", "*.part", name)
    return "/".join(Path(name).parts[-2:])


def _verb(sql):
    if not isinstance(sql, str | bytes):
        sql = getattr(sql, "_obj", "composed")
    text = sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)
    return " ".join(re.sub(r"--.*", "", text).split()[:4])[:60]
