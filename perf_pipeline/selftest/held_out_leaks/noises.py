"""Noise of a signal that does not grow: filtered innovations with heavy tails, steps and spikes.

Each function returns shares of the floor: 0.01 is one percent above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from perf_pipeline.selftest.held_out_leaks.course import HOUR_S, MINUTE_S, between

if TYPE_CHECKING:
    from perf_pipeline.selftest.held_out_leaks.course import Course, Floats

WEAK_S = 5 * MINUTE_S
"""Beyond which the moving average has no correlation at all."""

CYCLE_S, CYCLE_FADES_S = 40 * MINUTE_S, 20 * MINUTE_S
STRONG_S = 25 * MINUTE_S
"""The strong noise falls to 1/e in it: 0.98 between samples 30 s apart."""

_SHARE = (0.003, 0.007)
_STUDENT_DF = 4.0
_STRONG_MA = -0.3
_BACKGROUND = 0.0015
_RISES = 0.75


def weak_noise(course: Course, rng: np.random.Generator, share: float | None = None) -> Floats:
    """Return a moving average with triangular weights of innovations of Student's t."""
    length = max(2, round(course.samples(WEAK_S)))
    weights = np.arange(length, 0, -1.0)
    innovations = rng.standard_t(_STUDENT_DF, len(course.seconds) + length)
    filtered = np.convolve(innovations, weights, "valid")[: len(course.seconds)]
    sd = np.sqrt(_STUDENT_DF / (_STUDENT_DF - 2) * np.sum(weights**2))
    noise: Floats = (rng.uniform(*_SHARE) if share is None else share) / sd * filtered
    return noise


def cyclic_noise(course: Course, rng: np.random.Generator) -> Floats:
    """Return an ARMA(2, 1) process whose roots are complex: cycles that lose their phase."""
    radius = np.exp(-1 / course.samples(CYCLE_FADES_S))
    turn = 2 * np.pi / course.samples(CYCLE_S)
    return _filtered(course, rng, (1.0, 0.4), (1.0, -2 * radius * np.cos(turn), radius**2))


def strong_noise(course: Course, rng: np.random.Generator) -> Floats:
    """Return an ARMA(1, 1) process that has a long memory and some white noise upon it."""
    return _filtered(course, rng, (1.0, _STRONG_MA), (1.0, -np.exp(-1 / course.samples(STRONG_S))))


def step(course: Course, rng: np.random.Generator) -> Floats:
    """Return a rise or fall within some minutes, at one time between a tenth and nine tenths."""
    size = rng.uniform(0.03, 0.12) if rng.random() < _RISES else -rng.uniform(0.02, 0.06)
    at = rng.uniform(0.1, 0.9) * len(course.seconds)
    lasts = max(1.0, course.samples(between(rng, MINUTE_S, 10 * MINUTE_S)))
    risen = np.clip((np.arange(len(course.seconds)) - at) / lasts, 0, 1)
    stepped: Floats = size * risen
    return stepped + weak_noise(course, rng, _BACKGROUND * 2)


def spikes(course: Course, rng: np.random.Generator) -> Floats:
    """Return jumps of Pareto's distribution that decay, and come together as batch jobs do."""
    count = len(course.seconds)
    per_hour = between(rng, 0.3, 3.0)
    begun = rng.random(count) < per_hour / course.samples(HOUR_S)
    together = rng.geometric(0.6, count)
    heights = np.minimum(0.6, 0.02 * (1 + rng.pareto(1.5, count)) * together)
    fades = course.samples(between(rng, MINUTE_S, 15 * MINUTE_S))
    decayed = remembered(np.where(begun, heights, 0.0), fades)
    return decayed + weak_noise(course, rng, _BACKGROUND * 2)


def remembered(values: Floats, fades_samples: float) -> Floats:
    """Return the sum of all values until then, of which each falls to 1/e in some samples."""
    summed: Floats = lfilter([1.0], [1.0, -np.exp(-1 / fades_samples)], values)
    return summed


def background(course: Course, rng: np.random.Generator) -> Floats:
    """Return the little noise that every byte count has."""
    return weak_noise(course, rng, _BACKGROUND)


def _filtered(
    course: Course,
    rng: np.random.Generator,
    moving: tuple[float, ...],
    regressive: tuple[float, ...],
) -> Floats:
    """Filter Laplace innovations and scale them by the deviation that the filter itself has."""
    lead = 20 * int(course.samples(STRONG_S)) + 20
    response: Floats = lfilter(moving, regressive, np.concatenate(([1.0], np.zeros(lead))))
    innovations = rng.laplace(0.0, np.sqrt(0.5), len(course.seconds) + lead)
    filtered: Floats = lfilter(moving, regressive, innovations)[lead:]
    sd = float(np.sqrt(np.sum(response**2)))
    return rng.uniform(*_SHARE) / sd * filtered
