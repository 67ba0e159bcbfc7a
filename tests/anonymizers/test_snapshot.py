"""A changed mapping is a visible diff, and never an accident.

DBCYCLE_SNAPSHOT=write pytest tests/anonymizers/test_snapshot.py writes the file anew.
"""

import json
import os
from pathlib import Path

from dbcycle_assets.anonymizers import Facts, build_mask, definition
from dbcycle_assets.anonymizers.base import FUNCTION

from .samples import KEY, SAMPLES

FILE = Path(__file__).parent / "snapshot.json"
ADVICE = (
    "the mapping of {} changed: raise the `version` of the definition, so that extracts made with "
    "the older mapping become stale, and write tests/anonymizers/snapshot.json anew"
)


def mapped():
    """Return the fakes of every sample under the key of the tests."""
    found = {}
    for sample in SAMPLES:
        for kind, values in sample.columns.items():
            facts = Facts(kind, labels=("a", "b"))
            try:
                mask = build_mask(sample.name, sample.options, facts, KEY)
                found[f"{sample.id} {kind}"] = {
                    "version": [FUNCTION, definition(sample.name).version],
                    "fakes": {value: mask(value) for value in values},
                }
            except ValueError:  # the laws say which values a rule must read
                continue
    return found


def test_no_mapping_changes_unseen():
    """Whoever changes a mapping sees it here and raises the version of its definition."""
    made = mapped()
    if os.environ.get("DBCYCLE_SNAPSHOT") == "write":
        text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True)
        FILE.write_text(text + "\n", encoding="utf-8")
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    changed = [name for name in kept if name in made and made[name] != kept[name]]
    silent = [name for name in changed if made[name]["version"] == kept[name]["version"]]
    assert not silent, ADVICE.format(", ".join(silent))
    assert made == kept, "write tests/anonymizers/snapshot.json anew: DBCYCLE_SNAPSHOT=write"
