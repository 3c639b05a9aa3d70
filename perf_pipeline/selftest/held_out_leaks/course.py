"""What a run of a series has beside its value: its times, its load and its workflows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

_STEADY_WORKFLOWS = (15_000.0, 1_000_000.0)
_CYCLE_WORKFLOWS = (300_000.0, 2_000_000.0)
_DAY_HOURS = (0.0, 5.0, 7.0, 9.0, 12.0, 13.0, 15.0, 18.0, 21.0, 24.0)
_DAY_LOAD = (0.45, 0.3, 0.5, 1.3, 1.6, 1.25, 1.6, 1.2, 0.8, 0.45)
"""Users of one time zone: night, morning, lunch, evening; a share of about the mean load."""


@dataclass(frozen=True)
class Course:
    """The times of a run and the work that was done until then.

    Attributes:
        seconds: Since the run began, s, evenly spaced; shape ``(n,)``.
        every_s: Distance of two samples, s.
        scale: By which time constants are multiplied, 1 for a run of 24 hours.
        workflows: Ended so far; shape ``(n,)``.
        load_per_s: Workflows that ended in the interval before the sample, 1/s; shape ``(n,)``.
    """

    seconds: Floats
    every_s: float
    scale: float
    workflows: Ints
    load_per_s: Floats

    def samples(self, duration_s: float) -> float:
        """Return how many samples a time constant of a 24 h run lasts in this one."""
        return duration_s * self.scale / self.every_s


def steady_course(rng: np.random.Generator, hours: float, every_s: float) -> Course:
    """Draw a run at a constant rate."""
    return _course(rng, hours, every_s, _STEADY_WORKFLOWS, np.ones_like)


def daily_course(rng: np.random.Generator, hours: float, every_s: float) -> Course:
    """Draw a run that follows a business day and begins at any time of it."""
    begins = rng.uniform(0, 24)

    def share(hour: Floats) -> Floats:
        return np.interp((hour + begins) % 24, _DAY_HOURS, _DAY_LOAD)

    return _course(rng, hours, every_s, _CYCLE_WORKFLOWS, share)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _course(
    rng: np.random.Generator,
    hours: float,
    every_s: float,
    workflows: tuple[float, float],
    share: Callable[[Floats], Floats],
) -> Course:
    seconds = np.arange(0.0, hours * HOUR_S, every_s)
    scale = hours / 24
    offered = share(seconds / HOUR_S / scale)
    ended = rng.poisson(offered * (between(rng, *workflows) / offered.sum()))
    return Course(seconds, every_s, scale, np.cumsum(ended), ended / every_s)
