"""What a search for the first bad release learnt: plain values, as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.judge import worsening

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Change, Comparison

Answer = Literal["good", "bad", "undecided", "skipped"]
Outcome = Literal["found", "range", "no_regression", "undecided", "unavailable"]

_DECISIVE = ("regression", "unstable", "no_data", "no_change", "improvement")
"""Verdicts in the order in which the first one among several levels decides."""


@dataclass(frozen=True)
class AskedRelease:
    """One release that was asked about.

    Attributes:
        release: Its version.
        answer: ``skipped``: it cannot be measured; ``undecided``: no comparison was stable.
        why: A sentence.
        effect: Of the metric, release / good one; None where nothing was compared.
        low: Lower end of its interval.
        high: Upper end.
        comparisons: Ids of its comparisons, the last of which decided.
    """

    release: str
    answer: Answer
    why: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    comparisons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bisection:
    """The result of one search.

    Attributes:
        outcome: ``range``: releases between could not be measured or decided; ``no_regression``:
            the newest release is no worse; ``undecided``: whether it is worse is not known;
            ``unavailable``: an end of the range cannot be measured.
        why: A sentence.
        last_good: The newest release that is known as good; empty unless found or a range.
        first_bad: The oldest that is known as bad; likewise.
        between: Releases between them without an answer.
        asked: Every release that was asked about, in that order.
    """

    outcome: Outcome
    why: str
    last_good: str
    first_bad: str
    between: tuple[str, ...]
    asked: tuple[AskedRelease, ...]

    @property
    def comparisons(self) -> int:
        """How many comparisons were measured."""
        return sum(len(one.comparisons) for one in self.asked)

    @property
    def skipped(self) -> tuple[AskedRelease, ...]:
        """The releases that could not be measured."""
        return tuple(one for one in self.asked if one.answer == "skipped")


def answer_of(
    comparison: Comparison, metric: str, release: str, ids: tuple[str, ...], limit: float | None
) -> AskedRelease:
    """Return what a comparison says of a release.

    Args:
        comparison: Of the good release with this one.
        metric: The metric that decides, of all families together; of several levels the worst.
        release: The release.
        ids: All comparisons of it, this one last.
        limit: How much worse a bad release is, as ``worsening`` says it: the answer is undecided
            while the interval contains the limit. None where every regression is bad.
    """
    changes = [one for one in comparison.changes if one.metric == metric and not one.family]
    if not changes:
        return AskedRelease(release, "undecided", f"{metric} was not measured", comparisons=ids)
    change = min(changes, key=lambda one: _DECISIVE.index(one.verdict))
    answer = _by_verdict(change) if limit is None else _by_limit(change, limit)
    return AskedRelease(
        release,
        answer,
        change.why or f"{metric}: {change.verdict.replace('_', ' ')}",
        effect=change.effect,
        low=change.low,
        high=change.high,
        comparisons=ids,
    )


def worsened(asked: AskedRelease, metric: str) -> float:
    """Return by how much a release is worse than the good one, as ``worsening`` says it.

    Returns:
        Below 0 for a better one; 0 where nothing was compared.
    """
    known = METRICS[metric]
    if asked.effect is None or (known.kind == "ratio" and asked.effect <= 0):
        return 0.0
    return worsening(known, asked.effect)


def _by_verdict(change: Change) -> Answer:
    match change.verdict:
        case "regression":
            return "bad"
        case "no_change" | "improvement":
            return "good"
        case _:
            return "undecided"


def _by_limit(change: Change, limit: float) -> Answer:
    known = METRICS[change.metric]
    low, high = change.low, change.high
    if low is None or high is None or (known.kind == "ratio" and low <= 0):
        return "undecided"
    best, worst = sorted((worsening(known, low), worsening(known, high)))
    if best > limit:
        return "bad"
    return "good" if worst < limit else "undecided"
