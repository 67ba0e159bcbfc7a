"""A thread that reads the arguments and the environment of every process of the machine."""

import threading
import time
from pathlib import Path

PAUSE = 0.02


class Sampler:
    """Keeps each distinct argument list and environment, by program."""

    def __init__(self):
        self.arguments = {}
        self.environments = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._before = {path.name for path in Path("/proc").glob("[0-9]*")}
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        self._thread.join()

    def programs(self):
        return {name for name, _ in self.arguments}

    def _run(self):
        while not self._stop.is_set():
            for path in Path("/proc").glob("[0-9]*"):
                if path.name not in self._before:
                    self._read(path)
            time.sleep(PAUSE)

    def _read(self, path):
        try:
            # Its name first: between fork and exec a child still has its parent's variables.
            name = (path / "comm").read_text().strip()
            words = (path / "cmdline").read_bytes()
            variables = (path / "environ").read_bytes()
        except OSError:
            return
        if words:
            self.arguments[name, words] = True
            self.environments[name, variables] = True
