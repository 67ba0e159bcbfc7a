"""Where a project keeps what it works with, raw rows among it: git never sees that folder."""

import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o700


def make_state(state: Path) -> None:
    """Make a project's folder of state, if it is not there: git ignores what it holds, and nobody
    else of the machine can read it.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # it may be another's, who lets us in
        if stat.S_IMODE(state.stat().st_mode) != PRIVATE:
            state.chmod(PRIVATE)
    ignored = state / ".gitignore"
    if not ignored.exists():
        with suppress(OSError):  # a folder that can only be read holds nothing new
            ignored.write_text("*\n", encoding="utf-8")
