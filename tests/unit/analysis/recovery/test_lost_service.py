"""Lost seconds of service, against the sum written out; and who was harmed how."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.arrivals import Arrivals
from perf_pipeline.analysis.recovery.lost_service import harm_of, lost_service, service_series
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.planted_recovery import BASELINE

SECOND = 1_000_000_000
OK, ERROR, DROPPED, TIMEOUT, CUT = (
    int(one)
    for one in (
        Outcome.OK,
        Outcome.ERROR,
        Outcome.DROPPED,
        Outcome.TIMEOUT,
        Outcome.ABANDONED,
    )
)


def arrivals(*rows: tuple[float, float, int], error: int = int(ErrorClass.CONNECTION)) -> Arrivals:
    """Return workflows from (arrival s, time taken s, outcome)."""
    due_ns = np.array([round(at * SECOND) for at, _, _ in rows], dtype=np.int64)
    took_ns = np.array([round(took * SECOND) for _, took, _ in rows], dtype=np.int64)
    outcome = np.array([which for *_, which in rows], dtype=np.int64)
    return Arrivals(
        due_ns=due_ns,
        end_ns=due_ns + took_ns,
        number=np.arange(len(rows)),
        outcome=outcome,
        error_class=np.where(outcome == ERROR, error, 0),
        has_lost_times=np.zeros(len(rows), dtype=bool),
    )


def evenly(
    start_s: float, end_s: float, outcome: int, per_s: int = 40
) -> list[tuple[float, float, int]]:
    """Return workflows of 10 ms that come evenly."""
    count = round((end_s - start_s) * per_s)
    return [(start_s + at / per_s, 0.01, outcome) for at in range(count)]


def test_an_outage_of_3_s_within_8_s_is_3_s_lost() -> None:
    rows = [*evenly(0, 2, OK), *evenly(2, 5, ERROR), *evenly(5, 8, OK)]
    lost = lost_service(arrivals(*rows), BASELINE, 0, 8 * SECOND)
    assert lost.value == pytest.approx(3.0, rel=0.01)
    assert lost.low < 3.0 < lost.high < 3.3


def test_half_of_the_service_for_4_s_is_2_s_lost() -> None:
    rows = [
        (at, took, ERROR if place % 2 else OK)
        for place, (at, took, _) in enumerate(evenly(0, 4, OK))
    ]
    lost = lost_service(arrivals(*rows), BASELINE, 0, 4 * SECOND)
    assert lost.value == pytest.approx(2.0, rel=0.01)


def test_later_catching_up_is_not_set_against_the_loss() -> None:
    """What comes back late, all at once, was late."""
    frozen = [(at, 5.0 - at, OK) for at, *_ in evenly(2, 5, OK)]
    rows = [*evenly(0, 2, OK), *frozen, *evenly(5, 8, OK)]
    lost = lost_service(arrivals(*rows), BASELINE, 0, 8 * SECOND)
    # Those of the last 70 ms were answered within the limit.
    assert lost.value == pytest.approx(3.0, abs=0.1)


def test_a_time_in_which_nobody_asked_is_as_the_one_before_it() -> None:
    """One arrival at 0 s fails, the next one comes at 2 s."""
    lost = lost_service(arrivals((0.0, 0.01, ERROR), (2.0, 0.01, OK)), BASELINE, 0, 4 * SECOND)
    assert lost.value == pytest.approx(2.0)


def test_classes_say_how_each_was_harmed_and_what_is_unknown() -> None:
    level = arrivals(
        (0.0, 0.01, OK),
        (0.1, 0.5, OK),
        (0.2, 0.01, ERROR),
        (0.3, 2.0, DROPPED),
        (0.4, 1.0, TIMEOUT),
        (0.5, 0.01, CUT),
        (0.6, 0.01, OK),
    )
    harm = harm_of(level, 0.072, 0, SECOND)
    assert harm.by_class == {"slow": 1, "connection": 1, "dropped": 1, "timeout": 1}
    assert (harm.due, harm.bad, harm.unknown) == (7, 4, 1)
    assert harm.longest_bad_run_s == pytest.approx(0.5)
    assert harm.p99_s == pytest.approx(2.0)


def test_what_was_cut_short_after_the_limit_was_late_all_the_same() -> None:
    harm = harm_of(arrivals((0.0, 0.5, CUT)), 0.072, 0, SECOND)
    assert (harm.bad, harm.unknown, harm.by_class) == (1, 0, {"slow": 1})


def test_the_series_counts_by_the_time_of_arrival() -> None:
    level = arrivals((0.1, 0.01, OK), (0.2, 1.0, OK), (0.3, 0.01, OK))
    series = service_series(level, 0.072, (0, SECOND // 2), 0)
    assert (series.due, series.good) == ((2, 1), (1, 1))
