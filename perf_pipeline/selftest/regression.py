"""Interleaved comparisons raise at most 1 % false alarms, and see 5 % in 9 of 10 at a CV of 3 %.

By simulation, 1,000 comparisons a case (ci), or 10,000 (full), with the stopping rule, the
intervals and the verdicts of ``perf-pipeline ab``, and at most 15 pairs: levels whose throughput
and CPU time per workflow vary from run to run with a CV of 3 %. In one case the levels of a pair
share nothing (the hardest), in the other most of what varies. Shown for each metric: false alarms
of equal arms (A/A), how often planted changes of 2, 5 and 10 % are seen, and how often the interval
contains the truth. At full size also on the real engine, with two revisions of a target one of
which uses 10 % more CPU time.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.comparison.compare import compare_sides
from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.sequential import (
    DECIDING_ALPHA,
    MIN_PAIRS,
    PairedValues,
    is_narrow,
)
from perf_pipeline.analysis.comparison.side import MeasuredLevel, Side
from perf_pipeline.config.interleaved.arms import DEFAULT_WIDTH_PERCENT
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.slowed_revision import slowed_figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.metrics.types.comparison import Change, ComparisonVerdict

TAKES_LOAD_LOCK = True
COMPARISONS = {Size.CI: 1_000, Size.FULL: 10_000}
MAX_PAIRS = 15
CV = 0.03
SHARED = {"pairs that share nothing": 0.0, "pairs that share 80 %": 0.8}
"""Share of the variance that the levels of a pair have in common."""

WORSE_PERCENT = (2, 5, 10)
SEEN_PERCENT = 5
MIN_SEEN_PERCENT = 90.0
MAX_FALSE_PERCENT = 1.0
MIN_COVERAGE_PERCENT = {Size.CI: 98.0, Size.FULL: 98.5}
"""The intervals claim 99 %; stopping costs up to 0.3. With 1,000 comparisons each of the sixteen
figures has a standard error of 0.3."""

_WORKFLOWS = 1_000
_METRICS = ("throughput_per_s", "cpu_per_workflow_s")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Outcome:
    """What one simulated comparison says about one metric.

    Attributes:
        verdict: As of a real one.
        covers: Whether the interval contains the true effect.
        pairs: How many pairs it took.
    """

    verdict: ComparisonVerdict
    covers: bool
    pairs: int


def run(size: Size, seed: int) -> list[Figure]:
    """Simulate comparisons of equal and of unlike arms, and at full size play real ones."""
    figures: list[Figure] = []
    for at, (case, shared) in enumerate(SHARED.items()):
        rng = np.random.default_rng([seed, at])
        for percent in (0, *WORSE_PERCENT):
            found = [_compare(percent / 100, shared, rng) for _ in range(COMPARISONS[size])]
            figures += _figures(size, case, percent, found)
            _log.info("%s, %d %% worse: %d comparisons", case, percent, len(found))
    return figures + (slowed_figures(seed) if size is Size.FULL else [])


def _compare(worse: float, shared: float, rng: np.random.Generator) -> dict[str, _Outcome]:
    """Simulate one comparison, from the first pair to the verdicts."""
    effects = {
        name: (-1 if METRICS[name].higher_is_better else 1) * math.log1p(worse) for name in _METRICS
    }
    values = {name: _pairs(effect, shared, rng) for name, effect in effects.items()}
    for pairs in range(MIN_PAIRS, MAX_PAIRS + 1):
        seen = {
            name: PairedValues(tuple(a[:pairs]), tuple(b[:pairs]))
            for name, (a, b) in values.items()
        }
        if is_narrow(list(seen.values()), DEFAULT_WIDTH_PERCENT / 100):
            break
    found = compare_sides(
        _side("a", {name: one.baseline for name, one in seen.items()}),
        _side("b", {name: one.candidate for name, one in seen.items()}),
        comparison_id="simulated",
        paired=True,
    )
    return {one.metric: _outcome(one, effects[one.metric]) for one in found.changes}


def _pairs(
    effect: float, shared: float, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Draw the logarithms of a metric in every pair that may be played."""
    common = math.sqrt(shared) * rng.standard_normal(MAX_PAIRS)
    own = math.sqrt(1 - shared) * rng.standard_normal((2, MAX_PAIRS))
    a, b = CV * (common + own)
    return a.tolist(), (b + effect).tolist()


def _outcome(change: Change, effect: float) -> _Outcome:
    if change.low is None or change.high is None:
        raise AssertionError(f"{change.metric} has no interval: {change.why}")
    covers = change.low <= math.exp(effect) <= change.high
    return _Outcome(change.verdict, covers, len(change.baseline))


def _side(name: str, values: Mapping[str, Sequence[float]]) -> Side:
    """Return an arm as a run's metrics give it, from the logarithms of its values."""
    levels = [
        MeasuredLevel(
            run_id="simulated",
            label="1",
            validity="valid",
            is_open=False,
            observations={
                (metric, ""): Observation(math.exp(value), samples=_WORKFLOWS)
                for metric, value in zip(values, row, strict=True)
            },
        )
        for row in zip(*values.values(), strict=True)
    ]
    return Side(name, "simulated", name, tuple(levels))


def _figures(size: Size, case: str, percent: int, found: list[dict[str, _Outcome]]) -> list[Figure]:
    figures = []
    for name in _METRICS:
        shown, outcomes = METRICS[name].shown, [one[name] for one in found]
        regressions, improvements = (
            _share([one.verdict == verdict for one in outcomes])
            for verdict in ("regression", "improvement")
        )
        pairs = np.mean([one.pairs for one in outcomes])
        about = f"{shown}, {case}"
        if percent:
            figures.append(
                Figure(
                    f"{about}: {percent} % worse, seen",
                    regressions,
                    "%",
                    MIN_SEEN_PERCENT if percent >= SEEN_PERCENT else None,
                    at_most=False,
                    note=f"{pairs:.1f} pairs on average, called an improvement {improvements:g} %",
                )
            )
        else:
            why = f"{len(found)} comparisons of equal arms, {pairs:.1f} pairs on average"
            figures += [
                Figure(f"{about}: A/A called a regression", regressions, "%", MAX_FALSE_PERCENT,
                       note=why),
                Figure(f"{about}: A/A called an improvement", improvements, "%",
                       MAX_FALSE_PERCENT, note=why),
            ]  # fmt: skip
        covered = _share([one.covers for one in outcomes])
        truth = f"the truth, {percent} % worse" if percent else "the truth, no change"
        figures.append(
            Figure(
                f"{about}: intervals that contain {truth}",
                covered,
                "%",
                MIN_COVERAGE_PERCENT[size],
                at_most=False,
                note=f"claimed: {100 * (1 - DECIDING_ALPHA):g} %",
            )
        )
    return figures


def _share(hits: list[bool]) -> float:
    return 100 * sum(hits) / len(hits)
