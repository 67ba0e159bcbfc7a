# ruff: noqa: T201, S311
"""Fault runs of the product and print what survived.

python -m tests.kills [--times 500] [--engine postgresql|sqlite] [--seed N] [--kind K ...]
python -m tests.kills --every [--step N] [--fault kill|disk|session|stop]

The first strikes at random; the second faults the Nth operation of a refresh for every N (or for
each Nth). A seed repeats the choices of a former run.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

FAULTS = ("kill", "disk", "session", "stop")


def main():
    words = argparse.ArgumentParser(prog="python -m tests.kills")
    words.add_argument("--times", type=int, default=500)
    words.add_argument("--minutes", type=float, default=24 * 60)
    words.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    words.add_argument("--seed", type=int, default=None)
    words.add_argument("--kind", action="append", default=[])
    words.add_argument("--every", action="store_true")
    words.add_argument("--first", type=int, default=1)
    words.add_argument("--step", type=int, default=1)
    words.add_argument("--fault", choices=FAULTS, default="kill")
    chosen = words.parse_args()
    os.environ.setdefault("XDG_CONFIG_HOME", tempfile.mkdtemp(prefix="kills-settings-"))
    import pandas  # noqa: F401 - what every run needs is loaded once

    import dbcycle_assets.cli.app
    import dbcycle_assets.defs.run  # noqa: F401
    from dbcycle_assets.cycle import (  # noqa: F401
        completion,
        download,
        extract,
        migrate,
        profile,
        publish,
        restore,
        verify,
    )

    from .harness import CHAIN, DISKS, STEPS, Harness

    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"{chosen.engine}, --seed {seed}", flush=True)
    # Where there is memory for it, nothing waits for a disk: kills need none.
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
    place = memory if memory.is_dir() else None
    root = Path(tempfile.mkdtemp(prefix="kills-", dir=place)) / "shop"
    root.parent.chmod(0o755)
    small_disks = not chosen.every and (not chosen.kind or bool(set(chosen.kind) & set(DISKS)))

    def say(text):
        print(text, flush=True)

    harness = Harness(chosen.engine, root, seed=seed, small_disks=small_disks, say=say)
    end = time.monotonic() + 60 * chosen.minutes
    try:
        harness.learn()
        if chosen.every:
            kind = {fault: kind for kind, fault in STEPS.items()}[chosen.fault]
            number = chosen.first
            while time.monotonic() < end:
                if not harness.chain([kind], number=number, words=["refresh", "--all"])[0].inside:
                    break
                number += chosen.step
                _told(harness, say)
            print(f"operations faulted: {len(harness.rounds)}, up to {number}")
        else:
            kinds = chosen.kind or harness.kinds()
            order = random.Random(seed)
            while len(harness.rounds) < chosen.times and time.monotonic() < end:
                harness.chain(order.choices(kinds, k=order.randint(1, CHAIN)))
                _told(harness, say)
    finally:
        print("\n".join(harness.table()))
        harness.close()
        shutil.rmtree(root.parent, ignore_errors=True)
    return any(done.wrong for done in harness.rounds)


def _told(harness, say, every=25):
    """Say from time to time how far it is."""
    if (len(harness.rounds) // every) > getattr(harness, "told_of", 0):
        harness.told_of = len(harness.rounds) // every
        wrong = sum(bool(done.wrong) for done in harness.rounds)
        say(f"  {len(harness.rounds)} faults, {wrong} wrong")


if __name__ == "__main__":
    sys.exit(main())
