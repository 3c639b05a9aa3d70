"""How long the workflows of a level waited for connections, and how many got none, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.resources.exhaustion import CLASS
from perf_pipeline.report.level.level_cells import percentile_cell
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.workload.database import connection_step

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes
    from perf_pipeline.metrics.types.steps import StepMetrics

_ENDED = ("ok", "error", "timeout")


def wait_sentences(level: LevelMetrics) -> tuple[str, ...]:
    """Return each pool's use, the wait for a connection to each server, and what got none.

    Args:
        level: Its workflows time their waits if they are of the family ``database``.
    """
    name = labels.level_name(level)
    waits = [_wait(server, step) for server, step in _waits(level)]
    waited = (
        f"{name}: workflows waited for a connection to {', '.join(waits)}."
        if waits
        else f"{name}: how long workflows waited for a connection was not measured."
    )
    return (_used(level), waited, _refused(level))


def _used(level: LevelMetrics) -> str:
    """Return how many connections were open to each server at most, of how many."""
    uses = [
        f"{labels.service_name(use.server)} "
        + (
            "an unknown number"
            if use.peak is None
            else f"{quantity.count(use.peak)} of {quantity.count(use.limit)}"
        )
        for use in level.connections
    ]
    return f"{labels.level_name(level)}: connections at most: {', '.join(uses)}."


def _waits(level: LevelMetrics) -> list[tuple[str, StepMetrics]]:
    """Return each server with the wait for it, the longest first."""
    steps = level.steps.steps if level.steps is not None else ()
    servers = {connection_step(use.server): use.server for use in level.connections}
    found = [
        (servers[step.name], step) for step in steps if step.name in servers and step.times.samples
    ]
    return sorted(found, key=lambda pair: -(pair[1].times.avg_s or 0.0))


def _wait(server: str, step: StepMetrics) -> str:
    times = step.times
    median, p90 = (_percentile(times, p) for p in (0.5, 0.9))
    longest = quantity.seconds(times.max_s or 0.0)
    return (
        f"{labels.service_name(server)} for {median} (median of {quantity.count(times.samples)}; "
        f"p90 {p90}, longest {longest}, {quantity.count(step.failed)} in vain)"
    )


def _percentile(times: ServiceTimes, p: float) -> str:
    """Return a percentile, with the mark of one that too few samples lie beyond."""
    found = times.percentile(p)
    is_weak = found is not None and found.is_weak
    return percentile_cell(times, p).text + " *" * is_weak


def _refused(level: LevelMetrics) -> str:
    name, refused = labels.level_name(level), level.error_classes.get(CLASS, 0)
    ended = quantity.count(sum(level.outcomes.get(one, 0) for one in _ENDED))
    if not refused:
        return f"{name}: none of {ended} workflows failed for lack of a connection."
    what = " and ".join(escape.visible(one.resource) for one in level.exhausted)
    return (
        f"{name}: {quantity.count(refused)} of {ended} workflows failed with {CLASS}"
        f"{f' ({what} ran out)' if what else ''}."
    )
