"""Seconds without service, and what a failure did to the workflows that arrived meanwhile."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.recovery.arrivals import DROPPED, SLOW, TIMEOUT
from perf_pipeline.analysis.recovery.baseline import nearest_rank
from perf_pipeline.metrics.types.fault.recovery import Estimate, Harm, ServiceSeries
from perf_pipeline.samples.record import ErrorClass, Outcome

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.types.fault.recovery import ServiceBaseline

BIN_S = 0.25
"""The unit of time in which service is shown and summed."""

_Z = 1.96


def lost_service(
    arrivals: Arrivals, baseline: ServiceBaseline, start_ns: int, end_ns: int
) -> Estimate:
    """Return how many seconds without any service would have harmed as many.

    In each bin the share of arrivals that was answered well is set against the baseline's. Shares
    and not rates are compared, because the schedule says how many arrived: the chance in a Poisson
    process costs no precision. What the target answers faster later (overshoot) is not in it: such
    answers are late and not good. A bin in which nobody asked is as the one before it.

    Args:
        arrivals: All workflows of the level.
        baseline: Service before the failure.
        start_ns: The injection.
        end_ns: When service was as before, or was no longer watched.
    """
    found = arrivals.between(start_ns, end_ns)
    found = found.where(found.is_known(baseline.limit_s))
    length_s = (end_ns - start_ns) / 1e9
    bins = max(1, math.ceil(length_s / BIN_S))
    place = ((found.due_ns - start_ns) / (BIN_S * 1e9)).astype(np.int64)
    count = np.bincount(place, minlength=bins)[:bins]
    bad = np.bincount(place[found.is_bad(baseline.limit_s)], minlength=bins)[:bins]
    lengths_s = np.full(bins, BIN_S)
    lengths_s[-1] = length_s - BIN_S * (bins - 1)
    share = bad / np.maximum(count, 1)
    asked = np.maximum.accumulate(np.where(count > 0, np.arange(bins), -1))
    share = np.where(asked >= 0, share[np.maximum(asked, 0)], 0.0)
    served = max(baseline.good_share, 1e-9)
    lost_s = max(0.0, float((lengths_s * (1 - (1 - share) / served)).sum()))
    guess = (bad + 1) / (count + 2)  # a share of 0 or 1 of few is not known exactly either
    variance = float((lengths_s**2 * guess * (1 - guess) / (count + 3)).sum()) / served**2
    spread_s = _Z * math.sqrt(variance)
    return Estimate(lost_s, max(0.0, lost_s - spread_s), min(length_s, lost_s + spread_s))


def harm_of(arrivals: Arrivals, limit_s: float, start_ns: int, end_ns: int) -> Harm:
    """Return what those met that arrived in ``[start_ns, end_ns)``."""
    found = arrivals.between(start_ns, end_ns)
    known = found.where(found.is_known(limit_s))
    bad = known.is_bad(limit_s)
    return Harm(
        due=len(found),
        bad=int(bad.sum()),
        unknown=len(found) - len(known),
        by_class=_by_class(known.where(bad)),
        p99_s=nearest_rank(found.took_s, 0.99) if len(found) else None,
        longest_bad_run_s=_longest_bad_run_s(known, limit_s, end_ns),
    )


def _by_class(bad: Arrivals) -> dict[str, int]:
    names: Counter[str] = Counter()
    for outcome, error_class in zip(bad.outcome.tolist(), bad.error_class.tolist(), strict=True):
        match outcome:
            case Outcome.OK | Outcome.ABANDONED:
                names[SLOW] += 1
            case Outcome.DROPPED:
                names[DROPPED] += 1
            case Outcome.TIMEOUT:
                names[TIMEOUT] += 1
            case _:
                names[ErrorClass(error_class).name.lower()] += 1
    return dict(names.most_common())


def _longest_bad_run_s(known: Arrivals, limit_s: float, end_ns: int) -> float:
    """Return the longest time from a bad arrival to the next good one."""
    bad = known.is_bad(limit_s)
    edges = np.diff(np.concatenate([[0], bad.astype(np.int8), [0]]))
    firsts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(firsts):
        return 0.0
    moments = np.append(known.due_ns, end_ns)
    return float((moments[ends] - moments[firsts]).max()) / 1e9


def service_series(
    arrivals: Arrivals, limit_s: float, window_ns: tuple[int, int], go_ns: int
) -> ServiceSeries:
    """Return how many arrived and were answered well, bin by bin."""
    found = arrivals.between(*window_ns)
    bins = max(1, math.ceil((window_ns[1] - window_ns[0]) / (BIN_S * 1e9)))
    place = ((found.due_ns - window_ns[0]) / (BIN_S * 1e9)).astype(np.int64)
    is_good = found.is_known(limit_s) & ~found.is_bad(limit_s)
    return ServiceSeries(
        bin_s=BIN_S,
        first_s=(window_ns[0] - go_ns) / 1e9,
        due=tuple(np.bincount(place, minlength=bins).tolist()),
        good=tuple(np.bincount(place[is_good], minlength=bins).tolist()),
    )
