"""Finds the first moment from which on service is as it was before.

A candidate is an arrival answered as before, whose predecessor was not. It is the answer if for
``hold_s`` from it on

- at no time more than a quarter of the workflows since it fell behind the baseline (a single one
  may: one late answer does not undo a recovery), nor more than 5 % and as many as arrive within
  250 ms: chance makes bursts of late answers in every queue, and that long is our resolution;
- the 99th percentile is not proven to lie above 1.2 times that of the baseline, nor the share of
  errors more than 0.1 points above the baseline's (binomial tests at 0.1 %, since a hold of 10 s
  at 50 workflows/s has 5 beyond its 99th percentile on average, and often 7). Late answers come in
  bursts where workflows wait for each other, which a binomial law knows nothing of: they are too
  many only if their shares from second to second are greater than before as well (permutation test,
  Fisher 1935).

The rule asks arrivals one by one, so its resolution is the time between two of them and no bin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from perf_pipeline.metrics.types.fault.recovery import Estimate

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints
    from perf_pipeline.metrics.types.fault.recovery import ServiceBaseline

MIN_GOOD_RATIO, MIN_SOON_RATIO = 0.95, 0.75
LONE, BURST_S = 1.0, 0.25
"""Bad answers beyond the quarter, and time of arrivals beyond the 5 %, that undo no recovery."""

MAX_BEYOND_P99 = 0.01
MAX_MORE_ERRORS = 0.001
DOUBT = 0.001

_BLOCK_S = 1.0
"""Longer than a burst of late answers in a queue that is not overloaded."""

_PERMUTATIONS = 4000
_SEED = 15

_SOON = 100
"""Arrivals that are looked at first: most candidates fail within them."""


class Watch(NamedTuple):
    """When recovery from a failure is looked for, CLOCK_MONOTONIC ns.

    Attributes:
        gone_ns: When the failure was gone.
        until_ns: When the next one began, or the level ended.
        hold_ns: How long service must be as before.
    """

    gone_ns: int
    until_ns: int
    hold_ns: int


def time_to_recover(
    arrivals: Arrivals, baseline: ServiceBaseline, before: Arrivals, watch: Watch
) -> Estimate | None:
    """Return the time until service was as before, s; None if it never was.

    The interval combines what is not known of the baseline's 99th percentile with the last
    arrival that was not served as before: between it and the next one nobody asked.

    Args:
        arrivals: All workflows of the level.
        baseline: Service before the failure.
        before: The workflows of the baseline.
        watch: When to look.
    """
    after = arrivals.between(watch.gone_ns, watch.until_ns)
    found = _first_as_before(after, before, baseline.as_before_s, watch)
    if found is None:
        return None
    others = (
        _first_as_before(after, before, limit_s, watch)
        for limit_s in (baseline.as_before_low_s, baseline.as_before_high_s)
    )
    known = [found, *(each for each in others if each is not None)]
    return Estimate(
        found.first_s,
        low=min(each.last_bad_s for each in known),
        high=max(each.asked_s for each in known),
    )


class _Return(NamedTuple):
    """When service was back, s after the failure was gone.

    Attributes:
        last_bad_s: The last arrival that was not served as before; 0 without any.
        first_s: The first from which on all were; 0 where service never was worse.
        asked_s: When that one arrived.
    """

    last_bad_s: float
    first_s: float
    asked_s: float


def _first_as_before(
    after: Arrivals, before: Arrivals, limit_s: float, watch: Watch
) -> _Return | None:
    known = after.where(after.is_known(limit_s))
    bad = known.is_bad(limit_s)
    is_candidate = ~bad
    is_candidate[1:] &= bad[:-1]
    counts = _Counts.of(bad, known.is_failed, before, limit_s)
    for at in np.flatnonzero(is_candidate).tolist():
        arrived_ns = int(known.due_ns[at])
        if arrived_ns + watch.hold_ns > watch.until_ns:
            return None
        end = int(np.searchsorted(known.due_ns, arrived_ns + watch.hold_ns))
        if counts.are_as_before(at, end):
            asked_s = (arrived_ns - watch.gone_ns) / 1e9
            if not at:
                return _Return(0.0, 0.0, asked_s)
            last_bad_s = (int(known.due_ns[at - 1]) - watch.gone_ns) / 1e9
            return _Return(last_bad_s, asked_s, asked_s)
    return None


class _Counts(NamedTuple):
    """Bad and failed workflows before each arrival, and what is as before.

    Attributes:
        bad: Bad ones before each.
        failed: Failed ones before each.
        behind: Bad ones beyond what is tolerated before each, with what more is tolerated: of all,
            and of the next few.
        beyond: Share of the baseline that took longer than the limit, or failed.
        errors: Share that may fail.
        block: Workflows that arrived within ``_BLOCK_S`` of the baseline.
        shares: Bad ones of each block of the baseline, as a share.
    """

    bad: Ints
    failed: Ints
    behind: tuple[tuple[Floats, float], ...]
    beyond: float
    errors: float
    block: int
    shares: Floats

    @classmethod
    def of(
        cls,
        bad: np.ndarray[tuple[int], np.dtype[np.bool_]],
        failed: np.ndarray[tuple[int], np.dtype[np.bool_]],
        before: Arrivals,
        limit_s: float,
    ) -> _Counts:
        """Count what arrived after a failure, against what arrived ``before`` the first one."""
        known = before.where(before.is_known(limit_s))
        bad_then = known.is_bad(limit_s)
        share = float(bad_then.mean()) if len(known) else 0.0
        then_s = (int(known.due_ns[-1]) - int(known.due_ns[0])) / 1e9 if len(known) else 0.0
        block = max(1, round(len(known) * _BLOCK_S / then_s)) if then_s else 1
        beyond = max(MAX_BEYOND_P99, share)
        bad_before = np.concatenate([[0], np.cumsum(bad)])
        burst = max(LONE, block * BURST_S / _BLOCK_S)
        ratios = ((MIN_SOON_RATIO, LONE), (MIN_GOOD_RATIO, burst))
        number = np.arange(len(bad_before))
        return cls(
            bad=bad_before,
            failed=np.concatenate([[0], np.cumsum(failed)]),
            behind=tuple(
                (bad_before - (1 - ratio * (1 - beyond)) * number, more) for ratio, more in ratios
            ),
            beyond=beyond,
            errors=(float(before.is_failed.mean()) if len(before) else 0.0) + MAX_MORE_ERRORS,
            block=block,
            shares=_shares(np.concatenate([[0], np.cumsum(bad_then)]), block),
        )

    def are_as_before(self, at: int, end: int) -> bool:
        """Return whether the arrivals from ``at`` to ``end`` were served as before all the time."""
        soon = min(at + _SOON, end)
        for first, last in ((at, soon), (soon, end)):
            for behind, more in self.behind:
                if (behind[first : last + 1] > behind[at] + more).any():
                    return False
        count = end - at
        if _is_more(int(self.failed[end] - self.failed[at]), count, self.errors):
            return False
        is_more = _is_more(int(self.bad[end] - self.bad[at]), count, self.beyond)
        return not (
            is_more and _are_greater(_shares(self.bad[at : end + 1], self.block), self.shares)
        )


def _is_more(found: int, count: int, share: float) -> bool:
    """Return whether so many of ``count`` prove a greater share."""
    from scipy.special import bdtrc  # noqa: PLC0415 takes 0.3 s; only levels with failures need it

    if found <= share * count:
        return False
    return bool(bdtrc(found - 1, count, share) < DOUBT)


def _shares(counted: Ints, block: int) -> Floats:
    """Return the share of each whole block, of counts before each workflow and after the last."""
    found: Floats = np.diff(counted[::block]) / block
    return found


def _are_greater(shares: Floats, before: Floats) -> bool:
    """Return whether the shares of some blocks prove to be greater than those of others."""
    both = np.concatenate([shares, before])
    rng = np.random.default_rng(_SEED)
    shuffled = rng.permuted(np.tile(both, (_PERMUTATIONS, 1)), axis=1)[:, : len(shares)]
    as_great = int((shuffled.sum(axis=1) >= shares.sum() - 1e-12).sum())
    return (as_great + 1) / (_PERMUTATIONS + 1) < DOUBT
