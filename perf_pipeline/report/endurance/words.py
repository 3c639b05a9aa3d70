"""Verdicts, signals and amounts of a campaign as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import changes, escape, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.report.text.table import Tone
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord
    from perf_pipeline.samples.campaign.verdicts import DegradationVerdict, ErrorsWord

OWNERS = ("target", "twin", "harness", "postgres", "mysql", "redis", "mongodb", "machine")

_TONES: dict[str, Tone] = {
    "leak": "bad",
    "clean": "good",
    "degraded": "bad",
    "proven_absent": "good",
    "unstable": "bad",
    "stable": "good",
    "inconclusive": "warn",
}
_WORDS = {"degraded": "degraded", "proven_absent": "loss proven absent"}


def leak_cell(verdict: LeakWord, note: str = "") -> Cell:
    """Return the verdict on a signal, or on all."""
    return Cell(verdict, _TONES[verdict], note)


def signal_cell(one: LeakVerdict) -> Cell:
    """Return the verdict on a signal with its reason; of one that leaks on purpose, if it shows."""
    reason = sentence(one.reason)
    if not is_twin(one.name):
        return leak_cell(one.verdict, reason)
    if one.verdict == "leak":
        return Cell("leak, on purpose", "good", reason)
    return Cell(f"{one.verdict}, of a process that leaks on purpose", "quiet", reason)


def weight(signal: str, verdict: LeakVerdict | None) -> tuple[bool, int, int, str]:
    """Return what signals are sorted by: leaks, then doubt, then the rest; the twin last."""
    order = ("leak", "inconclusive", "clean")
    place = len(order) if verdict is None else order.index(verdict.verdict)
    return is_twin(signal), place, owner_place(signal), signal


def owner_place(signal: str) -> int:
    """Return the place of a signal's owner: the target, the process beside it, the harness, ..."""
    found = owner(signal)
    return OWNERS.index(found) if found in OWNERS else len(OWNERS)


def loss_cell(verdict: str) -> Cell:
    """Return the verdict on the loss of a metric."""
    return Cell(_WORDS.get(verdict, verdict), _TONES[verdict])


def errors_cell(verdict: ErrorsWord) -> Cell:
    """Return the verdict on the error ratio."""
    return Cell(verdict, _TONES[verdict])


def unit_of(signal: str) -> str:
    """Return the unit that a signal's name ends with: MB, s, or none for a count."""
    if signal.endswith("_bytes"):
        return "MB"
    return "s" if signal.endswith("_s") else ""


def factor_of(signal: str) -> float:
    """Return what a value of a signal is multiplied with to be in ``unit_of``."""
    return 1e-6 if signal.endswith("_bytes") else 1.0


def amount(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a value of a signal with its unit; bytes in MB, as ``unit_of`` says."""
    shown = quantity.of_unit(value * (1e-6 if unit == "MB" else 1.0), unit)
    return f"+{shown}" if signed and value > 0 else shown


def between(low: float, high: float, unit: str) -> str:
    """Return an interval of a growth."""
    return f"{amount(low, unit, signed=True)} to {amount(high, unit, signed=True)}"


def metric(name: str) -> str:
    """Return the name of an hour's metric for people."""
    return changes.metric_name(name)


def share(value: float) -> str:
    """Return a loss as a percentage with its sign; a gain is negative."""
    return f"{'+' if value > 0 else ''}{quantity.percent(100 * value)}"


def loss_text(one: DegradationVerdict) -> str:
    """Return a loss with its interval against the limit."""
    if one.loss is None or one.interval is None:
        return f"loss not known; at most {share(one.limit)} is accepted"
    low, high = map(share, one.interval)
    return f"{share(one.loss)} ({low} to {high}) over 24 h; limit {share(one.limit)}"


def owner(signal: str) -> str:
    """Return whose signal it is."""
    return escape.name(signal.partition(".")[0])


def sentence(text: str) -> str:
    """Return a text of a file on one line, safe to show."""
    return escape.visible(text)


def is_twin(signal: str) -> bool:
    """Return whether a signal is that of the process that leaks on purpose."""
    return owner(signal) == "twin"
