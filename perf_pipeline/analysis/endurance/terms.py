"""The terms of which an explanation of a signal's floors is made.

Floors are a constant, perhaps with a trend (the leak), and perhaps with things that are no leak:

- a warm-up: a ramp that ends, as of a list with a maximum length, or an exponential approach, as of
  a cache; or the growth of an allocator, which goes with the logarithm of time;
- one step;
- a cycle: a daily one of one or two waves, where the signal covers a day, or a shorter one;
- the load, where it is known.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from perf_pipeline.analysis.endurance.shapes import RAMP, shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from perf_pipeline.analysis.endurance.floors import Floats
    from perf_pipeline.analysis.endurance.shapes import Shapes

LATEST_WARM_UP = 0.5
"""A ramp may end later where a trend follows: then the trend begins there."""

STEADY = 1e-6
"""A load that differs by less, as a share of itself, explains nothing."""

MIN_STEP_BLOCKS = 2
MIN_DAYS = 0.9
OTHER_PERIODS = (2 / 3, 1 / 2, 2 / 5, 1 / 3, 1 / 4)
"""Periods of a cycle other than a day, of the time that the signal covers."""
CONSTANT, TREND = 0, 1

STEP_PRIOR, CYCLE_PRIOR, LOAD_PRIOR = 0.25, 0.25, 0.5
"""Probability, before the data are seen, that a term is there at all: a step, a cycle, the load.
That of a trend is a half."""


class Rest(NamedTuple):
    """The terms of an explanation but for its shape; each is a number of columns.

    Attributes:
        has_trend: Whether there is a trend.
        step: Column of the step; 0 without.
        cycle: Which cycle of ``Terms.cycles``, from 1; 0 without.
        has_load: Whether the load is a term.
    """

    has_trend: bool
    step: int
    cycle: int
    has_load: bool


@dataclass(frozen=True)
class Terms:
    """The terms at the times of the floors.

    Attributes:
        columns: float64[n, p]: constant, trend, steps, waves of the cycles, loads.
        shapes: The ``m`` warm-ups and creeps.
        rests: Every explanation but for its shape: those without a trend, then the same with one.
        used: The columns of each rest.
        groups: Rests of the same number of columns, with or without a trend: that number, whether,
            their places, and int[rests, columns].
        log_prior_of_rests: float64[rests], logarithm of the probability of each, before the data
            are seen.
        log_prior: float64[rests, 1 + m], likewise of each rest without a shape and with each of
            them.
    """

    columns: Floats
    shapes: Shapes
    rests: tuple[Rest, ...]
    used: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, bool, list[int], npt.NDArray[np.int64]], ...]
    log_prior_of_rests: Floats
    log_prior: Floats

    def refined(self, places: Iterable[int]) -> Terms:
        """Return the terms with more shapes on both sides of some."""
        shapes = self.shapes.refined(places)
        log_prior = self.log_prior_of_rests[:, None] + _log_prior_of_shapes(self.rests, shapes)
        return replace(self, shapes=shapes, log_prior=log_prior)


def terms_of(hours: Floats, load: Floats | None, day_hours: float) -> Terms:
    """Return the terms that may explain floors at these times.

    Args:
        hours: float64[n], ascending.
        load: float64[n, k], as of ``BlockLoads``, or None where it is unknown.
        day_hours: Length of a day.
    """
    span = float(hours[-1] - hours[0])
    at = (hours - hours[0]) / span
    columns = [np.ones_like(at), at]
    columns += [
        (np.arange(len(at)) >= first).astype(np.float64)
        for first in range(MIN_STEP_BLOCKS, len(at) - MIN_STEP_BLOCKS + 1)
    ]
    first_wave = len(columns)
    cycles = []
    if span >= MIN_DAYS * day_hours:
        columns += [*_wave(hours, day_hours), *_wave(hours, day_hours / 2.0)]
        cycles = [(0, 1), (0, 1, 2, 3)]
    with_step = len(cycles)
    for period in OTHER_PERIODS:
        cycles.append((len(columns) - first_wave, len(columns) - first_wave + 1))
        columns += _wave(hours, period * span)
    loads = [] if load is None else _loads(load)
    columns += loads
    rests, used, log_prior = _rests(len(at), tuple(cycles), with_step, len(loads))
    shapes = shapes_of(at)
    return Terms(
        np.stack(columns, axis=1),
        shapes,
        rests,
        used,
        tuple(_groups(used)),
        log_prior,
        log_prior[:, None] + _log_prior_of_shapes(rests, shapes),
    )


def _loads(load: Floats) -> list[Floats]:
    """Return the columns of the load; none where it is steady."""
    least = STEADY * float(np.abs(load[:, 0]).mean())
    return [(one - one.mean()) / np.ptp(one) for one in load.T if np.ptp(one) > least]


def _wave(hours: Floats, period: float) -> list[Floats]:
    angle = 2.0 * math.pi * hours / period
    return [np.sin(angle), np.cos(angle)]


@lru_cache(maxsize=16)
def _rests(
    count: int, cycles: tuple[tuple[int, ...], ...], with_step: int, loads: int
) -> tuple[tuple[Rest, ...], tuple[tuple[int, ...], ...], Floats]:
    """Return the explanations but for their shapes, their columns and their probabilities.

    Args:
        count: Number of floors.
        cycles: The columns of each cycle, counted from the first wave.
        with_step: How many of the cycles, from the first on, may go with a step.
        loads: Columns of the load, which may be a term; 0 where it is unknown.
    """
    steps = range(2, 2 + count - 2 * MIN_STEP_BLOCKS + 1)
    waves = 1 + max(place for one in cycles for place in one)
    rests, used, priors = [], [], []
    for chosen in itertools.product(
        (False, True), (0, *steps), range(len(cycles) + 1), (False, True)[: 1 + (loads > 0)]
    ):
        rest = Rest(*chosen)
        if rest.step and rest.cycle > with_step:
            continue
        columns = [CONSTANT, *([TREND] if rest.has_trend else [])]
        prior = STEP_PRIOR / len(steps) if rest.step else 1.0 - STEP_PRIOR
        prior *= CYCLE_PRIOR / len(cycles) if rest.cycle else 1.0 - CYCLE_PRIOR
        prior *= LOAD_PRIOR
        if rest.step:
            columns.append(rest.step)
        if rest.cycle:
            columns += [steps.stop + place for place in cycles[rest.cycle - 1]]
        if rest.has_load:
            columns += range(steps.stop + waves, steps.stop + waves + loads)
        rests.append(rest)
        used.append(tuple(columns))
        priors.append(math.log(prior))
    return tuple(rests), tuple(used), np.array(priors)


def _groups(
    used: tuple[tuple[int, ...], ...],
) -> Iterator[tuple[int, bool, list[int], npt.NDArray[np.int64]]]:
    for k, has_trend in sorted({(len(one), TREND in one) for one in used}):
        places = [at for at, one in enumerate(used) if (len(one), TREND in one) == (k, has_trend)]
        yield k, has_trend, places, np.array([used[at] for at in places])


def _log_prior_of_shapes(rests: tuple[Rest, ...], shapes: Shapes) -> Floats:
    """Return the logarithm of the probability of no shape, and of each, beside each rest."""
    each = np.log(np.concatenate([[1.0 - shapes.prior.sum()], shapes.prior]))
    prior = np.tile(each, (len(rests), 1))
    is_late_ramp = (shapes.kinds == RAMP) & (shapes.constants > LATEST_WARM_UP)
    for place, rest in enumerate(rests):
        if not rest.has_trend:
            prior[place, 1:][is_late_ramp] = -np.inf
        if rest.step and rest.cycle:
            prior[place, 1:] = -np.inf
    return prior
