"""What comparisons show to be worse, and what a later one shows to be as before again.

A comparison says of a metric only that it got worse after the newest run of the baseline, and at
the latest in the oldest run of the candidate. A comparison whose candidate is the older side is a
question about the past, and is left out; so is one of a bisection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.alerts.seen import Seen
from perf_pipeline.alerts.worse import is_beyond
from perf_pipeline.metrics.matching import without_version
from perf_pipeline.metrics.types.alert import MetricKey, Movement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.metrics.types.comparison import Change, Comparison


@dataclass(frozen=True)
class Restored:
    """A metric that a comparison found to be no worse than its baseline.

    Attributes:
        scenario: The scenario of its runs.
        key: The metric.
        comparison: Id of the comparison.
        last_good: The newest run of the baseline.
        first_bad: The oldest run of the candidate, which is not bad.
        pair: The two sides of an interleaved comparison; else empty.
    """

    scenario: str
    key: MetricKey
    comparison: str
    last_good: str
    first_bad: str
    pair: str

    def restores(self, scenario: str, movement: Movement) -> bool:
        """Return whether a movement that was found before no longer holds."""
        return (
            (scenario, movement.key) == (self.scenario, self.key)
            and self.comparison > movement.comparison
            and covers(self.last_good, self.first_bad, self.pair, movement)
        )


@dataclass(frozen=True)
class ComparisonEvidence:
    """What the newest comparisons show together.

    Attributes:
        seen: What is worse, in the order in which it was found.
        restored: What is not, or no longer.
    """

    seen: tuple[Seen, ...]
    restored: tuple[Restored, ...]


def covers(last_good: str, first_bad: str, pair: str, movement: Movement) -> bool:
    """Return whether a comparison of these sides is about a movement that is known already.

    It is if the run of the movement lies between the sides; an interleaved comparison is if it is
    of the same two sides, as it measures both of them anew.
    """
    if pair or movement.pair:
        return pair == movement.pair
    return last_good < movement.first_bad <= first_bad


def worse_in_comparisons(comparisons: Sequence[Comparison]) -> ComparisonEvidence:
    """Return what is worse now by comparisons, each first bad run once.

    Args:
        comparisons: In any order; those without a verdict on a metric decide nothing about it.
    """
    seen: list[Seen] = []
    restored: list[Restored] = []
    news = (one for one in comparisons if not one.is_search)
    for comparison in sorted(news, key=lambda one: one.comparison_id):
        for change in comparison.changes:
            if change.verdict in ("improvement", "no_change"):
                found = _restored(comparison, change)
                restored.append(found)
                seen = [one for one in seen if not found.restores(one.scenario, one.movement)]
        for new in _worse(comparison):
            if not any(is_known(new.movement, one.movement) for one in seen):
                seen.append(new)
    return ComparisonEvidence(tuple(seen), tuple(restored))


def is_known(movement: Movement, before: Movement) -> bool:
    """Return whether a movement was found before, and is no worse now."""
    return (
        movement.key == before.key
        and covers(movement.last_good, movement.first_bad, movement.pair, before)
        and not is_beyond(movement, before)
    )


def _worse(comparison: Comparison) -> Iterator[Seen]:
    last_good, first_bad = _sides(comparison)
    if not comparison.paired and last_good >= first_bad:
        return
    for change in comparison.changes:
        if change.verdict != "regression" or change.effect is None:
            continue
        movement = Movement(
            key=_key(comparison, change),
            unit=change.unit,
            higher_is_better=change.higher_is_better,
            kind=change.kind,
            effect=change.effect,
            low=change.effect if change.low is None else change.low,
            high=change.effect if change.high is None else change.high,
            tier="confirmed",
            severity=change.severity,
            first_bad=first_bad,
            last_good=last_good,
            comparison=comparison.comparison_id,
            pair=_pair(comparison),
        )
        yield Seen(comparison.scenario, movement, (first_bad,))


def _restored(comparison: Comparison, change: Change) -> Restored:
    last_good, first_bad = _sides(comparison)
    key = _key(comparison, change)
    identifier, pair = comparison.comparison_id, _pair(comparison)
    return Restored(comparison.scenario, key, identifier, last_good, first_bad, pair)


def _sides(comparison: Comparison) -> tuple[str, str]:
    """Return the newest run of the baseline and the oldest of the candidate.

    Runs of an interleaved comparison alternate: its first bad run is the candidate's first one.
    """
    last_good = max(comparison.baseline.runs, default="")
    return last_good, min(comparison.candidate.runs, default=comparison.comparison_id)


def _key(comparison: Comparison, change: Change) -> MetricKey:
    target, *_settings = comparison.candidate.target.split(", ")
    return MetricKey(without_version(target), change.level, change.family, change.metric)


def _pair(comparison: Comparison) -> str:
    if not comparison.paired:
        return ""
    return f"{comparison.baseline.target} and {comparison.candidate.target}"
