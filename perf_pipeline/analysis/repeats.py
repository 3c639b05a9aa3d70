"""The mean of the repeats of a level, and how much the repeats differ.

The interval within one repeat shows the uncertainty of its value while everything that is drawn
once a repeat is fixed: the processes and their memory, hash seeds, the connections in the servers,
the time of day. Only repeats, each with all of that drawn anew, show how far the next run may be
off. So both intervals are reported, and also whether the interval within explains the spread.

The same level run twice is also the control (A/A): ``difference_percent`` is the difference between
two runs of the same code here, and a smaller change between two versions is not significant.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics


CONFIDENCE = 0.95
_NORMAL_975 = 1.959964
MIN_REPEATS = 2
"""Repeats that an interval between repeats takes."""


def repeats_of(levels: Iterable[LevelMetrics]) -> tuple[LevelRepeats, ...]:
    """Group the repeats of each level; levels that ran once are left out."""
    by_label: dict[str, list[LevelMetrics]] = {}
    for level in levels:
        if level.role == "level":
            by_label.setdefault(level.label, []).append(level)
    return tuple(
        _repeats(label, sorted(played, key=lambda level: level.repeat))
        for label, played in by_label.items()
        if len(played) >= MIN_REPEATS
    )


def _repeats(label: str, played: Sequence[LevelMetrics]) -> LevelRepeats:
    return LevelRepeats(
        label=label,
        repeats=tuple(level.repeat for level in played),
        validities=tuple(level.validity for level in played),
        values=(
            _value("throughput_per_s", "/s", played, _throughput),
            _value("avg_s", "s", played, lambda level: (level.service_times.avg_s, None)),
            *(
                _value(f"{p.name}_s", "s", played, _percentile(p.p))
                for p in played[0].service_times.percentiles
            ),
            _value("error_ratio", "ratio", played, lambda level: (level.error_ratio, None)),
        ),
    )


Within = tuple[float, float] | None


def _throughput(level: LevelMetrics) -> tuple[float | None, Within]:
    return level.throughput_per_s, _both(level.throughput_low_per_s, level.throughput_high_per_s)


def _percentile(p: float) -> Callable[[LevelMetrics], tuple[float | None, Within]]:
    def read(level: LevelMetrics) -> tuple[float | None, Within]:
        found = level.service_times.percentile(p)
        if found is None:
            return None, None
        return None if found.at_least else found.value_s, _both(found.low_s, found.high_s)

    return read


def _both(low: float | None, high: float | None) -> Within:
    return None if low is None or high is None else (low, high)


def _value(
    what: str,
    unit: Unit,
    played: Sequence[LevelMetrics],
    read: Callable[[LevelMetrics], tuple[float | None, Within]],
) -> RepeatedValue:
    found = [read(level) for level in played]
    used = [
        (value, within)
        for (value, within), level in zip(found, played, strict=True)
        if value is not None and level.validity == "valid"
    ]
    values = [value for value, _ in used]
    mean = sum(values) / len(values) if values else None
    half = half_width(values)
    spread = max(values) - min(values) if half is not None else None
    inner = [within for _, within in used if within is not None]
    low, high = (
        (sum(w[0] for w in inner) / len(inner), sum(w[1] for w in inner) / len(inner))
        if inner and len(inner) == len(used)
        else (None, None)
    )
    return RepeatedValue(
        what=what,
        unit=unit,
        values=tuple(value for value, _ in found),
        used=len(used),
        mean=mean,
        low=None if mean is None or half is None else mean - half,
        high=None if mean is None or half is None else mean + half,
        spread=spread,
        difference_percent=_difference_percent([value for value, _ in found if value is not None]),
        within_low=low,
        within_high=high,
        p_by_chance=None
        if spread is None or low is None or high is None
        else spread_by_chance(spread, high - low, len(values)),
    )


def _difference_percent(values: Sequence[float]) -> float | None:
    if len(values) < MIN_REPEATS or not sum(values):
        return None
    return 100 * (max(values) - min(values)) / (sum(values) / len(values))


def half_width(values: Sequence[float]) -> float | None:
    """Return half of the 95 % t interval of the mean; None of fewer than two values."""
    n = len(values)
    if n < MIN_REPEATS:
        return None
    deviation = float(np.std(values, ddof=1))
    return t_quantile((1 + CONFIDENCE) / 2, n - 1) * deviation / math.sqrt(n)


def spread_by_chance(spread: float, width: float, n: int) -> float:
    """Return the probability of this spread or a greater one among ``n`` values.

    The interval gives the standard deviation of one value, width / (2 x 1.96). The spread of ``n``
    normal values in such units is the studentized range with infinitely many degrees of freedom.

    Args:
        spread: Maximum - minimum.
        width: Of the 95 % interval of one value, in the same unit; 0 where nothing varies.
        n: At least 2.

    Source:
        Harter, "Tables of Range and Studentized Range", Annals of Mathematical Statistics 31,
        1960.
    """
    from scipy.stats import studentized_range  # noqa: PLC0415 takes a second; only repeats need it

    if spread <= 0:
        return 1.0
    if width <= 0:
        return 0.0
    return float(studentized_range.sf(spread / (width / (2 * _NORMAL_975)), n, math.inf))
