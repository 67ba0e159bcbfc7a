"""The nightly line is checked before Dagster ever sees it."""

from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given, settings
from hypothesis import strategies as st

from dbcycle_assets.config.schedule import cron_fault

part = st.one_of(
    st.just("*"),
    st.integers(0, 70).map(str),
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map("{0[0]}-{0[1]}".format),
    st.integers(0, 12).map("*/{}".format),
    st.sampled_from(["mon", "FRI", "jan", "mon-fri", "x", "", "-", "/", "1-", "5/10", "@daily"]),
)
lines = st.lists(part, min_size=4, max_size=6).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(line=lines)
def test_what_is_accepted_dagster_accepts(line):
    """A line that loads never breaks the loading of the definitions."""
    if cron_fault(line) is None:
        assert is_valid_cron_string(line), line


def test_usual_lines_are_accepted():
    """Lists, ranges, steps and names are all fine."""
    for line in ("0 2 * * *", "*/15 1-5,22 1 jan-mar mon-FRI", "5 4 * * 0,6", "0 0 1-7/2 * 7"):
        assert cron_fault(line) is None
    for line in ("", "often", "@daily", "0 2 * *", "0 24 * * *", "0 0 0 * *", "0 0 5-1 * *"):
        assert cron_fault(line)
