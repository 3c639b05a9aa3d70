"""An SLO's verdict in a sentence: what, by how much, what it means, what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict

_DO = {
    "percentile": "Lower the load, or look at what limits the level (its bottleneck).",
    "mean": "Lower the load, or look at what limits the level (its bottleneck).",
    "most": "One workflow is enough to break it: look at the slowest records.",
    "rate": "Look at what limits the level (its bottleneck); more load gives more only below it.",
    "share": "Look at the error classes and examples of the level.",
    "memory": "Lower the load, or look for what the workers keep.",
    "cpu": "Lower the load, or the cost of a workflow.",
}
_DIGITS = 4


def what_it_means(verdict: SloVerdict) -> SloVerdict:
    """Return the verdict with the reason that it has made a whole sentence about its value."""
    parts = [_measured(verdict)]
    if verdict.verdict == "missed":
        parts.append("The target does not keep this objective at this load.")
        parts += [f"The level was ended for it: {verdict.why}."] if verdict.why else []
        parts.append(_DO[verdict.slo.about.kind])
    elif verdict.verdict != "met":
        what = "It may or may not be kept" if verdict.verdict == "unclear" else "It decides nothing"
        parts.append(f"{what}: {verdict.why}.")
    return replace(verdict, why=" ".join(parts))


def amount(verdict: SloVerdict, value: float) -> str:
    """Return a value with its unit; digits enough not to read as the limit when it is not."""
    limit = verdict.slo.limit
    for digits in range(_DIGITS, 12):
        shown = f"{value:.{digits}g}"
        if value == limit or float(shown) != limit:
            break
    unit = verdict.slo.about.unit
    return f"{shown}{'' if unit.startswith('/') or not unit else ' '}{unit}"


def distance(verdict: SloVerdict) -> str:
    """Return how far on which side of the limit a value lies; empty without a value."""
    if verdict.value is None:
        return ""
    limit = amount(verdict, verdict.slo.limit)
    off = abs(verdict.value - verdict.slo.limit)
    if not off:
        return f"just the limit of {limit}"
    side = "above" if verdict.value > verdict.slo.limit else "below"
    share = f" ({100 * off / verdict.slo.limit:.3g} %)" if verdict.slo.limit else ""
    unit = verdict.slo.about.unit
    shown = f"{off:.3g}{'' if unit.startswith('/') or not unit else ' '}{unit}"
    return f"{shown}{share} {side} the limit of {limit}"


def _measured(verdict: SloVerdict) -> str:
    what = verdict.what[:1].upper() + verdict.what[1:]
    if verdict.value is None:
        return f"{what} was not measured."
    least = "at least " if verdict.at_least else ""
    told = f"{what} was {least}{amount(verdict, verdict.value)}, {distance(verdict)}"
    if verdict.low is not None and verdict.high is not None:
        low, high = (amount(verdict, end) for end in (verdict.low, verdict.high))
        told += f"; 95 % interval {low} to {high}"
    if verdict.at_s is not None:
        told += f"; the window ended {verdict.at_s:.1f} s after the go"
    unit = "samples" if verdict.slo.about.kind in {"memory", "cpu"} else "workflows"
    return f"{told}; on {verdict.samples:,} {unit}."
