"""A service level objective: a limit on one metric, and how it is read.

An SLO is a limit that a run must meet, chosen by the scenario's author: it decides exit codes and
asset checks, and may end a level. The tables of targets and the limits of the KPI grades are SLOs
too (``config/slo/shipped.py``), which no scenario sets: they are shown, and only targets decide an
exit code, with ``--gate``.

Four forms are equivalent: a table ``[[slo]]``, a text in the list ``slo = ["p99_s < 0.5"]``, the
flag ``--slo``, and ``parse_slo``. ``<`` and ``<=`` both mean "at most": whether a measured time
is exactly the limit decides nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from perf_pipeline.config.wording import did_you_mean, listed, shown

Kind = Literal["percentile", "mean", "maximum", "rate", "share", "memory", "cpu"]
Times = Literal["latency", "service", "response", ""]

GRACE_S = 10.0
"""Minimum length of the steady phase before a level is ended for an objective."""

_TEXT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*")


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


def _times() -> list[Metric]:
    """Return the metrics of times: each as latency, service time and response time."""
    found = []
    prefixes: tuple[tuple[str, Times, str], ...] = (
        ("", "latency", "latency"),
        ("service_", "service", "service time"),
        ("response_", "response", "response time"),
    )
    for prefix, times, label in prefixes:
        for name, p in (("p50_s", 0.5), ("p90_s", 0.9), ("p99_s", 0.99)):
            percentile = f"P{round(100 * p)} {label}"
            found.append(Metric(prefix + name, "percentile", "s", percentile, times, p, 86_400))
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
"""Metrics by name."""


@dataclass(frozen=True)
class Slo:
    """One objective.

    Attributes:
        metric: A name of ``METRICS``.
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
        """Its metric."""
        return METRICS[self.metric]

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
    """Read ``p99_s < 0.5``, ``throughput_per_s >= 100``.

    Args:
        text: A metric, ``<``, ``<=``, ``>`` or ``>=``, and a limit in the metric's unit.

    Raises:
        ValueError: The text is no objective; the message is the end of a sentence.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError('is not like "p99_s < 0.5" or "throughput_per_s >= 100"')
    metric, sign, number = found.groups()
    try:
        limit = float(number)
    except ValueError as error:
        raise ValueError(f"has the limit {shown(number)}, which is no number") from error
    slo = Slo(metric, limit, at_most=sign.startswith("<"))
    if problem := problem_of(slo):
        raise ValueError(problem)
    return slo


def problem_of(slo: Slo) -> str:
    """Return what is wrong with an objective, as the end of a sentence; empty if nothing is."""
    if slo.metric not in METRICS:
        near = did_you_mean(slo.metric, tuple(METRICS))
        tail = near or f"known are {listed(tuple(METRICS))}"
        return f"is about {shown(slo.metric)}, which is no metric; {tail}"
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
