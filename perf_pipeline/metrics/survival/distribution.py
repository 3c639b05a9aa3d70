"""How the times of a level are distributed, in buckets that a chart can draw.

The buckets are a twentieth of a decade wide (each ends 12 % above its start), whatever the level,
so that levels can be drawn over each other. What had not ended is counted apart: it is known to
last at least as long as its bucket says. The share that lasts longer comes from the life table of
both (Cutler, Ederer, "Maximum Utilization of the Life Table Method", Journal of Chronic Diseases
8, 1958): of a bucket's workflows that had not ended, half count as at risk in it. It is the
percentiles' product-limit curve (``service_time.py``) at the resolution of a drawing, with
the same late entry of what was in flight when the window began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.types.service_times import Distribution

if TYPE_CHECKING:
    import numpy.typing as npt

    from perf_pipeline.metrics.survival.service_time import WindowTimes

BUCKETS_A_DECADE = 20
_SHORTEST_NS = 1_000
"""Shorter times are counted in the first bucket: a call that does nothing takes about that."""


def distribution_of(times: WindowTimes) -> Distribution | None:
    """Count the durations of a window into buckets; None without any."""
    ended_ns, open_ns, late_ns = times.ended, times.still, times.late
    if not len(ended_ns) + len(open_ns):
        return None
    seen = _place(np.concatenate([ended_ns.ends, open_ns[:1], open_ns[-1:]]))
    first, last = int(seen.min()), int(seen.max())
    starts_ns = _starts_ns(first, last + 1)
    ended = np.diff(ended_ns.ranks(starts_ns, "left"))
    not_ended, joining = (np.diff(np.searchsorted(each, starts_ns)) for each in (open_ns, late_ns))
    joining[0] += np.searchsorted(late_ns, starts_ns[0])
    # Whoever joined within a bucket is at risk in half of it, like whoever left unended.
    left = ended + not_ended
    at_risk = (
        (left.sum() - np.cumsum(left) + left)
        - (joining.sum() - np.cumsum(joining))
        - (not_ended + joining) / 2
    )
    dying = np.divide(ended, at_risk, out=np.zeros(len(left)), where=at_risk > 0)
    surviving = np.cumprod(1.0 - np.clip(dying, 0.0, 1.0))
    edges = _SHORTEST_NS * 10.0 ** ((first + np.arange(len(left) + 1)) / BUCKETS_A_DECADE) / 1e9
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


def _starts_ns(first: int, last: int) -> npt.NDArray[np.int64]:
    """Return the shortest duration in each of the buckets ``first`` to ``last``, ns."""
    places = np.arange(first, last + 1)
    near_ns = np.ceil(_SHORTEST_NS * 10.0 ** (places / BUCKETS_A_DECADE)).astype(np.int64)
    starts_ns = near_ns - (_place(near_ns - 1) >= places)  # rounding may have gone one too far
    starts_ns[places == 0] = 0
    return starts_ns
