"""The checks of a run: what failed, by how much, what it means, and what to do.

A check never hides a number: the facts hold every level, whether the check passes or not. A check
that has nothing to test gives no finding: it neither passes nor fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.config.slo.shipped import TARGET_TABLES
from perf_pipeline.report.level.failures import failed, failures, has_many_failures
from perf_pipeline.report.text import escape, labels, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.targets import TargetRow

TABLE = "minimum"

TO_DO = {
    "incomplete": "The reasons name what is missing. A worker's log is worker-*.log in the "
    "level's folder; of a cancelled or killed run there is nothing to repair: run it again.",
    "target_failed": "Mend what the most frequent error says; `perf-pipeline records` has more "
    "texts. If so many failures are wanted, set max_error_ratio, or an objective on error_ratio.",
    "generator_limited": "Give the generator more room: fewer in flight, or more processes.",
    "noisy_host": "Stop other programs on this machine, or measure on a quiet one.",
    "not_steady": "Measure longer: a greater duration, and steady_max_s in the scenario's "
    "[phases].",
    "too_few_samples": "Measure longer: a greater duration, or more in flight.",
}

_WRITES_MEAN = (
    (
        "Workflows were recorded as ok, but what they should have stored is missing or could not "
        "be counted: the throughput is not that of work done."
    ),
    (
        "What to do: see the server's log and how the target commits; do not use the numbers of "
        "that level."
    ),
)
_ERRORS_MEAN = (
    "A failure is an exception, a wrong result or a timeout; throughput counts none of them.",
    "What to do: see the classes and their examples in the report.",
)
_TARGETS_MEAN = {
    "missed": "Missed: on this machine the target does not sustain that load well enough for "
    "production. What to do: see what limited the level (bottleneck).",
    "unclear": "Unclear: the 95 % interval of the value contains the limit. What to do: measure "
    "longer, or repeat.",
    "no_data": "No data: the level is not valid, or the value was not measured. What to do: see "
    "the check of validity first.",
}


_SPREAD_MEANS = (
    "The throughputs of the repeats differ by more than the interval within one of them explains: "
    "a single run of this scenario is less certain than it looks."
)
_SPREAD_TO_DO = (
    "What to do: compare by the interval between repeats, with more of them and with order = "
    '"shuffled"; see whether the machine was quiet.'
)


@dataclass(frozen=True)
class CheckFinding:
    """The result of a check.

    Attributes:
        passed: Whether nothing counts against the run.
        severity: ``ERROR`` where the numbers must not be used, or the target failed; else ``WARN``.
        sentences: What was found, what it means and what to do, a paragraph each.
        facts: The values that were checked, by name.
    """

    passed: bool
    severity: Literal["ERROR", "WARN"]
    sentences: tuple[str, ...]
    facts: dict[str, str | list[str]]


def check_validity(metrics: RunMetrics) -> CheckFinding:
    """Check that every level is valid; an ERROR if data is missing or the target failed.

    More than a few failures are named, also where the level is valid all the same.
    """
    passed = metrics.validity == "valid"
    sentences = [f"{metrics.validity}: {labels.VALIDITY[metrics.validity]}"]
    sentences += [
        f"Failures at {labels.level_name(level)}: {failures(level)}."
        for level in sorted(filter(has_many_failures, metrics.levels), key=failed, reverse=True)
    ]
    if not passed:
        sentences += [escape.visible(reason) for reason in metrics.reasons]
        sentences.append(f"What to do: {TO_DO[metrics.validity]}")
    return CheckFinding(
        passed=passed,
        severity="ERROR" if metrics.validity in ("incomplete", "target_failed") else "WARN",
        sentences=tuple(sentences),
        facts={
            "validity": metrics.validity,
            "reasons": [escape.visible(reason) for reason in metrics.reasons],
            **{labels.level_name(level): level.validity for level in metrics.levels},
        },
    )


def check_writes(metrics: RunMetrics) -> CheckFinding | None:
    """Check that every workflow that ended ok has its write on the servers; None without any."""
    writes = [
        (labels.level_name(level), write) for level in metrics.levels for write in level.writes
    ]
    if not writes:
        return None
    lines = {
        f"{label} {write.server}": escape.visible(write.problem)
        if write.problem
        else f"{write.found} found, {write.expected} expected, {write.missing} missing, "
        f"{write.extra} extra{f', lost by {write.lost_by}' if write.lost_by else ''}"
        for label, write in writes
    }
    wrong = [
        f"{label} {write.server}: {lines[f'{label} {write.server}']}"
        for label, write in writes
        if write.problem is not None or (write.missing and not write.lost_by)
    ]
    sentences = [f"{len(writes)} counts of writes agree with the records."]
    if wrong:
        sentences = [*wrong, *_WRITES_MEAN]
    return CheckFinding(
        passed=not wrong, severity="ERROR", sentences=tuple(sentences), facts=dict(lines)
    )


def check_errors(metrics: RunMetrics) -> CheckFinding:
    """Check that no workflow failed; an ERROR from the error ratio of ``TABLE`` on."""
    lines = {labels.level_name(level): _failures(level) for level in metrics.levels}
    unknown = [level for level in metrics.levels if level.error_ratio is None]
    bad = sorted(filter(failed, metrics.levels), key=failed, reverse=True)
    limit = _error_ratio_limit(stress=metrics.manifest.stress)
    many = any((level.error_ratio or 0) >= limit for level in bad)
    sentences = ["No workflow failed."]
    if bad or unknown or not metrics.levels:
        shown = [*bad, *(level for level in unknown if level not in bad)]
        names = [labels.level_name(level) for level in shown]
        sentences = [f"Level {name}: {lines[name]}" for name in names]
        sentences += [] if metrics.levels else ["No level was measured, so failures are unknown."]
        sentences += _ERRORS_MEAN
    return CheckFinding(
        passed=bool(metrics.levels) and not bad and not unknown,
        severity="ERROR" if many else "WARN",
        sentences=tuple(sentences),
        facts=dict(lines),
    )


def check_targets(metrics: RunMetrics) -> CheckFinding | None:
    """Check the targets of ``TABLE``; one without data does not pass. None where none applies."""
    rows = [row for row in metrics.targets if row.table == TABLE]
    if not rows:
        return None
    open_rows = [row for row in rows if row.verdict != "met"]
    sentences = [f"All {len(rows)} targets for production are met."]
    if open_rows:
        verdicts = dict.fromkeys(row.verdict for row in open_rows)
        sentences = [*map(_line, open_rows), *(_TARGETS_MEAN[verdict] for verdict in verdicts)]
    return CheckFinding(
        passed=not open_rows,
        severity="WARN",
        sentences=tuple(sentences),
        facts={f"{row.what} at {row.level}": _line(row) for row in rows},
    )


def check_slos(metrics: RunMetrics) -> CheckFinding | None:
    """Check the objectives; one that is unclear or has no data does not pass. None without any."""
    slos = run_slos(metrics)
    if not slos:
        return None
    broken = [slo for slo in slos if slo.verdict != "met"]
    lines = {
        f"{escape.name(slo.slo.text)} ({escape.name(slo.level)})": f"{slo.verdict}: "
        + (quantity.NOT_MEASURED if slo.value is None else f"{slo.value:.4g} {slo.slo.about.unit}")
        + f", {slo.validity}, {slo.samples} samples. {escape.visible(slo.why)}"
        for slo in slos
    }
    sentences = [f"All {len(slos)} objectives are met."]
    if broken:
        sentences = [
            f"{what}: {line}" for what, line in lines.items() if not line.startswith("met")
        ]
    return CheckFinding(
        passed=not broken,
        severity="ERROR" if any(slo.verdict == "missed" for slo in broken) else "WARN",
        sentences=tuple(sentences),
        facts=dict(lines),
    )


def check_repeats(metrics: RunMetrics) -> CheckFinding | None:
    """Warn where the throughputs of repeats lie wider than the interval within one of them.

    None where no level was repeated.
    """
    if not metrics.repeats:
        return None
    lines = {escape.name(each.label): each.summary for each in metrics.repeats}
    differing = [each for each in metrics.repeats if each.of("throughput_per_s").differ]
    unknown = [each for each in metrics.repeats if each.of("throughput_per_s").differ is None]
    sentences = [f"The repeats of {len(metrics.repeats)} levels agree within their intervals."]
    if differing or unknown:
        sentences = [each.summary for each in (*differing, *unknown)]
        sentences += (
            [_SPREAD_MEANS, _SPREAD_TO_DO] if differing else ["It is unknown whether they agree."]
        )
    return CheckFinding(
        passed=not differing and not unknown,
        severity="WARN",
        sentences=tuple(sentences),
        facts=dict(lines),
    )


def _error_ratio_limit(*, stress: bool) -> float:
    """Return the error ratio that the table of targets allows at any level."""
    errors = TARGET_TABLES[TABLE].errors
    assert errors is not None  # the table that is checked limits them
    return errors[stress].limit


def _failures(level: LevelMetrics) -> str:
    """Return the share that failed in the steady phase, and what failed over the whole level."""
    ratio = level.error_ratio
    share = quantity.NOT_MEASURED if ratio is None else quantity.percent(100 * ratio)
    return f"{failures(level)}; in the steady phase {share}"


def _line(row: TargetRow) -> str:
    sign = ">" if row.higher_is_better else "<"
    limit = f"{sign} {quantity.limit(row.limit, row.unit)}"
    if row.value is None:
        return f"{row.what} at {row.level}: {quantity.NOT_MEASURED}, wanted {limit} ({row.verdict})"
    by = quantity.of_unit(abs(row.value - row.limit), row.unit)
    value = quantity.beside(row.value, row.limit, row.unit)
    verdict = f"missed by {by}" if row.verdict == "missed" else row.verdict
    return f"{row.what} at {row.level}: {value}, wanted {limit} ({verdict})"
