"""The verdicts of a run as test cases: what is undecided is skipped, and never passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.report.recovery.answer import injected, sentence
from perf_pipeline.report.recovery.fault_cells import fault_name, window_text
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.labels import VALIDITY, level_name
from perf_pipeline.samples.run_record import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.targets import TargetRow

Outcome = Literal["passed", "failed", "skipped", "error"]

_OF_VALIDITY: Mapping[str, Outcome] = {
    "valid": "passed",
    "target_failed": "failed",
    "incomplete": "error",
}
_OF_VERDICT: Mapping[str, Outcome] = {"met": "passed", "missed": "failed"}
_OF_FAULT: Mapping[str, Outcome] = {
    "recovered": "passed",
    "metastable": "failed",
    "invalid": "skipped",
    "not_possible": "skipped",
}


@dataclass(frozen=True)
class Case:
    """One test case.

    Attributes:
        scenario: Its class.
        name: Level and what is judged: ``100: p99_s < 5``.
        outcome: ``skipped`` for what could not be decided; ``error`` where there is no measurement.
        text: Why, unless passed: value, limit and meaning.
        length_s: How long the level took; 0 where that means nothing.
        detail: What was measured, also where it passed; empty for nothing more than its name.
    """

    scenario: str
    name: str
    outcome: Outcome
    text: str = ""
    length_s: float = 0.0
    detail: str = ""


def run_cases(metrics: RunMetrics, gate: str | None, table: str) -> tuple[Case, ...]:
    """Return validity, objectives, failures and gate of a run as test cases.

    Args:
        metrics: The run.
        gate: ``--gate``; None for none.
        table: The table of targets that the gate judges by.
    """
    return (
        _run_case(metrics),
        *(_level_case(metrics, level) for level in metrics.levels),
        *_objectives(metrics),
        *_faults(metrics),
        *(_gate(metrics, gate, table) if gate else ()),
    )


def _run_case(metrics: RunMetrics) -> Case:
    scenario = metrics.manifest.scenario
    if metrics.status != COMPLETE:
        text = _sentences(metrics.reasons) or f"the run is {metrics.status}."
        return Case(scenario, "run: complete", "error", text)
    outcome = _OF_VALIDITY.get(metrics.validity, "skipped")
    return Case(scenario, "run: validity", outcome, _why(metrics.validity, metrics.reasons))


def _level_case(metrics: RunMetrics, level: LevelMetrics) -> Case:
    return Case(
        metrics.manifest.scenario,
        f"{level_name(level)}: validity",
        _OF_VALIDITY.get(level.validity, "skipped"),
        _why(level.validity, level.reasons),
        _length_s(level),
    )


def _why(validity: str, reasons: Sequence[str]) -> str:
    if validity == "valid":
        return ""
    meaning = VALIDITY.get(validity, "")  # type: ignore[call-overload]  # a word of a later version
    return f"{validity}: {meaning} {_sentences(reasons)}".strip()


def _sentences(reasons: Sequence[str]) -> str:
    return " ".join(f"{escape.visible(reason).rstrip('.')}." for reason in reasons)


def _length_s(level: LevelMetrics) -> float:
    try:
        began, ended = map(datetime.fromisoformat, (level.started_at, level.ended_at))
        return max(0.0, (ended - began).total_seconds())
    except (ValueError, TypeError):
        return 0.0  # it was killed before its end was recorded


def _objectives(metrics: RunMetrics) -> Iterator[Case]:
    for one in run_slos(metrics):
        verdict = one.verdict.replace("_", " ")
        yield Case(
            metrics.manifest.scenario,
            f"{escape.name(one.level)}: {escape.visible(one.slo.text)}",
            _OF_VERDICT.get(one.verdict, "skipped"),
            "" if one.verdict == "met" else f"{verdict}: {one.why} ({one.validity})",
        )


def _faults(metrics: RunMetrics) -> Iterator[Case]:
    for level, fault in injected(metrics):
        text = sentence(level, fault)
        yield Case(
            metrics.manifest.scenario,
            f"{level_name(level)}: recovers from {fault_name(fault)}, {window_text(fault)}",
            _OF_FAULT[fault.verdict],
            "" if fault.verdict == "recovered" else text,
            detail=text,
        )


def _gate(metrics: RunMetrics, gate: str, table: str) -> Iterator[Case]:
    scenario = metrics.manifest.scenario
    rows = [row for row in metrics.targets if row.table == table]
    if not rows:
        text = "none of its targets applies to this run; [[slo]] or --slo sets objectives"
        yield Case(scenario, f"gate {gate}", "failed", text)
    for row in rows:
        yield Case(
            scenario,
            f"{escape.name(row.level)}: {escape.name(row.what)} ({gate})",
            _OF_VERDICT.get(row.verdict, "skipped"),
            "" if row.verdict == "met" else _target(row, gate),
        )


def _target(row: TargetRow, gate: str) -> str:
    value = "not measured"
    if row.value is not None:
        value = quantity.beside(row.value, row.limit, row.unit)
    side = "at least" if row.higher_is_better else "at most"
    limit = quantity.limit(row.limit, row.unit)
    meaning = {
        "missed": f"The target does not meet the gate {gate} at this load.",
        "unclear": "The interval contains the limit, or other programs may have slowed the target.",
    }.get(row.verdict, "There is no valid measurement to judge by.")
    return (
        f"{row.verdict.replace('_', ' ')}: {row.what} was {value}, the limit is {side} {limit}. "
        f"{meaning}"
    )
