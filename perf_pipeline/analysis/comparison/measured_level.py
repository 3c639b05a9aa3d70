"""What a level of a run says about each compared metric."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.conditions import conditions_of
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.side import MeasuredLevel, Side
from perf_pipeline.metrics.level_values import level_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.comparison.side import MetricKey
    from perf_pipeline.metrics.level_values import LevelValue
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_NORMAL_975 = 1.959964
_OF_FAMILIES = ("throughput_per_s", "p50_s", "p90_s", "p99_s", "error_ratio")
"""Metrics that are compared for each kind of workflow as well."""

_BESIDE_NEIGHBOURS = ("cpu_per_workflow_s", "memory_peak_mb", "error_ratio")
"""Metrics that other programs on the machine hardly change."""


def side_of(name: str, runs: Sequence[RunMetrics]) -> Side:
    """Return runs as one side of a comparison.

    Args:
        name: What the side is called.
        runs: Their metrics, oldest first; not empty.
    """
    newest = runs[-1].manifest
    return Side(
        name=name,
        scenario=newest.scenario,
        target=shown_target(newest.target.name, newest.target.packages, newest.target.package),
        levels=tuple(measured_level(run.run_id, level) for run in runs for level in levels_of(run)),
        conditions=tuple(
            conditions_of(run.manifest, levels) for run in runs if (levels := levels_of(run))
        ),
    )


def levels_of(run: RunMetrics) -> list[LevelMetrics]:
    """Return the levels of a run that are compared: all but its arms."""
    return [level for level in run.levels if level.role == "level"]


def shown_target(target: str, packages: dict[str, str], package: str) -> str:
    """Return a target with the version of its own package."""
    version = packages.get(package, "")
    return target if not version or "==" in target else f"{target} ({package} {version})"


def measured_level(run_id: str, level: LevelMetrics) -> MeasuredLevel:
    """Return what a level says about each metric."""
    return MeasuredLevel(
        run_id=run_id,
        label=level.label,
        validity=level.validity,
        is_open=level.loop == "open",
        observations=observations_of(level),
        reasons=level.reasons,
        bottleneck="" if level.bottleneck is None else level.bottleneck.verdict,
        neighbours=_noisy_neighbours(level),
    )


def observations_of(level: LevelMetrics) -> dict[MetricKey, Observation]:
    """Return what a level says about each metric, as far as its validity allows.

    A level beside a noisy neighbour shows what a neighbour hardly changes: CPU time per workflow,
    memory, errors. One whose target failed shows its errors alone, and no other metric; where
    nothing was answered all workflows failed.
    """
    several = len(level.families) > 1
    found = {
        (one.metric, one.family): _observation(level, one)
        for one in level_values(level)
        if one.metric in METRICS
        and (not one.family or (several and one.metric in _OF_FAMILIES and _is_like(level, one)))
    }
    if level.has_failed_target and level.error_ratio is None:
        count = max(sum(level.outcomes.values()), 1)
        found["error_ratio", ""] = Observation(1.0, samples=count)
    return found


def _is_like(level: LevelMetrics, one: LevelValue) -> bool:
    """Return whether a kind of workflow has its times as the whole level has them.

    Times of a kind are service times; those of an open level are response times.
    """
    return one.unit != "s" or level.response_times is None


def _observation(level: LevelMetrics, one: LevelValue) -> Observation:
    why = _why_not(level, one.metric)
    is_bound = one.doubt.startswith("at least")
    if why or one.value is None or (one.doubt and not is_bound):
        return Observation(None, why_not=why or one.doubt or "not measured")
    doubt = "" if one.metric in _BESIDE_NEIGHBOURS else _neighbour_doubt(level)
    return Observation(one.value, _spread(level, one), one.samples, is_bound, doubt=doubt)


def _why_not(level: LevelMetrics, metric: str) -> str:
    """Return why a level does not show a metric; empty if it does."""
    if level.validity == "valid":
        return ""
    if metric == "error_ratio" and level.has_failed_target:
        return ""
    if metric in _BESIDE_NEIGHBOURS and level.is_only_noisy:
        return ""
    reason = f" ({level.reasons[0]})" if level.reasons else ""
    return f"level {level.label} is {level.validity}{reason}"


def _noisy_neighbours(level: LevelMetrics) -> str:
    """Return what other programs took beside a level that is valid all the same."""
    noise = level.noise
    is_told = noise is not None and noise.verdict == "noisy" and not noise.judged
    return noise.causes[0] if noise is not None and is_told and noise.causes else ""


def _neighbour_doubt(level: LevelMetrics) -> str:
    """Return why a neighbour may have slowed a level unseen; empty unless something says so."""
    noise = level.noise
    if noise is None or noise.verdict != "unknown" or not noise.warnings:
        return ""
    return f"{noise.warnings[0]}; {noise.not_measured[0]}"


def _spread(level: LevelMetrics, one: LevelValue) -> float:
    """Return the relative standard error of a value within its run."""
    low, high = one.low, one.high
    if one.metric == "avg_s" and not one.family and level.loop == "closed":
        # Throughput = in flight / average, so that both vary by as much.
        low, high = level.throughput_low_per_s, level.throughput_high_per_s
    if low is not None and high is not None and 0 < low < high:
        return math.log(high / low) / (2 * _NORMAL_975)
    if one.unit in {"s", "/s"} and one.samples:
        return 1 / math.sqrt(one.samples)  # as of exponential times, about the widest there are
    return 0.0
