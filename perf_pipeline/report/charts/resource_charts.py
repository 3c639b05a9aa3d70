"""One level's cores and memory over time, of the target, the harness and the servers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.level_drawing import (
    Figure,
    figure,
    last_moment,
    level_rule,
    line_marks,
    phase_bands,
)
from perf_pipeline.report.text import quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.resource_use import ResourcePoint
    from perf_pipeline.report.charts.level_drawing import Series

_COLOURS = {"target": svg.FIRST, "servers": svg.THIRD, "harness": svg.SECOND}


def resource_figures(level: LevelMetrics, *, points_max: int) -> tuple[Figure, ...]:
    """Draw cores and memory; nothing without two samples.

    Args:
        level: What was measured.
        points_max: Most points a line; of a longer level, spans of several samples are drawn.
    """
    series = level.resources.series
    if len(series) < 2:  # noqa: PLR2004 - a line needs two
        return ()
    span = math.ceil(len(series) / points_max)
    each = "" if span == 1 else f"One point is {span} samples: the highest."
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
        note = f"Dashed: the {quantity.count(host.usable)} that may be used. {each}".rstrip()
    usable = None if host is None else float(host.usable)
    drawn = (
        _figure(level, "Cores used", cores, usable, note),
        _figure(level, "Memory (PSS), MB", memory, None, each),
    )
    return tuple(each for each in drawn if each is not None)


def _series(
    groups: Sequence[Sequence[ResourcePoint]],
    lines: dict[str, Callable[[ResourcePoint], float | None]],
) -> Series:
    """Return a line for each role that was read; of several samples the highest."""
    series: Series = {}
    for name, of in lines.items():
        line: list[tuple[float, float | None]] = []
        for group in groups:
            values = [value for point in group if (value := of(point)) is not None]
            line.append((group[-1].t_s, max(values, default=None)))
        if any(value is not None for _, value in line):
            series[name] = line
    return series


def _figure(
    level: LevelMetrics, title: str, series: Series, rule: float | None, note: str
) -> Figure | None:
    if not series:
        return None
    # Samples of before the go, while processes start, are not the level's.
    shown = {name: [at for at in line if at[0] >= 0] for name, line in series.items()}
    last = last_moment(level, (t for line in shown.values() for t, _ in line))
    colours = [_COLOURS[name] for name in shown]
    layers = [*phase_bands(level, last), *line_marks(shown, colours, last)]
    if rule is not None:
        layers.append(level_rule(rule))
    return figure(title, level, layers, note, shown)
