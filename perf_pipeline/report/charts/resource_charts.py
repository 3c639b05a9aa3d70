"""Cores and memory of one load level over time: target workers, servers and harness."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.over_time import (
    chart_over_time,
    last_moment,
    level_rule,
    line_marks,
    phase_bands,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.resource_use import ResourcePoint
    from perf_pipeline.report.charts.chart import Chart
    from perf_pipeline.report.charts.over_time import Series

_COLOURS = {"target": svg.FIRST, "servers": svg.THIRD, "harness": svg.SECOND}


def resource_charts(level: LevelMetrics, *, points_max: int) -> tuple[Chart, ...]:
    """Draw cores and memory; empty with fewer than two samples.

    Args:
        level: The metrics of the load level.
        points_max: Maximum number of points in a line; in a longer level a point covers several
            samples and shows the highest.
    """
    series = level.resources.series
    if len(series) < 2:  # noqa: PLR2004 - a line needs two
        return ()
    span = math.ceil(len(series) / points_max)
    each = "" if span == 1 else f"Each point is the highest of {span} samples."
    groups = [series[start : start + span] for start in range(0, len(series), span)]
    cores = _series(
        groups,
        {
            "target": lambda point: point.workers_cores,
            "servers": lambda point: point.servers_cores,
            "harness": lambda point: point.harness_cores,
        },
    )
    memory = _series(
        groups,
        {
            "target": lambda point: point.workers_mb,
            "servers": lambda point: point.servers_mb,
            "harness": lambda point: point.harness_mb,
        },
    )
    host, note = level.resources.host, each
    if host is not None:
        note = f"Dashed: the {host.usable:.3g} usable cores. {each}".rstrip()
    usable = None if host is None else float(host.usable)
    charts = (
        _chart(level, "Cores used", cores, usable, note),
        _chart(level, "Memory (PSS), MB", memory, None, each),
    )
    return tuple(chart for chart in charts if chart is not None)


def _series(
    groups: Sequence[Sequence[ResourcePoint]],
    lines: dict[str, Callable[[ResourcePoint], float | None]],
) -> Series:
    """Return a line for each role that was sampled; a point is the highest of its group."""
    series: Series = {}
    for name, value_of in lines.items():
        line: list[tuple[float, float | None]] = []
        for group in groups:
            values = [value for point in group if (value := value_of(point)) is not None]
            line.append((group[-1].t_s, max(values, default=None)))
        if any(value is not None for _, value in line):
            series[name] = line
    return series


def _chart(
    level: LevelMetrics, title: str, series: Series, rule: float | None, note: str
) -> Chart | None:
    if not series:
        return None
    # Samples from before the start of the load, while processes start, are left out.
    shown = {name: [at for at in line if at[0] >= 0] for name, line in series.items()}
    last = last_moment(level, (t for line in shown.values() for t, _ in line))
    colours = [_COLOURS[name] for name in shown]
    layers = [*phase_bands(level, last), *line_marks(shown, colours, last)]
    if rule is not None:
        layers.append(level_rule(rule))
    return chart_over_time(title, level, layers, note, shown)
