"""What fixed work before and after a level shows of the machine (``host/calibration.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.types.noise import NoiseFigure

if TYPE_CHECKING:
    from collections.abc import Mapping

SPEED_MAX_PERCENT = 15.0
"""By how much a core may have become slower or faster between two rounds of the calibration.
Rounds of a quiet machine differed by 4 %, and by 11 % from those after a load; a neighbour on the
same physical core makes 60 %."""

WAITED_MAX_PERCENT = 20.0
"""Share of a round in which the calibration had no core, while nothing of the run was at work. One
program on the same core took 20 to 90 % of each round."""

FSYNC_MAX_FACTOR = 8.0
FSYNC_MIN_S = 0.005
"""A forced write may take this many times as long as in the other round. Below 5 ms no factor
counts, since a cache that is full for a moment causes as much."""

_SPEED = "change of the speed of a fixed calculation from before to after the level"
_WAITED = "share of its time that a fixed calculation before or after the level got no core"
_WRITE = "how many times as long one forced disk write took, before and after the level"


def calibration_figures(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[NoiseFigure, ...]:
    """Compare the round after the level with the one before it.

    Args:
        before: A ``Calibration`` as it is stored; None if none was taken.
        after: Likewise.
    """
    if before is None or after is None:
        rounds = (("before", before), ("after", after))
        why = "no calibration " + " and ".join(when for when, one in rounds if one is None)
        return (
            _figure(_SPEED, None, "%", SPEED_MAX_PERCENT, why),
            _figure(_WAITED, None, "%", WAITED_MAX_PERCENT, why),
            _figure(_WRITE, None, "times", FSYNC_MAX_FACTOR, why),
        )
    then, now = before["core_ns_per_unit"], after["core_ns_per_unit"]
    waits = [100 * one["waited_ratio"] for one in (before, after)]
    return (
        _figure(
            _SPEED,
            100 * (max(then, now) / min(then, now) - 1),
            "%",
            SPEED_MAX_PERCENT,
            f"{then:.1f} ns a unit before, {now:.1f} after",
        ),
        _figure(
            _WAITED,
            max(waits),
            "%",
            WAITED_MAX_PERCENT,
            f"{waits[0]:.0f} % of the time before, {waits[1]:.0f} % after",
        ),
        _write_figure(before, after),
    )


def _write_figure(before: Mapping[str, Any], after: Mapping[str, Any]) -> NoiseFigure:
    then, now = before["fsync_s"], after["fsync_s"]
    if then is None or now is None:
        why = before["problem"] or after["problem"]
        return _figure(_WRITE, None, "times", FSYNC_MAX_FACTOR, why)
    factor, note = max(then, now) / min(then, now), f"{1e3 * then:.2f} ms, then {1e3 * now:.2f} ms"
    above = factor > FSYNC_MAX_FACTOR and max(then, now) > FSYNC_MIN_S
    return NoiseFigure(_WRITE, factor, "times", FSYNC_MAX_FACTOR, above, note, is_evidence=False)


def _figure(what: str, value: float | None, unit: str, limit: float, note: str) -> NoiseFigure:
    above = None if value is None else value > limit
    return NoiseFigure(what, value, unit, limit, above, note, is_evidence=False)
