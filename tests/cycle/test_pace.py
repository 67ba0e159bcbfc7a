"""What a run tells about its speed, and what past runs tell about the next one."""

from dbcycle_assets.cycle import pace
from dbcycle_assets.cycle.pace import Pace, duration, forecast
from dbcycle_assets.model.ledger import Record, Stale


def record(asset, seconds, **facts):
    return Record(asset, "", {}, "v", "", seconds=seconds, facts=facts)


def told(monkeypatch, steps, expected):
    """Return what is reported when so many rows are done at such times."""
    clock = iter([0.0, *(at for at, _rows in steps)])
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    said = []
    counting = Pace(said.append, "extracting users", expected)
    for _at, rows in steps:
        counting.at(rows)
    return said


def test_a_report_comes_after_two_seconds_and_then_less_often(monkeypatch):
    """A short table says nothing, a long one less the longer it takes."""
    assert told(monkeypatch, [(0.5, 10), (1.9, 20)], 100) == []
    steps = [(second, 1000 * second) for second in range(1, 101)]
    said = told(monkeypatch, steps, 1_000_000)
    assert said[0] == "extracting users: 2,000 of 1,000,000 rows, 1,000 a second, about 17 min left"
    assert 10 < len(said) < 40


def test_without_an_expectation_nothing_is_promised(monkeypatch):
    """What is left is said only where it is known."""
    assert told(monkeypatch, [(3.0, 300)], None) == ["extracting users: 300 rows, 100 a second"]


def test_blocks_pass_through_unchanged():
    """Counting lines changes none."""
    blocks = [b"a\nb\n", b"c\n"]
    assert list(Pace(lambda _told: None, "seeding", 3).counted(blocks)) == blocks


def test_durations_are_told_as_people_do():
    """Seconds, minutes, hours."""
    assert [duration(s) for s in (0.4, 89, 200, 6000)] == ["0 s", "89 s", "3 min", "1.7 h"]


def test_a_forecast_adds_what_past_runs_took():
    """Tables that run side by side share the time; what never ran is counted apart."""
    stale = [
        Stale(name, (), direct=True) for name in ("plan", "extracts/a", "extracts/b", "test_db")
    ]
    records = {
        "extracts/a": record("extracts/a", 10, size_bytes=1000),
        "extracts/b": record("extracts/b", 6, size_bytes=500),
        "test_db": record("test_db", 4),
    }
    found = forecast(stale, records, None, workers=2)
    assert (found.seconds, found.size_bytes, found.unknown, found.slow) == (12.0, 1500, 1, ())
