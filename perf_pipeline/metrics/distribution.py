"""How the times of a level are distributed, in buckets that a chart can draw.

The buckets are a twentieth of a decade wide (each ends 12 % above its start), whatever the level,
so that levels can be drawn over each other. What had not ended is counted apart: it is known to
last at least as long as its bucket says. The share that lasts longer comes from the life table of
both (Cutler, Ederer, "Maximum Utilization of the Life Table Method", Journal of Chronic Diseases
8, 1958): of a bucket's workflows that had not ended, half count as at risk in it. It is the
percentiles' product-limit curve (``metrics/service_time.py``) at the resolution of a drawing, with
the same late entry of what was in flight when the window began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.level import Distribution

if TYPE_CHECKING:
    import numpy.typing as npt

BUCKETS_A_DECADE = 20
_SHORTEST_NS = 1_000
"""Shorter times are counted in the first bucket: a call that does nothing takes about that."""


def distribution_of(
    ended_ns: npt.NDArray[np.int64],
    open_ns: npt.NDArray[np.int64],
    joined_ns: npt.NDArray[np.int64] | None = None,
) -> Distribution | None:
    """Count durations into buckets; None without any.

    Args:
        ended_ns: int64[n], durations of what ended.
        open_ns: int64[m], durations so far of what has not.
        joined_ns: int64[n], how old each of ``ended_ns`` was when it came under observation; None
            means that all were seen from their start.
    """
    if joined_ns is not None:
        seen = (joined_ns < ended_ns) | (joined_ns == 0)  # what ended just as it came: never seen
        ended_ns, joined_ns = ended_ns[seen], joined_ns[seen & (joined_ns > 0)]
    if not len(ended_ns) + len(open_ns):
        return None
    places = [_place(each) for each in (ended_ns, open_ns)]
    first = min(int(each.min()) for each in places if len(each))
    count = max(int(each.max()) for each in places if len(each)) + 1 - first
    ended, not_ended = (np.bincount(each - first, minlength=count) for each in places)
    # Whoever joined within a bucket is at risk in half of it, like whoever left unended.
    joining = np.zeros(count, dtype=np.int64)
    if joined_ns is not None:
        joining += np.bincount(np.maximum(_place(joined_ns) - first, 0), minlength=count)[:count]
    left = ended + not_ended
    at_risk = (
        (left.sum() - np.cumsum(left) + left)
        - (joining.sum() - np.cumsum(joining))
        - (not_ended + joining) / 2
    )
    dying = np.divide(ended, at_risk, out=np.zeros(count), where=at_risk > 0)
    surviving = np.cumprod(1.0 - np.clip(dying, 0.0, 1.0))
    edges = _SHORTEST_NS * 10.0 ** ((first + np.arange(count + 1)) / BUCKETS_A_DECADE) / 1e9
    return Distribution(
        edges_s=tuple(float(edge) for edge in edges),
        ended=tuple(int(n) for n in ended),
        not_ended=tuple(int(n) for n in not_ended),
        longer_ratio=tuple(float(ratio) for ratio in surviving),
    )


def _place(durations_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket of each duration, counted from ``_SHORTEST_NS``."""
    decades = np.log10(np.maximum(durations_ns, _SHORTEST_NS) / _SHORTEST_NS)
    return np.floor(decades * BUCKETS_A_DECADE + 1e-9).astype(np.int64)
