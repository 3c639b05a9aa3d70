"""The verdict on an objective in sentences: the value, its distance, the meaning, what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict

_DO = {
    "percentile": "Lower the load, or look at what limits the level (its bottleneck).",
    "mean": "Lower the load, or look at what limits the level (its bottleneck).",
    "maximum": "One workflow is enough to break it: look at the slowest records.",
    "rate": "Look at what limits the level (its bottleneck); more load gives more only below it.",
    "share": "Look at the error classes and examples of the level.",
    "memory": "Lower the load, or look for what the worker processes retain.",
    "cpu": "Lower the load, or the cost of a workflow.",
}
_DO_UNDECIDED = {
    "unclear": "Measure longer (--duration), with --repeats, or on a quieter machine.",
    "no_data": "Measure again until the level is valid and has samples enough: see its reasons.",
}
_DIGITS = 4


def what_it_means(verdict: SloVerdict) -> SloVerdict:
    """Return the verdict with its reason extended to sentences about the measured value."""
    parts = [_measured(verdict)]
    if verdict.verdict == "missed":
        parts.append("The target does not meet this objective at this load.")
        parts += [f"The level was ended for it: {verdict.why}."] if verdict.why else []
        parts.append(_DO[verdict.slo.about.kind])
    elif verdict.verdict != "met":
        what = "It may or may not be met" if verdict.verdict == "unclear" else "It decides nothing"
        parts += [f"{what}: {verdict.why}.", _DO_UNDECIDED[verdict.verdict]]
    return replace(verdict, why=" ".join(parts))


def amount(verdict: SloVerdict, value: float) -> str:
    """Return a value with its unit, and enough digits to differ from the limit if it does."""
    limit = verdict.slo.limit
    for digits in range(_DIGITS, 12):
        shown = f"{value:.{digits}g}"
        if value == limit or float(shown) != limit:
            break
    unit = verdict.slo.about.unit
    return f"{shown}{'' if unit.startswith('/') or not unit else ' '}{unit}"


def _distance(verdict: SloVerdict, value: float) -> str:
    """Return how far, and on which side of the limit, the value lies."""
    limit = amount(verdict, verdict.slo.limit)
    off = abs(value - verdict.slo.limit)
    if not off:
        return f"exactly the limit of {limit}"
    side = "above" if value > verdict.slo.limit else "below"
    share = f" ({100 * off / verdict.slo.limit:.3g} %)" if verdict.slo.limit else ""
    unit = verdict.slo.about.unit
    shown = f"{off:.3g}{'' if unit.startswith('/') or not unit else ' '}{unit}"
    return f"{shown}{share} {side} the limit of {limit}"


def _measured(verdict: SloVerdict) -> str:
    what = verdict.what[:1].upper() + verdict.what[1:]
    if verdict.value is None:
        return f"{what} was not measured."
    bound = "at least " if verdict.at_least else ""
    value = amount(verdict, verdict.value)
    text = f"{what} was {bound}{value}, {_distance(verdict, verdict.value)}"
    if verdict.low is not None and verdict.high is not None:
        low, high = (amount(verdict, end) for end in (verdict.low, verdict.high))
        text += f"; 95 % interval {low} to {high}"
    if verdict.at_s is not None:
        text += f"; the window ended {verdict.at_s:.1f} s after the go"
    unit = "samples" if verdict.slo.about.kind in {"memory", "cpu"} else "workflows"
    return f"{text}; on {verdict.samples:,} {unit}."
