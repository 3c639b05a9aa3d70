"""The comparison of the two arms of an interleaved run, from its metrics."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compare import compare_sides
from perf_pipeline.analysis.comparison.compared_metric import METRICS, PRIMARY, PRIMARY_OPEN
from perf_pipeline.analysis.comparison.conditions import CODE, conditions_of
from perf_pipeline.analysis.comparison.differences import differences_of
from perf_pipeline.analysis.comparison.measured_level import measured_level, observations_of
from perf_pipeline.analysis.comparison.paired import MIN_PAIRS
from perf_pipeline.analysis.comparison.sequential import PairedValues
from perf_pipeline.analysis.comparison.side import Side
from perf_pipeline.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion, ArmName
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

Pairs = list[tuple["LevelMetrics", "LevelMetrics"]]
"""The levels of arm A and arm B of each pair, in the order of the pairs."""


def compare_arms(metrics: RunMetrics) -> Comparison:
    """Compare the arms of a run, pair by pair; a pair that lacks a level is left out.

    Raises:
        RunFolderError: The run is no interleaved comparison, or no pair of it was measured.
    """
    question = metrics.manifest.ab
    if question is None:
        raise RunFolderError(f"run {metrics.run_id} compares no arms: `perf-pipeline ab` makes one")
    pairs = pairs_of(metrics.levels)
    if not pairs:
        raise RunFolderError(f"run {metrics.run_id} ended before both levels of its first pair")
    first, second = zip(*pairs, strict=True)
    baseline = _side(question.a, metrics, first)
    candidate = _side(question.b, metrics, second)
    names = {name for side in (baseline, candidate) for one in side.conditions for name in one}
    found = compare_sides(
        baseline,
        candidate,
        comparison_id=metrics.run_id,
        # One run has one machine and one load: what differs is what the arms ask for.
        differences=differences_of(baseline, candidate, under_test=names),
        paired=True,
    )
    more = tuple(_imprecise(question, deciding_values(metrics.levels)))
    said = (*found.recommendations, *more)
    return replace(found, recommendations=said, is_search=bool(question.bisected_metric))


def arm_of(label: str) -> ArmName:
    """Return the arm that a level's label names at its end: ``100-a``."""
    return "b" if label.endswith("-b") else "a"


def pairs_of(levels: Sequence[LevelMetrics]) -> Pairs:
    """Return the complete pairs of an interleaved run."""
    arms: dict[ArmName, dict[int, LevelMetrics]] = {"a": {}, "b": {}}
    for level in levels:
        arms[arm_of(level.label)][level.repeat] = level
    both = sorted(arms["a"].keys() & arms["b"].keys())
    return [(arms["a"][pair], arms["b"][pair]) for pair in both]


def deciding_values(levels: Sequence[LevelMetrics]) -> dict[str, PairedValues]:
    """Return the values of the metrics whose widths end a comparison: ratios, as logarithms.

    Args:
        levels: The levels so far.

    Returns:
        Metric to its values in the pairs that have both; metrics that no pair has are left out.
    """
    pairs = pairs_of(levels)
    is_open = any(before.loop == "open" for before, _ in pairs)
    observed = [(observations_of(before), observations_of(after)) for before, after in pairs]
    found = {}
    for name in PRIMARY_OPEN if is_open else PRIMARY:
        if METRICS[name].kind != "ratio":
            continue
        values = [
            (math.log(before.value), math.log(after.value))
            for one, other in observed
            if (before := one.get((name, ""))) and (after := other.get((name, "")))
            if before.value and after.value and not (before.is_bound or after.is_bound)
        ]
        if values:
            first, second = zip(*values, strict=True)
            found[name] = PairedValues(first, second)
    return found


def widths_text(values: Mapping[str, PairedValues]) -> str:
    """Return how well each effect is known: ``throughput +-2.1 %``; never the effects."""
    known = [
        f"{METRICS[name].shown} {_width_text(math.expm1(one.half_width()))}"
        for name, one in values.items()
        if len(one.baseline) >= MIN_PAIRS
    ]
    return ", ".join(known) or "no interval yet"


def _width_text(ratio: float) -> str:
    """Return half the width of an interval; of the first pairs it may be without meaning."""
    return f"+-{100 * ratio:.2g} %" if ratio < 1 else "not yet known to 100 %"


def metrics_of_arm(metrics: RunMetrics, name: ArmName) -> RunMetrics:
    """Return a run's metrics with the levels of one arm alone, by the labels of the scenario."""
    levels = tuple(_plain(one) for one in metrics.levels if arm_of(one.label) == name)
    return replace(metrics, levels=levels)


def _plain(level: LevelMetrics) -> LevelMetrics:
    return replace(level, label=level.label.removesuffix(f"-{arm_of(level.label)}"))


def _side(arm: AbArm, metrics: RunMetrics, levels: Sequence[LevelMetrics]) -> Side:
    plain = [_plain(one) for one in levels]
    # The manifest has the commit of arm A alone.
    is_of_revision = metrics.manifest.ab is not None and metrics.manifest.ab.has_revision
    code = {CODE: {"": arm.shown_code}} if is_of_revision else {}
    return Side(
        name=arm.name,
        scenario=metrics.manifest.scenario,
        target=arm.shown,
        levels=tuple(measured_level(metrics.run_id, one) for one in plain),
        conditions=({**conditions_of(metrics.manifest, plain), **code},),
    )


def _imprecise(question: AbQuestion, values: Mapping[str, PairedValues]) -> Iterator[str]:
    wide = {
        name: one
        for name, one in values.items()
        if len(one.baseline) < MIN_PAIRS or one.half_width() > math.log1p(question.width)
    }
    if wide or not values:
        pairs = max((len(one.baseline) for one in values.values()), default=0)
        known = f": {widths_text(wide)}" if wide else ""
        yield (
            f"Ended after {pairs} usable pairs, before every interval was as narrow as asked for "
            f"(+-{100 * question.width:g} %){known}. Allow more time (--budget), longer levels "
            "(--duration), or a wider interval (--width)."
        )
