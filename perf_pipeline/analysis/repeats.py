"""What the repeats of a level have in common, and how much they differ.

The interval within one repeat tells how far its own value may be off while everything that is drawn
once a repeat stays as it was: the processes and their memory, hash seeds, the place of the
connections in the servers, the hour. Only values of repeats, each with all of that drawn anew, tell
how far the next run will be off. So both intervals stand side by side, and a spread of the repeats
that the interval within does not explain is said.

The same level played twice is also the control (A/A): ``difference_percent`` is what two runs of
the same thing differ by here, and no smaller change between two versions means anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from perf_pipeline.analysis.studentized_range import spread_by_chance
from perf_pipeline.metrics.survival.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics, Percentile, Validity

Unit = Literal["/s", "s", "ratio"]

CONFIDENCE = 0.95
MIN_REPEATS = 2
"""With one there is nothing between."""

CALLED_DIFFERENT_BELOW = 0.01
"""Repeats that differ by nothing but what the interval within covers are called different so
often."""


@dataclass(frozen=True)
class RepeatedValue:
    """One value of a level over its repeats.

    Attributes:
        what: ``throughput_per_s``, ``avg_s``, ``p50_s``, ``p90_s``, ``p99_s`` or ``error_ratio``,
            of the steady phase.
        unit: ``/s``, ``s`` or ``ratio``.
        values: Of each repeat, in the order of ``LevelRepeats.repeats``; None where it is not
            known or only "at least" known.
        used: How many of them the rest is made of: known, and of a valid repeat.
        mean: Of those.
        low: 95 % interval between repeats: mean -/+ t(0.975, used - 1) s / sqrt(used), for values
            that are independent and roughly normal; None with fewer than two. With two it is
            wide (t = 12.7), and that is what two runs tell; it may then reach below zero.
        high: Likewise.
        spread: Greatest - least.
        difference_percent: The control's: (greatest - least) / mean of all values that are known,
            also those of repeats that are no measurement, because what noise does belongs to it;
            None with fewer than two.
        within_low: 95 % interval within one repeat, mean of those of the repeats; None unless
            all have one.
        within_high: Likewise.
        p_by_chance: How probable this spread, or a greater one, would be if repeats differed by
            nothing but what the interval within covers; None without that interval.
    """

    what: str
    unit: Unit
    values: tuple[float | None, ...]
    used: int
    mean: float | None
    low: float | None
    high: float | None
    spread: float | None
    difference_percent: float | None
    within_low: float | None
    within_high: float | None
    p_by_chance: float | None

    @property
    def differ(self) -> bool | None:
        """Whether the repeats differ by more than the interval within one explains."""
        return None if self.p_by_chance is None else self.p_by_chance < CALLED_DIFFERENT_BELOW


@dataclass(frozen=True)
class LevelRepeats:
    """A level that was played more than once.

    Attributes:
        label: The level's.
        repeats: The numbers of the repeats that were played, 0 for the first.
        validities: Of each.
        values: What was compared.
    """

    label: str
    repeats: tuple[int, ...]
    validities: tuple[Validity, ...]
    values: tuple[RepeatedValue, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The repeats that are no measurement, each with the word that says why."""
        both = zip(self.repeats, self.validities, strict=True)
        return tuple(f"repeat {n + 1}: {word}" for n, word in both if word != "valid")

    def of(self, what: str) -> RepeatedValue:
        """Return one of the values by its name."""
        return next(value for value in self.values if value.what == what)

    @property
    def told(self) -> str:
        """The throughput in a line for people."""
        value = self.of("throughput_per_s")
        out = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        differ = value.difference_percent
        by = "they differ by " + ("an unknown share" if differ is None else f"{differ:.3g} %")
        if value.mean is None or value.low is None or value.high is None:
            return f"repeats of {self.label}: {value.used} of {len(self.repeats)} usable; {by}{out}"
        within = "interval within one not known"
        if value.within_low is not None and value.within_high is not None:
            within = f"within one {value.within_low:.4g} to {value.within_high:.4g}"
        more = ", more than chance explains" if value.differ else ""
        return (
            f"repeats of {self.label}: throughput {value.mean:.4g}/s, 95 % interval between "
            f"{value.used} repeats {value.low:.4g} to {value.high:.4g} ({within}); "
            f"{by}{more}{out}"
        )


def repeats_of(levels: Iterable[LevelMetrics]) -> tuple[LevelRepeats, ...]:
    """Bring the repeats of each level together; levels that were played once are left out."""
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
                _value(f"p{round(100 * p.p)}_s", "s", played, _percentile(index))
                for index, p in enumerate(played[0].service_times.percentiles)
            ),
            _value("error_ratio", "ratio", played, lambda level: (level.error_ratio, None)),
        ),
    )


Within = tuple[float, float] | None


def _throughput(level: LevelMetrics) -> tuple[float | None, Within]:
    return level.throughput_per_s, _both(level.throughput_low_per_s, level.throughput_high_per_s)


def _percentile(index: int) -> Callable[[LevelMetrics], tuple[float | None, Within]]:
    def read(level: LevelMetrics) -> tuple[float | None, Within]:
        p: Percentile = level.service_times.percentiles[index]
        return None if p.at_least else p.value_s, _both(p.low_s, p.high_s)

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
