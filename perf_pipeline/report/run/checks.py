"""The checks of a run: what failed, by how much, what it means, and what to do.

A check never hides a number: the facts hold every level, whether the check passes or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.report.text import escape, labels, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.targets import TargetRow

TABLE = "minimum"
GREAT_ERROR_RATIO = 0.05
"""From here on failures are an ERROR: what the table of minimum targets allows."""

TO_DO = {
    "incomplete": "The reasons name what is missing. A worker's log is worker-*.log in the "
    "level's folder; of a cancelled or killed run there is nothing to repair: run it again.",
    "generator_limited": "Give the generator more room: fewer in flight, or more processes.",
    "noisy_host": "End what else runs on this machine, or measure on one of your own.",
    "not_steady": "Measure longer: a greater duration_s, and steady_max_s in the scenario's "
    "[phases].",
    "too_few_samples": "Measure longer: a greater duration_s, or more in flight.",
}

_WRITES_MEAN = (
    (
        "A workflow said that it ended ok, and what it should have stored is not there, or could "
        "not be counted: its throughput is not that of work done."
    ),
    (
        "What to do: look into the server's log and at how the target commits; do not use the "
        "numbers of that level."
    ),
)
_ERRORS_MEAN = (
    "A failure is an exception, a wrong result or a timeout; throughput counts none of them.",
    "What to do: see the classes and their examples in the report.",
)
_TARGETS_MEAN = {
    "missed": "Missed: on this machine the target does not hold that load well enough for "
    "production. What to do: see what limited the level (bottleneck).",
    "unclear": "Unclear: the 95 % interval of the value holds the limit, so this run cannot tell. "
    "What to do: measure longer, or repeat.",
    "no_data": "No data: it is not known, because the level is no measurement, or this was not "
    "measured. What to do: see the check of validity first.",
}


_SPREAD_MEANS = (
    "Something that is drawn once a run, or that changes while it lasts, moves the throughput by "
    "more than its interval says: a single run of this scenario is less certain than it looks."
)
_SPREAD_TO_DO = (
    "What to do: compare by the interval between repeats, with more of them and with order = "
    '"shuffled"; see whether the machine was quiet.'
)


@dataclass(frozen=True)
class CheckFinding:
    """What a check found.

    Attributes:
        passed: Whether nothing speaks against the run.
        severity: ``ERROR`` where the numbers must not be used, or the target failed; else ``WARN``.
        sentences: What it found, what that means and what to do, a paragraph each.
        facts: What was looked at, by name.
    """

    passed: bool
    severity: Literal["ERROR", "WARN"]
    sentences: tuple[str, ...]
    facts: dict[str, str | list[str]]


def check_validity(metrics: RunMetrics) -> CheckFinding:
    """Say whether every level is a measurement; missing data is an ERROR, doubt a WARN."""
    passed = metrics.validity == "valid"
    told = [f"{metrics.validity}: {labels.VALIDITY[metrics.validity]}"]
    if not passed:
        told += [escape.visible(reason) for reason in metrics.reasons]
        told.append(f"What to do: {TO_DO[metrics.validity]}")
    return CheckFinding(
        passed=passed,
        severity="ERROR" if metrics.validity == "incomplete" else "WARN",
        sentences=tuple(told),
        facts={
            "validity": metrics.validity,
            "reasons": [escape.visible(reason) for reason in metrics.reasons],
            **{labels.level_name(level): level.validity for level in metrics.levels},
        },
    )


def check_writes(metrics: RunMetrics) -> CheckFinding:
    """Say whether every workflow that ended ok has its write on the servers."""
    writes = [
        (labels.level_name(level), write) for level in metrics.levels for write in level.writes
    ]
    lines = {
        f"{label} {write.server}": escape.visible(write.problem)
        if write.problem
        else f"{write.found} found, {write.expected} expected, {write.missing} missing, "
        f"{write.extra} extra"
        for label, write in writes
    }
    wrong = [
        f"{label} {write.server}: {lines[f'{label} {write.server}']}"
        for label, write in writes
        if write.problem is not None or write.missing
    ]
    told = [f"{len(writes)} counts of writes agree with the records."]
    if not writes:
        told = ["No workflow of this run writes to a server."]
    if wrong:
        told = [
            *wrong,
            *_WRITES_MEAN,
        ]
    return CheckFinding(
        passed=not wrong, severity="ERROR", sentences=tuple(told), facts=dict(lines)
    )


def check_errors(metrics: RunMetrics) -> CheckFinding:
    """Say how many workflows failed, of what, and with which words."""
    lines = {labels.level_name(level): _failures(level) for level in metrics.levels}
    unknown = [level for level in metrics.levels if level.error_ratio is None]
    failed = [level for level in metrics.levels if _failed(level)]
    great = any((level.error_ratio or 0) >= GREAT_ERROR_RATIO for level in failed)
    told = ["No workflow failed."]
    if failed or unknown or not metrics.levels:
        shown = [*failed, *(level for level in unknown if level not in failed)]
        names = [labels.level_name(level) for level in shown]
        told = [f"Level {name}: {lines[name]}" for name in names]
        told += (
            [] if metrics.levels else ["No level was measured, so nothing is known of failures."]
        )
        told += [
            *_ERRORS_MEAN,
        ]
    return CheckFinding(
        passed=bool(metrics.levels) and not failed and not unknown,
        severity="ERROR" if great else "WARN",
        sentences=tuple(told),
        facts=dict(lines),
    )


def check_targets(metrics: RunMetrics) -> CheckFinding:
    """Say which targets of the table ``minimum`` were met; what has no data is not met."""
    rows = [row for row in metrics.targets if row.table == TABLE]
    open_rows = [row for row in rows if row.verdict != "met"]
    told = [f"All {len(rows)} targets for production are met."]
    if not rows:
        told = ["No target for production speaks of this run, so nothing is known."]
    if open_rows:
        verdicts = dict.fromkeys(row.verdict for row in open_rows)
        told = [*map(_line, open_rows), *(_TARGETS_MEAN[verdict] for verdict in verdicts)]
    return CheckFinding(
        passed=bool(rows) and not open_rows,
        severity="WARN",
        sentences=tuple(told),
        facts={f"{row.what} at {row.level}": _line(row) for row in rows},
    )


def check_slos(metrics: RunMetrics) -> CheckFinding:
    """Say which of the scenario's objectives were kept; doubt and no data are not kept."""
    slos = run_slos(metrics)
    broken = [slo for slo in slos if slo.verdict != "met"]
    lines = {
        f"{escape.name(slo.slo.text)} ({escape.name(slo.level)})": f"{slo.verdict}: "
        + (quantity.NOT_MEASURED if slo.value is None else f"{slo.value:.4g} {slo.slo.about.unit}")
        + f", {slo.validity}, {slo.samples} samples. {escape.visible(slo.why)}"
        for slo in slos
    }
    told = [f"All {len(slos)} objectives are kept." if slos else "The scenario has no objectives."]
    if broken:
        told = [f"{what}: {line}" for what, line in lines.items() if not line.startswith("met")]
    return CheckFinding(
        passed=not broken,
        severity="ERROR" if any(slo.verdict == "missed" for slo in broken) else "WARN",
        sentences=tuple(told),
        facts=dict(lines),
    )


def check_repeats(metrics: RunMetrics) -> CheckFinding:
    """Warn where the throughputs of repeats lie wider than the interval within one of them."""
    lines = {escape.name(each.label): each.summary for each in metrics.repeats}
    differing = [each for each in metrics.repeats if each.of("throughput_per_s").differ]
    unknown = [each for each in metrics.repeats if each.of("throughput_per_s").differ is None]
    told = ["No level was repeated."]
    if metrics.repeats:
        told = [f"Repeats of {len(metrics.repeats)} levels agree as far as one of them can tell."]
    if differing or unknown:
        told = [each.summary for each in (*differing, *unknown)]
        told += (
            [_SPREAD_MEANS, _SPREAD_TO_DO] if differing else ["Whether they agree is not known."]
        )
    return CheckFinding(
        passed=not differing and not unknown,
        severity="WARN",
        sentences=tuple(told),
        facts=dict(lines),
    )


def _failed(level: LevelMetrics) -> int:
    return level.outcomes.get("error", 0) + level.outcomes.get("timeout", 0)


def _failures(level: LevelMetrics) -> str:
    """Return how many failed over the whole level, of which classes, with an example of each."""
    ratio = level.error_ratio
    share = quantity.NOT_MEASURED if ratio is None else quantity.percent(100 * ratio)
    told = [f"{_failed(level)} failed; {share} of those that ended in the steady phase"]
    for name, count in level.error_classes.items():
        if count:
            examples = level.error_examples.get(name, ())
            example = f" ({escape.visible(examples[0], length_max=200)})" if examples else ""
            told.append(f"{name} {count}{example}")
    return "; ".join(told)


def _line(row: TargetRow) -> str:
    sign = ">" if row.higher_is_better else "<"
    limit = f"{sign} {quantity.limit(row.limit, row.unit)}"
    if row.value is None:
        return f"{row.what} at {row.level}: {quantity.NOT_MEASURED}, wanted {limit} ({row.verdict})"
    by = quantity.of_unit(abs(row.value - row.limit), row.unit)
    value = quantity.beside(row.value, row.limit, row.unit)
    verdict = f"missed by {by}" if row.verdict == "missed" else row.verdict
    return f"{row.what} at {row.level}: {value}, wanted {limit} ({verdict})"
