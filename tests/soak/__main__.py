# ruff: noqa: T201
"""Refresh a project that changes at random, many times in a row; print what differed and grew.

python -m tests.soak [--refreshes 100] [--engine postgresql|sqlite] [--seed N]

Each result is held against a run from scratch on the same files: the published databases must be
the same to the byte. A seed repeats the changes of a former soak.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .world import Soak

WARM = 3
"""Refreshes before the first measurement: code is loaded, and each database is there."""


def main():
    words = argparse.ArgumentParser(prog="python -m tests.soak")
    words.add_argument("--refreshes", type=int, default=100)
    words.add_argument("--minutes", type=float, default=24 * 60)
    words.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    words.add_argument("--seed", type=int, default=None)
    chosen = words.parse_args()
    os.environ.setdefault("XDG_CONFIG_HOME", tempfile.mkdtemp(prefix="soak-settings-"))
    os.environ.pop("DAGSTER_HOME", None)
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"{chosen.engine}, --seed {seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="soak-")) / "soak"
    root.parent.chmod(0o755)
    soak = Soak(chosen.engine, root, seed)
    try:
        return _soak(soak, chosen.refreshes, time.monotonic() + 60 * chosen.minutes)
    finally:
        soak.close()
        shutil.rmtree(root.parent, ignore_errors=True)


def _soak(soak, refreshes, end):
    changes, different, seconds = Counter(), 0, []
    soak.refresh()
    first = last = soak.measured()
    for number in range(1, refreshes + 1):
        if time.monotonic() > end:
            break
        made = soak.change()
        changes.update(made)
        started = time.monotonic()
        found = soak.refresh()
        seconds.append(time.monotonic() - started)
        if found != soak.from_scratch():
            different += 1
            print(f"  DIFFERENT after refresh {number}: {', '.join(made)}", flush=True)
        last = soak.measured()
        if number <= WARM:
            first = last
    print(f"refreshes {len(seconds)}, different from a run from scratch {different}")
    print("changes:", ", ".join(f"{name} {times}" for name, times in changes.most_common()))
    half = len(seconds) // 2
    if half:
        means = (sum(part) / len(part) for part in (seconds[:half], seconds[half:]))
        print("mean seconds of the first and the second half: {:.2f} and {:.2f}".format(*means))
    print(f"{'':28}{'start':>10}{'end':>10}")
    for name, value in first.items():
        print(f"{name:28}{value:>10}{last[name]:>10}")
    grown = [n for n in ("sessions on the server", "databases") if last.get(n, 0) > first.get(n, 0)]
    if grown:
        print("GREW:", ", ".join(grown))
    return bool(different or grown or not seconds)


if __name__ == "__main__":
    sys.exit(main())
