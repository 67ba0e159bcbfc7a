"""``python -m dbcycle_assets``: the same as the ``dbcycle`` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
