"""The laws that every anonymizer of the registry obeys; a new one cannot skip them."""

import json

import polars as pl
import pytest

from dbcycle_assets.anonymizers import Facts, Kind, build_mask, definition, parameters_of, registry
from dbcycle_assets.errors import ConfigError

from .samples import KEY, OTHER, SAMPLES

CASES = [
    pytest.param(sample, kind, values, id=f"{sample.id}-{kind}")
    for sample in SAMPLES
    for kind, values in sample.columns.items()
    if values
    and not (kind is not Kind.TEXT and sample.options.get("give") == "label")
    and not (sample.name == "generalize" and kind is not Kind.TEXT)
]
laws = pytest.mark.parametrize(("sample", "kind", "values"), CASES)
NAMELESS = {"\\x", "infinity", "-infinity", "NaN", "empty", "00:00:00", "0"}
"""Values that are nobody's and may stay."""


def mask_of(sample, kind, key=KEY, **facts):
    return build_mask(sample.name, sample.options, Facts(kind, labels=("a", "b"), **facts), key)


def usual(sample):
    """Return whether a rule stands with its default parameters, which its properties describe."""
    return all(
        info.is_required() or name not in sample.options
        for name, info in definition(sample.name).parameters.model_fields.items()
    )


ELSEWHERE = {"sql", "shuffle", "template", "python", "compose", "scrub"}
"""Rules over rows, other rules, or the whole database: tests/cycle/test_rules.py has them."""


def test_no_rule_is_without_a_sample():
    """A new definition is tried before it is released."""
    assert {sample.name for sample in SAMPLES} == set(registry()) - ELSEWHERE


@laws
def test_the_same_value_becomes_the_same_fake(sample, kind, values):
    """A mapping depends on value and key alone, not on order or history."""
    first, second = mask_of(sample, kind), mask_of(sample, kind)
    forward = [first(value) for value in values]
    backward = [second(value) for value in reversed(values)]
    assert forward == backward[::-1]


@laws
def test_another_key_gives_another_world(sample, kind, values):
    """A keyed rule follows the key, and only a keyed rule does."""
    here = [mask_of(sample, kind)(value) for value in values]
    there = [mask_of(sample, kind, OTHER)(value) for value in values]
    if not definition(sample.name).keyed or sample.options.get("to") == "continent":
        assert here == there
    elif len({value for value in values if value not in NAMELESS}) > 2:
        assert here != there


@laws
def test_a_searchable_rule_never_echoes(sample, kind, values):
    """What is searched in the output never comes out as it went in."""
    if definition(sample.name).searchable:
        mask = mask_of(sample, kind)
        assert not [value for value in values if value not in NAMELESS and mask(value) == value]


@laws
def test_a_fake_fits_its_column(sample, kind, values):
    """Whatever comes out is no longer than the column, once the rule fits it and the value did."""
    entry = definition(sample.name)
    parameters = parameters_of(sample.name, sample.options)
    limit = 64
    if kind is not Kind.TEXT or entry.misfit(parameters, Facts(kind, max_length=limit)):
        return
    mask = mask_of(sample, kind, max_length=limit)
    for value in values:
        if len(value) > limit or sample.name in {"json", "xml", "hstore"}:
            continue
        try:
            made = mask(value)
        except ValueError:  # it says so instead of cutting
            continue
        assert made is None or len(made) <= limit


@laws
def test_length_and_format_stay_where_promised(sample, kind, values):
    """A rule's properties describe what it does."""
    entry, mask = definition(sample.name), mask_of(sample, kind)
    if not usual(sample):
        return
    for value in values:
        made = mask(value)
        if entry.length_preserving:
            assert len(made) == len(value)
        if entry.format_preserving:
            assert list(map(group, made)) == list(map(group, value))


def group(char):
    """Return what a character is to a format: a digit, a letter or itself."""
    if char.isdigit():
        return "digit"
    return "letter" if char.isalpha() else char


@laws
def test_case_and_blanks_are_folded_where_promised(sample, kind, values):
    """A rule that folds gives one fake to all ways of writing a value."""
    if definition(sample.name).folds and kind in {Kind.TEXT, Kind.UUID} and usual(sample):
        mask = mask_of(sample, kind)
        for value in values:
            assert mask(value) == mask(f" {value.upper()} ") == mask(value.lower())


@laws
def test_a_blank_stays_blank_or_is_masked_like_any_value(sample, kind, values):
    """An empty text is no error: there is nothing in it to judge."""
    if kind is Kind.TEXT and sample.name != "json":
        made = mask_of(sample, kind)("")
        assert made is None or isinstance(made, str)


def numbered(sample, count):
    """Return ``count`` different values of a rule's format and their kind of column."""
    accepts = definition(sample.name).accepts
    formats = {
        "barcode": lambda n: ean(f"{n:012d}"),
        "isbn": lambda n: ean(f"978{n:09d}"),
        "imei": lambda n: luhn(f"35209900{n:06d}"),
        "vin": None,
        "vat_number": lambda n: f"IT{luhn(f'{n:07d}015')}",
        "crypto_address": lambda n: f"0x{n:040x}",
        "hostname": lambda n: f"h{n}.corp.example",
        "url": lambda n: f"https://corp.example/{n}",
        "uuid": lambda n: f"{n:08x}-0000-4000-8000-000000000000",
    }
    make = formats.get(sample.name, lambda n: f"+1 555 {n:07d}")
    if sample.name == "vin":
        from dbcycle_assets.anonymizers.article import _SCHEMES

        scheme = _SCHEMES["vin"][1][0]
        make = lambda n: scheme.complete(f"1HGCM826A{n:07d}")  # noqa: E731
    if Kind.INTEGER in accepts:
        return Kind.INTEGER, [str(n - count // 2) for n in range(count)]
    return Kind.TEXT, [make(n) for n in range(count)]


def ean(payload):
    from dbcycle_assets.anonymizers.checksum import ean

    return payload + ean(payload)


def luhn(payload):
    from dbcycle_assets.anonymizers.checksum import luhn

    return payload + luhn(payload)


UNIQUE = [sample for sample in SAMPLES if definition(sample.name).unique and usual(sample)]


@pytest.mark.parametrize("sample", UNIQUE, ids=lambda sample: sample.id)
def test_what_was_unique_stays_unique(sample):
    """Rules that claim uniqueness keep thousands of values apart, also beside other columns."""
    kind, values = numbered(sample, 5_000)
    mask = mask_of(sample, kind, unique=True)
    assert len({mask(value) for value in values}) == len(values)


def test_properties_agree_with_each_other():
    """A permutation keeps unique unique, and what keeps its format keeps its length."""
    for entry in registry().values():
        assert entry.unique or not entry.reversible
        assert entry.length_preserving or not entry.format_preserving


@pytest.mark.parametrize(("name", "first"), [("integer", 1_000_000), ("uuid", 0)])
def test_a_million_keys_stay_apart(name, first):
    """Keys are proven on a million rows: no two meet, and none stays."""
    kind = Kind.INTEGER if name == "integer" else Kind.UUID
    mask = build_mask(name, {}, Facts(kind, unique=True), KEY)
    write = str if name == "integer" else "{:08x}-0000-4000-8000-000000000000".format
    values = [write(n) for n in range(first, first + 1_000_000)]
    made = list(map(mask, values))
    assert len(set(made)) == len(values)
    assert not any(map(str.__eq__, made, values))


def judged(sample):
    """Return why a rule as it stands may not serve a unique column, if it may not."""
    entry = definition(sample.name)
    parameters = parameters_of(sample.name, sample.options)
    return entry.misfit(parameters, Facts(min(entry.accepts), unique=True, labels=("a",)))


# These keep the shape of a value instead of inventing one; the server judges their uniqueness.
SHAPED = {"date", "timestamp", "birth_date", "number", "bytes", "tsvector", "json", "xml", "hstore"}
SHAPED |= {"null", "scramble", "postal_code"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_a_rule_that_may_repeat_refuses_a_unique_column(sample):
    """Uniqueness is proven before the run: a rule that cannot keep it says so, others serve."""
    entry = definition(sample.name)
    if entry.unique and usual(sample):
        assert judged(sample) is None
    elif usual(sample) and sample.name not in SHAPED | {"national_id"}:
        assert judged(sample)


ALTERNATIVES = [
    ("card_number", {"numbers": "permuted"}),
    ("iban", {"bank": "keep"}),
    ("ip_address", {"preserve": "prefix"}),
    ("mac_address", {"vendor": "keep"}),
    ("national_id", {"country": "US", "numbers": "permuted"}),
    ("national_id", {"country": "DE"}),
    ("pattern", {"pattern": "[a-z]{20}"}),
]


@pytest.mark.parametrize(("name", "options"), ALTERNATIVES)
def test_a_refusal_of_a_unique_column_names_a_way_out(name, options):
    """The parameter that a refusal recommends is accepted."""
    parameters = parameters_of(name, options)
    assert definition(name).misfit(parameters, Facts(Kind.TEXT, unique=True)) is None


def test_null_refuses_a_column_that_must_have_a_value():
    """NOT NULL is known before a row moves."""
    entry = definition("null")
    assert entry.misfit(entry.parameters(), Facts(Kind.TEXT, nullable=False))


@pytest.mark.parametrize("name", sorted(registry()))
def test_an_unknown_parameter_is_refused(name):
    """A misspelt parameter is an error that names those there are."""
    with pytest.raises(ConfigError, match="no_such_parameter"):
        parameters_of(name, {"no_such_parameter": 1})


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_parameter_is_described(name):
    """The reference says what each parameter does."""
    for info in definition(name).parameters.model_fields.values():
        assert info.description


UNREADABLE = [
    ("barcode", {}, "4006381333932"),
    ("bic", {}, "not a bank"),
    ("birth_date", {}, "1980-05-05 Mary Smith"),
    ("bucket", {"width": 1}, "many"),
    ("card_number", {}, "4242424242424241"),
    ("code", {}, "Åse"),
    ("code", {}, "---"),
    ("coordinates", {}, "Berlin"),
    ("coordinates", {"axis": "latitude"}, "91"),
    ("country", {"to": "continent"}, "Ruritania"),
    ("crypto_address", {}, "Mary"),
    ("date", {}, "2024-01-01 Mary Smith"),
    ("date", {}, "infinity of Mary Smith"),
    ("date_round", {}, "yesterday"),
    ("digits", {}, "Mary"),
    ("digits", {}, "Mary ١٢"),
    ("email", {"domain": "keep"}, "mary"),
    ("generalize", {"classes": {"a": "b"}}, "c"),
    ("hstore", {}, "Mary"),
    ("iban", {}, "DE89370400440532013001"),
    ("iban", {}, "ZZ89370400440532013001"),
    ("imei", {}, "Mary"),
    ("interval", {}, "a while"),
    ("ip_address", {}, "Mary"),
    ("ip_address", {"preserve": "prefix", "keep_prefix": 32}, "10.0.0.1"),
    ("mac_address", {}, "Mary"),
    ("national_id", {"country": "DE"}, "50935821573"),
    ("national_id", {"country": "PL"}, "44139901359"),
    ("noise", {}, "many"),
    ("noise", {}, "1" * 300),
    ("password_hash", {"scheme": "same"}, "plain text"),
    ("phone", {}, "Åse"),
    ("range", {}, "some"),
    ("time", {}, "noon"),
    ("url", {"shape": "path"}, "Mary"),
    ("vat_number", {}, "XX123"),
    ("xml", {}, "<a>"),
    ("xml", {}, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ("xml", {}, "<a>&b;</a>"),
]


@pytest.mark.parametrize(("name", "options", "value"), UNREADABLE)
def test_what_cannot_be_read_stops(name, options, value):
    """A value that a rule does not understand is an error, never a value that passes."""
    kind = min(definition(name).accepts & {Kind.TEXT, Kind.BYTES})
    with pytest.raises(ValueError, match=r".+"):
        build_mask(name, options, Facts(kind), KEY)(value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("emial", {}, "did you mean `email`"),
        ("email", {"domian": "x"}, "domian"),
        ("faker", {"provider": "no_such_thing"}, "no provider"),
        ("faker", {"provider": "job", "locale": "xx_XX"}, "no locale"),
        ("json", {"paths": {"a.b": "email"}}, "a path looks like"),
        ("xml", {"paths": {"a.b": "email"}}, "a path looks like"),
        ("choice", {"values": ["a"], "weights": [1, 2]}, "as many weights"),
        ("first_name", {"locale": "xx_XX"}, "no names for the locale"),
        ("first_name", {"locale": "vi_VN"}, "too few"),
        ("pattern", {"pattern": "a+"}, "not bounded"),
        ("pattern", {"pattern": "[^a]"}, "negated"),
        ("pattern", {"pattern": "(a"}, "not closed"),
        ("pattern", {"pattern": "a{2,}"}, "without bounds"),
        ("pattern", {"pattern": "a{9999}"}, "more than"),
        ("pattern", {"pattern": "abc"}, "one text only"),
        ("pattern", {"pattern": "a)"}, "stops at"),
        ("pattern", {"pattern": "[]"}, "empty class"),
        ("pattern", {"pattern": "[a"}, "too early"),
        ("pattern", {"pattern": r"\b"}, "not of the subset"),
        ("bucket", {}, "either width or edges"),
        ("bucket", {"edges": [2, 1]}, "must rise"),
        ("noise", {"minimum": 2, "maximum": 1}, "above maximum"),
        ("coordinates", {"min_metres": 9, "max_metres": 2}, "above max_metres"),
    ],
)
def test_a_wrong_rule_is_explained(name, options, message):
    """A misspelt rule or parameter says what would be right."""
    with pytest.raises(ConfigError, match=message):
        build_mask(name, options, Facts(Kind.TEXT), KEY)


def test_json_stays_json_and_unknown_leaves_are_masked():
    """Every leaf without a path is masked; kept ones, numbers' digits and keys stay."""
    text = '{"name": "Mary", "kept": 1.50, "n": 12.0, "deep": {"x": ["mary@x.example"]}, "y": null}'
    options = {"paths": {"$.name": "full_name", "$.kept": "keep"}}
    made = build_mask("json", options, Facts(Kind.JSON), KEY)(text)
    assert '"kept": 1.50' in made
    assert "mary" not in made.lower()
    document = json.loads(made)
    assert list(document) == ["name", "kept", "n", "deep", "y"]
    assert document["deep"]["x"][0].endswith(("example.com", "example.org", "example.net"))


@laws
def test_a_reversible_rule_goes_back_under_the_reversed_key(sample, kind, values):
    """Whoever holds the key of a permutation comes from the fake to the value."""
    if definition(sample.name).reversible and usual(sample):
        forth, back = mask_of(sample, kind), mask_of(sample, kind, KEY.reversed())
        assert [back(forth(value)) for value in values] == values


ODD = [
    *(
        "",
        " ",
        "x",
        "Mary  Smith",
        " Bo",
        "K",
        "ſ",
        "a\tb",
        "SMITH",
        "o'neil",
        "A+B@c.de",
        "\\",
        "9999-12-30",
    ),
    *(
        "+1 (212) 555-0100",
        "+1 112 555 0100",
        "00 49 30 1",
        "0049 30 123",
        "(0)",
        "0",
        "00",
        "+",
        "+4",
        "1-2",
    ),
    *(
        "+44 (0)20 7946 0958",
        "030/1234567",
        "012345678901234567890",
        "tel 030 12",
        "030 1 ext 2",
        "0 0 1",
    ),
    *(
        "2020-13-01",
        "0001-01-01",
        "2024-02-29T10:00 PM",
        "2024-02-29 x",
        "2000-01-01 00:00:00+00 BC",
    ),
]
"""Texts at the edges of what a column at once can read."""


@laws
def test_a_column_at_once_is_what_each_value_alone_becomes(sample, kind, values):
    """The mask of a column answers as the mask of one value does, or not at all."""
    parameters = parameters_of(sample.name, sample.options)
    many = [*values, *ODD] if kind is Kind.TEXT else values
    for limit in (None, 40, 17):
        facts = Facts(kind, labels=("a", "b"), max_length=limit)
        build = definition(sample.name).build_column
        at_once = build and build(parameters, facts, KEY)
        if at_once is None:
            return
        given = pl.Series(many, dtype=pl.String)
        made, holds = at_once(given)
        assert given.to_list() == many  # it changes nothing in place
        assert len(made) == len(holds) == len(many)
        mask = mask_of(sample, kind, max_length=limit)
        for value, fake, held in zip(many, made, holds, strict=True):
            assert not held or fake == mask(value), value
