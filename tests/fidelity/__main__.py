# ruff: noqa: T201
"""Draw new databases and inputs, and print what came of them.

python -m tests.fidelity [--examples N] [--seed S] [--minutes M] [--only NAME ...]

A seed repeats a run. Failures are written to a folder, each as the script that makes it.
"""

import argparse
import os
import random
import shutil
import tempfile
import time
from pathlib import Path


def main():
    words = argparse.ArgumentParser(prog="python -m tests.fidelity")
    words.add_argument("--examples", type=int, default=100)
    words.add_argument("--seed", type=int, default=None)
    words.add_argument("--minutes", type=float, default=24 * 60)
    words.add_argument("--only", action="append", default=[])
    words.add_argument("--failures", type=Path, default=None)
    chosen = words.parse_args()
    number = chosen.seed if chosen.seed is not None else random.SystemRandom().getrandbits(32)
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="fidelity-settings-")
    from .long import PROPERTIES, run

    # Where there is memory for it, nothing waits for a disk.
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
    root = Path(tempfile.mkdtemp(prefix="fidelity-", dir=memory if memory.is_dir() else None))
    print(f"--seed {number}", flush=True)
    try:
        lines = []
        for name in chosen.only or PROPERTIES:
            began = time.monotonic()
            account = run(name, root, chosen.examples, number, began + chosen.minutes * 60)
            lines.append((name, account, time.monotonic() - began))
            _tell(lines[-1:], chosen.failures)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(
        "\n| property | examples | schemas | rows | refused | failures | seconds |\n|---|---|---|---|---|---|---|"
    )
    for name, account, seconds in lines:
        print(
            f"| {name} | {account.examples} | {account.schemas} | {account.rows} |"
            f" {dict(account.refused) or 0} | {len(account.failures)} | {seconds:.0f} |"
        )


def _tell(lines, folder):
    for name, account, _ in lines:
        print(f"{name}: {dict(account.features.most_common())}")
        for number, told, script in account.failures:
            print(f"FAILED {name} {number}: {ascii(told)[:1200]}", flush=True)
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{name.split()[0]}_{number}.sql").write_text(script)


main()
