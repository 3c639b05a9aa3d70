"""What was not measured is listed once a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.run.not_measured import not_measured

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_a_reason_that_applies_everywhere_is_given_once(baseline: RunMetrics) -> None:
    rows = [[cell.text for cell in row] for row in not_measured(baseline).rows]
    why = "all traffic is loopback, which no process counter splits"
    assert rows == [["network_io_sent_mb, network_io_recv_mb", why, "all"]]


def test_a_reason_that_holds_for_some_levels_names_them(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[1] = replace(levels[1], not_measured={"peak_memory_mb": "no smaps"})
    rows = not_measured(replace(baseline, levels=tuple(levels))).rows
    texts = [[cell.text for cell in row] for row in rows]
    assert texts[1] == ["peak_memory_mb", "no smaps", "500"]
    assert texts[0][2] == "100, 1000, lean (arm), control (arm)"
