"""What moved between two sides, and what to do: sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.estimate import ENOUGH_RUNS, is_spread_assumed
from perf_pipeline.analysis.comparison.judge import SEVERITIES, worsening
from perf_pipeline.analysis.comparison.reasons import moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.analysis.comparison.side import Side
    from perf_pipeline.metrics.types.comparison import Change, ComparisonVerdict, Difference

KINDS_MAX = 3


def recommendations(
    changes: Sequence[Change],
    baseline: Side,
    candidate: Side,
    differences: Sequence[Difference],
    verdict: ComparisonVerdict,
) -> tuple[str, ...]:
    """Return what moved, worst first, and what would make the comparison surer.

    Args:
        changes: Of every metric.
        baseline: One side.
        candidate: The other.
        differences: What differs between them.
        verdict: On all changes together.
    """
    return (
        *_noisy_neighbours(baseline, candidate),
        *_regressions(changes),
        *_bottlenecks(changes, baseline, candidate),
        *_hidden_packages(changes, differences),
        *_undecided(changes, verdict),
        *_invalid(baseline, candidate),
        *_unseen_neighbours(baseline, candidate),
        *_overridden(differences),
        *_too_few(changes, baseline, candidate),
    )


def _regressions(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a sentence for each metric that got worse, with the levels and kinds of workflow."""
    by_metric: dict[str, list[Change]] = {name: [] for name in METRICS}
    for change in changes:
        if change.verdict == "regression":
            by_metric[change.metric].append(change)
    found = [sorted(rows, key=_rank) for rows in by_metric.values() if rows]
    for rows in sorted(found, key=lambda rows: -SEVERITIES.index(rows[0].severity)):
        worst, metric = rows[0], METRICS[rows[0].metric]
        whole = [one for one in rows if not one.family]
        kinds = [one for one in rows if one.family]
        where = ", ".join(f"level {one.level}: {moved(metric, one.effect or 0.0)}" for one in whole)
        named = ", ".join(
            f"{one.family} at level {one.level}: {moved(metric, one.effect or 0.0)}"
            for one in kinds[:KINDS_MAX]
        )
        told = "; most in ".join(part for part in (where, named) if part)
        yield f"{worst.severity}: the {metric.shown} got worse ({told}); {metric.advice}."


def _rank(change: Change) -> tuple[int, float]:
    worse = worsening(METRICS[change.metric], change.effect or 1.0)
    return -SEVERITIES.index(change.severity), -worse


def _bottlenecks(changes: Sequence[Change], baseline: Side, candidate: Side) -> Iterator[str]:
    """Yield a sentence for each level that got worse and that something else limits now."""
    worse = dict.fromkeys(one.level for one in changes if one.verdict == "regression")
    for label in worse:
        before, after = (
            " or ".join(sorted({one.bottleneck for one in side.of(label) if one.bottleneck}))
            for side in (baseline, candidate)
        )
        if before and after and before != after:
            was, now = (text.replace("_", " ") for text in (before, after))
            yield f"What limits level {label} was {was} and is {now} now."


def _hidden_packages(changes: Sequence[Change], differences: Sequence[Difference]) -> Iterator[str]:
    slower = any(
        change.verdict == "regression" and change.metric != "memory_peak_mb" for change in changes
    )
    moved_too = [one for one in differences if one.what == "packages"]
    if slower and moved_too:
        yield (
            "Packages beside the target differ as well, and they change its speed: compare again "
            "with one set of packages to tell the target's code from its dependencies."
        )


def _undecided(changes: Sequence[Change], verdict: ComparisonVerdict) -> Iterator[str]:
    open_ones = [change for change in changes if change.verdict == "unstable"]
    if not open_ones:
        return
    compared = sum(change.verdict != "no_data" for change in changes)
    names = ", ".join(dict.fromkeys(METRICS[one.metric].shown for one in open_ones))
    is_warning = "Warning, nothing is ruled out: " if verdict == "unstable" else ""
    yield (
        f"{is_warning}{len(open_ones)} of {compared} metrics are undecided ({names}): their "
        "intervals contain both no change and one that matters. Run both sides more often, longer, "
        "or on a quieter machine."
    )


def _noisy_neighbours(baseline: Side, candidate: Side) -> Iterator[str]:
    """Yield a sentence for each level whose few runs do not tell neighbours from the target."""
    beside = {
        level.label: level.neighbours
        for level in (*baseline.levels, *candidate.levels)
        if level.neighbours
        and is_spread_assumed(len(baseline.of(level.label)), len(candidate.of(level.label)))
    }
    for label, neighbours in beside.items():
        yield (
            f"Other programs used the machine at level {label} ({neighbours}), which "
            "PERF_PIPELINE_NOISE=tell lets count: so few runs do not tell what they took from what "
            "the target does. Measure more runs, or on a quiet machine."
        )


def _unseen_neighbours(baseline: Side, candidate: Side) -> Iterator[str]:
    """Yield a sentence for each level whose few runs decide nothing about times."""
    doubts = {
        level.label: one.doubt
        for level in (*baseline.levels, *candidate.levels)
        if is_spread_assumed(len(baseline.of(level.label)), len(candidate.of(level.label)))
        for one in level.observations.values()
        if one.doubt
    }
    for label, doubt in doubts.items():
        yield (
            f"Other programs may have used the machine at level {label}, unseen ({doubt}): so few "
            "runs decide nothing about times and throughput then. Measure longer levels, or more "
            "runs."
        )


def _invalid(baseline: Side, candidate: Side) -> Iterator[str]:
    for name, side in (("baseline", baseline), ("candidate", candidate)):
        wrong = [level for level in side.levels if level.validity != "valid"]
        for level in {(one.label, one.validity): one for one in wrong}.values():
            because = f" ({'; '.join(level.reasons)})" if level.reasons else ""
            yield (
                f"The {name} side is {level.validity} at level {level.label}{because}: measure it "
                "again; its numbers show neither a regression nor its absence."
                if level.validity != "target_failed"
                else f"The target of the {name} side failed at level {level.label}{because}."
            )


def _overridden(differences: Sequence[Difference]) -> Iterator[str]:
    names = [one.what for one in differences if one.despite]
    if names:
        yield (
            f"Compared despite different {', '.join(names)} (--despite): what moved may be due to "
            "that, and not to the target."
        )


def _too_few(changes: Sequence[Change], baseline: Side, candidate: Side) -> Iterator[str]:
    counts = [
        (len(baseline.of(label)), len(candidate.of(label)))
        for label in dict.fromkeys(change.level for change in changes)
    ]
    few = [min(pair) for pair in counts if all(pair) and is_spread_assumed(*pair)]
    if few:
        fewest = min(few)
        runs = "one run" if fewest == 1 else f"{fewest} runs"
        yield (
            f"A side of {runs} cannot separate noise from a small change: the spread between like "
            "runs is assumed, or hardly known where they show more. With "
            f"{ENOUGH_RUNS} or more a side (--repeats, or several runs) it is measured."
        )
