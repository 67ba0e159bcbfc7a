"""`dbcycle plan --markdown`: a comment that says which columns enter or leave judgement."""

import subprocess

import pytest

from dbcycle_assets.cli import markdown


def git(root, *words):
    """Run git in a folder as somebody."""
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    subprocess.run(["git", "-C", root, *who, *words], check=True, capture_output=True)


@pytest.fixture
def committed(shop):
    """A project whose config is committed."""
    git(shop, "init", "-q", "-b", "main", ".")
    git(shop, "add", "-A")
    git(shop, "commit", "-q", "-m", "judged")
    return shop


def edit(shop, *changes):
    """Replace texts in the config; each must be there."""
    path = shop / "dbcycle.yaml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_columns_that_enter_leave_and_change(committed, dbcycle):
    """A line for each, and the proposals for what is unjudged now; nothing else is listed."""
    edit(committed, ("email: email", "email: {anonymize: email, domain: map}"), ("keep: [id, role]", "keep: [id]"))  # fmt: skip
    shown = dbcycle("--project", committed, "plan", "--markdown", "--against", "main")
    assert "0 enter, 1 leave, 1 change" in shown.out
    assert "| `users.email` | `email` | `email (domain: map)` |" in shown.out
    assert "| `users.role` | `keep` | *unjudged* |" in shown.out
    assert "**1 column unjudged**" in shown.out
    assert "`users.full_name`" not in shown.out
    assert shown.code == 8
    git(committed, "commit", "-qam", "less")
    edit(committed, ("keep: [id]", "keep: [id, role]"))
    back = dbcycle("--project", committed, "plan", "--markdown", "--against", "main")
    assert "1 enter, 0 leave, 0 change" in back.out
    assert "| `users.role` | *unjudged* | `keep` |" in back.out


def test_a_project_that_git_had_not(committed, dbcycle):
    """Every judgement enters where the revision had no config, and none where nothing changed."""
    same = dbcycle("--project", committed, "plan", "--markdown", "--against", "HEAD")
    assert "No column's judgement differs from `HEAD`" in same.out
    git(committed, "rm", "-q", "--cached", "dbcycle.yaml")
    git(committed, "commit", "-q", "-m", "none")
    every = dbcycle("--project", committed, "plan", "--markdown", "--against", "HEAD")
    assert "7 enter, 0 leave, 0 change" in every.out
    assert "is not known here" not in every.out
    (committed / ".dbcycle/catalog.json").unlink()
    assert "is not known here" in dbcycle("--project", committed, "plan", "--markdown").out


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "main:dbcycle.yaml", ""])
def test_an_unknown_revision(committed, dbcycle, revision):
    """It is named with what to do, and git takes no option from it."""
    shown = dbcycle("--project", committed, "plan", "--markdown", f"--against={revision}")
    assert shown.code == 7
    assert "git knows no revision" in shown.err
    assert not (committed / "x").exists()


def test_against_alone(shop, dbcycle):
    """It means nothing without the comment."""
    assert dbcycle("--project", shop, "plan", "--against", "main").code == 2


def test_names_cannot_break_the_table():
    """Neither a pipe nor a backtick nor markup ends a cell or begins a tag."""
    row = markdown._table(["a", "b"], [(markdown._code("x|y`z<b>"), "<img src=x> | \n line")])[2]
    assert row == "| `` x\\|y`z<b> `` | &lt;img src=x> \\| ⏎ line |" or row.count(" | ") == 1
    assert "<img" not in row
    assert "\n" not in row
