"""The laws that every anonymizer of the registry obeys; a new one cannot skip them."""

import json

import pytest

from dbcycle_assets.anonymizers import Facts, Key, Kind, build_mask, definition, registry
from dbcycle_assets.anonymizers.vocabulary import invented, locales, real_names
from dbcycle_assets.errors import ConfigError

KEY, OTHER = Key(b"first secret of the tests"), Key(b"second secret of the tests")

OPTIONS = {
    "constant": {"value": "7"},
    "choice": {"values": ["a", "b", "c", "d", "e", "f", "g"]},
    "faker": {"provider": "job"},
    "json": {"paths": {"$.name": "full_name", "$.kept": "keep"}},
}
VALUES = {
    Kind.TEXT: ["Mary Smith", "mary.smith@corp.example", "+49 170 5551234", "A-17/b", "ÅSA ÖBERG"],
    Kind.INTEGER: ["0", "7", "42", "-13", "32767", "99999", "2147483647", "9223372036854775807"],
    Kind.NUMERIC: ["12.50", "-0.001", "123456789012345678901234567890.5", "NaN"],
    Kind.FLOAT: ["1.5", "1e-300"],
    Kind.BOOLEAN: ["true", "false"],
    Kind.DATE: ["2024-02-29", "0001-01-01", "0044-03-15 BC", "infinity", "294276-12-31"],
    Kind.TIMESTAMP: ["2024-02-29 23:59:59.999999+00", "-infinity", "0001-01-01 00:00:00+00 BC"],
    Kind.UUID: ["550e8400-e29b-41d4-a716-446655440000"],
    Kind.JSON: ['{"name": "Mary", "kept": 1.50, "more": [null, true, "mary@x.example"]}', '"x y"'],
    Kind.BYTES: ["\\x", "\\x00ff10"],
    Kind.TSVECTOR: ["'fat':2 'rat':3A", "'it''s':1"],
    Kind.NETWORK: ["10.1.2.3", "10.1.2.3/32", "2001:db9::1"],
    Kind.ENUM: ["a"],
}
OPEN_TEXT = {"url", "ip_address", "date", "timestamp", "birth_date", "uuid", "json"}
"""Rules that read only texts of their own format."""

FORMATS = {
    "ip_address": ["10.1.2.3", "2001:db9::1"],
    "date": VALUES[Kind.DATE],
    "timestamp": VALUES[Kind.TIMESTAMP],
    "birth_date": ["1980-05-05", "2000-02-29"],
    "uuid": VALUES[Kind.UUID],
    "json": VALUES[Kind.JSON],
    "url": ["https://corp.example/a"],
}


ELSEWHERE = {"sql", "shuffle", "template", "python", "compose", "scrub"}
"""Rules over rows, other rules, or the whole database: tests/cycle/test_rules.py has them."""


def _cases():
    for name, entry in registry().items():
        if name in ELSEWHERE:
            continue
        for kind in sorted(entry.accepts & set(VALUES)):
            if name == "birth_date" and kind is not Kind.TEXT:
                values = [v for v in VALUES[kind] if "infinity" not in v]
            elif kind is Kind.TEXT and name in FORMATS:
                values = FORMATS[name]
            else:
                values = VALUES[kind]
            yield pytest.param(name, kind, values, id=f"{name}-{kind}")


CASES = list(_cases())


def mask_of(name, kind, key=KEY, **facts):
    return build_mask(name, OPTIONS.get(name, {}), Facts(kind, labels=("a", "b"), **facts), key)


@pytest.mark.parametrize(("name", "kind", "values"), CASES)
def test_the_same_value_becomes_the_same_fake(name, kind, values):
    """A mapping depends on value and key alone, not on order or history."""
    first, second = mask_of(name, kind), mask_of(name, kind)
    forward = [first(value) for value in values]
    backward = [second(value) for value in reversed(values)]
    assert forward == backward[::-1]


@pytest.mark.parametrize(("name", "kind", "values"), CASES)
def test_another_key_gives_another_world(name, kind, values):
    """A keyed rule follows the key, and only a keyed rule does."""
    here = [mask_of(name, kind)(value) for value in values]
    there = [mask_of(name, kind, OTHER)(value) for value in values]
    if not definition(name).keyed:
        assert here == there
    elif len({v for v in values if v not in {"\\x", "infinity", "-infinity", "NaN"}}) > 2:
        assert here != there


@pytest.mark.parametrize(("name", "kind", "values"), CASES)
def test_a_searchable_rule_never_echoes(name, kind, values):
    """What is searched in the output never comes out as it went in."""
    if definition(name).searchable:
        mask = mask_of(name, kind)
        assert not [value for value in values if value != "\\x" and mask(value) == value]


@pytest.mark.parametrize(("name", "kind", "values"), CASES)
def test_a_fake_fits_its_column(name, kind, values):
    """Whatever comes out is no longer than the column, once the rule fits it."""
    if kind is not Kind.TEXT or name in {"json", "constant", "choice", *OPEN_TEXT}:
        return
    limit = 64
    mask = mask_of(name, kind, max_length=limit)
    assert all(len(made) <= limit for value in values if (made := mask(value)) is not None)


UNIQUE = sorted(n for n, e in registry().items() if e.unique and n not in ELSEWHERE)


@pytest.mark.parametrize("name", UNIQUE)
def test_what_was_unique_stays_unique(name):
    """Rules that claim uniqueness keep twenty thousand values apart."""
    entry = definition(name)
    if Kind.INTEGER in entry.accepts:
        mask, values = mask_of(name, Kind.INTEGER, unique=True), [str(n) for n in range(20_000)]
    elif Kind.UUID in entry.accepts:
        mask = mask_of(name, Kind.UUID, unique=True)
        values = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(20_000)]
    else:
        mask = mask_of(name, Kind.TEXT, unique=True)
        values = [f"+1 555 {n:07d}" for n in range(20_000)]
    assert len({mask(value) for value in values}) == len(values)


# These keep the shape of a value instead of inventing one; the server judges their uniqueness.
SHAPED = {"date", "timestamp", "birth_date", "number", "bytes", "tsvector", "json", "ip_address"}
REPEATING = sorted(
    set(registry()) - set(UNIQUE) - SHAPED - ELSEWHERE - {"null", "scramble", "postal_code"}
)


@pytest.mark.parametrize("name", REPEATING)
def test_a_rule_that_may_repeat_refuses_a_unique_column(name):
    """Uniqueness is proven before the run: a rule that cannot keep it says so."""
    entry = definition(name)
    kind = min(entry.accepts)
    parameters = entry.parameters.model_validate(OPTIONS.get(name, {}))
    assert entry.misfit(parameters, Facts(kind, unique=True, labels=("a",)))


def test_null_refuses_a_column_that_must_have_a_value():
    """NOT NULL is known before a row moves."""
    entry = definition("null")
    assert entry.misfit(entry.parameters(), Facts(Kind.TEXT, nullable=False))


def test_json_stays_json_and_unknown_leaves_are_masked():
    """Every leaf without a path is masked; kept ones, numbers' digits and keys stay."""
    text = '{"name": "Mary", "kept": 1.50, "n": 12.0, "deep": {"x": ["mary@x.example"]}, "y": null}'
    made = mask_of("json", Kind.JSON)(text)
    assert '"kept": 1.50' in made
    assert "Mary" not in made
    assert "mary" not in made
    document = json.loads(made)
    assert list(document) == ["name", "kept", "n", "deep", "y"]
    assert document["deep"]["x"][0].endswith(("example.com", "example.org", "example.net"))


def test_an_email_is_the_same_whatever_its_case():
    """Addresses are compared as mail does."""
    mask = mask_of("email", Kind.TEXT)
    assert mask("Mary@X.example") == mask(" mary@x.EXAMPLE ")


def test_invented_names_are_nobodys():
    """No invented name occurs in a list of real ones."""
    real = real_names()
    assert len(locales()) > 50
    assert {"smith", "karaca", "müller"} <= real
    made = {name.casefold() for kind in ("first", "last") for name in invented(kind)}
    assert len(made) > 10_000
    assert not made & real


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("emial", {}, "did you mean `email`"),
        ("email", {"domian": "x"}, "domian"),
        ("faker", {"provider": "no_such_thing"}, "no provider"),
        ("faker", {"provider": "job", "locale": "xx_XX"}, "no locale"),
        ("json", {"paths": {"a.b": "email"}}, "a path looks like"),
        ("choice", {"values": ["a"], "weights": [1, 2]}, "as many weights"),
    ],
)
def test_a_wrong_rule_is_explained(name, options, message):
    """A misspelt rule or parameter says what would be right."""
    with pytest.raises(ConfigError, match=message):
        build_mask(name, options, Facts(Kind.TEXT), KEY)
