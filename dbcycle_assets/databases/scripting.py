"""What a migration script may say about itself, whatever the engine."""

import re

_NO_TRANSACTION = re.compile(r"^[ \t]*--[ \t]*dbcycle:[ \t]*no-transaction[ \t]*$", re.MULTILINE)

HEADER = "-- dbcycle: no-transaction"


def asks_to_be_alone(script: str) -> bool:
    """Tell whether a script says, on a line of its own, that it cannot be in one transaction."""
    return _NO_TRANSACTION.search(script.replace("\r\n", "\n")) is not None
