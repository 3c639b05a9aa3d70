"""A change is called one only where it can be reported from how runs differ by themselves."""

from __future__ import annotations

import pytest

from perf_pipeline.compat.metric_change import compare
from perf_pipeline.compat.regression import SCALES

THROUGHPUT, ERROR_RATE = SCALES["throughput"][1], SCALES["error_rate"][1]
LATENCY = SCALES["latency"][1]


@pytest.mark.parametrize(
    ("before", "after", "severity"), [(100, 91, "none"), (100, 79, "major"), (100, 66, "critical")]
)
def test_less_throughput_is_graded_by_how_many_times_less(
    before: float, after: float, severity: str
) -> None:
    change = compare(THROUGHPUT, [before], [after], noise=1.0)

    assert (change.severity, change.change) == (severity, after - before)


def test_the_same_ratio_of_latency_and_of_throughput_has_the_same_severity() -> None:
    """In a closed loop throughput = N / latency."""
    slower = compare(LATENCY, [1.0], [1.3], noise=1.0)
    fewer = compare(THROUGHPUT, [130.0], [100.0], noise=1.0)

    assert slower.severity == fewer.severity == "major"
    assert slower.change == pytest.approx(30.0)
    assert fewer.change == pytest.approx(-23.08, abs=0.01)


def test_a_minor_change_between_single_runs_is_unstable_and_between_three_a_regression() -> None:
    once = compare(THROUGHPUT, [100], [85], noise=1.0)
    thrice = compare(THROUGHPUT, [100, 101, 99], [85, 86, 84], noise=1.0)

    assert (once.verdict, thrice.verdict) == ("unstable", "regression")
    assert thrice.severity == "minor"


def test_runs_that_overlap_are_unstable_however_far_their_medians_are_apart() -> None:
    change = compare(THROUGHPUT, [100, 100, 60], [70, 70, 70], noise=1.0)

    assert (change.verdict, change.change) == ("unstable", -30)


def test_like_medians_of_runs_that_differ_widely_are_unstable() -> None:
    assert compare(THROUGHPUT, [100, 100, 100], [80, 100, 120], noise=1.0).verdict == "unstable"
    assert compare(THROUGHPUT, [100, 100, 100], [98, 100, 102], noise=1.0).verdict == "no_change"


def test_a_change_that_chance_explains_is_unstable() -> None:
    assert compare(THROUGHPUT, [100], [70], noise=1.5).verdict == "unstable"
    assert compare(THROUGHPUT, [100], [70], noise=1.4).verdict == "regression"


def test_errors_are_compared_by_points_also_from_none_on() -> None:
    worse = compare(ERROR_RATE, [0.0], [6.0], noise=1.0)
    better = compare(ERROR_RATE, [6.0], [0.0], noise=1.0)

    assert (worse.verdict, worse.severity, worse.change) == ("regression", "major", 6.0)
    assert (better.verdict, better.severity, better.change) == ("improvement", "none", -6.0)


def test_a_throughput_of_nothing_is_critical_and_has_no_percent_the_other_way() -> None:
    fallen = compare(THROUGHPUT, [100], [0], noise=1.0)
    risen = compare(THROUGHPUT, [0], [100], noise=1.0)

    assert (fallen.severity, fallen.change) == ("critical", -100)
    assert (risen.verdict, risen.change) == ("improvement", None)


def test_a_value_that_one_run_lacks_is_no_data() -> None:
    change = compare(LATENCY, [1.0, None], [1.0, 1.0], noise=1.0)

    assert (change.verdict, change.change) == ("no_data", None)
