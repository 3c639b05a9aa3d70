"""Signals over a day whose truth is known: those that the leak verdict was tuned on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0
SAMPLE_S = 5.0
SAMPLES = int(DAY_S / SAMPLE_S)


def correlated(rng: np.random.Generator, count: int, correlation: float) -> Floats:
    """Return noise of standard deviation 1 in which neighbours correlate."""
    from scipy.signal import lfilter  # noqa: PLC0415 - 0.3 s that only the selftest needs

    innovations = rng.normal(0.0, np.sqrt(1.0 - correlation**2), count)
    innovations[0] = rng.normal()
    noise: Floats = lfilter([1.0], [1.0, -correlation], innovations)
    return noise


def _correlated_05(rng: np.random.Generator, day: Floats) -> Any:
    return rng.uniform(0.003, 0.02) * correlated(rng, len(day), 0.5)


def _correlated_09(rng: np.random.Generator, day: Floats) -> Any:
    return rng.uniform(0.003, 0.02) * correlated(rng, len(day), 0.9)


def _correlated_098(rng: np.random.Generator, day: Floats) -> Any:
    return rng.uniform(0.003, 0.02) * correlated(rng, len(day), 0.98)


def _correlated_0998(rng: np.random.Generator, day: Floats) -> Any:
    return rng.uniform(0.002, 0.01) * correlated(rng, len(day), 0.998)


def _quiet(rng: np.random.Generator, day: Floats) -> Any:
    return rng.uniform(0.002, 0.006) * correlated(rng, len(day), rng.choice([0.5, 0.9, 0.97]))


def _sawtooth(rng: np.random.Generator, day: Floats) -> Any:
    """Garbage grows until it is collected; periods differ by a tenth."""
    period = np.exp(rng.uniform(np.log(60.0), np.log(2400.0))) / DAY_S
    lengths = period * rng.uniform(0.9, 1.1, int(2.0 / period) + 2)
    ends = np.cumsum(lengths) - rng.uniform(0.0, period)
    place = np.searchsorted(ends, day, side="right")
    part = (day - (ends - lengths)[place]) / lengths[place]
    return rng.uniform(0.05, 0.4) * part + _quiet(rng, day)


def _daily_cycle(rng: np.random.Generator, day: Floats) -> Any:
    phase = rng.uniform(0.0, 2.0 * np.pi)
    wave = np.sin(2.0 * np.pi * day + phase) + rng.uniform(0, 0.3) * np.sin(4.0 * np.pi * day)
    return rng.uniform(0.01, 0.08) * wave + _quiet(rng, day)


def _plateau(rng: np.random.Generator, day: Floats) -> Any:
    constant = np.exp(rng.uniform(np.log(120.0), np.log(2.7 * 3600.0))) / DAY_S
    return rng.uniform(0.05, 0.6) * -np.exp(-day / constant) + _quiet(rng, day)


def _ramp(rng: np.random.Generator, day: Floats) -> Any:
    """A list that fills up, as that of the kailash runtime."""
    end = np.exp(rng.uniform(np.log(60.0), np.log(8 * 3600.0))) / DAY_S
    return rng.uniform(0.03, 0.5) * np.minimum(day / end, 1.0) + _quiet(rng, day)


def _step(rng: np.random.Generator, day: Floats) -> Any:
    height = rng.uniform(0.01, 0.3) * rng.choice([1.0, 1.0, -1.0])
    return height * (day >= rng.uniform(0.03, 0.97)) + _quiet(rng, day)


def _creep(rng: np.random.Generator, day: Floats) -> Any:
    """An allocator whose arenas grow with the logarithm of time."""
    constant = np.exp(rng.uniform(np.log(60.0), np.log(2.0 * 3600.0))) / DAY_S
    total = rng.uniform(0.02, 0.15)
    growth = total * np.log1p(day / constant) / np.log1p(1.0 / constant)
    if rng.integers(2):  # memory is taken an arena at a time
        arena = total / rng.uniform(8, 60)
        growth = np.floor(growth / arena + rng.random()) * arena
    return growth + _quiet(rng, day)


def _spikes(rng: np.random.Generator, day: Floats) -> Any:
    values = _quiet(rng, day)
    for _ in range(rng.integers(10, 200)):
        start = rng.integers(len(day))
        values[start : start + rng.integers(1, 60)] += rng.uniform(0.1, 1.0)
    return values


FRACTIONAL: dict[str, Callable[[np.random.Generator, Floats], Any]] = {
    "noise 0.5": _correlated_05,
    "noise 0.9": _correlated_09,
    "noise 0.98": _correlated_098,
    "noise 0.998": _correlated_0998,
    "sawtooth": _sawtooth,
    "daily cycle": _daily_cycle,
    "plateau": _plateau,
    "ramp": _ramp,
    "step": _step,
    "creep": _creep,
    "spikes": _spikes,
}
SHAPES = (*FRACTIONAL, "counts")
PLAIN = ("noise 0.5", "noise 0.9", "sawtooth", "plateau", "ramp", "step", "spikes")
"""Shapes on top of which a leak of 2 % in 24 h is larger than the noise."""


def signal(rng: np.random.Generator, shape: str, growth: float, count: int = SAMPLES) -> Floats:
    """Return a signal over a day.

    Args:
        rng: Source of randomness.
        shape: One of ``SHAPES``.
        growth: Of the leak on top, over the day, as a share of the level.
        count: Number of samples.
    """
    day = np.arange(count) / count
    if shape == "counts":
        level = float(rng.integers(20, 400))
        spread = rng.uniform(0.2, 1.0) * np.sqrt(level) * 0.5
        noise = spread * correlated(rng, count, rng.choice([0.5, 0.9, 0.98]))
        counts: Floats = np.round(level * (1.0 + growth * day) + noise)
        return counts
    level = float(np.exp(rng.uniform(np.log(50.0), np.log(5e8))))
    values: Floats = level * (1.0 + FRACTIONAL[shape](rng, day) + growth * day)
    return values
