"""Cells of one failure: verdict, evidence, time to recover, lost service, and what was harmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import Estimate, FaultRecovery, FaultVerdict
    from perf_pipeline.report.text.table import Tone

TONES: dict[FaultVerdict, Tone] = {
    "recovered": "good",
    "metastable": "bad",
    "invalid": "warn",
    "not_possible": "quiet",
}

NO_FAILURE = "no failure"
"""In place of a verdict and of a failure where nothing was injected."""

NO_ARRIVALS = "only an open loop knows what should have arrived"


def fault_name(fault: FaultRecovery) -> str:
    """Return a failure for people: ``database_timeout on PostgreSQL``."""
    kind = escape.name(fault.kind)
    return f"{kind} on {labels.service_name(fault.server)}" if fault.server else kind


def window_text(fault: FaultRecovery) -> str:
    """Return the planned window: ``3 s at 20 s``, with the settings that the scenario gave."""
    planned = f"{quantity.seconds(fault.duration_s)} at {quantity.seconds(fault.at_s)}"
    given = [
        f"{escape.name(key)} = {escape.name(str(value))}" for key, value in fault.settings.items()
    ]
    return ", ".join([planned, *given])


def verdict_cell(fault: FaultRecovery) -> Cell:
    """Return the verdict with its reason."""
    shown = "not possible here" if fault.verdict == "not_possible" else fault.verdict
    return Cell(shown, TONES[fault.verdict], escape.visible(fault.why))


def control_cell(fault: FaultRecovery) -> Cell:
    """Return what the measure says of a window in which nothing was injected."""
    if fault.verdict == "invalid":
        return Cell(NO_FAILURE, "quiet", escape.visible(fault.why))
    if fault.verdict == "recovered":
        return Cell(NO_FAILURE, "good", "control: service was as before, as it must be")
    return Cell(NO_FAILURE, "bad", "control: service got worse all the same; doubt the others")


def evidence_cell(fault: FaultRecovery) -> Cell:
    """Return the share of its window in which it was proven to be in effect."""
    if fault.verdict == "not_possible":
        return Cell(quantity.NOT_MEASURED, "quiet", escape.visible(fault.why))
    shown = quantity.percent(100 * fault.evidence_share)
    texts = [sign.text for sign in fault.signs if sign.in_effect]
    note = quantity.counted(fault.observations, "observation")
    if texts:
        note = f"{note}, such as: {escape.visible(texts[len(texts) // 2])}"
    return Cell(shown, "number", note)


def estimate_cell(estimate: Estimate | None, why: str) -> Cell:
    """Return a duration with its interval; for None, why it is not known."""
    if estimate is None:
        return Cell(quantity.NOT_MEASURED, "quiet", why)
    interval = quantity.between(estimate.low, estimate.high, "s")
    return number(quantity.seconds(estimate.value), f"95 %: {interval}")


def time_to_recover_cell(fault: FaultRecovery) -> Cell:
    """Return the time to recover."""
    if fault.time_to_recover_s is None and fault.verdict == "metastable":
        return Cell("never", "bad", f"watched for {quantity.seconds(fault.watched_s)}")
    return estimate_cell(fault.time_to_recover_s, "it is not known whether it recovered")


def lost_service_cell(fault: FaultRecovery) -> Cell:
    """Return the lost seconds of service."""
    if fault.harm is None:
        return Cell(
            quantity.NOT_MEASURED, "quiet", "nothing was injected, or nothing arrived before"
        )
    cell = estimate_cell(fault.lost_service_s, NO_ARRIVALS)
    if fault.overshoot_ratio is None or fault.lost_service_s is None:
        return cell
    burst = f"then up to {quantity.significant(fault.overshoot_ratio)} times the usual throughput"
    return number(cell.text, f"{cell.note}; {burst}")


def harm_cell(fault: FaultRecovery) -> Cell:
    """Return how many were not answered well, by class."""
    harm = fault.harm
    if harm is None:
        return Cell(
            quantity.NOT_MEASURED, "quiet", "nothing was injected, or nothing arrived before"
        )
    shown = f"{quantity.count(harm.bad)} of {quantity.count(harm.due)}"
    parts = [f"{escape.name(name)} {quantity.count(n)}" for name, n in harm.by_class.items()]
    parts += [f"unknown {quantity.count(harm.unknown)}"] if harm.unknown else []
    return Cell(shown, "number", ", ".join(parts))


def p99_cell(fault: FaultRecovery) -> Cell:
    """Return the 99th percentile from the injection until service was back."""
    if fault.harm is None or fault.harm.p99_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", "no workflow arrived")
    return number(quantity.seconds(fault.harm.p99_s))


def longest_bad_run_cell(fault: FaultRecovery) -> Cell:
    """Return the longest time without a good answer."""
    if fault.harm is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    return number(quantity.seconds(fault.harm.longest_bad_run_s))


def backlog_cell(fault: FaultRecovery) -> Cell:
    """Return how long the backlog took to drain, and how great it was."""
    backlog = fault.backlog
    if backlog is None:
        return Cell(quantity.NOT_MEASURED, "quiet", NO_ARRIVALS)
    size = f"peak {quantity.count(backlog.peak)}, before {quantity.significant(backlog.before)}"
    if backlog.drain_s is None:
        return Cell("not drained", "warn", f"{size}{', shrinking' if backlog.is_shrinking else ''}")
    return number(quantity.seconds(backlog.drain_s), size)


def retries_cell(fault: FaultRecovery, why: str) -> Cell:
    """Return the attempts per workflow before, during and after; ``why`` where unknown."""
    retries = fault.retries
    if retries is None:
        return Cell(quantity.NOT_MEASURED, "quiet", escape.visible(why))
    times = (("before", retries.before), ("during", retries.during), ("after", retries.after))
    known = [f"{quantity.significant(n)} {when}" for when, n in times if n is not None]
    note = ""
    if retries.storm_s:
        note = f"more than 1.5 attempts a workflow for {quantity.seconds(retries.storm_s)} after it"
    return Cell(", ".join(known) or quantity.NOT_MEASURED, "number", note)
