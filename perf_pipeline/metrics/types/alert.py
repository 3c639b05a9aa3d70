"""Alerts: a run since which metrics are worse, whom it was announced to, and who knows of it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from perf_pipeline.metrics.types.comparison import Effect, Severity

AlertState = Literal["open", "acknowledged", "cleared"]
AlertTier = Literal["confirmed", "fast"]
AlertEvent = Literal["raised", "confirmed", "moved_again", "acknowledged", "cleared"]

RECENT_RUNS = 30
"""Runs in which a change point of a history raises a new alert: an older one was announced in its
time, or was imported."""

SEVERITIES: tuple[Severity, ...] = ("none", "minor", "major", "critical")


class MetricKey(NamedTuple):
    """A metric whose values over runs are one series.

    Attributes:
        target: Name of the target without version and packages, which change over time.
        level: Label of the level.
        family: The kind of workflow; empty for all together.
        metric: Name of the metric, as in a ``Change``.
    """

    target: str
    level: str
    family: str
    metric: str


@dataclass(frozen=True)
class Movement:
    """One metric that got worse, as it was last announced.

    Attributes:
        key: The metric.
        unit: ``/s``, ``s``, ``MB`` or ``ratio``.
        higher_is_better: The direction of the metric.
        kind: What ``effect`` is: a ratio new / old, or a difference.
        effect: How much it moved.
        low: Lower end of its interval.
        high: Upper end.
        tier: ``fast``: a warning that more runs may take back.
        severity: From the effect and its interval together.
        first_bad: The first run of the new level; of a drift, the first one that is worse by more
            than is negligible.
        last_good: The run before it, or the newest run of the baseline; empty if there is none; of
            a drift, the run at which it begins.
        comparison: Id of the comparison that found it; empty for the history.
        pair: The two sides of an interleaved comparison, as they were asked for; else empty.
        is_drift: Whether it gets worse steadily, run by run; the effect is that from ``last_good``
            to the newest run.
    """

    key: MetricKey
    unit: str
    higher_is_better: bool
    kind: Effect
    effect: float
    low: float
    high: float
    tier: AlertTier
    severity: Severity
    first_bad: str
    last_good: str
    comparison: str = ""
    pair: str = ""
    is_drift: bool = False


@dataclass(frozen=True)
class Undelivered:
    """A notice that a sink has not got yet.

    Attributes:
        sink: Name of the sink.
        event: What it is to announce.
        tried_at: When somebody tried last; meanwhile nobody else does.
        why: The last error; empty before the first attempt.
    """

    sink: str
    event: AlertEvent
    tried_at: str
    why: str = ""


@dataclass(frozen=True)
class Alert:
    """One alert: a run since which something is worse, however many metrics moved there.

    Attributes:
        alert_id: Id of the first bad run.
        scenario: Its scenario.
        state: ``acknowledged``: somebody knows of it; ``cleared``: nothing is worse any more.
        raised_at: Wall clock, ISO 8601 UTC, here and below.
        movements: What moved, the worst first; of a cleared alert what had moved.
        acknowledged_at: Empty unless somebody did.
        note: What they wrote.
        cleared_at: Empty unless it is cleared.
        undelivered: What sinks have not got yet.
    """

    alert_id: str
    scenario: str
    state: AlertState
    raised_at: str
    movements: tuple[Movement, ...]
    acknowledged_at: str = ""
    note: str = ""
    cleared_at: str = ""
    undelivered: tuple[Undelivered, ...] = ()

    @property
    def tier(self) -> AlertTier:
        """``confirmed`` if one of the movements is."""
        return "confirmed" if any(one.tier == "confirmed" for one in self.movements) else "fast"

    @property
    def severity(self) -> Severity:
        """The worst of the movements."""
        return max((one.severity for one in self.movements), key=SEVERITIES.index, default="none")

    @property
    def last_good(self) -> str:
        """The newest run that was still good; empty if there is none."""
        before = (one.last_good for one in self.movements if one.last_good < self.alert_id)
        return max(before, default="")

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that are worse, in order."""
        return tuple(sorted({one.key.target for one in self.movements}))

    @property
    def is_drift(self) -> bool:
        """Whether everything in it drifts, so that no single run is to blame."""
        return bool(self.movements) and all(one.is_drift for one in self.movements)
