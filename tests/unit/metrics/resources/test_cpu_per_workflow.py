"""CPU time per workflow against levels whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perf_pipeline.metrics.resources.cpu_per_workflow import (
    MIN_BATCHES,
    MIN_WORKFLOWS,
    cpu_per_workflow,
)

SECOND = 1_000_000_000


def _samples(cpu_s: list[float | None]) -> list[dict[str, Any]]:
    """Return one sample a second of one worker process."""
    return [
        {"at_ns": at * SECOND, "workers": [{"pid": 7, "cpu_s": spent}], "problems": {}}
        for at, spent in enumerate(cpu_s)
    ]


def _ends(rates: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return when workflows end that end at ``rates[n]`` per second in second n, evenly."""
    return np.concatenate(
        [
            at * SECOND + (np.arange(rate) * SECOND + SECOND // 2) // rate
            for at, rate in enumerate(rates)
        ]
    ).astype(np.int64)


def test_it_is_the_cpu_time_of_the_workers_over_the_workflows_that_ended_meanwhile() -> None:
    """1.5 s of CPU a second for 100 workflows a second; the last 50 end after the last sample."""
    samples = _samples([1.5 * at for at in range(11)])
    found = cpu_per_workflow(samples, _ends([100] * 10 + [50]))
    assert found.seconds == pytest.approx(0.015)
    assert (found.workflows, found.cpu_s) == (1000, pytest.approx(15.0))
    assert found.low_s == pytest.approx(0.015)
    assert found.high_s == pytest.approx(0.015)


def test_half_the_throughput_for_half_the_cpu_costs_the_same() -> None:
    """A neighbour took the cores in every other second."""
    samples = _samples([float(n) for n in np.cumsum([0.0] + [2.0, 1.0] * 6)])
    found = cpu_per_workflow(samples, _ends([200, 100] * 6))
    assert found.seconds == pytest.approx(0.01)
    assert found.high_s == pytest.approx(0.01)


def test_seconds_without_every_workers_counter_are_left_out_with_their_workflows() -> None:
    spent = [float(n) for n in range(12)]
    samples = _samples([*spent[:4], None, *spent[5:]])
    found = cpu_per_workflow(samples, _ends([50] * 3 + [5000] * 2 + [50] * 6))
    assert found.workflows == 9 * 50
    assert found.seconds == pytest.approx(1 / 50)


def test_the_interval_covers_the_truth_in_95_of_100_levels() -> None:
    """500 levels of 20 s whose workflows cost an exponential time of 10 ms of CPU on average."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(500):
        rates = rng.poisson(100, 20)
        spent = [rng.exponential(0.01, rate).sum() for rate in rates]
        samples = _samples([float(n) for n in np.cumsum([0.0, *spent])])
        found = cpu_per_workflow(samples, _ends([int(rate) for rate in rates]))
        assert found.low_s is not None
        assert found.high_s is not None
        hits += found.low_s <= 0.01 <= found.high_s
    assert 0.92 <= hits / 500 <= 0.98


@pytest.mark.parametrize(
    ("seconds", "rate"), [(MIN_BATCHES - 1, 100), (MIN_BATCHES, (MIN_WORKFLOWS - 1) // MIN_BATCHES)]
)
def test_too_little_to_compare_gives_the_value_without_an_interval(seconds: int, rate: int) -> None:
    found = cpu_per_workflow(
        _samples([float(n) for n in range(seconds + 1)]), _ends([rate] * seconds)
    )
    assert found.seconds == pytest.approx(1 / rate)
    assert (found.low_s, found.high_s) == (None, None)
    assert found.why_not.startswith(f"no interval of {seconds * rate} workflows in {seconds} batch")


def test_what_was_not_counted_has_no_value_and_a_reason() -> None:
    unread = cpu_per_workflow(_samples([None, None]), _ends([10]))
    assert (unread.seconds, unread.workflows) == (None, 0)
    assert "no two samples" in unread.why_not
    idle = cpu_per_workflow(_samples([0.0, 0.5]), np.array([], dtype=np.int64))
    assert (idle.seconds, idle.cpu_s) == (None, 0.5)
    assert "no workflow ended ok" in idle.why_not


@pytest.mark.parametrize("spent_s", [0.0, 0.04])
def test_a_few_ticks_of_the_cpu_clock_are_too_short_to_tell(spent_s: float) -> None:
    """0 s each would be read as free, and 4 ticks of 10 ms may be 3 or 5."""
    samples = _samples([spent_s * at / 10 for at in range(11)])
    found = cpu_per_workflow(samples, _ends([10] * 10))
    assert found.seconds is None
    assert found.why_not.startswith(
        f"too short to tell: {spent_s:g} s of CPU time were counted in 10 s, in steps of 0.01 s"
    )
