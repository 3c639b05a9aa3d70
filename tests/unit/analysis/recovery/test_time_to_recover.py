"""The first moment from which service is as before, among workflows written out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.arrivals import Arrivals
from perf_pipeline.analysis.recovery.baseline import baseline_of
from perf_pipeline.analysis.recovery.time_to_recover import Watch, time_to_recover
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from perf_pipeline.metrics.types.fault.recovery import Estimate

SECOND = 1_000_000_000
GONE_S, END_S = 20.0, 60.0
RATE_PER_S = 50
TOOK_S = 0.02


def arrivals(took_s: dict[float, float] | None = None, failed: Collection[float] = ()) -> Arrivals:
    """Return 50 arrivals a second for a minute, each of 20 ms but for those that are given.

    Args:
        took_s: Arrival time to how long it took, s.
        failed: Arrival times of those that failed.
    """
    at_s = np.arange(0, END_S, 1 / RATE_PER_S).round(6)
    times = np.array([(took_s or {}).get(at, TOOK_S) for at in at_s.tolist()])
    outcome = [int(Outcome.ERROR if at in failed else Outcome.OK) for at in at_s.tolist()]
    due_ns = np.rint(at_s * 1e9).astype(np.int64)
    return Arrivals(
        due_ns=due_ns,
        end_ns=due_ns + np.rint(times * 1e9).astype(np.int64),
        number=np.arange(len(at_s)),
        outcome=np.array(outcome),
        error_class=np.zeros(len(at_s), dtype=np.int64),
        has_lost_times=np.zeros(len(at_s), dtype=bool),
    )


def found_of(level: Arrivals, hold_s: float = 10.0, until_s: float = END_S) -> Estimate | None:
    """Return the time to recover from a failure from 15 to 20 s."""
    before_ns = (0, 15 * SECOND)
    baseline = baseline_of(level, before_ns, 0)
    assert baseline is not None
    watch = Watch(round(GONE_S * SECOND), round(until_s * SECOND), round(hold_s * SECOND))
    return time_to_recover(level, baseline, level.between(*before_ns), watch)


def between(start_s: float, end_s: float, every: int = 1) -> list[float]:
    """Return the times of arrivals within a span, each or every so many-th."""
    first, last = round(start_s * RATE_PER_S), round(end_s * RATE_PER_S)
    return [round(at / RATE_PER_S, 6) for at in range(first, last, every)]


def test_service_that_never_was_worse_recovered_at_once() -> None:
    found = found_of(arrivals())
    assert found is not None
    assert (found.value, found.low) == (0, 0)


def test_recovery_is_the_first_good_arrival_after_the_last_bad_one() -> None:
    """All fail until 22.4 s: the last at 22.38, the next one at 22.40."""
    found = found_of(arrivals(failed=set(between(15, 22.4))))
    assert found is not None
    assert found.value == pytest.approx(2.4)
    assert found.low == pytest.approx(2.38)
    assert found.low <= found.value <= found.high


def test_slow_answers_are_no_recovery_although_none_failed() -> None:
    """Twice the 99th percentile of the baseline until 23 s."""
    found = found_of(arrivals(took_s=dict.fromkeys(between(15, 23), 2 * TOOK_S)))
    assert found is not None
    assert found.value == pytest.approx(3.0)


def test_one_late_answer_does_not_undo_a_recovery() -> None:
    late = {**dict.fromkeys(between(15, 21), 1.0), 21.2: 1.0}
    found = found_of(arrivals(took_s=late))
    assert found is not None
    assert found.value == pytest.approx(1.0)


def test_a_burst_of_late_answers_as_chance_makes_it_does_not_undo_a_recovery() -> None:
    """Nine after thirty good ones, as a queue at half of its load has them now and then."""
    late = dict.fromkeys([*between(15, 21), *between(21.6, 21.78)], 1.0)
    found = found_of(arrivals(took_s=late))
    assert found is not None
    assert found.value == pytest.approx(1.0)


def test_of_service_that_comes_back_by_halves_the_whole_counts() -> None:
    """Every other one is late until 23 s."""
    late = dict.fromkeys([*between(15, 20), *between(20, 23, 2)], 1.0)
    found = found_of(arrivals(took_s=late))
    assert found is not None
    assert found.value == pytest.approx(3.0, abs=0.15)


def test_bursts_in_every_second_are_more_than_before() -> None:
    """Two late ones a second of fifty: below 5 %, and never before."""
    starts_s = np.arange(20.5, END_S, 1.0)
    bursts = [at for start in starts_s.tolist() for at in between(start, start + 0.04)]
    late = dict.fromkeys([*between(15, 20), *bursts], 1.0)
    assert found_of(arrivals(took_s=late)) is None


def test_service_that_comes_and_goes_again_within_the_hold_had_not_recovered() -> None:
    """Good from 21 to 24 s, away until 26 s, and good from then on."""
    failed = {*between(15, 21), *between(24, 26)}
    found = found_of(arrivals(failed=failed))
    assert found is not None
    assert found.value == pytest.approx(6.0)


@pytest.mark.parametrize("every", [3, 10, 20])
def test_service_of_which_a_share_still_fails_does_not_come_back(every: int) -> None:
    """A third, a tenth and a twentieth: the baseline had none."""
    failed = {*between(15, 20), *between(20, END_S, every)}
    assert found_of(arrivals(failed=failed)) is None


def test_a_hold_that_the_level_does_not_contain_proves_nothing() -> None:
    """Good from 52 s on, and the level ends at 60 s."""
    failed = set(between(15, 52))
    assert found_of(arrivals(failed=failed)) is None
    assert found_of(arrivals(failed=failed), hold_s=5.0) is not None
