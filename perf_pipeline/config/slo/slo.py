"""A service level objective: a limit on one metric, and how it is read.

An SLO is a limit that a run must meet, chosen by the scenario's author: it decides exit codes and
asset checks, and may end a level. The tables of targets and the limits of the KPI grades are SLOs
too (``config/slo/shipped.py``), which no scenario sets: they are shown, and only targets decide an
exit code, with ``--gate``.

Four forms are equivalent: a table ``[[slo]]``, a text in the list ``slo = ["p99_s < 0.5"]``, the
flag ``--slo``, and ``parse_slo``. Units may be given with the limit (``p95 < 100ms``); stored is
always the limit in the metric's own unit (``p95_s <= 0.1``). ``<`` and ``<=`` both mean "at most":
whether a measured time is exactly the limit decides nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

from perf_pipeline.config.wording import did_you_mean, listed, shown

Kind = Literal["percentile", "mean", "maximum", "rate", "share", "memory", "cpu"]
Times = Literal["latency", "service", "response", ""]

GRACE_S = 10.0
"""Minimum length of the steady phase before a level is ended for an objective."""

FORMS = '"p95 < 100ms", "p99.9 <= 2s", "error_ratio < 1%" or "throughput > 50/s"'
"""Examples of objectives, for messages."""

PERCENTILE_NAME = "p1 to p99.99"
"""Which percentiles an objective may be about, for messages."""

_TEXT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(<=|>=|<|>)\s*(\S.*?)\s*")
_LIMIT = re.compile(r"([0-9.+-]+(?:[eE][+-]?[0-9]+)?)\s*(\S*)")
_PERCENTILE = re.compile(r"(service_|response_|)p([0-9]{1,2}(?:\.[0-9]{1,2})?)(?:_s)?")
_MIN_PERCENTILE = 1.0
_ENDINGS = ("", "_s", "_per_s", "_mb", "_percent")
"""Units that the name of a metric may be given without."""

_UNITS: dict[str, dict[str, str]] = {
    "s": {"us": "1e-6", "ms": "1e-3", "s": "1", "m": "60", "min": "60", "h": "3600"},
    "/s": {"/s": "1"},
    "": {"%": "0.01"},
    "MB": {"kB": "1e-3", "MB": "1", "GB": "1e3"},
    "%": {"%": "1"},
}
"""Unit of a metric to the units in which its limit may be given, each with its factor."""


@dataclass(frozen=True)
class Metric:
    """What an SLO can be about.

    Attributes:
        name: As in scenarios, its unit last.
        kind: How it is computed.
        unit: ``s``, ``/s``, ``MB``, ``%``, or empty for a share from 0 to 1.
        label: Its name for people.
        times: ``latency``: service time in a closed loop, response time in an open one;
            ``service`` or ``response``: always that; empty for what is no time.
        p: Which percentile, 0 to 1.
        greatest: Greatest limit that is meaningful.
    """

    name: str
    kind: Kind
    unit: str
    label: str
    times: Times = ""
    p: float = 0.0
    greatest: float = 1e9

    @property
    def at_most(self) -> bool:
        """True for an upper limit: every metric but a throughput."""
        return self.kind != "rate"

    @property
    def by_family(self) -> bool:
        """True when the metric exists for one family of workflows."""
        return self.kind not in {"memory", "cpu"}


_TIMES: dict[str, tuple[Times, str]] = {
    "": ("latency", "latency"),
    "service_": ("service", "service time"),
    "response_": ("response", "response time"),
}


def _percentile(prefix: str, percent: float) -> Metric:
    times, label = _TIMES[prefix]
    name, p = f"{prefix}p{percent:g}_s", round(percent / 100, 6)
    return Metric(name, "percentile", "s", f"P{percent:g} {label}", times, p, 86_400)


def _times() -> list[Metric]:
    """Return the metrics of times: each as latency, service time and response time."""
    found = []
    for prefix, (times, label) in _TIMES.items():
        found += [_percentile(prefix, percent) for percent in (50, 90, 95, 99, 99.9)]
        found += [
            Metric(f"{prefix}avg_s", "mean", "s", f"average {label}", times, greatest=86_400),
            Metric(f"{prefix}max_s", "maximum", "s", f"longest {label}", times, greatest=86_400),
        ]
    return found


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *_times(),
        Metric("throughput_per_s", "rate", "/s", "throughput"),
        Metric("error_ratio", "share", "", "share of failures", greatest=1),
        Metric("dropped_ratio", "share", "", "share of dropped arrivals", greatest=1),
        Metric("memory_mb", "memory", "MB", "memory of the workers (sum of PSS, peak)"),
        Metric("cpu_percent", "cpu", "%", "CPU of the workers (mean, percent of one core)"),
    )
}
"""Metrics by name; of the percentiles the usual ones (``metric_named`` knows all)."""


@cache
def metric_named(name: str) -> Metric | None:
    """Return the metric of a name, which may lack its unit (``p95``, ``throughput``).

    None if there is none. A percentile is one from 1 to 99.99, with up to two decimals.
    """
    for ending in _ENDINGS:
        if f"{name}{ending}" in METRICS:
            return METRICS[f"{name}{ending}"]
    found = _PERCENTILE.fullmatch(name)
    if found is None or float(found[2]) < _MIN_PERCENTILE:
        return None
    return _percentile(found[1], float(found[2]))


def metric_forms() -> str:
    """Return the names that a metric may have, for messages."""
    others = [name for name, one in METRICS.items() if one.kind != "percentile"]
    return f"known are {PERCENTILE_NAME} (also service_p99, response_p99), {listed(others)}"


@dataclass(frozen=True)
class Slo:
    """One objective.

    Attributes:
        metric: The name of a ``Metric``.
        limit: In the metric's unit.
        at_most: True for an upper limit, False for a lower one.
        family: Only workflows of this family, or function; None for all together.
        level: Only the level, or arm, of this label; None for all levels and no arm.
        window_s: Length of a sliding window, of which the worst counts; 0 for the steady phase
            as a whole.
        abort: The level ends when the limit is missed by what the steady phase has shown so far,
            or by the latest window, and no later one is run.
        grace_s: How long after the start of the steady phase nothing ends it.
    """

    metric: str
    limit: float
    at_most: bool = True
    family: str | None = None
    level: str | None = None
    window_s: float = 0.0
    abort: bool = False
    grace_s: float = GRACE_S

    def applies_to(self, role: str, label: str) -> bool:
        """Return whether it applies to a level or arm of this label: to an arm only by name."""
        return role != "arm" if self.level is None else self.level == label

    @property
    def about(self) -> Metric:
        """Its metric.

        Raises:
            KeyError: There is none of that name.
        """
        found = metric_named(self.metric)
        if found is None:
            raise KeyError(self.metric)
        return found

    @property
    def text(self) -> str:
        """The objective as text: ``analytics p99_s <= 0.5 over 10 s at 100``."""
        sign = "<=" if self.at_most else ">="
        parts = [*filter(None, [self.family]), self.metric, sign, f"{self.limit:.10g}"]
        parts += [f"over {self.window_s:g} s"] if self.window_s else []
        parts += [f"at {self.level}"] if self.level else []
        return " ".join(parts)

    @property
    def key(self) -> tuple[str, str | None, str | None, float]:
        """Everything but its limit; no two objectives may have the same key."""
        return self.metric, self.family, self.level, self.window_s


def parse_slo(text: str) -> Slo:
    """Read ``p95 < 100ms``, ``p99_s < 0.5``, ``error_ratio < 1%``, ``throughput >= 100/s``.

    Args:
        text: A metric, with or without its unit, ``<``, ``<=``, ``>`` or ``>=``, and a limit: a
            number in the metric's unit, or with a unit of its own.

    Raises:
        ValueError: The text is no objective; the message is the end of a sentence.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"is not like {FORMS}")
    name, sign, limit = found.groups()
    about = metric_named(name)
    if about is None:
        raise ValueError(unknown_metric(name))
    slo = Slo(about.name, parse_limit(about, limit), at_most=sign.startswith("<"))
    if problem := problem_of(slo):
        raise ValueError(problem)
    return slo


def parse_limit(about: Metric, text: str) -> float:
    """Read a limit: ``0.1``, ``100ms``, ``1%``, ``50/s``; in the metric's unit.

    Raises:
        ValueError: It is none; the message is the end of a sentence.
    """
    units = _UNITS[about.unit]
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"has the limit {shown(text)}, which is no number")
    number, unit = found.groups()
    factors = {name.lower(): factor for name, factor in units.items()}
    if unit and unit.lower() not in factors:
        own = f", or a number in {about.unit}" if about.unit else ", or a number from 0 to 1"
        raise ValueError(
            f"has the limit {shown(text)}; the units of {about.name} are {listed(tuple(units))}"
            f"{own}, like {FORMS}"
        )
    try:
        # Decimal, so that 35ms is 0.035 and no neighbour of it.
        return float(Decimal(number) * Decimal(factors[unit.lower()] if unit else "1"))
    except ArithmeticError as error:
        raise ValueError(f"has the limit {shown(text)}, which is no number") from error


def unknown_metric(name: str) -> str:
    """Return that a metric is unknown, and what may be meant, as the end of a sentence."""
    near = did_you_mean(name, tuple(METRICS)) or metric_forms()
    return f"is about {shown(name)}, which is no metric; {near}"


def problem_of(slo: Slo) -> str:
    """Return what is wrong with an objective, as the end of a sentence; empty if nothing is."""
    if metric_named(slo.metric) is None:
        return unknown_metric(slo.metric)
    about = slo.about
    if slo.at_most != about.at_most:
        wanted = "an upper limit (<, at_most)" if about.at_most else "a lower limit (>, at_least)"
        return f"needs {wanted}: {about.label} is better when it is " + (
            "lower" if about.at_most else "higher"
        )
    if not math.isfinite(slo.limit) or not 0 <= slo.limit <= about.greatest:
        unit = f" {about.unit}" if about.unit else ""
        return f"has the limit {slo.limit:g}; allowed is 0 to {about.greatest:g}{unit}"
    if slo.limit == 0 and about.kind != "share":
        return "has the limit 0, which nothing keeps or breaks"
    return ""
