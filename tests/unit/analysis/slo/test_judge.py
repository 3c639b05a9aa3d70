"""An objective is met or missed only where that is sure; anything else is unclear or no data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.slo.judge import judge_slos, run_slos
from perf_pipeline.analysis.slo.steady import wilson
from perf_pipeline.analysis.slo.windows import LevelHistory
from perf_pipeline.config.slo.slo import Slo, parse_slo
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.metrics.types.service_times import Percentile
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.manifest import Stopped
from perf_pipeline.samples.record import Outcome
from tests.manifests import make_manifest
from tests.simulated_level import GO_NS, SECOND, at_s, closed_loop, frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict
    from perf_pipeline.metrics.types.validity import Validity
    from tests.simulated_level import Row

KINDS = [("transformation", "simple"), ("analytics", "simple")]
STEADY_S = (2.0, 22.0)


def _one(level: LevelMetrics, slo: Slo | str, rows: Sequence[Row] = ()) -> SloVerdict:
    slo = parse_slo(slo) if isinstance(slo, str) else slo
    steady_ns = (GO_NS + int(STEADY_S[0] * SECOND), GO_NS + int(STEADY_S[1] * SECOND))
    history = LevelHistory(frame_of(rows), KINDS, GO_NS, steady_ns)
    (verdict,) = judge_slos([slo], level, history)
    return verdict


def _with_p99(level: LevelMetrics, p99: Percentile) -> LevelMetrics:
    return replace(
        level, service_times=replace(level.service_times, samples=900, percentiles=(p99,))
    )


@pytest.mark.parametrize(
    ("slo", "verdict"),
    [
        ("p99_s < 0.011", "met"),
        ("p99_s < 0.009", "missed"),
        ("p50_s < 0.011", "met"),
        ("avg_s < 0.009", "missed"),
        ("max_s < 0.009", "missed"),
        ("throughput_per_s > 900", "met"),
        ("throughput_per_s > 1100", "missed"),
        ("error_ratio <= 0", "met"),
        ("error_ratio <= 0.01", "met"),
        ("memory_mb < 100", "no_data"),
        ("cpu_percent < 100", "no_data"),
        ("dropped_ratio < 0.1", "no_data"),
        ("response_p99_s < 1", "no_data"),
        ("service_p99_s < 1", "met"),
    ],
)
def test_a_level_with_a_known_truth_has_known_verdicts(
    valid_level: LevelMetrics, slo: str, verdict: str
) -> None:
    """10 in flight, 10 ms each, 1000/s, 8000 workflows, no failure, no resource samples."""
    found = _one(valid_level, slo)

    assert found.verdict == verdict
    assert found.validity == "valid"


def test_the_verdict_says_what_by_how_much_and_which_time_it_is(valid_level: LevelMetrics) -> None:
    why = _one(valid_level, "p99_s < 0.008").why

    assert why.startswith("P99 latency (service time, closed loop) was 0.01 s, 0.002 s (25 %) ")
    assert "above the limit of 0.008 s" in why
    assert why.endswith("Lower the load, or look at what limits the level (its bottleneck).")


@pytest.mark.parametrize(
    ("p99", "verdict"),
    [
        (Percentile(0.99, 0.4, at_least=False, samples_beyond=9), "no_data"),
        (Percentile(0.99, 0.4, at_least=False, samples_beyond=10), "met"),
        (Percentile(0.99, 0.6, at_least=False, samples_beyond=9), "no_data"),
        (Percentile(0.99, 0.4, at_least=True, samples_beyond=0), "no_data"),
        (Percentile(0.99, 0.6, at_least=True, samples_beyond=0), "missed"),
        (Percentile(0.99, 0.4, False, 99, low_s=0.3, high_s=0.55), "unclear"),
        (Percentile(0.99, 0.6, False, 99, low_s=0.45, high_s=0.7), "unclear"),
        (Percentile(0.99, 0.6, False, 99, low_s=0.51, high_s=0.7), "missed"),
        (Percentile(0.99, 0.6, True, 99, low_s=0.45), "unclear"),
        (Percentile(0.99, 0.6, True, 99, low_s=0.51), "missed"),
        (Percentile(0.99, None, at_least=False, samples_beyond=0), "no_data"),
    ],
)
def test_a_percentile_decides_only_when_it_cannot_be_otherwise(
    valid_level: LevelMetrics, p99: Percentile, verdict: str
) -> None:
    assert _one(_with_p99(valid_level, p99), "p99_s < 0.5").verdict == verdict


@pytest.mark.parametrize(
    ("validity", "in_flight", "slo", "verdict"),
    [
        ("not_steady", 900, "p99_s < 0.5", "missed"),
        ("too_few_samples", 900, "p99_s < 0.5", "missed"),
        ("not_steady", 9, "p99_s < 0.5", "no_data"),
        ("not_steady", 900, "p99_s < 20", "no_data"),
        ("generator_limited", 900, "p99_s < 0.5", "no_data"),
        ("incomplete", 900, "p99_s < 0.5", "no_data"),
    ],
)
def test_a_lower_bound_misses_a_limit_also_where_the_level_was_too_short(
    valid_level: LevelMetrics, validity: Validity, in_flight: int, slo: str, verdict: str
) -> None:
    """1000 in flight, of which many had not ended after 18 s: a limit of 0.5 s is missed."""
    p99 = Percentile(0.99, 18.0, at_least=True, samples_beyond=0)
    level = _with_p99(replace(valid_level, validity=validity, reasons=("too short",)), p99)
    times = replace(level.service_times, in_flight_at_end=in_flight)

    found = _one(replace(level, service_times=times), slo)

    assert (found.verdict, found.validity) == (verdict, validity)


@pytest.mark.parametrize(
    ("p50", "verdict"),
    [
        (Percentile(0.5, 0.9, False, 150, low_s=0.6, high_s=1.1), "missed"),
        (Percentile(0.5, 0.9, False, 150, low_s=0.4, high_s=1.1), "no_data"),
        (Percentile(0.5, 0.9, False, 9), "no_data"),
    ],
)
def test_a_percentile_of_few_samples_is_not_below_a_lower_one(
    valid_level: LevelMetrics, p50: Percentile, verdict: str
) -> None:
    """Of 300 workflows, 3 lie beyond the 99th percentile; half took more than the limit."""
    p99 = Percentile(0.99, 2.0, at_least=False, samples_beyond=3)
    times = replace(valid_level.service_times, samples=300, percentiles=(p50, p99))

    found = _one(replace(valid_level, service_times=times), "p99_s < 0.5")

    assert found.verdict == verdict
    assert found.at_least == (verdict == "missed")


def test_a_share_near_its_limit_is_unclear_and_one_failure_breaks_a_limit_of_none(
    valid_level: LevelMetrics,
) -> None:
    """8 of 8000: 0.05 to 0.2 %. Wilson's interval of 0 of 10 ends at 27.75 %."""
    level = replace(valid_level, error_ratio=0.001)

    assert [_one(level, f"error_ratio <= {x}").verdict for x in (0.0004, 0.0015, 0.003, 0)] == [
        *("missed", "unclear", "met", "missed")
    ]
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.27753), abs=1e-4)


def test_the_mean_of_a_closed_loop_is_as_unsure_as_its_throughput(
    valid_level: LevelMetrics,
) -> None:
    """10 / 1000 a second is 10 ms; 800 to 1250 a second make it 8 to 12.5 ms."""
    level = replace(valid_level, throughput_low_per_s=800.0, throughput_high_per_s=1250.0)

    found = _one(level, "avg_s < 0.012")
    assert found.verdict == "unclear"
    assert (found.low, found.high) == pytest.approx((0.008, 0.0125), rel=0.01)
    assert _one(level, "avg_s < 0.013").verdict == "met"


def test_a_level_that_is_not_valid_decides_nothing_and_keeps_its_number(
    valid_level: LevelMetrics,
) -> None:
    level = replace(valid_level, validity="not_steady", reasons=("a drift",))

    found = _one(level, "p99_s < 0.009")
    assert (found.verdict, found.validity, found.value) == ("no_data", "not_steady", 0.01)
    assert "the level is not_steady: a drift" in found.why


def test_beside_a_neighbour_met_stands_and_missed_is_unclear(valid_level: LevelMetrics) -> None:
    """P99 is 10 ms. Of the CPU that the workers use, which a neighbour lowers, the other way."""
    level = replace(
        valid_level,
        validity="noisy_host",
        resources=replace(valid_level.resources, workers_cpu_mean_percent=150.0),
    )

    assert _one(level, "p99_s < 0.5").verdict == "met"
    missed = _one(level, "p99_s < 0.009")
    assert (missed.verdict, missed.value) == ("unclear", 0.01)
    assert "other programs used the machine and may have slowed the target down" in missed.why
    assert _one(level, "cpu_percent < 190").verdict == "unclear"
    assert _one(level, "cpu_percent < 140").verdict == "missed"
    drifts = replace(level, validity_if_quiet="not_steady")
    assert _one(drifts, "p99_s < 0.5").verdict == "no_data"


@pytest.mark.parametrize(
    ("validity", "verdict"),
    [("too_few_samples", "missed"), ("noisy_host", "unclear"), ("incomplete", "no_data")],
)
def test_the_objective_that_ended_a_level_is_missed_unless_more_than_length_is_lacking(
    valid_level: LevelMetrics, validity: str, verdict: str
) -> None:
    level = replace(
        valid_level,
        validity=validity,  # type: ignore[arg-type]
        ended_because=EndedBecause.SLO_ABORTED,
        ended_detail="p99_s <= 0.5: 12 of 20 workflows took longer",
    )
    assert _one(level, "p99_s < 0.5").verdict == verdict
    other = "met" if validity == "noisy_host" else "no_data"
    assert _one(level, "p50_s < 0.5").verdict == other


def test_an_open_level_is_judged_by_its_response_times(valid_level: LevelMetrics) -> None:
    slow = replace(
        valid_level.service_times, percentiles=(Percentile(0.99, 3.0, False, samples_beyond=50),)
    )
    level = replace(valid_level, loop="open", response_times=slow)

    found = _one(level, "p99_s < 1")
    assert (found.verdict, found.value) == ("missed", 3.0)
    assert found.what == "P99 latency (response time, open loop)"
    assert _one(level, "service_p99_s < 1").verdict == "met"


def test_a_family_is_judged_by_its_own_workflows(valid_level: LevelMetrics) -> None:
    (verdict,) = judge_slos([Slo("p99_s", 0.011, family="transformation")], valid_level)
    assert (verdict.family, verdict.verdict) == ("transformation/simple", "met")
    assert judge_slos([Slo("p99_s", 0.011, family="analytics")], valid_level) == ()


@pytest.mark.parametrize(
    ("ratio", "slo", "verdict"),
    [
        (0.0, "p99_s < 1", "met"),
        (0.5, "p99_s < 1", "met"),
        (0.51, "p99_s < 1", "no_data"),
        (1.0, "p99_s < 1", "no_data"),
        (1.0, "avg_s < 1", "no_data"),
        (1.0, "max_s < 1", "no_data"),
        (1.0, "p99_s < 5ms", "missed"),
        (1.0, "memory < 1GB", "met"),
    ],
)
def test_a_limit_on_a_time_is_not_met_by_failing(
    valid_level: LevelMetrics, ratio: float, slo: str, verdict: str
) -> None:
    """A refused connection takes 10 ms. The scenario tolerates that all workflows fail."""
    resources = replace(valid_level.resources, workers_pss_peak_mb=100.0)
    found = _one(replace(valid_level, error_ratio=ratio, resources=resources), slo)

    assert found.verdict == verdict
    if verdict == "no_data":
        assert "of the workflows failed, so the times are those of failing" in found.why


def test_a_family_that_only_fails_does_not_meet_a_limit_beside_one_that_works(
    valid_level: LevelMetrics,
) -> None:
    """A third of all workflows fails, and all of them are of one family."""
    (works,) = valid_level.families
    fails = replace(works, family="analytics", error_ratio=1.0)
    level = replace(valid_level, families=(works, fails), error_ratio=0.33)

    for family, verdict in (("transformation", "met"), ("analytics", "no_data")):
        (found,) = judge_slos([Slo("p99_s", 1.0, family=family)], level)
        assert found.verdict == verdict


def _overloaded(level: LevelMetrics, *, grew: bool) -> LevelMetrics:
    """60/s arrive and 30/s leave, all answered in the end; the 90th percentile is 18 s."""
    p90 = Percentile(0.9, 18.0, False, samples_beyond=60, low_s=17.0, high_s=19.0)
    times = replace(level.service_times, samples=600, avg_s=9.0, max_s=20.0, percentiles=(p90,))
    load = OpenLoad(
        offered="60/s (poisson)",
        offered_per_s=60.0,
        left_per_s=30.0 if grew else 60.0,
        schedule="poisson",
        slots=100,
        start_timeout_s=60.0,
        scheduled=600,
        never_started=0,
        checked=600,
        unexplained=0,
        lag=Lag(600, 8.0, 19.0, 20.0),
        control_lag=None,
        control_why_not="",
        seconds=(),
    )
    return replace(
        level,
        loop="open",
        validity="not_steady",
        validity_if_quiet="not_steady",
        reasons=("the queue grew",),
        response_times=times,
        open_load=load,
        throughput_per_s=30.0,
        throughput_low_per_s=29.0,
        throughput_high_per_s=31.0,
        resources=replace(level.resources, workers_pss_peak_mb=900.0),
    )


@pytest.mark.parametrize(
    ("slo", "grew", "verdict"),
    [
        ("p90_s < 500ms", True, "missed"),
        ("avg_s < 500ms", True, "missed"),
        ("throughput > 50/s", True, "missed"),
        ("p90_s < 20", True, "no_data"),
        ("throughput > 20/s", True, "no_data"),
        ("memory < 500MB", True, "no_data"),
        ("p90_s < 500ms", False, "no_data"),
        ("max_s < 500ms", False, "missed"),
    ],
)
def test_a_queue_that_grew_misses_what_a_longer_level_could_only_miss_by_more(
    valid_level: LevelMetrics, slo: str, *, grew: bool, verdict: str
) -> None:
    level = _overloaded(valid_level, grew=grew)
    assert _one(level, slo).verdict == verdict

    beside = replace(level, validity="noisy_host")
    assert _one(beside, slo).verdict == ("unclear" if verdict == "missed" else "no_data")


@pytest.mark.parametrize(
    ("slo", "verdict"),
    [
        ("avg_s < 10", "missed"),
        ("avg_s < 20", "no_data"),
        ("throughput > 80/s", "missed"),
        ("throughput > 60/s", "no_data"),
    ],
)
def test_workflows_that_did_not_end_bound_the_mean_and_the_throughput(
    valid_level: LevelMetrics, slo: str, verdict: str
) -> None:
    """1000 in flight for 20 s, 400 ended: 50 s by Little's law, of which no turnover is seen.

    Each at its time in the phase gives 20,000 s / 1400 = 14.3 s. If all in flight had ended at
    the end, 1400 in 20 s would be 70/s.
    """
    times = replace(
        valid_level.service_times, samples=400, in_flight_at_end=1000, avg_s=50.0, percentiles=()
    )
    level = replace(
        valid_level,
        concurrency=1000,
        validity="not_steady",
        reasons=("0.40 turnovers",),
        phases={"steady": (2.0, 22.0)},
        service_times=times,
        throughput_per_s=20.0,
        throughput_low_per_s=18.0,
        throughput_high_per_s=22.0,
    )
    found = _one(level, slo)

    assert found.verdict == verdict
    if slo == "avg_s < 10":
        assert (found.value, found.at_least) == (pytest.approx(14.29, abs=0.01), True)


def test_where_nothing_ended_the_mean_is_at_least_the_length_of_the_phase(
    valid_level: LevelMetrics,
) -> None:
    times = replace(
        valid_level.service_times, samples=0, in_flight_at_end=50, avg_s=None, percentiles=()
    )
    level = replace(
        valid_level,
        validity="not_steady",
        phases={"steady": (2.0, 22.0)},
        service_times=times,
        in_flight=replace(valid_level.in_flight, minimum=50),
    )
    found = _one(level, "avg_s < 5")
    assert (found.verdict, found.value, found.at_least) == ("missed", pytest.approx(20.0), True)
    assert _one(level, "avg_s < 25").verdict == "no_data"


def _stalled(stall_s: float) -> list[Row]:
    """100 slots of 100 ms, 1000/s; every workflow that starts in second 10 takes ``stall_s``."""
    now = [0.0] * 100
    rows: list[Row] = []
    for slot in range(100):
        while now[slot] < 22:
            takes = stall_s if 10 <= now[slot] < 10.1 else 0.1
            rows.append(at_s(len(rows), now[slot], now[slot] + takes, slot=slot))
            now[slot] += takes
    return rows


def test_a_standstill_that_the_phase_forgives_breaks_a_window(valid_level: LevelMetrics) -> None:
    """100 of 20,000 workflows take 3 s: 0.5 % of the phase, but 3 % of the worst 5 seconds."""
    rows = _stalled(3.0)

    found = _one(valid_level, Slo("p99_s", 0.5, window_s=5), rows)
    assert (found.verdict, found.value) == ("missed", 3.0)
    assert found.at_s is not None
    assert 10.5 <= found.at_s <= 18.2
    assert _one(valid_level, Slo("p90_s", 0.5, window_s=5), rows).verdict == "met"
    assert _one(valid_level, Slo("max_s", 2.9, window_s=5), rows).verdict == "missed"
    assert _one(valid_level, Slo("max_s", 3.1, window_s=5), rows).verdict == "met"
    lowest = _one(valid_level, Slo("throughput_per_s", 500, at_most=False, window_s=2), rows)
    assert (lowest.verdict, lowest.value) == ("missed", 0.0)
    mean = _one(valid_level, Slo("avg_s", 0.2, window_s=5), rows)
    assert mean.verdict == "missed"
    assert mean.value == pytest.approx(0.25, rel=0.1)


def test_workflows_that_outlive_the_phase_break_the_window_in_which_they_passed_the_limit(
    valid_level: LevelMetrics,
) -> None:
    """20 workflows beside 100 a second hang from second 15 on; the phase ends at 22, they at 40."""
    hung = [at_s(10_000 + i, 15, 40, slot=20 + i) for i in range(20)]
    rows = [*closed_loop(10, lambda _slot: 0.1, 22), *hung]

    found = _one(valid_level, Slo("p90_s", 0.5, window_s=1), rows)
    assert (found.verdict, found.value) == ("missed", 25.0)
    assert found.at_s is not None
    assert 15.5 <= found.at_s <= 16.5


def test_a_window_of_too_few_is_not_judged_unless_ten_broke_the_limit(
    valid_level: LevelMetrics,
) -> None:
    """100/s: a window of 5 s holds 500, and a P99 needs 1000; the last one here has 11 slow."""
    quiet = closed_loop(10, lambda _slot: 0.1, 22)
    slow = [at_s(10_000 + i, 15, 15.7 + i / 100, slot=20 + i) for i in range(11)]
    slo = Slo("p99_s", 0.5, window_s=5)

    found = _one(valid_level, slo, quiet)
    assert found.verdict == "no_data"
    assert "every window had fewer than 1,000 workflows" in found.why
    assert _one(valid_level, slo, [*quiet, *slow[:5]]).verdict == "no_data"
    assert _one(valid_level, slo, [*quiet, *slow]).verdict == "missed"
    assert _one(valid_level, Slo("p99_s", 0.5, window_s=12), quiet).verdict == "met"


def test_windows_that_are_partly_too_thin_leave_it_unclear(valid_level: LevelMetrics) -> None:
    rows = closed_loop(100, lambda _slot: 0.1, 12)
    found = _one(valid_level, Slo("p99_s", 0.5, window_s=5), rows)

    assert found.verdict == "unclear"
    assert "of the 15 s in which it can slide" in found.why


def test_failures_of_the_worst_window_count(valid_level: LevelMetrics) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, 22)
    bad = [
        row._replace(outcome=Outcome.ERROR) if 8 <= (row.end_ns - GO_NS) / 1e9 < 8.5 else row
        for row in rows
    ]
    found = _one(valid_level, Slo("error_ratio", 0.1, window_s=2), bad)
    assert found.verdict == "missed"
    assert found.value == pytest.approx(0.25, rel=0.05)
    assert _one(valid_level, Slo("error_ratio", 0.3, window_s=2), bad).verdict == "met"


def test_without_records_or_with_too_short_a_phase_a_window_has_no_data(
    valid_level: LevelMetrics,
) -> None:
    (verdict,) = judge_slos([Slo("p99_s", 1, window_s=5)], valid_level)
    assert "not available" in verdict.why
    assert "less than a window" in _one(valid_level, Slo("p99_s", 1, window_s=60)).why


def test_a_level_that_was_not_run_has_no_data_and_is_told(valid_level: LevelMetrics) -> None:
    level = replace(valid_level, slos=judge_slos([parse_slo("p99_s < 1")], valid_level))
    manifest = make_manifest(
        plan_hashes={"00-10": "x", "01-20": "x", "02-lean": "x"},
        slos=[
            {"metric": "p99_s", "limit": 1.0},
            {"metric": "p99_s", "limit": 2.0, "level": "9"},
        ],
        arms=["lean"],
        stopped=Stopped("10", EndedBecause.MOSTLY_FAILING, "it failed", ()),
    )
    metrics = RunMetrics("r", "complete", "valid", (), manifest, (level,), (), ())

    assert [(one.level, one.verdict) for one in run_slos(metrics)] == [
        *(("10", "met"), ("20", "no_data"))
    ]
    assert "was not run, because level 10 was ended: it failed" in run_slos(metrics)[1].why
