"""Windows of a campaign in which its signals tell nothing of leaks, and are left out.

After a gap the load begins anew, and caches, pools and buffers fill again; while a server does not
answer, or the load falls, what waits and what is tried again is held in memory. What these windows
show goes away by itself, and would look like growth where they lie late.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from perf_pipeline.samples.campaign.hour import GAP_SHARE_MIN
from perf_pipeline.samples.campaign.verdicts import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.signal_sample import SignalSample

SETTLE_SHARE = 1 / 60
"""How long signals settle after a window: this share of an hour, one minute of a real one."""

MAX_SHARE = 0.25
"""Servers that do not answer and load that falls in more of the samples than this are no windows,
but what the campaign is like: then nothing is left out for them, or a target that leaks until it
slows down would be judged by its beginning alone."""

FALLEN_SHARE = 0.5
"""Load that is less than this share of the campaign's rate has fallen."""

WINDOW_SAMPLES, WINDOW_WORKFLOWS = 4, 20
"""Samples and workflows over which the load is looked at, at least: single samples are some
workflows early or late."""

_SESSIONS = "sessions"
"""The signal that a server has in each sample in which it answered."""


def left_out(
    hours: Sequence[Hour],
    samples: Sequence[Sequence[SignalSample]],
    *,
    rate_per_s: float,
    hour_seconds: float,
) -> tuple[LeftOut, ...]:
    """Return the windows of one life of the target that are left out, in order of time.

    Args:
        hours: The hours of that life, in order.
        samples: The samples of each hour.
        rate_per_s: The campaign's rate of arrivals.
        hour_seconds: Length of an hour.
    """
    settle_s = SETTLE_SHARE * hour_seconds
    found = [*_gaps(hours, hour_seconds, settle_s)]
    passing = [
        *_unanswered([one for some in samples for one in some], settle_s),
        *(one for some in samples for one in _fallen(some, rate_per_s, settle_s)),
    ]
    seconds = [one.seconds for some in samples for one in some]
    hit = sum(any(one.begin_s <= at <= one.end_s for one in passing) for at in seconds)
    if hit <= MAX_SHARE * len(seconds):
        found += passing
    return tuple(sorted(found, key=lambda one: (one.begin_s, one.end_s)))


def _gaps(hours: Sequence[Hour], hour_seconds: float, settle_s: float) -> Iterator[LeftOut]:
    """Yield each gap, with the time after it in which signals settle."""
    for before, one in pairwise(hours):
        if one.gap_before_s > GAP_SHARE_MIN * hour_seconds:
            why = f"a gap before hour {one.hour}"
            yield LeftOut(before.ended_s, one.begun_s + settle_s, why)


def _unanswered(samples: Sequence[SignalSample], settle_s: float) -> Iterator[LeftOut]:
    """Yield each window in which a server that answers otherwise did not."""
    names = dict.fromkeys(name for one in samples for name in one.values)
    for name in names:
        service, _, signal = name.partition(".")
        if signal != _SESSIONS:
            continue
        begin_s = None
        for before, one in pairwise(samples):
            if name not in one.values and begin_s is None:
                begin_s = before.seconds
            elif name in one.values and begin_s is not None:
                yield LeftOut(begin_s, one.seconds + settle_s, f"{service} did not answer")
                begin_s = None
        if begin_s is not None:
            yield LeftOut(begin_s, samples[-1].seconds, f"{service} did not answer")


def _fallen(
    samples: Sequence[SignalSample], rate_per_s: float, settle_s: float
) -> Iterator[LeftOut]:
    """Yield each window of an hour in which far fewer workflows ended than arrive."""
    begin_s = end_s = None
    for first, last in _load_windows(samples, rate_per_s):
        ended = last.workflows - first.workflows
        has_fallen = ended < FALLEN_SHARE * rate_per_s * (last.seconds - first.seconds)
        if has_fallen:
            begin_s = first.seconds if begin_s is None else begin_s
            end_s = last.seconds
        if begin_s is not None and end_s is not None and not has_fallen:
            yield LeftOut(begin_s, end_s + settle_s, "the load fell")
            begin_s = end_s = None
    if begin_s is not None and end_s is not None:
        yield LeftOut(begin_s, end_s + settle_s, "the load fell")


def _load_windows(
    samples: Sequence[SignalSample], rate_per_s: float
) -> Iterator[tuple[SignalSample, SignalSample]]:
    """Yield first and last sample of each window that is long enough to tell the load."""
    first = 0
    for at, one in enumerate(samples):
        arrived = rate_per_s * (one.seconds - samples[first].seconds)
        if at - first >= WINDOW_SAMPLES and arrived >= WINDOW_WORKFLOWS:
            yield samples[first], one
            first = at
