"""Two generators on one service: its log decides between them."""

from __future__ import annotations

import numpy as np

from perf_pipeline.selftest.loads.observed_load import ObservedLoad, compared
from perf_pipeline.selftest.loads.service_process import ServiceLog


def _log(late_ms: float) -> ServiceLog:
    """100 requests in 1 s that took 1, 2, ... 100 ms, each ``late_ms`` more."""
    arrived = np.arange(100, dtype=np.int64) * 10_000_000
    took_ms = np.arange(1, 101) + late_ms
    return ServiceLog(arrived, arrived + (took_ms * 1e6).astype(np.int64))


def _seen(name: str, late_ms: float, off_ms: float, per_s: float = 100.0) -> ObservedLoad:
    """A generator that sees ``off_ms`` more than the service tells."""
    percentiles = {percent: percent + late_ms + off_ms for percent in (50, 90, 99)}
    return ObservedLoad(name, 1.0, per_s, percentiles, 0.01, _log(late_ms))


def _p50(ours: ObservedLoad, other: ObservedLoad) -> tuple[bool, float | None, str]:
    figures = compared("closed", ours, other, share=0.02, judged=(50, 90, 99))
    own, both = figures[2], figures[3]
    return own.passed, both.value, both.note


def test_a_slower_run_of_the_service_is_not_held_against_a_generator() -> None:
    passed, apart_ms, note = _p50(_seen("ours", 30.0, 0.2), _seen("wrk", 0.0, 0.1))

    assert passed
    assert apart_ms is not None
    assert abs(apart_ms - 0.1) < 1e-9
    assert note.endswith("they agree")


def test_where_they_differ_the_log_says_who_is_wrong() -> None:
    """The limit at p50 is 0.01 ms + 2 % of 50 ms."""
    passed, _, note = _p50(_seen("ours", 0.0, 0.2), _seen("wrk", 0.0, 7.0))
    assert passed
    assert note.endswith("they differ, and the logs are with us")

    passed, _, note = _p50(_seen("ours", 0.0, 7.0), _seen("wrk", 0.0, 0.2))
    assert not passed
    assert note.endswith("they differ, and the logs are with wrk")


def test_a_throughput_that_the_log_does_not_confirm_fails() -> None:
    right, wrong = (
        compared(
            "closed", _seen("ours", 0.0, 0.0, per_s), _seen("wrk", 0.0, 0.0), share=0.02, judged=()
        )
        for per_s in (99.0, 97.0)
    )

    assert right[0].passed
    assert not wrong[0].passed
    assert all(figure.limit is None for figure in wrong[2:])
