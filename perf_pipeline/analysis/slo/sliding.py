"""The worst of all windows of one length: exact, over every position and not a grid of them.

A window that ends at t contains the events in ``(t - length, t]``. Its content changes only when an
event enters (at its time) or leaves (one length later), so these moments cover all windows.
Windows lie entirely within the phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """Where windows may lie, CLOCK_MONOTONIC, and how long they are.

    Attributes:
        start_ns: Start of the phase.
        end_ns: End of the phase.
        length_ns: Length of a window.
        chunk: Positions that are examined together, which bounds the memory.
    """

    start_ns: int
    end_ns: int
    length_ns: int
    chunk: int = 1_000_000

    @property
    def first_ns(self) -> int:
        """End of the first window."""
        return self.start_ns + self.length_ns

    @property
    def positions_s(self) -> float:
        """How long a window can slide."""
        return max(0, self.end_ns - self.first_ns) / 1e9


@dataclass(frozen=True)
class Worst:
    """The worst window.

    Attributes:
        at_ns: Its end.
        amount: Its value: a share, a count, or a mean in ns.
        samples: Number of events in it.
        missed: True when it certainly breaks the limit.
        thin_s: For how long the sliding window had too few events to be judged, and did not break
            the limit.
        judged: True when any window could be judged.
    """

    at_ns: int
    amount: float
    samples: int
    missed: bool
    thin_s: float
    judged: bool


def worst_share(
    at_ns: Times,
    bad: npt.NDArray[np.bool_],
    span: Span,
    *,
    allowed: float,
    enough: float,
    sure: int,
) -> Worst:
    """Find the window with the greatest share of bad events.

    Args:
        at_ns: int64[n], when each event happened, sorted.
        bad: bool[n], whether each counts as bad.
        span: The windows.
        allowed: Share that may be bad, 0 to 1.
        enough: A window with at least this many events is judged.
        sure: A window with at least this many bad events, and more than the allowed share, is
            judged whatever its size.
    """
    bad_ns = at_ns[bad]
    best = _Best()
    for t_ns, until_ns in _positions(span, at_ns):
        count = _within(at_ns, t_ns, span)
        failed = _within(bad_ns, t_ns, span)
        over = failed > allowed * count + 1e-9
        missed = over & ((count >= enough) | (failed >= sure))
        share = failed / np.maximum(count, 1)
        best.take(t_ns, until_ns, share, count, missed=missed, judged=missed | (count >= enough))
    return best.worst(span)


def min_count(at_ns: Times, span: Span, *, limit: float) -> Worst:
    """Find the window with the fewest events; it misses the limit when it has fewer than that.

    Args:
        at_ns: int64[n], when each event happened, sorted.
        span: The windows.
        limit: Minimum number in each window.
    """
    best = _Best()
    for t_ns, until_ns in _positions(span, at_ns):
        count = _within(at_ns, t_ns, span)
        missed = count < limit - 1e-9
        everywhere = np.ones_like(missed)
        best.take(t_ns, until_ns, -count.astype(float), count, missed=missed, judged=everywhere)
    found = best.worst(span)
    return Worst(found.at_ns, -found.amount, found.samples, found.missed, 0.0, found.judged)


def worst_mean(
    begin_ns: Times, end_ns: Times, ended_ns: Times, span: Span, *, limit_ns: float, enough: int
) -> Worst:
    """Find the window with the greatest mean time: time in flight in it / what ended in it.

    Between two changes the time in flight grows or falls evenly, so the mean is greatest at one
    of them, or just before. A window in which fewer than ``enough`` ended is judged only when its
    time in flight would break the limit even if ``enough`` had ended.

    Args:
        begin_ns: int64[n], when each workflow began, sorted.
        end_ns: int64[n], when each was no longer in flight, sorted.
        ended_ns: int64[m], when those that count as ended did, sorted.
        span: The windows.
        limit_ns: Greatest mean.
        enough: A window in which at least this many ended is judged.
    """
    begun, gone = _Area(begin_ns, span.start_ns), _Area(end_ns, span.start_ns)
    best = _Best()
    for t_ns, until_ns in _positions(span, begin_ns, end_ns):
        count = _within(ended_ns, t_ns, span)
        spent = np.zeros(len(t_ns))
        for edge_ns in (t_ns, until_ns):
            area = [
                one.until(edge_ns) - one.until(edge_ns - span.length_ns) for one in (begun, gone)
            ]
            spent = np.maximum(spent, area[0] - area[1])
        missed = spent > limit_ns * np.maximum(count, enough)
        mean = spent / np.maximum(count, 1)
        best.take(t_ns, until_ns, mean, count, missed=missed, judged=missed | (count >= enough))
    return best.worst(span)


class _Area:
    """Sum of the times since each of many moments; time in flight is a difference of two."""

    def __init__(self, at_ns: Times, origin_ns: int) -> None:
        self._at_ns = at_ns
        self._origin_ns = origin_ns
        self._sums = np.concatenate([[0.0], np.cumsum((at_ns - origin_ns).astype(float))])

    def until(self, t_ns: Times) -> npt.NDArray[np.float64]:
        """Return the sum of ``t - moment`` over the moments before t."""
        before = np.searchsorted(self._at_ns, t_ns, side="right")
        since = (t_ns - self._origin_ns).astype(float)  # times a count, int64 would overflow
        total: npt.NDArray[np.float64] = before * since - self._sums[before]
        return total


class _Best:
    """The worst window so far: one that breaks the limit before any other, then the greatest."""

    def __init__(self) -> None:
        self._rank = (False, False, -np.inf)
        self._at_ns, self._samples, self._thin_ns = 0, 0, 0

    def take(
        self,
        t_ns: Times,
        until_ns: Times,
        amount: npt.NDArray[np.float64],
        count: npt.NDArray[np.int64],
        *,
        missed: npt.NDArray[np.bool_],
        judged: npt.NDArray[np.bool_],
    ) -> None:
        """Compare the windows that end at ``t_ns``; each has the same content to ``until_ns``."""
        self._thin_ns += int((until_ns - t_ns)[~judged].sum())
        # A window that breaks the limit is judged, and its amount exceeds that of all that do not.
        among = np.flatnonzero(judged) if judged.any() else np.arange(len(t_ns))
        at = among[np.argmax(amount[among])]
        rank = (bool(missed[at]), bool(judged[at]), float(amount[at]))
        if rank > self._rank:
            self._rank, self._at_ns, self._samples = rank, int(t_ns[at]), int(count[at])

    def worst(self, span: Span) -> Worst:
        """Return the worst window found."""
        missed, judged, amount = self._rank
        at_ns = self._at_ns or span.first_ns
        return Worst(at_ns, float(amount), self._samples, missed, self._thin_ns / 1e9, judged)


def _within(at_ns: Times, t_ns: Times, span: Span) -> npt.NDArray[np.int64]:
    """Count the events in each window."""
    after = np.searchsorted(at_ns, t_ns, side="right")
    count: npt.NDArray[np.int64] = after - np.searchsorted(
        at_ns, t_ns - span.length_ns, side="right"
    )
    return count


def _positions(span: Span, *at_ns: Times) -> Iterator[tuple[Times, Times]]:
    """Yield the ends of windows at which something changes, and until when they stay as they are.

    Every position is yielded, ``span.chunk`` at a time, from that of the first window on.
    """
    moments = [np.array([span.first_ns], dtype=np.int64)]
    for each_ns in at_ns:
        for moved_ns in (each_ns, each_ns + span.length_ns):
            low, high = np.searchsorted(moved_ns, [span.first_ns, span.end_ns], side="right")
            moments.append(moved_ns[low:high])
    # Sorted runs merge in linear time; numpy's unique hashes, which took fifteen times as long.
    all_ns = np.sort(np.concatenate(moments), kind="stable")
    all_ns = all_ns[np.append(True, np.diff(all_ns) > 0)]
    until_ns = np.append(all_ns[1:], max(span.end_ns, int(all_ns[-1])))
    for start in range(0, len(all_ns), span.chunk):
        yield all_ns[start : start + span.chunk], until_ns[start : start + span.chunk]
