"""One endurance series: a shape that does not leak, and the leak that is planted on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.selftest.held_out_leaks.course import (
    DAY_S,
    HOUR_S,
    between,
    daily_course,
    steady_course,
)
from perf_pipeline.selftest.held_out_leaks.noises import (
    cyclic_noise,
    spikes,
    step,
    strong_noise,
    weak_noise,
)
from perf_pipeline.selftest.held_out_leaks.programs import (
    arenas,
    bounded_lists,
    buffers,
    collector,
    pool,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.selftest.held_out_leaks.course import Course, Floats, Ints

PAGE_BYTES = 4096
_BYTES = (4e7, 2e9)
_CYCLE = "daily_cycle"
_SHARES: dict[str, Callable[[Course, np.random.Generator], Floats]] = {
    "weak_noise": weak_noise,
    "cyclic_noise": cyclic_noise,
    "strong_noise": strong_noise,
    "collector_sawtooth": collector,
    _CYCLE: buffers,
    "warm_up_plateau": bounded_lists,
    "one_step": step,
    "allocator_growth": arenas,
    "spikes": spikes,
}
_COUNTS = {
    "integer_counts": ((200.0, 800.0), (2.0, 8.0)),
    "small_counts": ((8.0, 40.0), (0.3, 3.0)),
}
"""Items that are always there, and mean of those that come and go: lowest and highest."""


@dataclass(frozen=True)
class Series:
    """A signal over a run and the truth about it.

    Attributes:
        shape: One of ``shapes()``.
        seconds: Since the run began, s; shape ``(n,)``.
        value: Bytes in whole pages, or whole items; shape ``(n,)``.
        workflows: Ended so far; shape ``(n,)``.
        load: Workflows that ended in the interval before each sample, 1/s; None where the
            offered load was constant.
        floor: Bytes or items of which a planted leak is a share: the growth that is planted is
            ``floor * leak_per_day / 24`` per hour.
    """

    shape: str
    seconds: Floats
    value: Floats
    workflows: Ints
    load: Floats | None
    floor: float


def shapes() -> tuple[str, ...]:
    """Return the names of all shapes."""
    return (*_SHARES, *_COUNTS)


def leaking_shapes() -> tuple[str, ...]:
    """Return the shapes on which a share of the floor can be planted."""
    return tuple(shape for shape in shapes() if shape != "small_counts")


def series(
    shape: str,
    rng: np.random.Generator,
    hours: float = 24.0,
    every_s: float = 30.0,
    leak_per_day: float = 0.0,
    from_hour: float = 0.0,
) -> Series:
    """Draw one run.

    Args:
        shape: One of ``shapes()``.
        rng: Source of every random choice.
        hours: Length of the run, h.
        every_s: Distance of two samples, s.
        leak_per_day: Linear growth per 24 h as a share of the floor: 0.02 is 2 %.
        from_hour: When the leak starts, h since the run began.

    Raises:
        ValueError: There is no such shape, or a leak is to be planted on one that has too few
            items for it.
    """
    if shape not in shapes():
        raise ValueError(f"no shape {shape!r}; there are: {', '.join(shapes())}")
    if leak_per_day and shape not in leaking_shapes():
        raise ValueError(f"{shape} has too few items: a share of them is a step, not a leak")
    course = (daily_course if shape == _CYCLE else steady_course)(rng, hours, every_s)
    if shape in _COUNTS:
        always, items = _COUNTS[shape]
        floor = float(round(between(rng, *always)))
        unit, value = 1.0, floor + pool(course, rng, items)
    else:
        floor, unit = between(rng, *_BYTES), float(PAGE_BYTES)
        value = floor * (1 + _SHARES[shape](course, rng))
    planted = floor * leak_per_day * np.maximum(0, course.seconds - from_hour * HOUR_S) / DAY_S
    return Series(
        shape=shape,
        seconds=course.seconds,
        value=unit * np.floor((value + planted) / unit),
        workflows=course.workflows,
        load=course.load_per_s if shape == _CYCLE else None,
        floor=floor,
    )
