"""Leak verdicts that take no explanation: of a constant signal, and of one with too few samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

if TYPE_CHECKING:
    from perf_pipeline.analysis.endurance.floors import Floats, Floors
    from perf_pipeline.analysis.endurance.signal_series import SignalSeries

RESOLUTION = 1e-9
"""Smallest difference of two floors that counts, as a share of the level."""


def constant_verdict(series: SignalSeries, blocks: Floors, span: float) -> LeakVerdict:
    """Return the verdict of a signal whose floor never changed."""
    level = float(abs(blocks.values[0]))
    is_count = float(blocks.values[0]).is_integer()
    is_counted = series.workflows is not None
    return replace(
        _without_numbers(series, span, "its floor is the same from the start to the end"),
        verdict="clean",
        growth_per_hour=0.0,
        interval=(0.0, 0.0),
        growth_per_1000_workflows=0.0 if is_counted else None,
        interval_per_1000_workflows=(0.0, 0.0) if is_counted else None,
        smallest_visible=(1.0 if is_count else RESOLUTION * level) / span,
        growth_percent_per_day=0.0,
        level=level,
        leak_probability=0.0,
    )


def too_few_samples(series: SignalSeries, hours: Floats, why: str) -> LeakVerdict:
    """Return the verdict of a signal with too few samples; ``why`` they are."""
    span = float(hours[-1] - hours[0]) if len(hours) else 0.0
    return _without_numbers(series, span, f"{len(hours)} samples are too few: {why}")


def _without_numbers(series: SignalSeries, span: float, reason: str) -> LeakVerdict:
    """Return a verdict of doubt, without any number."""
    return LeakVerdict(
        name=series.name,
        verdict="inconclusive",
        growth_per_hour=None,
        interval=None,
        growth_per_1000_workflows=None,
        interval_per_1000_workflows=None,
        smallest_visible=None,
        growth_percent_per_day=None,
        level=None,
        hours=span,
        limit=series.limit,
        hours_to_limit=None,
        warm_up_hours=None,
        warm_up_workflows=None,
        step=None,
        step_hour=None,
        leak_probability=None,
        reason=reason,
    )
