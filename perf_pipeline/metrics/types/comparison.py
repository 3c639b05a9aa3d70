"""The comparison of two sides, a baseline and a candidate: plain values, as they are stored.

A side is one run or several. An effect is a ratio candidate / baseline, so that 1.05 of a
throughput is better and 1.05 of a P99 is worse; of an error ratio, which may be 0, it is the
difference candidate - baseline.
"""

from dataclasses import dataclass
from typing import Literal

ComparisonVerdict = Literal["regression", "improvement", "no_change", "unstable", "no_data"]
Severity = Literal["none", "minor", "major", "critical"]
Effect = Literal["ratio", "difference"]


@dataclass(frozen=True)
class Change:
    """How one metric of one level, or of one family in it, moved.

    Attributes:
        metric: ``throughput_per_s``, ``avg_s``, ``p50_s``, ``p90_s``, ``p99_s``,
            ``cpu_per_workflow_s``, ``memory_peak_mb``, ``error_ratio``, ...
        unit: ``/s``, ``s``, ``MB`` or ``ratio``.
        level: Label of the level.
        family: The kind of workflow, ``analytics/simple``; empty for all together.
        higher_is_better: The direction of the metric.
        kind: What ``effect`` is.
        baseline: One value a run, or a repeat of one; None where it has none that is a
            measurement.
        candidate: Likewise; in an interleaved comparison values at the same position are a pair.
        effect: None without data, here and below.
        low: Lower end of the interval of the effect, corrected for the number of metrics.
        high: Upper end.
        p: Corrected p-value of "no change".
        verdict: ``unstable``: the interval contains both a change that matters and none.
        severity: From the effect and its interval together; ``none`` unless it is a regression.
        why: One sentence: what it means and, where it is not decided, what would decide it.
    """

    metric: str
    unit: str
    level: str
    family: str
    higher_is_better: bool
    kind: Effect
    baseline: tuple[float | None, ...]
    candidate: tuple[float | None, ...]
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: ComparisonVerdict
    severity: Severity
    why: str


@dataclass(frozen=True)
class ComparedSide:
    """One side.

    Attributes:
        name: As it was asked for: a run id, ``pinned:NAME``, a file, a target.
        runs: Ids of its runs, oldest first.
        target: With its version and packages.
        validities: The validities of its levels, without repetition.
    """

    name: str
    runs: tuple[str, ...]
    target: str
    validities: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Something that should match and does not.

    Attributes:
        what: Its name, as ``--despite`` takes it: ``machine``, ``nodes``, ``packages``, ...
        baseline: The value there, as text.
        candidate: The value here.
        under_test: Whether it is what the comparison is about: the version of the target.
        despite: Whether it was overridden.
    """

    what: str
    baseline: str
    candidate: str
    under_test: bool
    despite: bool


@dataclass(frozen=True)
class Comparison:
    """The comparison of two sides.

    Attributes:
        comparison_id: When it was made, as a run id.
        scenario: Name of the scenario of both.
        baseline: The older side.
        candidate: The newer side.
        paired: Whether runs at the same position were measured one after the other.
        differences: What differs between the sides.
        changes: Every metric, family and level.
        verdict: ``regression`` if anything got worse; else ``unstable`` if throughput (in an open
            loop the response time), CPU time per workflow or errors may have, or were not measured;
            else ``improvement`` or ``no_change``; ``no_data`` where nothing could be compared.
        severity: The worst of the changes.
        recommendations: Sentences: what moved, and what to do.
        is_search: Whether a bisection asked: the answer is about the past, and raises no alert.
        matters: The smallest relative change that must not be missed, where that is more than a
            metric's own (``--matters``); 0 for each metric's own.
    """

    comparison_id: str
    scenario: str
    baseline: ComparedSide
    candidate: ComparedSide
    paired: bool
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    verdict: ComparisonVerdict
    severity: Severity
    recommendations: tuple[str, ...]
    is_search: bool = False
    matters: float = 0.0
