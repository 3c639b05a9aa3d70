"""A series in units of its own noise, without its lone spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]

SPIKE_NEIGHBOURS = 7
"""Values on each side with whose median a value is compared."""

SPIKE_SPREADS = 2.5
"""Distance from that median, in spreads of the series around it, beyond which a value is a spike.

Three values with a mean that far off are no spike: the median follows them.
"""

_SD_PER_MAD = 1.4826
_SD_PER_MEAN_DEVIATION = 1.2533
_LARGE_DIFFERENCES = 4.0


@dataclass(frozen=True)
class CleanSeries:
    """A series as the detectors see it.

    Attributes:
        values: Spikes clipped, the median subtracted, in units of ``noise``.
        raw: The same without clipping.
        range: Between the largest and the smallest of ``raw``, > 0.
        centre: The subtracted median.
        noise: Standard deviation of the noise from one value to the next, > 0.
        is_log: Whether ``values`` are of the logarithm: where every value is positive, as a
            regression is a ratio.
    """

    values: Floats
    raw: Floats
    range: float
    centre: float
    noise: float
    is_log: bool


def clean_series(series: Sequence[float] | Floats) -> CleanSeries | None:
    """Return a series in units of its noise, or None where all values are the same.

    Args:
        series: One value a run, oldest first; finite.

    Raises:
        ValueError: It is not a list of finite numbers.
    """
    given = np.asarray(series, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all():
        raise ValueError("a series is a list of finite numbers, one a run; leave out other runs")
    if not len(given) or given.min() == given.max():
        return None
    is_log = bool(given.min() > 0.0)
    scaled = np.log(given) if is_log else given / np.abs(given).max()
    clipped = clip_spikes(scaled)
    noise = noise_of(clipped) or noise_of(scaled)
    if noise == 0.0:
        return None
    centre = float(np.median(clipped))
    values, raw = (clipped - centre) / noise, (scaled - centre) / noise
    return CleanSeries(values, raw, float(raw.max() - raw.min()), centre, noise, is_log)


def clip_spikes(values: Floats) -> Floats:
    """Return values, those far from the median of their neighbours moved towards it."""
    width = 2 * SPIKE_NEIGHBOURS + 1
    padded = np.pad(values, SPIKE_NEIGHBOURS, mode="edge")
    near = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    off = np.abs(values - near)
    spread = _SD_PER_MAD * np.median(off) or _SD_PER_MEAN_DEVIATION * off.mean()
    return np.clip(values, near - SPIKE_SPREADS * spread, near + SPIKE_SPREADS * spread)


def noise_of(values: Floats) -> float:
    """Return the standard deviation of the noise, from the differences of neighbouring values.

    A change of level is one large difference among many. The larger of two estimates counts: the
    one from the median difference alone is 0 for a metric that is rounded to few values.
    """
    differences = np.diff(values)
    middle = np.median(np.abs(differences - np.median(differences)))
    robust = float(_SD_PER_MAD * middle / np.sqrt(2.0))
    if robust == 0.0:
        return float(differences.std() / np.sqrt(2.0))
    bound = _LARGE_DIFFERENCES * robust * np.sqrt(2.0)
    limited = np.clip(differences, -bound, bound)
    return max(robust, float(np.sqrt((limited**2).mean() / 2.0)))
