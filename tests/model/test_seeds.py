"""Seeds: what a file says, in which order they apply, and what is to be done."""

from pathlib import PurePosixPath

import pytest

from dbcycle_assets.errors import SeedError
from dbcycle_assets.model.seeds import (
    Row,
    decide,
    in_order,
    orphans,
    read_seed,
    waves,
)


def seed(name, *, depends=None, version="1.0.0", text="x"):
    lines = [f"-- version: {version}"]
    if depends is not None:
        lines.append(f"-- depends: {', '.join(depends)}")
    return read_seed(PurePosixPath(f"{name}.sql"), "\n".join([*lines, text]).encode())


def row(found, *, environment="test", status="Active", **changes):
    facts = {"version": found.version, "checksum": found.checksum} | changes
    return Row("1", found.name, environment=environment, applied_at="", applied_by="", status=status, **facts)  # fmt: skip


def test_a_python_seed_is_described_without_being_run():
    """Facts are read from the text; what would run is not run."""
    text = b'"""States of the union.\n\nMore."""\nVERSION = "2.1"\nDEPENDS = ["base/00_x"]\nraise SystemExit\n'
    found = read_seed(PurePosixPath("base/05_states.py"), text)
    assert (found.name, found.number, found.kind) == ("base/05_states", 5, "python")
    assert (found.version, found.description) == ("2.1", "States of the union.")
    assert found.depends == ("base/00_x",)


@pytest.mark.parametrize(
    ("path", "text", "word"),
    [
        ("bsae/00_x.sql", "", "did you mean `base`"),
        ("00_x.sql", "", "lies in base"),
        ("base/states.sql", "", "NN_name"),
        ("base/00_x.txt", "", "NN_name"),
        ("base/00_x.sql", "-- version: new", "is no version"),
        ("base/00_x.sql", "-- environments: prodution", "did you mean `production`"),
        ("base/00_x.py", "def (", "not valid Python"),
        ("base/00_x.py", "VERSION = make()", "must be written out"),
    ],
)
def test_a_malformed_seed_is_named(path, text, word):
    """The file is named, with a suggestion where there is one."""
    with pytest.raises(SeedError, match=word):
        read_seed(PurePosixPath(path), text.encode())


def test_the_order_is_folder_number_name():
    """Numbers are numbers: 10 comes after 9."""
    names = ["test/00_a", "base/10_b", "base/9_c", "development/01_d", "base/9_b"]
    ordered = [found.name for found in in_order(map(seed, names))]
    assert ordered == ["base/9_b", "base/9_c", "base/10_b", "development/01_d", "test/00_a"]


def test_a_dependency_comes_first_whatever_its_number():
    """Declared dependencies are enforced."""
    ordered = in_order([seed("base/00_a", depends=["01_b"]), seed("base/01_b", depends=[])])
    assert [found.name for found in ordered] == ["base/01_b", "base/00_a"]


@pytest.mark.parametrize(
    ("seeds", "word"),
    [
        ([("base/00_a", ["base/01_c"])], "no seed here"),
        ([("base/00_a", ["development/00_d"]), ("development/00_d", [])], "not every environment"),
        ([("base/00_a", ["01_b"]), ("base/01_b", ["00_a"])], "depend on each other"),
    ],
)
@pytest.mark.case(110)
def test_a_dependency_that_cannot_be_is_named(seeds, word):
    """Missing, too late, or circular."""
    with pytest.raises(SeedError, match=word):
        in_order(seed(name, depends=depends) for name, depends in seeds)


def test_only_what_declares_its_dependencies_is_independent():
    """A seed without a declaration waits for all before it, and all after it wait."""
    groups = waves(
        [
            seed("base/00_a", depends=[]),
            seed("base/01_b", depends=[]),
            seed("base/02_c", depends=["00_a"]),
            seed("base/03_d"),
            seed("base/04_e", depends=[]),
        ]
    )
    assert [[found.name[5:] for found in group] for group in groups] == [
        ["00_a", "01_b"],
        ["02_c"],
        ["03_d"],
        ["04_e"],
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("production", ["base/00_a"]),
        ("staging", ["base/00_a"]),
        ("development", ["base/00_a", "development/00_b"]),
        ("test", ["base/00_a", "development/00_b", "test/00_c"]),
    ],
)
def test_the_environment_decides_what_applies(environment, expected):
    """Production gets base alone."""
    seeds = [seed("base/00_a"), seed("development/00_b"), seed("test/00_c")]
    assert [action.seed.name for action in decide(seeds, [], environment)] == expected


def test_what_was_applied_is_skipped_upgraded_or_drifted():
    """The content decides, the version says on purpose, and another environment does not count."""
    old, new = seed("base/00_a"), seed("base/00_a", version="2.0.0")
    edited = seed("base/00_a", text="y")
    assert decide([old], [row(old)], "test")[0].kind == "skip"
    assert decide([old], [row(old, environment="staging")], "test")[0].kind == "apply"
    assert decide([old], [row(old, status="Inactive")], "test")[0].kind == "apply"
    assert decide([new], [row(old)], "test")[0].kind == "upgrade"
    assert decide([edited], [row(old)], "test")[0].kind == "drift"
    assert decide([edited], [row(old)], "test", force=True)[0].kind == "apply"


def test_line_endings_do_not_change_a_seed():
    """A checkout on another system is the same seed."""
    one = read_seed(PurePosixPath("base/00_a.sql"), b"-- version: 1\nSELECT 1;\n")
    other = read_seed(PurePosixPath("base/00_a.sql"), b"-- version: 1\r\nSELECT 1;\r\n")
    assert one.checksum == other.checksum


@pytest.mark.case(109)
def test_a_deleted_seed_is_an_orphan_of_its_environment():
    """A file of the same content under another name is suggested as its new name."""
    gone, here = seed("base/00_a"), seed("base/01_b")
    (found,) = orphans([here], [row(gone), row(gone, environment="staging")], "test")
    assert found.row.name == "base/00_a"
    assert found.renamed == "base/01_b"
    assert not list(orphans([gone], [row(gone)], "test"))
