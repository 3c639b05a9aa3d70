"""The repeats of load levels that ran more than once."""

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.metrics.types.validity import Validity

Unit = Literal["/s", "s", "ratio"]


CALLED_DIFFERENT_BELOW = 0.01
"""How often repeats are called different although only the interval within one explains it."""


@dataclass(frozen=True)
class RepeatedValue:
    """One value of a level over its repeats.

    Attributes:
        what: ``throughput_per_s``, ``avg_s``, ``p50_s``, ``p90_s``, ``p99_s`` or ``error_ratio``,
            of the steady phase.
        unit: ``/s``, ``s`` or ``ratio``.
        values: Of each repeat, in the order of ``LevelRepeats.repeats``; None where it is unknown
            or only a lower bound is known.
        used: Number of values behind the following fields: known, and of a valid repeat.
        mean: Mean of the used values.
        low: 95 % interval between repeats: mean -/+ t(0.975, used - 1) s / sqrt(used), for values
            that are independent and roughly normal; None with fewer than two. With two it is
            wide (t = 12.7) and may reach below zero.
        high: Likewise.
        spread: Maximum - minimum.
        difference_percent: Difference of the A/A control: (maximum - minimum) / mean of all known
            values, also those of repeats that are not valid, so that it includes the effect of
            noise; None with fewer than two.
        within_low: 95 % interval within one repeat, mean over the repeats; None unless all have
            one.
        within_high: Likewise.
        p_by_chance: Probability of this spread or a greater one if the repeats differed only
            within that interval; None without it.
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
    """A level that ran more than once.

    Attributes:
        label: The level's.
        repeats: The numbers of the repeats that ran, 0 for the first.
        validities: The validity of each repeat.
        values: The compared values.
    """

    label: str
    repeats: tuple[int, ...]
    validities: tuple[Validity, ...]
    values: tuple[RepeatedValue, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The repeats that are not valid, each with its validity."""
        both = zip(self.repeats, self.validities, strict=True)
        return tuple(f"repeat {n + 1}: {validity}" for n, validity in both if validity != "valid")

    def of(self, what: str) -> RepeatedValue:
        """Return one of the values by its name."""
        return next(value for value in self.values if value.what == what)

    @property
    def summary(self) -> str:
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
