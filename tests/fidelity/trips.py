"""One drawn database after the other through the cycle, and the account of what came of it."""

import collections
import dataclasses
import hashlib
import traceback

from hypothesis import HealthCheck, Phase, note, seed, settings

from dbcycle_assets.cycle import extract
from dbcycle_assets.errors import DbCycleError

from .journey import FORMATS, Differs, compare, keep_all


@dataclasses.dataclass
class Account:
    """What a run saw."""

    examples: int = 0
    schemas: int = 0
    rows: int = 0
    features: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    refused: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)

    def took(self, world):
        """Count a database that was made."""
        self.examples += 1
        self.schemas += len(world.schemas)
        self.rows += world.size
        self.features.update(world.features)


def same_few(examples):
    """Return settings under which the same few databases are drawn every time."""
    return settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, print_blob=True,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def new_ones(examples, number):
    """Return what draws other databases for every number."""
    chosen = settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    return lambda test: seed(number)(chosen(test))


def there_and_back(journey, world, account):
    """Take one database through the cycle with every column kept: what comes out is what went in.

    Extracted again, everything is the same to the byte. What the product refuses, it names.
    """
    form = FORMATS[account.examples % len(FORMATS)]
    account.took(world)
    note(world.script)
    journey.produce(world.script, form)
    try:
        cycle = journey.run(keep_all(world))
    except DbCycleError as error:
        if world.refused and world.refused in str(error):
            account.refused[f"{type(error).__name__}: {world.refused}"] += 1
            return
        raise
    if world.refused:
        raise Differs(f"nothing refused: {world.refused}")
    compare(journey.see("production"), journey.see("test"))
    if account.examples % 5 == 0:
        again(journey, cycle)


def again(journey, cycle):
    """Extract every table once more, by another number of workers: the files are the same."""
    before = files(cycle)
    other = journey.shop.cycle
    other.force = True
    tables = sorted(other.project.config.tables)
    for outcome in extract.extract(other, tables):
        if isinstance(outcome, extract.Failure):
            raise outcome.error
    if files(cycle) != before:
        raise Differs("a second extract has other bytes")


def files(cycle):
    """Return a digest of every extract on disk."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(cycle.extracts.folder.iterdir())
    }


def kept_going(account, law):
    """Return a law that writes its failures down instead of raising them."""

    def held(world):
        try:
            law(world)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            lines = traceback.format_exception_only(error)
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = (
                "".join(lines)[:1500]
                if isinstance(error, (DbCycleError, Differs))
                else (f"{where.filename}:{where.lineno}: {''.join(lines)[:600]}")
            )
            account.failures.append((account.examples, told, world.script))

    return held
