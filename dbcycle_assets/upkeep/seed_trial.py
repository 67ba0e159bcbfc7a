"""Seeds held against laws, each on temporary databases of its own: what a seed promises is tried
before anybody relies on it, and no database of the project is touched.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..config import credentials
from ..config.model import Project
from ..databases.port import Progress
from ..errors import DbCycleError, Findings, SeedError, did_you_mean
from ..model.seeds import APPLIES, Seed, in_order, is_version, needs
from .connecting import project_at
from .seed_bench import Place, Rows, Salts, difference
from .seed_files import has_check, has_way_back, seed_files
from .seed_modules import functions_of
from .seeds import SeedRunner
from .target import EVERYDAY, resolve
from .temporary import Template, template_of

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"

LAWS = {
    "scope": "what it needs is wherever it is itself: nothing of base needs development or test",
    "applies": "it applies to a new database after what it declares to need, and nothing else",
    "keys": "every foreign key finds its row",
    "check": "its own check ends without an error",
    "repeat": "applied again, it changes no row",
    "same": "in another database it makes the same rows",
    "rollback": "taken back, it leaves exactly the rows that were there before",
    "reapply": "applied after that, it makes the same rows again",
    "upgrade": "its upgrade takes every former version that is known",
}
"""What is asked of each seed, in this order."""


@dataclass(frozen=True)
class Verdict:
    """What became of one seed before one law; ``reason`` says why unless it passed."""

    seed: str
    law: str
    result: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.seed}: {self.law} {self.result}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True)
class Trial:
    """Every verdict, seed by seed in the order of :data:`LAWS`."""

    verdicts: tuple[Verdict, ...]

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The verdicts against a seed."""
        return tuple(each for each in self.verdicts if each.result == FAILED)

    @property
    def tried(self) -> tuple[str, ...]:
        """The seeds that a law could be held against."""
        return tuple(
            dict.fromkeys(each.seed for each in self.verdicts if each.result != NOT_APPLICABLE)
        )


def check_seeds(
    project: Project | Path | str,
    *names: str,
    environment: str | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Hold seeds (all by default) against every law, and return the verdicts.

    Raises:
        Findings: a seed breaks a law, each named with its reason; or nothing was tried.
        SeedError: a file is no seed, or there is none of that name.
    """
    trial = try_seeds(project, names, environment=environment, progress=progress)
    if trial.failures:
        raise Findings("seeds break laws", [str(each) for each in trial.failures], where="seeds")
    require_tried(trial)
    return trial


def require_tried(trial: Trial) -> None:
    """Refuse a trial that tried nothing: that no law was broken would prove nothing.

    Raises:
        Findings: it did not.
    """
    if not trial.tried:
        raise Findings(
            "no seed was tried",
            [str(each) for each in trial.verdicts],
            where="seeds",
            remedy="`dbcycle db create-seed NAME` writes one; --env chooses those of another "
            "environment",
        )


def try_seeds(
    project: Project | Path | str,
    names: Sequence[str] = (),
    *,
    environment: str | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Hold seeds against every law and return the verdicts. Without an ``environment`` each is
    tried in the first that has it of production, staging, development and test.

    Raises:
        SeedError: a file is no seed, or there is none of that name.
        MigrationError: the migrations do not make a schema from nothing.
    """
    told = progress or (lambda _text: None)
    found = project_at(project)
    files = seed_files(found)
    chosen = _chosen(files, names)
    if not chosen:
        return Trial(())
    only = None if environment is None else credentials.environment(environment)
    template = template_of(found, progress=told)
    known = _former_versions(found)
    verdicts: list[Verdict] = []
    for number, seed in enumerate(chosen, 1):
        told(f"trying seed {number} of {len(chosen)}: {seed.name}")
        where = only or next(each for each in APPLIES if seed.applies(each))
        case = _Case(template, seed, where, files, known.get(seed.name, frozenset()))
        case.run()
        verdicts += [case.verdicts[law] for law in LAWS]
    return Trial(tuple(verdicts))


def _chosen(files: Mapping[Seed, Path], names: Sequence[str]) -> list[Seed]:
    by_name = {seed.name: seed for seed in files}
    for name in names:
        if name not in by_name:
            raise SeedError(f"there is no seed `{name}`{did_you_mean(name, by_name)}")
    wanted = [seed for seed in files if not names or seed.name in names]
    return sorted(wanted, key=lambda seed: seed.place)


def _former_versions(project: Project) -> dict[str, set[str]]:
    """Return the versions that the histories of the everyday databases know, by seed."""
    found: dict[str, set[str]] = {}
    for environment in sorted(EVERYDAY):
        with suppress(DbCycleError):  # there is no such database, or it is not ours to ask
            target = resolve(project, environment)
            if target.server.exists(target.name):
                runner = SeedRunner(
                    project, target.server, target.name, environment, progress=lambda _told: None
                )
                for row in runner.history():
                    if not row.error:
                        found.setdefault(row.name, set()).add(row.version)
    return found


class _Blocked(Exception):
    """A seed cannot be tried: one that it needs does not apply."""


@dataclass
class _Case:
    """One seed before every law."""

    template: Template
    seed: Seed
    environment: str
    files: Mapping[Seed, Path]
    known: Collection[str]
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def run(self) -> None:
        """Give a verdict for every law."""
        try:
            self._judge()
        except _Blocked as blocked:
            self._rest(str(blocked))
        self._rest("it does not apply")

    def _say(self, law: str, result: str, reason: str = "") -> None:
        self.verdicts[law] = Verdict(self.seed.name, law, result, reason)

    def _hold(self, law: str, broken: str) -> None:
        """Give the verdict of a law: ``broken`` says how, and nothing where it is not."""
        self._say(law, FAILED if broken else PASSED, broken)

    def _rest(self, reason: str) -> None:
        for law in LAWS:
            if law not in self.verdicts:
                self._say(law, NOT_APPLICABLE, reason)

    def _judge(self) -> None:
        if not self.seed.applies(self.environment):
            raise _Blocked(f"it is not for {self.environment}")
        there = [seed for seed in self.files if seed.applies(self.environment)]
        try:
            before = needs(self.seed, there)
        except SeedError as error:
            self._say("scope", FAILED, error.what)
            raise _Blocked("what it needs is unknown") from None
        self._say("scope", PASSED)
        with self._database(before) as one, self._database(before) as other:
            begun, salts = one.rows(), one.salts
            if (failed := one.apply(self.seed)) is not None:
                self._say("applies", FAILED, self._explained(failed, before, there))
                return
            self._say("applies", PASSED)
            self._hold("keys", one.orphans())
            if has_check(self.files[self.seed]):
                self._hold("check", one.check(self.seed))
            else:
                self._say("check", NOT_APPLICABLE, "it has no function `check`")
            self._pair(one, other, begun)
            self._upgrade(one)
            made = one.rows()
            refused = one.renewed(salts).apply(self.seed)
            told = refused.what if refused else difference(made, one.rows(), "whole")
            self._hold("repeat", told)

    def _pair(self, one: Place, other: Place, begun: Rows) -> None:
        """Compare two databases, then take the seed back in the second and apply it again."""
        start = other.rows()
        if (error := other.apply(self.seed)) is not None:
            self._say("same", FAILED, f"it fails the second time: {error.what}")
            return
        made, again = one.rows(), other.rows()
        mine = [name for name in made.whole if made.whole[name] != begun.whole.get(name)]
        mine = [name for name in mine if begun.fixed.get(name) == start.fixed.get(name)]
        self._hold("same", difference(made, again, "fixed", mine, one.columns_unlike(other)))
        if (refused := other.take_back(self.seed)) is not None:
            own = has_way_back(self.files[self.seed])
            self._say("rollback", FAILED if own else NOT_APPLICABLE, refused.what)
            self._say("reapply", NOT_APPLICABLE, "it was not taken back")
            return
        self._hold("rollback", difference(start, other.rows(), "whole"))
        failed = other.renewed(Salts()).apply(self.seed)
        told = failed.what if failed else difference(again, other.rows(), "fixed")
        self._hold("reapply", told)

    def _upgrade(self, one: Place) -> None:
        path = self.files[self.seed]
        if path.suffix != ".py" or "upgrade" not in functions_of(path):
            self._say("upgrade", NOT_APPLICABLE, "it has no function `upgrade`")
            return
        former = sorted({*self.known, *_versions_in(path)} - {self.seed.version})
        if not former:
            self._say("upgrade", NOT_APPLICABLE, "no former version is known")
            return
        told = []
        for version in former:
            error = one.renewed(Salts()).apply(self.seed, former=version)
            told += [f"from {version}: {error.what}"] if error is not None else []
        self._hold("upgrade", "; ".join(told))

    @contextmanager
    def _database(self, before: Sequence[Seed]) -> Iterator[Place]:
        """Give a new database to which the seeds before were applied."""
        copy = self.template.copy()
        try:
            place = Place(self.template.project, copy, self.environment, self.seed.varies)
            for seed in before:
                if (error := place.apply(seed)) is not None:
                    raise _Blocked(f"{seed.name}, which it needs, fails: {error.what}")
            yield place
        finally:
            self.template.drop(copy)

    def _explained(
        self, error: DbCycleError, before: Sequence[Seed], there: Collection[Seed]
    ) -> str:
        """Return why a seed did not apply; that it needs another one is found by trying."""
        earlier = [seed for seed in in_order(there) if seed.place < self.seed.place]
        for seed in earlier:
            if seed in before:
                continue
            with suppress(_Blocked, SeedError):
                both = needs(seed, there)
                more = [*before, *(each for each in both if each not in before), seed]
                with self._database(more) as place:
                    if place.apply(self.seed) is None:
                        return f"it needs {seed.name} and does not declare it: {error.what}"
        return error.what


def _versions_in(path: Path) -> set[str]:
    """Return the versions that a seed's ``upgrade`` names."""
    tree = ast.parse(path.read_bytes())
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            values = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
            found |= {each for each in values if isinstance(each, str) and is_version(each)}
    return found
