"""The comparison of two sides, level by level and metric by metric."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import (
    METRICS,
    OPTIONAL,
    PRIMARY,
    PRIMARY_OPEN,
)
from perf_pipeline.analysis.comparison.correction import alphas, corrected_p
from perf_pipeline.analysis.comparison.estimate import Estimate, estimate
from perf_pipeline.analysis.comparison.judge import SEVERITIES, judge, severity_of
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.reasons import doubt_of, why
from perf_pipeline.analysis.comparison.recommendations import recommendations
from perf_pipeline.analysis.comparison.sequential import PAID
from perf_pipeline.metrics.types.comparison import Change, ComparedSide, Comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.analysis.comparison.side import MeasuredLevel, MetricKey, Side
    from perf_pipeline.metrics.types.comparison import ComparisonVerdict, Difference, Severity

NOT_MEASURED = Observation(None, why_not="the level was not measured")


def compare_sides(
    baseline: Side,
    candidate: Side,
    *,
    comparison_id: str,
    differences: tuple[Difference, ...] = (),
    paired: bool = False,
    matters: float = 0.0,
) -> Comparison:
    """Compare two sides.

    Args:
        baseline: The older side.
        candidate: The newer side.
        comparison_id: When it is made, as a run id.
        differences: What differs between them (``differences.differences_of``).
        paired: Whether runs at the same position were measured one after the other, in pairs
            whose number the widths of the intervals decided (``sequential.py``).
        matters: The smallest relative change that must not be missed, where that is more than
            the metric's own.
    """
    metrics = {name: tolerant(metric, matters) for name, metric in METRICS.items()}
    rows = [
        (label, key, *_observed(baseline.of(label), candidate.of(label), key))
        for label in _labels(baseline, candidate)
        for key in _keys(baseline.of(label), candidate.of(label))
    ]
    opened = {
        level.label for side in (baseline, candidate) for level in side.levels if level.is_open
    }
    found = [
        estimate(metrics[key[0]], before, after, paired=paired) for _, key, before, after in rows
    ]
    weights = [
        is_primary(key, is_open=label in opened)
        for (label, key, _, _), one in zip(rows, found, strict=True)
        if one is not None
    ]
    shares = iter(share * (PAID if paired else 1.0) for share in alphas(weights))
    changes = tuple(
        _change(metrics[key[0]], label, key[1], before, after, one, next(shares) if one else 1.0)
        for (label, key, before, after), one in zip(rows, found, strict=True)
    )
    verdict = overall(changes, opened)
    worst = max((SEVERITIES.index(change.severity) for change in changes), default=0)
    return Comparison(
        comparison_id=comparison_id,
        scenario=candidate.scenario,
        baseline=_compared(baseline),
        candidate=_compared(candidate),
        paired=paired,
        differences=differences,
        changes=changes,
        verdict=verdict,
        severity=SEVERITIES[worst],
        recommendations=recommendations(changes, baseline, candidate, differences, verdict),
        matters=matters,
    )


def tolerant(metric: ComparedMetric, matters: float) -> ComparedMetric:
    """Return a metric of which no smaller relative change matters."""
    return (
        metric
        if metric.kind == "difference"
        else replace(metric, matters=max(metric.matters, matters))
    )


def is_primary(key: MetricKey, *, is_open: bool) -> bool:
    """Return whether a metric decides: throughput or response time, CPU time, errors."""
    return not key[1] and key[0] in (PRIMARY_OPEN if is_open else PRIMARY)


def overall(changes: Sequence[Change], opened: Iterable[str] = ()) -> ComparisonVerdict:
    """Return the verdict on all changes together.

    Any metric can make a regression. Only a primary metric that is undecided, or that one side
    lacks, makes the whole unstable: with dozens of metrics some tail of some kind of workflow is
    always undecided, which its row shows.

    Args:
        changes: Of every metric.
        opened: Labels of open levels.
    """
    verdicts = {change.verdict for change in changes}
    if not verdicts - {"no_data"}:
        return "no_data"
    if "regression" in verdicts:
        return "regression"
    if any(_is_in_doubt(change, is_open=change.level in opened) for change in changes):
        return "unstable"
    return "improvement" if "improvement" in verdicts else "no_change"


def _is_in_doubt(change: Change, *, is_open: bool) -> bool:
    """Return whether a primary metric is undecided, or lacks a value that it should have.

    CPU time is measured by every run of ours, and in no result file of an earlier version.
    """
    if not is_primary((change.metric, change.family), is_open=is_open):
        return False
    if change.verdict == "no_data" and change.metric == OPTIONAL:
        return any(value is not None for value in (*change.baseline, *change.candidate))
    return change.verdict in {"unstable", "no_data"}


def _labels(baseline: Side, candidate: Side) -> Iterator[str]:
    yield from dict.fromkeys(level.label for side in (baseline, candidate) for level in side.levels)


def _keys(before: Sequence[MeasuredLevel], after: Sequence[MeasuredLevel]) -> Iterator[MetricKey]:
    yield from dict.fromkeys(
        key for level in (*before, *after) for key in level.observations if key[0] in METRICS
    )


def _observed(
    before: Sequence[MeasuredLevel], after: Sequence[MeasuredLevel], key: MetricKey
) -> tuple[list[Observation], list[Observation]]:
    first, second = (
        [level.observations.get(key, NOT_MEASURED) for level in levels] or [NOT_MEASURED]
        for levels in (before, after)
    )
    return first, second


def _change(
    metric: ComparedMetric,
    label: str,
    family: str,
    before: Sequence[Observation],
    after: Sequence[Observation],
    found: Estimate | None,
    alpha: float,
) -> Change:
    verdict: ComparisonVerdict = "no_data"
    severity: Severity = "none"
    low = high = None
    if found is not None:
        low, high = found.interval(alpha)
        verdict = _beside_bounds(judge(metric, found.effect, low, high), before, after)
        if found.is_assumed and verdict != "no_data" and doubt_of(before, after):
            verdict = "unstable"
        if verdict == "regression":
            severity = severity_of(metric, found.effect, low, high)
    return Change(
        metric=metric.name,
        unit=metric.unit,
        level=label,
        family=family,
        higher_is_better=metric.higher_is_better,
        kind=metric.kind,
        baseline=tuple(one.value for one in before),
        candidate=tuple(one.value for one in after),
        effect=None if found is None else found.effect,
        low=low,
        high=high,
        p=None if found is None else corrected_p(found.p, alpha),
        verdict=verdict,
        severity=severity,
        why=why(metric, found, low, high, verdict, before, after),
    )


def _beside_bounds(
    verdict: ComparisonVerdict, before: Sequence[Observation], after: Sequence[Observation]
) -> ComparisonVerdict:
    """Return a verdict on values of which some are bounds: the true ones are larger.

    A candidate that took at least so long is a regression where that is one; where it is none,
    nothing is known. Of a baseline likewise, the other way round.
    """
    sure: set[ComparisonVerdict] = {"regression", "improvement"}
    if any(one.is_bound for one in before):
        sure -= {"regression"}
    if any(one.is_bound for one in after):
        sure -= {"improvement"}
    is_bound = any(one.is_bound for one in (*before, *after))
    return "no_data" if is_bound and verdict not in sure else verdict


def _compared(side: Side) -> ComparedSide:
    return ComparedSide(side.name, side.runs, side.target, side.validities)
