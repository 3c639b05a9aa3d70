"""The leak verdict of one signal.

What decides is the floor of the signal in each of 48 blocks of time (``floors.py``), and every
explanation of the floors by its probability (``explanations.py``). A leak is a trend of more than
``NEGLIGIBLE`` whose probability is at least ``1 - MAX_DOUBT`` (``selftest leaks`` counts how often
a healthy signal has one). The 95 % interval of the growth must exclude 0 as well, and more
workflows must have ended than fill the bounded lists of a runtime. A signal is clean when growth of
``HARMFUL`` or more has a probability below ``MAX_HARM``, whichever explanation holds, each with a
trend added. Everything else is inconclusive, with the smallest leak that would have been seen. A
leak goes on: if the last half of the time shows that the growth fell, that half decides.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.endurance.explanations import weigh_explanations
from perf_pipeline.analysis.endurance.floors import MIN_BLOCKS, floors
from perf_pipeline.analysis.endurance.plain_verdicts import (
    RESOLUTION,
    constant_verdict,
    too_few_samples,
)
from perf_pipeline.analysis.endurance.shapes import APPROACH, CREEP, RAMP
from perf_pipeline.analysis.endurance.terms import terms_of
from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

if TYPE_CHECKING:
    from perf_pipeline.analysis.endurance.explanations import Explanations
    from perf_pipeline.analysis.endurance.floors import Floats, Floors
    from perf_pipeline.analysis.endurance.signal_series import SignalSeries
    from perf_pipeline.analysis.endurance.terms import Terms
    from perf_pipeline.samples.campaign.leak_verdict import LeakWord

HOUR_SECONDS = 3600.0
DAY_HOURS = 24.0
NEGLIGIBLE = 0.005
HARMFUL = 0.02
"""Growth in 24 hours as a share of the level: what is no leak, and what is not clean."""

MAX_DOUBT = 0.08
MAX_HARM = 0.005
INTERVAL = (0.025, 0.975)
WARM_UP_WORKFLOWS = 2500
"""After which the bounded lists of kailash are full. Within fewer workflows a list that fills up
and a leak are the same straight line."""

LITTLE_WEIGHT, WIDE, BISECTIONS = 1e-3, 50.0, 40
COUNT_RESOLUTION = 0.1
HIDDEN_COUNT = 0.5
PASSES = 3
MAX_COUNT = 1e4
"""Whole numbers below are counts. The floor of a block is known to a tenth, and growth of half a
count may be hidden by rounding: then one step and slow growth look the same."""

_SHAPES = {
    RAMP: "a warm-up that ends",
    APPROACH: "a warm-up that ends",
    CREEP: "an allocator that grows ever slower",
}


@dataclass(frozen=True)
class _Judged:
    """What a signal's floors show.

    Attributes:
        blocks: The floors that were judged.
        terms: What may explain them.
        found: The explanations.
        per_day: What a growth of 1 over the floors is in 24 hours, as a share of the level.
        per_hour: The same in an hour, in the unit of the signal.
    """

    blocks: Floors
    terms: Terms
    found: Explanations
    level: float
    span_hours: float
    is_count: bool

    @property
    def scale(self) -> float:
        """Growth over the span that doubles the level in 24 hours."""
        return self.level * self.span_hours / DAY_HOURS


def judge_leak(
    series: SignalSeries, *, hour_seconds: float = HOUR_SECONDS, max_doubt: float = MAX_DOUBT
) -> LeakVerdict:
    """Return whether a signal leaks.

    Growth that is a leak goes on. Where the last half of the time alone shows that it does not,
    because less than the least growth found is certain there, the verdict is that of this half: a
    warm-up may have any shape, a staircase of caches for one, and not all are in ``shapes.py``.

    Args:
        series: The signal.
        hour_seconds: Length of an hour; less than 3600 where a run is scaled.
        max_doubt: Probability that it is no leak, below which it is called one.
    """
    whole = _judge(series, hour_seconds, max_doubt)
    if whole.verdict != "leak" or whole.interval is None:
        return whole
    half = _judge(_last_half(series), hour_seconds, max_doubt)
    if half.interval is None or half.interval[1] >= whole.interval[0]:
        return whole
    why = f"it grew faster at first; in the last half of the time {half.reason}"
    return replace(half, reason=why)


def _last_half(series: SignalSeries) -> SignalSeries:
    """Return the samples of the last half of the time."""
    middle = (series.seconds[0] + series.seconds[-1]) / 2.0
    first = bisect_left(series.seconds, middle)
    workflows = None if series.workflows is None else series.workflows[first:]
    return replace(
        series, seconds=series.seconds[first:], values=series.values[first:], workflows=workflows
    )


def _judge(series: SignalSeries, hour_seconds: float, max_doubt: float) -> LeakVerdict:
    """Return the verdict that all of a signal's samples together give."""
    hours, values, workflows = _counted(series, hour_seconds)
    if len(hours) < MIN_BLOCKS or hours[-1] <= hours[0]:
        return too_few_samples(series, hours, f"it takes {MIN_BLOCKS}, evenly spread")
    blocks = floors(hours, values, workflows)
    if len(blocks.values) < MIN_BLOCKS:
        spread = f"they are in {len(blocks.values)} of {blocks.count} equal parts of the time"
        return too_few_samples(series, hours, f"{spread}, and it takes {MIN_BLOCKS}")
    blocks = blocks.without_first()
    level = float(np.median(np.abs(blocks.values))) or float(np.abs(blocks.values).max())
    span = float(blocks.hours[-1] - blocks.hours[0])
    if np.ptp(blocks.values) == 0.0:
        return constant_verdict(series, blocks, span)
    is_count = level < MAX_COUNT and bool((values == np.round(values)).all())
    resolution = COUNT_RESOLUTION if is_count else RESOLUTION * level
    for _ in range(PASSES):
        terms = terms_of(blocks.hours, blocks.load, DAY_HOURS)
        found = weigh_explanations(terms, blocks.values, resolution, max_doubt)
        growth = found.growth_of_shape((hours - blocks.hours[0]) / span)
        if growth is None:
            break
        blocks = floors(hours, values, workflows, growth).without_first()
    judged = _Judged(blocks, terms, found, level, span, is_count)
    return _verdict(series, judged, hours, workflows, max_doubt)


def _counted(series: SignalSeries, hour_seconds: float) -> tuple[Floats, Floats, Floats | None]:
    """Return the samples outside of the excluded windows: hours, values and workflows."""
    seconds = np.asarray(series.seconds, dtype=np.float64)
    counts = np.ones(len(seconds), dtype=np.bool_)
    for start, end in series.excluded:
        counts &= (seconds < start) | (seconds > end)
    values = np.asarray(series.values, dtype=np.float64)[counts]
    workflows = None
    if series.workflows is not None:
        workflows = np.asarray(series.workflows, dtype=np.float64)[counts]
    return seconds[counts] / hour_seconds, values, workflows


def _verdict(
    series: SignalSeries,
    judged: _Judged,
    hours: Floats,
    workflows: Floats | None,
    max_doubt: float,
) -> LeakVerdict:
    from scipy.special import stdtr  # noqa: PLC0415 - 0.3 s that few commands need

    found, scale, span = judged.found, judged.scale, judged.span_hours
    above = stdtr(found.degrees, (found.trend - NEGLIGIBLE * scale) / found.trend_error)
    leaks = float((found.weight * found.has_trend * above).sum())
    hidden = HIDDEN_COUNT if judged.is_count else 0.0
    beyond = stdtr(found.degrees, (found.late + hidden - HARMFUL * scale) / found.late_error)
    harms = float((found.weight * beyond).sum())
    low, middle, high = (_quantile(found, p) / span for p in (INTERVAL[0], 0.5, INTERVAL[1]))
    word: LeakWord = "inconclusive"
    if leaks >= 1.0 - max_doubt and low > 0.0 and _ended(workflows) >= WARM_UP_WORKFLOWS:
        word = "leak"
    elif harms < MAX_HARM and leaks < 0.5:  # noqa: PLR2004 - more probable than not
        word = "clean"
    per_1000 = _hours_per_1000(hours, workflows)
    visible = NEGLIGIBLE * judged.level / DAY_HOURS + found.visible / span
    warm_up = _warm_up_hours(judged)
    step = _step(judged)
    to_limit = None
    if series.limit is not None and low > 0.0 and word != "clean":
        to_limit = max(series.limit - float(judged.blocks.values[-1]), 0.0) / middle
    return LeakVerdict(
        name=series.name,
        verdict=word,
        growth_per_hour=middle,
        interval=(low, high),
        growth_per_1000_workflows=None if per_1000 is None else middle * per_1000,
        interval_per_1000_workflows=None if per_1000 is None else (low * per_1000, high * per_1000),
        smallest_visible=visible,
        growth_percent_per_day=100.0 * middle * DAY_HOURS / judged.level,
        level=judged.level,
        hours=float(hours[-1] - hours[0]),
        limit=series.limit,
        hours_to_limit=to_limit,
        warm_up_hours=warm_up,
        warm_up_workflows=_workflows_until(warm_up, hours, workflows),
        step=None if step is None else step[0],
        step_hour=None if step is None else step[1],
        leak_probability=leaks,
        reason=_reason(word, judged, leaks, _ended(workflows), high * span / scale, visible),
    )


def _quantile(found: Explanations, p: float) -> float:
    """Return a quantile of the growth, over all explanations."""
    from scipy.special import stdtr  # noqa: PLC0415

    counts = found.weight > LITTLE_WEIGHT * found.weight.max()
    weight, late = found.weight[counts] / found.weight[counts].sum(), found.late[counts]
    error, degrees = found.late_error[counts], found.degrees[counts]
    low, high = float((late - WIDE * error).min()), float((late + WIDE * error).max())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        below = float((weight * stdtr(degrees, (middle - late) / error)).sum())
        low, high = (middle, high) if below < p else (low, middle)
    return (low + high) / 2.0


def _hours_per_1000(hours: Floats, workflows: Floats | None) -> float | None:
    """Return how long 1000 workflows take; None where they were not counted."""
    if workflows is None or workflows[-1] <= workflows[0]:
        return None
    return 1000.0 * float((hours[-1] - hours[0]) / (workflows[-1] - workflows[0]))


def _warm_up_hours(judged: _Judged) -> float | None:
    """Return the length of the warm-up; None unless one is more probable than not."""
    found = judged.found
    ends = ((found.kind == RAMP) | (found.kind == APPROACH)) & (found.rise > 0.0)
    if float(found.weight[ends].sum()) < 0.5:  # noqa: PLR2004 - more probable than not
        return None
    best = int(np.argmax(np.where(ends, found.weight, 0.0)))
    length = float(found.constant[best]) * judged.span_hours
    if found.kind[best] == APPROACH:
        return 3.0 * length  # by then 95 % of it are over
    return float(judged.blocks.hours[0] - judged.blocks.begin) + length


def _workflows_until(
    warm_up: float | None, hours: Floats, workflows: Floats | None
) -> float | None:
    if warm_up is None or workflows is None:
        return None
    return float(np.interp(hours[0] + warm_up, hours, workflows) - workflows[0])


def _step(judged: _Judged) -> tuple[float, float] | None:
    """Return the height of the step and its hour; None unless one is more probable than not."""
    found, terms = judged.found, judged.terms
    steps = np.array([terms.rests[rest].step for rest in found.rest])
    if float(found.weight[steps > 0].sum()) < 0.5:  # noqa: PLR2004 - more probable than not
        return None
    best = int(np.argmax(np.where(steps > 0, found.weight, 0.0)))
    first = int(np.argmax(terms.columns[:, steps[best]] > 0.0))
    return float(found.height[best]), float(judged.blocks.hours[first])


def _ended(workflows: Floats | None) -> float:
    """Return how many workflows ended meanwhile; where they were not counted, enough."""
    return math.inf if workflows is None else float(workflows[-1] - workflows[0])


def _reason(
    word: LeakWord,
    judged: _Judged,
    leaks: float,
    ended: float,
    highest: float,
    visible: float,
) -> str:
    found = judged.found
    if word == "leak":
        return (
            f"it grows by more than {100 * NEGLIGIBLE:g} % in 24 h with a probability of "
            f"{100 * leaks:.4g} %; no warm-up, allocator, step or daily cycle explains it"
        )
    if word == "clean":
        return f"growth of {100 * HARMFUL:g} % or more in 24 h is excluded"
    if leaks >= 1.0 - MAX_DOUBT and ended < WARM_UP_WORKFLOWS:
        return (
            f"it grows, and {ended:.0f} workflows may all be warm-up: a leak takes more than "
            f"{WARM_UP_WORKFLOWS}"
        )
    without = float(found.weight[~found.has_trend].sum())
    smallest = 100 * visible * DAY_HOURS / judged.level
    if without > MAX_DOUBT and leaks > MAX_DOUBT:
        what = _rival(judged)
        return f"{what} explains its growth with a probability of {100 * without:.2g} %"
    return (
        f"it may grow by up to {100 * highest:.3g} % in 24 h; this run sees leaks from "
        f"{smallest:.3g} % on"
    )


def _rival(judged: _Judged) -> str:
    """Return the most probable thing other than a leak that explains the floors."""
    found, terms = judged.found, judged.terms
    best = int(np.argmax(np.where(found.has_trend, 0.0, found.weight)))
    rest = terms.rests[found.rest[best]]
    names = []
    if found.kind[best] >= 0:
        names.append(_SHAPES[int(found.kind[best])])
    if rest.step:
        names.append("a step")
    if rest.cycle:
        names.append("a cycle")
    if rest.has_load:
        names.append("the load")
    return " with ".join(names) or "chance"
