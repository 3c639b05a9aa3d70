"""What fixed work before and after a level says of the machine (``host/calibration.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.types.noise import NoiseFigure, judged_figure, unknown_figure

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEED_MAX_PERCENT = 15.0
"""By which a core may have become slower or faster between two rounds of the canary. Rounds of a
quiet machine differed by 4 %, and by 11 % from those after a load; a neighbour on the physical core
makes 60 %."""

WAITED_MAX_RATIO = 0.2
"""Share of a round in which the canary had no core, while nothing of ours ran. One program on the
same core took 0.2 to 0.9 of each round."""

FSYNC_MAX_FACTOR = 8.0
FSYNC_LEAST_S = 0.005
"""A forced write may take so many times as long as at the other round; below 5 ms it is not held
against the machine, since a cache that is full for a moment does as much."""


def calibration_figures(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[NoiseFigure, ...]:
    """Hold the round after the level against the one before it."""
    slower = "by how much the speed of a fixed calculation differs before and after the level"
    waited = "share of its time that a fixed calculation, run alone beside the level, got no core"
    write = "how many times as long one forced disk write took, before and after the level"
    if before is None or after is None:
        why = "no canary " + " and ".join(
            when for when, one in (("before", before), ("after", after)) if one is None
        )
        return (
            unknown_figure(slower, "%", SPEED_MAX_PERCENT, why),
            unknown_figure(waited, "%", 100 * WAITED_MAX_RATIO, why),
            unknown_figure(write, "times", FSYNC_MAX_FACTOR, why),
        )
    then, now = before["core_ns_per_unit"], after["core_ns_per_unit"]
    waits = [100 * one["waited_ratio"] for one in (before, after)]
    return (
        judged_figure(
            slower,
            100 * (max(then, now) / min(then, now) - 1),
            "%",
            SPEED_MAX_PERCENT,
            f"{then:.1f} ns a unit before, {now:.1f} after",
        ),
        judged_figure(
            waited,
            max(waits),
            "%",
            100 * WAITED_MAX_RATIO,
            f"{waits[0]:.0f} % of the time before, {waits[1]:.0f} % after",
        ),
        _write_figure(write, before, after),
    )


def _write_figure(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> NoiseFigure:
    then, now = before["fsync_s"], after["fsync_s"]
    if then is None or now is None:
        why = before["problem"] or after["problem"]
        return unknown_figure(what, "times", FSYNC_MAX_FACTOR, why)
    factor, note = max(then, now) / min(then, now), f"{1e3 * then:.2f} ms, then {1e3 * now:.2f} ms"
    noisy = factor > FSYNC_MAX_FACTOR and max(then, now) > FSYNC_LEAST_S
    return NoiseFigure(what, factor, "times", FSYNC_MAX_FACTOR, noisy, note)
