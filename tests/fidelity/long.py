"""The properties of the long mode."""

import time

from hypothesis import given

from dbcycle_assets.databases import embedded, open_server

from .journey import PostgresJourney
from .schemas import worlds
from .trips import Account, kept_going, new_ones, there_and_back


def run(name, root, examples, number, until):
    """Hold one property against so many examples, or until a moment; return the account."""
    return PROPERTIES[name](root, examples, number, until)


def _postgresql(law):
    def held(root, examples, number, until):
        server = open_server("postgresql", url=None, state=root / "server")
        journey, account = PostgresJourney(server, root / "shop"), Account()

        @new_ones(examples, number)
        @given(worlds())
        def every(world):
            if time.monotonic() < until:
                kept_going(account, lambda drawn: law(journey, drawn, account))(world)

        try:
            every()
        finally:
            embedded.remove(root / "server")
        return account

    return held


def _parsers(_root, examples, number, until):
    from .parsers import TARGETS, hold

    account = Account()

    def every_of(name):
        @new_ones(examples, number)
        @given(TARGETS[name].inputs)
        def every(content):
            if time.monotonic() >= until:
                return
            account.examples += 1
            account.features[name] += 1
            try:
                hold(name, content)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
                told = f"{name}: {type(error).__name__}: {error}"
                account.failures.append((account.examples, told, repr(content)))

        every()

    for name in TARGETS:
        every_of(name)
    return account


PROPERTIES = {
    "parsers": _parsers,
    "P1/P2 PostgreSQL, kept": _postgresql(there_and_back),
}
