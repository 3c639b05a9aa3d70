"""The figures of one hour of a campaign, from its records, also of one that was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.resources.cpu_per_workflow import cpu_per_workflow
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.survival.window_times import window_responses
from perf_pipeline.samples.campaign.hour import HourFigures
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.service_times import ServiceTimes
    from perf_pipeline.samples.level_records import LevelRecords

RESOURCES = "resources.jsonl"
"""File of an hour with the samples of its resources."""


NO_LOAD = HourFigures(0, 0, 0, 0, 0, 0, None, None, None, None, None)
"""Of an hour whose load never began."""


def hour_figures(records: LevelRecords, resources: Path, begin_ns: int, end_ns: int) -> HourFigures:
    """Compute the figures of an hour.

    Args:
        records: What it has stored.
        resources: File with the samples of its resources.
        begin_ns: When its load began, CLOCK_MONOTONIC.
        end_ns: When its load ended; what was to start later was not scheduled by then.
    """
    frame = records.frame.filter(pl.col("intended_start_ns") < end_ns)
    counts = np.bincount(frame["outcome"].to_numpy(), minlength=len(Outcome)).tolist()
    ok, errors, timeouts, dropped, abandoned = (counts[outcome] for outcome in Outcome)
    judged = len(frame) - abandoned
    length_s = (end_ns - begin_ns) / 1e9
    times = window_responses(frame, begin_ns, end_ns).summary((0.5, 0.99))
    ended_ok_ns = frame.filter(pl.col("outcome") == int(Outcome.OK))["end_ns"].to_numpy()
    samples = read_samples(resources, begin_ns, end_ns)
    return HourFigures(
        scheduled=len(frame),
        ok=ok,
        errors=errors,
        timeouts=timeouts,
        dropped=dropped,
        abandoned=abandoned,
        throughput_per_s=ok / length_s if length_s > 0 else None,
        p50_s=_known(times, 0.5),
        p99_s=_known(times, 0.99),
        error_ratio=(errors + timeouts + dropped) / judged if judged else None,
        cpu_per_workflow_s=cpu_per_workflow(samples, ended_ok_ns).seconds,
    )


def _known(times: ServiceTimes, p: float) -> float | None:
    """Return a percentile; None where it lies among workflows that had not ended."""
    found = times.percentile(p)
    return None if found is None or found.at_least else found.value_s
