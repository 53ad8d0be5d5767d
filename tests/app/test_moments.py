"""The state of any day from kept evenings is the state that the whole fold gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundclock.app.service import moments
from fundclock.app.service.moments import Moments
from fundclock.events.replay import replay
from fundclock.events.stores.memory import MemoryLog


@given(st.lists(st.integers(0, 3700), min_size=1, max_size=6), st.sampled_from([10**9, 300_000, 1]))
def test_any_day_in_any_order(levered_run, days, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moments, "MAX_BYTES", most)
        kept = Moments(levered_run.log)
        for day in days:
            assert kept.at(day, len(levered_run.log)).digest() == replay(levered_run.log, day).digest()
        assert kept.at(None, len(levered_run.log)).digest() == levered_run.state.digest()


@given(st.lists(st.integers(1, 2700), min_size=1, max_size=6).map(sorted), st.integers(0, 3700))
def test_a_log_that_grows(levered_run, sizes, day):
    records, log = list(levered_run.log), MemoryLog()
    kept = Moments(log)
    for size in sizes:
        log.append(records[len(log) : size])
        assert kept.at(day, size).digest() == replay(records[:size], day).digest()
        assert kept.at(None, size).digest() == replay(records[:size]).digest()
