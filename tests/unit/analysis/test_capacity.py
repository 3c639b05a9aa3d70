"""A step meets only where it is a measurement, steady, and sure; the finding says what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.capacity import LoadPoint, find_capacity, judge_step
from perf_pipeline.analysis.capacity_search import Answer, CapacitySearch, search
from perf_pipeline.analysis.queueing import Little
from perf_pipeline.analysis.slo.judge import judge_slos
from perf_pipeline.config.scenario.capacity_question import Space
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.selftest.virtual.single_server import records_of
from perf_pipeline.selftest.virtual.virtual_level import virtual_level
from perf_pipeline.selftest.virtual.virtual_queues import open_queue

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity_search import Ask
    from perf_pipeline.metrics.types.level import LevelMetrics

BALANCED = Little(10.0, 1000.0, 0.01)
SPACE = Space(10, 1, 400, whole=True)


def _queue(rate_per_s: float, limit_s: float, count: int = 20_000) -> Answer:
    """Judge an M/M/4 queue of 20 ms by its P99 response time."""
    frame = records_of(*open_queue(4, 0.02, rate_per_s, count, np.random.default_rng(1)))
    last_ns = int(frame["intended_start_ns"].max())  # type: ignore[arg-type]
    slos = (Slo("p99_s", limit_s),)
    return judge_step(*virtual_level(frame, (last_ns // 10, last_ns), slos, slots=None))


def test_a_queue_well_below_its_limit_meets_and_well_above_it_misses() -> None:
    """At 100/s of 200/s the P99 is 0.096 s."""
    assert _queue(100, 0.15) == Answer("met")
    missed = _queue(100, 0.05)
    assert missed.verdict == "missed"
    assert "p99_s <= 0.05: 0.09" in missed.why


def test_an_interval_that_holds_the_limit_is_unclear() -> None:
    answer = _queue(100, 0.096)

    assert answer.verdict == "unclear"
    assert "95 % interval 0.0" in answer.why


def test_a_queue_that_grows_misses_and_tells_what_can_leave_it() -> None:
    """400/s arrive at 4 servers that can do 200/s."""
    answer = _queue(400, 1e6)

    assert answer.verdict == "missed"
    assert "the queue grew" in answer.why
    assert answer.ceiling == pytest.approx(200, rel=0.05)


def _judged(level: LevelMetrics, little: Little | None = BALANCED, **changed: object) -> Answer:
    slos = judge_slos([Slo("avg_s", 1.0)], level)
    return judge_step(replace(level, slos=slos, **changed), little)  # type: ignore[arg-type]


def test_a_level_whose_law_does_not_balance_is_not_steady(valid_level: LevelMetrics) -> None:
    assert _judged(valid_level) == Answer("met")
    starved = _judged(valid_level, Little(10.0, 1000.0, 0.009))
    assert starved.verdict == "not_steady"
    assert "90.0% of the 10 in flight" in starved.why
    assert _judged(valid_level, None).verdict == "not_steady"


@pytest.mark.parametrize(
    ("validity", "word"),
    [
        ("not_steady", "not_steady"),
        ("too_few_samples", "unclear"),
        ("generator_limited", "not_measured"),
        ("incomplete", "not_measured"),
    ],
)
def test_no_measurement_never_meets_and_never_misses(
    valid_level: LevelMetrics, validity: str, word: str
) -> None:
    answer = _judged(valid_level, validity=validity, reasons=("the reason",))

    assert answer.verdict == word
    assert "the reason" in answer.why


def test_beside_a_neighbour_a_load_that_meets_meets_and_one_that_misses_is_unclear(
    valid_level: LevelMetrics,
) -> None:
    """The mean is 10 ms. A step that is also not steady stays no measurement."""
    noisy = replace(valid_level, validity="noisy_host", reasons=("others",))
    assert _judged(noisy) == Answer("met")

    missed = replace(noisy, slos=judge_slos([Slo("avg_s", 0.001)], noisy))
    answer = judge_step(missed, BALANCED)
    assert answer.verdict == "unclear"
    assert "other programs used the machine and may have slowed the target down" in answer.why

    drifts = _judged(replace(noisy, validity_if_quiet="not_steady"))
    assert (drifts.verdict, "others" in drifts.why) == ("not_measured", True)


def test_a_bound_that_misses_decides_a_step_that_is_not_steady(valid_level: LevelMetrics) -> None:
    """50 in flight for 20 s, and not one ended: the mean is at least 20 s."""
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
    judged = replace(level, slos=judge_slos([Slo("avg_s", 5.0)], level))
    answer = judge_step(judged, None)
    assert answer.verdict == "missed"
    assert "at least 20 s" in answer.why


def test_the_finding_names_the_steps_that_had_neighbours() -> None:
    """The 4 in flight missed beside another program: the capacity may be higher."""
    state = _found({"unclear": (3, 1e9)})
    points = [
        LoadPoint(
            *(s.load, str(s.load), False, s.answer.verdict, s.answer.why, (), None, None, 1),
            "valid" if s.answer.verdict == "met" else "noisy_host",
        )
        for s in state.steps
    ]
    found = find_capacity(state, "in_flight", ["p99_s <= 1"], points)

    assert "other programs used the machine at" in found.noise
    assert "4 in flight" in found.noise
    assert found.noise.endswith("so the capacity may be higher than found")
    quiet = [replace(point, validity="valid") for point in points]
    assert find_capacity(state, "in_flight", ["p99_s <= 1"], quiet).noise == ""


def test_a_level_most_of_which_failed_misses(valid_level: LevelMetrics) -> None:
    answer = _judged(
        valid_level,
        ended_because=EndedBecause.MOSTLY_FAILING,
        ended_detail="62 % failed",
        validity="not_steady",
    )

    assert answer == Answer("missed", "62 % failed")


def test_a_load_at_which_the_target_failed_misses(valid_level: LevelMetrics) -> None:
    why = "none of the 30 workflows of the load succeeded"
    answer = _judged(valid_level, validity="target_failed", reasons=(why,))

    assert answer == Answer("missed", why)


def test_a_level_of_which_no_objective_speaks_does_not_meet(valid_level: LevelMetrics) -> None:
    assert judge_step(replace(valid_level, slos=()), BALANCED).verdict == "unclear"


def _found(play_of: dict[str, tuple[float, float]]) -> CapacitySearch:
    """Search where loads up to ``met`` meet, and those above ``missed`` miss."""
    (word, (met, missed)) = next(iter(play_of.items()))

    def play(ask: Ask) -> Answer:
        if ask.load <= met:
            return Answer("met")
        return Answer("missed", "slow") if ask.load > missed else Answer(word, "why")  # type: ignore[arg-type]

    return search(SPACE, play)


@pytest.mark.parametrize(
    ("plays", "verdict", "value", "text"),
    [
        ({"unclear": (50, 50)}, "found", 50, "50 in flight meets p99_s <= 1, 51 in flight misses"),
        ({"unclear": (50, 60)}, "found", 50, "at 51 in flight already: why"),
        ({"unclear": (1e9, 1e9)}, "at_least", 400, "it is the maximum that was allowed"),
        ({"not_measured": (50, 1e9)}, "not_bounded", 50, "greater loads could not be judged"),
        ({"unclear": (0, 0)}, "none", None, "even 1 in flight misses p99_s <= 1: slow"),
        ({"unclear": (0, 1e9)}, "no_data", None, "does not certainly meet p99_s <= 1: why"),
    ],
)
def test_the_finding_says_what_is_known_and_no_more(
    plays: dict[str, tuple[float, float]], verdict: str, value: float | None, text: str
) -> None:
    state = _found(plays)
    points = [
        LoadPoint(s.load, str(s.load), False, s.answer.verdict, s.answer.why, (), None, None, 1, "")
        for s in state.steps
    ]

    found = find_capacity(state, "in_flight", ["p99_s <= 1"], points)

    assert (found.verdict, found.value) == (verdict, value)
    assert text in found.summary
    assert found.knee is None
