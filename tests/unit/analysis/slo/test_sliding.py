"""The worst window is the worst of all: compared to looking at every single moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perf_pipeline.analysis.slo.sliding import Span, min_count, worst_mean, worst_share

SPAN = Span(start_ns=100, end_ns=300, length_ns=40)
MOMENTS = range(SPAN.first_ns, SPAN.end_ns + 1)


def _events(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(60, 340, count))
    return at, rng.random(count) < 0.3


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("chunk", [7, 1_000_000])
def test_the_worst_share_is_that_of_looking_at_every_moment(seed: int, chunk: int) -> None:
    """Windows of 40 ns, 0 to 60 events in 280 ns, judged from 5 on or with 3 bad ones."""
    at, bad = _events(seed, 2 * seed)
    naive = []
    thin = 0
    for t in MOMENTS:
        inside = (at > t - SPAN.length_ns) & (at <= t)
        n, broke = int(inside.sum()), int(bad[inside].sum())
        over = broke > 0.4 * n
        missed = over and (n >= 5 or broke >= 3)
        naive.append((missed, missed or n >= 5, broke / max(n, 1)))
        thin += not naive[-1][1] and t < SPAN.end_ns

    worst = worst_share(at, bad, replace(SPAN, chunk=chunk), allowed=0.4, enough=5, sure=3)

    assert (worst.missed, worst.judged, worst.amount) == max(naive)
    assert worst.thin_s == pytest.approx(thin / 1e9)
    inside = (at > worst.at_ns - SPAN.length_ns) & (at <= worst.at_ns)
    assert worst.samples == inside.sum()
    assert worst.amount == bad[inside].sum() / max(1, inside.sum())


@pytest.mark.parametrize("seed", range(10))
def test_the_minimum_count_is_that_of_looking_at_every_moment(seed: int) -> None:
    at, _ = _events(seed, 10 * seed)
    naive = min(int(((at > t - SPAN.length_ns) & (at <= t)).sum()) for t in MOMENTS)

    assert min_count(at, SPAN, limit=naive).missed is False
    worst = min_count(at, SPAN, limit=naive + 1)
    assert (worst.amount, worst.samples, worst.missed) == (naive, naive, True)


@pytest.mark.parametrize("seed", range(10))
def test_the_worst_mean_is_time_in_flight_over_what_ended_at_every_moment(seed: int) -> None:
    """Time in flight is counted nanosecond by nanosecond here."""
    rng = np.random.default_rng(seed)
    begin = rng.integers(60, 320, 12 + 5 * seed)
    end = begin + rng.integers(1, 50, len(begin))
    ticks = np.arange(0, 400)
    flying = ((begin <= ticks[:, None]) & (ticks[:, None] < end)).sum(axis=1)
    naive = []
    for t in MOMENTS:
        n = int(((end > t - SPAN.length_ns) & (end <= t)).sum())
        spent = int(flying[t - SPAN.length_ns : t].sum())
        naive.append((spent > 25 * max(n, 3), spent > 25 * max(n, 3) or n >= 3, spent / max(n, 1)))

    worst = worst_mean(np.sort(begin), np.sort(end), np.sort(end), SPAN, limit_ns=25, enough=3)

    # Between two moments of a whole nanosecond the window before a change holds one less.
    assert worst.missed or not any(missed for missed, _, _ in naive)
    assert worst.amount >= max(n for _, judged, n in naive if judged) - 1e-6
    assert (
        worst.amount
        <= max(
            (
                flying[t - SPAN.length_ns : t].sum()
                / max(1, ((end > t - SPAN.length_ns) & (end < t)).sum())
            )
            for t in MOMENTS
        )
        + 1e-6
    )


def test_nothing_at_all_is_thin_and_never_judged() -> None:
    nothing = np.empty(0, dtype=np.int64)
    worst = worst_share(nothing, nothing.astype(bool), SPAN, allowed=0.01, enough=1, sure=1)

    assert (worst.missed, worst.judged, worst.samples) == (False, False, 0)
    assert worst.thin_s == pytest.approx(SPAN.positions_s)
