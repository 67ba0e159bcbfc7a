"""The plan as a comment for a pull request: what enters or leaves judgement, and what is stale."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.load import FILE, load_project
from ..config.model import Config, Rule
from ..errors import BadInput
from .text import count, one_line

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.plan import PlanReport

PATIENCE = 30
NOBODY = "*unjudged*"

Judgements = Mapping[tuple[str, str], str]


def config_at(root: Path, revision: str) -> Config | None:
    """Return the config of a project at a revision of git, or None if it had none.

    Raises:
        BadInput: git does not know the revision, or there is no git.
        ConfigError: the config of then is none that this version reads.
    """
    # A file system monitor is a program that the repository's own settings could name.
    git = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false"]
    known = _run([*git, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], root)
    if known is None:
        raise BadInput(
            f"git knows no revision {revision}",
            where="--against",
            remedy="fetch it first: a shallow clone in CI has one commit (`fetch-depth: 0`)",
        )
    text = _run([*git, "show", f"{known.decode().strip()}:./{FILE}"], root)
    if text is None:
        return None
    with tempfile.TemporaryDirectory(prefix="dbcycle-") as folder:
        (Path(folder) / FILE).write_bytes(text)
        return load_project(Path(folder)).config


def _run(command: Sequence[str], root: Path) -> bytes | None:
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def judgements(config: Config | None) -> Judgements:
    """Return the rule of every column that the config judges."""
    tables = config.tables if config is not None else {}
    found = {
        (table, column): _words(rule)
        for table, entry in tables.items()
        for column, rule in entry.columns.items()
    }
    kept = {(table, column): "keep" for table, entry in tables.items() for column in entry.keep}
    return found | kept


def _words(rule: Rule) -> str:
    given = {
        **rule.options,
        **rule.model_dump(include={"domain", "per", "when"}, exclude_defaults=True),
    }
    options = ", ".join(f"{name}: {_plain(value)}" for name, value in given.items())
    words = f"{rule.anonymize} ({options})" if options else rule.anonymize
    return words if rule.otherwise is None else f"{words}, else {_words(rule.otherwise)}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def comment(
    name: str,
    found: "PlanReport",
    groups: Sequence[tuple[str, str]],
    now: Judgements,
    before: tuple[str, Judgements] | None,
) -> str:
    """Return the comment. ``groups`` are stale assets and why, ``before`` a revision and what was
    judged there.
    """
    lines = [f"### Test database `{name}`", ""]
    if found.plan is not None and (found.plan.unjudged or found.plan.findings):
        lines += ["**The plan stops here:** see below.", ""]
    if before is not None:
        lines += _changes(now, *before)
    if found.plan is None:
        lines += ["Whether every column is judged is not known here: nothing was migrated yet.", ""]
    elif found.plan.unjudged:
        proposed = {(entry.table, entry.column): entry for entry in found.proposals}
        lines += [f"**{count(len(found.plan.unjudged), 'column')} unjudged**", ""]
        lines += _table(
            ["column", "proposed", "because"],
            [
                (_code(f"{table}.{column}"), _code(entry.rule), entry.reason)
                if (entry := proposed.get((table, column))) is not None
                else (_code(f"{table}.{column}"), "", "")
                for table, column in found.plan.unjudged
            ],
        )
    if found.plan is not None and found.plan.findings:
        lines += [f"**{count(len(found.plan.findings), 'finding')}**", ""]
        lines += [f"- {_cell(line)}" for line in found.plan.findings] + [""]
    lines += _stale(found, groups)
    return "\n".join(lines).rstrip() + "\n"


def _changes(now: Judgements, against: str, before: Judgements) -> list[str]:
    changed = sorted(
        place for place in now.keys() | before.keys() if now.get(place) != before.get(place)
    )
    if not changed:
        return [f"No column's judgement differs from {_code(against)}.", ""]
    entering = sum(place not in before for place in changed)
    leaving = sum(place not in now for place in changed)
    head = (
        f"**Judgement, beside {_code(against)}:** {entering} enter, {leaving} leave, "
        f"{len(changed) - entering - leaving} change"
    )
    rows = [
        (_code(".".join(place)), _rule(before.get(place)), _rule(now.get(place)))
        for place in changed
    ]
    return [head, "", *_table(["column", "was", "is"], rows)]


def _stale(found: "PlanReport", groups: Sequence[tuple[str, str]]) -> list[str]:
    if not found.stale:
        return [f"Nothing is stale: {count(found.fresh, 'asset')} fresh."]
    head = f"{count(len(found.stale), 'asset')} stale, {found.fresh:,} fresh"
    return [
        f"<details><summary>{head}</summary>",
        "",
        *_table(["stale", "because"], [(_code(assets), because) for assets, because in groups]),
        "</details>",
    ]


def _rule(rule: str | None) -> str:
    return NOBODY if rule is None else _code(rule)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
        *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
        "",
    ]


def _code(text: str) -> str:
    """Return text as code, whatever it holds."""
    text = one_line(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    inner = f" {text} " if "`" in text else text
    return f"{fence}{inner}{fence}"


def _cell(text: str) -> str:
    """Return text that ends no cell, and is no markup of its own outside of code."""
    escaped = text if text.startswith(("`", NOBODY)) else text.replace("<", "&lt;")
    return one_line(escaped).replace("|", "\\|")
