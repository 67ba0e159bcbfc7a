"""What lies between a client and a PostgreSQL server, as real sockets: a line that is cut, a server
of another version, and a pooler that shares sessions between its clients.
"""

import contextlib
import os
import socket
import struct
import threading
from collections import defaultdict

SSL, GSS, CANCEL = 80877103, 80877104, 80877102


def exactly(source, count):
    """Read so many bytes."""
    found = b""
    while len(found) < count:
        block = source.recv(count - len(found))
        if not block:
            raise ConnectionError
        found += block
    return found


def message(source):
    """Read one message; return its kind and all of its bytes."""
    kind = exactly(source, 1)
    head = exactly(source, 4)
    return kind, kind + head + exactly(source, struct.unpack("!I", head)[0] - 4)


def startup(client):
    """Read the first packet of a client, having declined encryption."""
    while True:
        head = exactly(client, 4)
        rest = exactly(client, struct.unpack("!I", head)[0] - 4)
        if struct.unpack("!I", rest[:4])[0] not in {SSL, GSS}:
            return head + rest
        client.sendall(b"N")


class Between:
    """Listens on a port of its own and serves each client in a thread."""

    def __init__(self, host, port):
        self.server = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._guarded, args=(client,), daemon=True).start()

    def _guarded(self, client):
        with contextlib.suppress(OSError), client:
            self.serve(client)

    def serve(self, client):
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.listener.close()


class Line(Between):
    """Passes everything on, and cuts every connection once ``left`` messages have come back.

    What the server says of its version is replaced if ``version`` is given.
    """

    def __init__(self, host, port, left=None, version=None):
        self.left, self.version = left, version
        super().__init__(host, port)

    def serve(self, client):
        first = startup(client)
        with socket.create_connection(self.server) as server:
            server.sendall(first)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            try:
                while True:
                    _kind, whole = message(server)
                    if self.left is not None:
                        self.left -= 1
                        if self.left < 0:
                            return
                    client.sendall(self._told(whole))
            finally:
                for each in (client, server):
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)

    def _told(self, whole):
        if self.version and whole[:1] == b"S" and whole[5:].startswith(b"server_version\0"):
            body = b"server_version\0" + self.version.encode() + b"\0"
            return b"S" + struct.pack("!I", len(body) + 4) + body
        return whole

    @staticmethod
    def _up(client, server):
        with contextlib.suppress(OSError):
            while block := client.recv(1 << 16):
                server.sendall(block)
            server.shutdown(socket.SHUT_WR)


class Pooler(Between):
    """A pooler in transaction mode: a session of the server is lent for one transaction."""

    def __init__(self, host, port):
        self.idle = defaultdict(list)
        self.greeting = {}
        self.change = threading.Condition()
        super().__init__(host, port)

    def serve(self, client):
        first = startup(client)
        if struct.unpack("!I", first[4:8])[0] == CANCEL:
            return
        words = first[8:].split(b"\0")
        facts = dict(zip(words[::2], words[1::2], strict=False))
        key = facts[b"user"], facts.get(b"database", facts[b"user"])
        with self.change:
            known = self.greeting.get(key)
        if known is None:
            self._log_in(key, first, client)
        else:
            client.sendall(known)
        session = None
        try:
            while True:
                kind, whole = message(client)
                if kind == b"X":
                    return
                if session is None:
                    session = self._lend(key)
                session.sendall(whole)
                if kind in b"QS" and self._answered(session, client):
                    self._give_back(key, session)
                    session = None
        finally:
            if session is not None:
                session.close()

    def _log_in(self, key, first, client):
        """Let the first client log in through us; keep the session, and what the server said."""
        server = socket.create_connection(self.server)
        server.sendall(first)
        parameters = []
        while True:
            kind, whole = message(server)
            if kind == b"K":  # every client gets a key of ours
                whole = b"K" + struct.pack("!I", 12) + os.urandom(8)
            if kind in b"SK":
                parameters.append(whole)
            client.sendall(whole)
            if kind == b"E":
                raise ConnectionError
            if kind == b"R" and struct.unpack("!I", whole[5:9])[0] not in {0, 12}:
                server.sendall(message(client)[1])
            if kind == b"Z":
                break
        ok = b"R" + struct.pack("!II", 8, 0)
        self.greeting[key] = ok + b"".join(parameters) + b"Z" + struct.pack("!I", 5) + b"I"
        self._give_back(key, server)

    def _lend(self, key):
        with self.change:
            while not self.idle[key]:
                self.change.wait()
            return self.idle[key].pop()

    def _give_back(self, key, session):
        with self.change:
            self.idle[key].append(session)
            self.change.notify_all()

    @staticmethod
    def _answered(session, client):
        """Pass an answer on; tell whether the session is outside a transaction afterwards."""
        while True:
            kind, whole = message(session)
            client.sendall(whole)
            if kind == b"G":  # the server waits for the data of a COPY
                return False
            if kind == b"Z":
                return whole[5:6] == b"I"
