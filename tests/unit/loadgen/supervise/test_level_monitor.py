"""Samples and reports come when they are due, however often the pulse beats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Stop
from perf_pipeline.loadgen.supervise.early_stop import EarlyEnd, StopWatch
from perf_pipeline.loadgen.supervise.level_monitor import LevelMonitor
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.loadgen.supervise.level_log import Progress

SECOND_NS = 1_000_000_000


def _pulse(
    clock_ns: Callable[[], int], sampled: list[int], reported: list[Progress], stop_watch: StopWatch
) -> LevelMonitor:
    return LevelMonitor(
        "100 (calm)",
        [],
        folder=Path("/dev/shm"),  # noqa: S108 - nothing is written
        stop_watch=stop_watch,
        on_sample=lambda now_ns, _pids: sampled.append(now_ns // 10**8),
        sample_every_s=0.25,
        on_progress=reported.append,
        clock_ns=clock_ns,
    )


def test_samples_keep_their_rate_and_reports_come_once_a_second() -> None:
    """40 beats, each 0.1 s after the last, then one after a stall of 2 s that is not made up."""
    sampled: list[int] = []
    reported: list[Progress] = []
    now_ns = 0
    pulse = _pulse(lambda: now_ns, sampled, reported, StopWatch(Stop()))
    for tenth in (*range(40), 60, 61, 62, 63):
        now_ns = tenth * SECOND_NS // 10
        assert pulse.beat("steady", 0) is None

    assert sampled == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33, 35, 38, 60, 63]
    assert [(one.label, one.elapsed_s) for one in reported] == [
        ("100 (calm)", at_s) for at_s in (1, 2, 3, 6)
    ]


def test_a_level_that_has_not_begun_or_has_ended_is_not_ended_early() -> None:
    """No memory is left from the beginning; before the go and in the drain nobody asks."""
    now_ns, found = 0, []
    watch = StopWatch(Stop(memory_free_mb=1), memory_free_bytes=lambda: 0)
    pulse = _pulse(lambda: now_ns, [], [], watch)
    for second, (phase, go_ns) in enumerate((("start", None), ("steady", 0), ("drain", 0)), 1):
        now_ns = second * SECOND_NS
        early_end = pulse.beat(phase, go_ns)
        found.append(early_end and early_end.because)

    assert found == [None, "host_floor", None]


def test_a_floor_that_a_failure_reached_ends_the_level_with_the_figures() -> None:
    now_ns = 0
    reached = ""
    monitor = LevelMonitor(
        "100",
        [],
        folder=Path("/dev/shm"),  # noqa: S108 - nothing is written
        stop_watch=StopWatch(Stop()),
        on_sample=lambda _now_ns, _pids: None,
        sample_every_s=1.0,
        on_progress=lambda _progress: None,
        host_floor=lambda: reached,
        clock_ns=lambda: now_ns,
    )
    now_ns = SECOND_NS
    assert monitor.beat("steady", 0) is None
    reached, now_ns = "900 MB of memory were available (floor 1074 MB)", 2 * SECOND_NS
    assert monitor.beat("steady", 0) == EarlyEnd(EndedBecause.HOST_FLOOR, reached)
