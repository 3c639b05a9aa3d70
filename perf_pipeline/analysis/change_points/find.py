"""Finds the change points of a metric's history, in two tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.change_points.change_point import ChangePoint
from perf_pipeline.analysis.change_points.clean_series import clean_series
from perf_pipeline.analysis.change_points.effect import step_ratio
from perf_pipeline.analysis.change_points.recent import recent_step
from perf_pipeline.analysis.change_points.steps import confirmed_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.change_points.change_point import Tier
    from perf_pipeline.analysis.change_points.clean_series import Floats


def find_change_points(values: Sequence[float] | Floats) -> tuple[ChangePoint, ...]:
    """Return the change points of a series, in ascending order.

    Every threshold comes from the noise of the series itself. Lone spikes are no change points,
    and neither are the parts of a drift. The result depends on nothing but the values.

    Args:
        values: One value a run, oldest first; finite. Fewer than eight have no change point.

    Returns:
        The confirmed ones, and at most one of the fast tier after them, in the last seven values.

    Raises:
        ValueError: A value is not a finite number.
    """
    series = clean_series(values)
    if series is None:
        return ()
    end = len(series.values)
    tiers: list[tuple[int, Tier]] = [(index, "confirmed") for index in confirmed_steps(series)]
    recent = recent_step(series, tiers[-1][0] if tiers else 0)
    if recent is not None:
        tiers.append((recent, "fast"))
    borders = [0, *(index for index, _ in tiers), end]
    found = []
    for (index, tier), start, next_start in zip(tiers, borders, borders[2:], strict=False):
        ratio = step_ratio(series, start, index, next_start, pooled=tier == "fast")
        found.append(ChangePoint(index, ratio.effect, ratio.low, ratio.high, tier))
    return tuple(found)
