"""Where a project keeps what it works with, raw rows among it: git never sees that folder."""

from contextlib import suppress
from pathlib import Path


def make_state(state: Path) -> None:
    """Make a project's folder of state, whose content git ignores, if it is not there."""
    state.mkdir(parents=True, exist_ok=True)
    ignored = state / ".gitignore"
    if not ignored.exists():
        with suppress(OSError):  # a folder that can only be read holds nothing new
            ignored.write_text("*\n", encoding="utf-8")
