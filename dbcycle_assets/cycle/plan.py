"""The plan stage: decide from config and catalog, and propose rules for what is unjudged."""

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from ..config.model import Config
from ..errors import BadInput
from ..model.catalog import Catalog
from ..model.detect import Proposal, propose
from ..model.head import inherited_rule
from ..model.ledger import Check, Stale
from ..model.plan import Plan, make_plan
from .session import Cycle, Outcome

SAMPLE = 2000
"""How many distinct values of a column the detector looks at."""


@dataclass(frozen=True)
class PlanReport:
    """What a refresh would do and what is in its way; ``plan`` is None before any migration."""

    stale: tuple[Stale, ...]
    fresh: int
    plan: Plan | None
    proposals: tuple[Proposal, ...]


def require_catalog(cycle: Cycle) -> Catalog:
    """Return the catalog of the migrated database.

    Raises:
        BadInput: nothing was migrated yet.
    """
    catalog = cycle.catalog
    if catalog is None:
        raise BadInput(
            "there is no migrated database yet",
            where=cycle.project.name,
            remedy="run `dbcycle refresh`, or `dbcycle restore` and `dbcycle migrate`",
        )
    return catalog


def current_plan(cycle: Cycle) -> Plan:
    """Return the plan for the present config and the last migrated schema; findings included."""
    return make_plan(cycle.project.config, require_catalog(cycle))


def decide(cycle: Cycle) -> Outcome:
    """Make the plan and record it.

    Raises:
        PlanError: every finding at once, with a proposed rule for each unjudged column.
    """
    if (hit := cycle.fresh("plan", missing={})) is not None:
        return hit
    started = time.monotonic()
    plan = current_plan(cycle)
    if plan.unjudged:
        found = proposals(cycle, plan.unjudged)
        plan.require({(p.table, p.column): in_words(p) for p in found})
    plan.require()
    masked = sum(len(table.masked) for table in plan.tables.values())
    judged = sum(len(table.columns) for table in plan.tables.values())
    verdicts = Counter(str(proof.verdict) for proof in plan.proofs())
    facts = {
        "tables": len(plan.tables),
        "constraints_proven": verdicts["proven"],
        "constraints_checked_at_run": verdicts["checked at run"],
        "columns_judged": judged,
        "columns_masked": masked,
        "load_order": [list(group) for group in plan.load_order],
    }
    check = Check("everything_judged", passed=True, facts={"columns": judged})
    return cycle.record("plan", plan.digest, started=started, facts=facts, checks=(check,))


def in_words(proposal: Proposal) -> str:
    """Return a proposal as a person would say it."""
    sure = f"{round(proposal.confidence * 100)} % sure"
    return f"{proposal.rule} ({sure}: {proposal.reason})"


def proposals(
    cycle: Cycle, only: Collection[tuple[str, str]] | None = None, *, role: str = "migrated"
) -> list[Proposal]:
    """Propose a rule for columns of a scratch database (all, or ``only`` the named ones)."""
    with cycle.server.open(cycle.database(role), read_only=True) as database:
        catalog = database.catalog()
        samples = {
            (table.id, column.name): database.sample(table, column, SAMPLE)
            for table in catalog.tables.values()
            for column in table.stored_columns
        }
    known = cycle.catalog
    if known is not None and known.schema_digest == catalog.schema_digest:
        catalog = replace(catalog, ancestors=known.ancestors)
    config = cycle.config
    found = [_inherited(config, catalog, proposal) for proposal in propose(catalog, samples)]
    return [p for p in found if only is None or (p.table, p.column) in only]


def _inherited(config: Config, catalog: Catalog, proposal: Proposal) -> Proposal:
    """Return a proposal, or the rule of the column that this one is a copy of."""
    ancestors = catalog.ancestors_of(proposal.table, proposal.column)
    found = inherited_rule(config, ancestors)
    if found is None:
        return proposal
    ancestor, options = found
    return replace(
        proposal,
        rule=options["anonymize"],
        options={name: value for name, value in options.items() if name != "anonymize"},
        personal=proposal.personal or options["anonymize"] != "keep",
        confidence=0.99,
        reason=f"a copy of {ancestor.from_table}.{ancestor.from_column} ({ancestor.step})",
    )


def report(cycle: Cycle, *, propose_rules: bool = True) -> PlanReport:
    """Return what is stale and why, and what each column becomes; changes nothing."""
    stale = tuple(cycle.stale())
    fresh = len(cycle.nodes()) - len(stale)
    if cycle.catalog is None:
        return PlanReport(stale, fresh, None, ())
    plan = current_plan(cycle)
    found: list[Proposal] = []
    if plan.unjudged and propose_rules:
        found = proposals(cycle, plan.unjudged)
    return PlanReport(stale, fresh, plan, tuple(found))
