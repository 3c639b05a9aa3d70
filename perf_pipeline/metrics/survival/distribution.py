"""How the times of a level are distributed, in buckets that a chart can draw.

The buckets are a twentieth of a decade wide (each ends 12 % above its start), whatever the level,
so that levels can be drawn over each other. Each is a whole number of the histogram's buckets, and
the share that lasts longer is read off the curve that the percentiles come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.log_buckets import BUCKETS, MAX_NS, bucket_of, edges_ns
from perf_pipeline.metrics.types.service_times import Distribution

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.histogram import Histogram
    from perf_pipeline.metrics.survival.survival_curve import Ints

BUCKETS_A_DECADE = 20
_SHORTEST_NS = 1_000
"""Shorter times are counted in the first bucket: a call that does nothing takes about that."""


def distribution_of(histogram: Histogram) -> Distribution | None:
    """Return the distribution of a histogram's times; None without any."""
    curve = histogram.curve()
    if curve is None:
        return None
    used = np.array([curve.first, curve.first + len(curve.longer) - 1])
    first, last = (np.searchsorted(_STARTS, used, side="right") - 1).tolist()
    starts = _STARTS[first : last + 2]
    ended, censored = (
        np.add.reduceat(counts, starts[:-1]).tolist()
        for counts in (histogram.ended, histogram.censored)
    )
    edges_s = np.maximum(edges_ns()[starts], _SHORTEST_NS) / 1e9
    return Distribution(
        edges_s=tuple(edges_s.tolist()),
        ended=tuple(ended),
        not_ended=tuple(censored),
        longer_ratio=tuple(curve.longer_than(starts[1:] - 1).tolist()),
    )


def _chart_starts() -> Ints:
    """Return the histogram bucket with which each bucket of a chart begins: the nearest."""
    decades = np.log10(MAX_NS / _SHORTEST_NS)
    places = np.arange(1, int(decades * BUCKETS_A_DECADE) + 1)
    wanted_ns = _SHORTEST_NS * 10.0 ** (places / BUCKETS_A_DECADE)
    buckets = bucket_of(wanted_ns.astype(np.int64))
    low_ns, high_ns = edges_ns()[buckets], edges_ns()[buckets + 1]
    nearest = buckets + (wanted_ns - low_ns > high_ns - wanted_ns)
    return np.concatenate([[0], nearest, [BUCKETS]])


_STARTS = _chart_starts()
