"""What programs do to a signal without leaking: simulated, as shares of the floor or as counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.selftest.held_out_leaks.course import HOUR_S, MINUTE_S, between
from perf_pipeline.selftest.held_out_leaks.noises import background, remembered

if TYPE_CHECKING:
    from perf_pipeline.selftest.held_out_leaks.course import Course, Floats, Ints

WARM_WORKFLOWS = 2_500
"""After which bounded lists and caches are full."""

_YOUNG_PER_MIDDLE = 10
_YOUNG = 0.004
_CLASSES = 24
_CLASS_CV = 0.012


def collector(course: Course, rng: np.random.Generator) -> Floats:
    """Return garbage that waits for a generational collector.

    Young collections promote what happens to be in use; ten of them cause a middle one, which
    promotes to the old generation; the old one is collected, as CPython does it, when more
    than a share of the live objects waits there. The period follows from that.
    """
    threshold = rng.uniform(0.08, 0.25)
    period = course.samples(between(rng, 4 * MINUTE_S, 40 * MINUTE_S))
    young_collections = rng.poisson(between(rng, 2.0, 40.0), len(course.seconds))
    promoted = rng.gamma(4.0, 1 / 4.0, len(course.seconds)) * threshold / period
    young = rng.uniform(0, _YOUNG, len(course.seconds))
    above = np.empty_like(young)
    collections = 0
    middle = old = 0.0
    for place, share in enumerate(promoted.tolist()):
        middle += share
        collections += int(young_collections[place])
        if collections >= _YOUNG_PER_MIDDLE:
            collections, old, middle = 0, old + middle, 0.0
            if old > threshold:
                old = 0.0
        above[place] = middle + old
    return above + young + background(course, rng)


def arenas(course: Course, rng: np.random.Generator) -> Floats:
    """Return the growth of an allocator that never gives an arena back.

    Every size class has a demand that fluctuates around its mean, fast or slowly, and keeps as
    many arenas as it ever needed. The record of a stationary process grows ever more slowly,
    about as the root of the logarithm of time: nothing leaks, and nothing is flat.
    """
    weights = rng.dirichlet(np.full(_CLASSES, 2.0))
    arena = between(rng, 0.0004, 0.002)
    kept: Floats = np.zeros(len(course.seconds))
    for weight in weights.tolist():
        fades = course.samples(between(rng, MINUTE_S, 4 * HOUR_S))
        sd = np.sqrt(1 - np.exp(-2 / fades))
        innovations = rng.normal(0.0, sd, len(course.seconds))
        innovations[0] /= sd
        demand = weight * (1 + _CLASS_CV * remembered(innovations, fades))
        kept += arena * np.ceil(np.maximum.accumulate(demand) / arena)
    grown: Floats = kept - kept[0]
    return grown + background(course, rng)


def bounded_lists(course: Course, rng: np.random.Generator) -> Floats:
    """Return the warm-up of lists with a bound: full after ``WARM_WORKFLOWS``, flat from then."""
    bounds = WARM_WORKFLOWS * np.append(rng.uniform(0.1, 1.0, 2), 1.0)
    sizes = rng.uniform(0.06, 0.2) * rng.dirichlet((1.0, 1.0, 4.0))
    filled = np.minimum(1, course.workflows[:, None] / bounds)
    missing: Floats = (filled - 1) @ sizes
    return missing + background(course, rng)


def buffers(course: Course, rng: np.random.Generator) -> Floats:
    """Return what a program holds for the work in hand: it follows the load after a while."""
    fades = course.samples(between(rng, 2 * MINUTE_S, 10 * MINUTE_S))
    relative = course.load_per_s / course.load_per_s.mean()
    later = remembered(relative - relative[0], fades) * (1 - np.exp(-1 / fades))
    followed: Floats = relative[0] + later
    return rng.uniform(0.05, 0.15) * followed + background(course, rng)


def pool(course: Course, rng: np.random.Generator, mean_items: tuple[float, float]) -> Ints:
    """Return how many items of a pool live: Poisson births, lifetimes that are log-normal.

    Args:
        course: The run.
        rng: Source of the births and lifetimes.
        mean_items: Lowest and highest mean of the items that live at once.
    """
    mean = between(rng, *mean_items)
    lives = course.samples(between(rng, MINUTE_S, 20 * MINUTE_S))
    lead = 60 * lives
    until = float(len(course.seconds))
    born = rng.uniform(-lead, until, rng.poisson(mean / lives * (until + lead)))
    died = born + lives * rng.lognormal(-0.5, 1.0, len(born))
    now = np.arange(len(course.seconds))
    return np.searchsorted(np.sort(born), now) - np.searchsorted(np.sort(died), now)
