"""Names, values and effects of compared metrics as people read them, with their direction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Change, ComparisonVerdict, Effect
    from perf_pipeline.report.text.table import Tone

TONES: dict[ComparisonVerdict, Tone] = {
    "regression": "bad",
    "unstable": "warn",
    "improvement": "good",
    "no_change": "good",
    "no_data": "quiet",
}
_PERCENTILE = re.compile(r"p([0-9.]+)_s")
_UNITS = ("_per_s", "_s", "_mb", "_percent")
_WHOLE_PERCENT = 100.0
"""A change from here on is shown without decimals."""


def metric_name(metric: str) -> str:
    """Return the name of a metric for people; of an unknown one its key without the unit."""
    if metric in METRICS:
        return METRICS[metric].shown
    if percentile := _PERCENTILE.fullmatch(metric):
        return f"P{percentile[1]} latency"
    unit = next((each for each in _UNITS if metric.endswith(each)), "")
    return escape.name(metric.removesuffix(unit).replace("_", " "))


def value_text(value: float, unit: str) -> str:
    """Return a value with its unit; a ratio as a percentage."""
    if unit == "ratio":
        return quantity.percent(_WHOLE_PERCENT * value)
    return quantity.of_unit(value, escape.name(unit))


def effect_text(effect: float, kind: Effect) -> str:
    """Return an effect as the change of the baseline: ``+12.3 %``; a difference in points."""
    return f"{_signed(_in_percent(effect, kind))} {'%' if kind == 'ratio' else 'points'}"


def interval_text(change: Change) -> str:
    """Return the interval of an effect, its unit once; empty where there is none."""
    return between(change.low, change.high, change.kind)


def between(low: float | None, high: float | None, kind: Effect) -> str:
    """Return the interval between two effects, its unit once; empty where an end is missing."""
    if low is None or high is None:
        return ""
    return f"{_signed(_in_percent(low, kind))} to {effect_text(high, kind)}"


def better_percent(change: Change, effect: float) -> float:
    """Return an effect in percent, or in points, as a gain: what is worse is below 0."""
    percent = _in_percent(effect, change.kind)
    return percent if change.higher_is_better else -percent


def verdict_text(change: Change) -> str:
    """Return the verdict with the severity of a regression."""
    verdict = change.verdict.replace("_", " ")
    return verdict if change.severity == "none" else f"{verdict}, {change.severity}"


def direction(is_worse: bool | None) -> str:  # noqa: FBT001 - of a change point
    """Return whether a change is for the worse, in a word."""
    return "moved" if is_worse is None else "worse" if is_worse else "better"


def reason(change: Change) -> str:
    """Return why a change has its verdict, without the effect and interval that ``why`` has first.

    For tables, which have both in columns of their own.
    """
    begin, _, rest = change.why.partition("]")
    is_measured = change.low is not None and "[" in begin
    return escape.visible(rest.lstrip(":, ") if is_measured and rest else change.why)


def where(change: Change) -> str:
    """Return the level of a change, and the family where it is about one."""
    names = (f"at {change.level}", change.family)
    return ", ".join(map(escape.name, filter(None, names)))


def in_short(change: Change) -> str:
    """Return a change in a few words: ``P99 latency at 500: +24.0 % (+18.0 to +31.0 %)``."""
    named = f"{metric_name(change.metric)} {where(change)}"
    if change.effect is None:
        return f"{named}: {verdict_text(change)}"
    interval = interval_text(change)
    effect = effect_text(change.effect, change.kind)
    return f"{named}: {effect}{f' ({interval})' if interval else ''}"


def _in_percent(effect: float, kind: Effect) -> float:
    return _WHOLE_PERCENT * (effect - 1 if kind == "ratio" else effect)


def _signed(percent: float) -> str:
    decimals = 0 if abs(percent) >= _WHOLE_PERCENT else 1
    return f"{percent:+,.{decimals}f}".replace("-", "−")  # noqa: RUF001 - a minus sign
