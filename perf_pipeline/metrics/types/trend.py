"""The history of one scenario on one target: every metric over the runs, plain values.

Runs are numbered by their position in ``Trend.runs``, the same in every metric.
"""

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.metrics.types.alert import Alert

FOLDER = "trends"
"""Folder of the pages of histories in a results folder; they are made of the catalogue again."""

TrendTier = Literal["confirmed", "fast"]


@dataclass(frozen=True)
class TrendRun:
    """One run of a history.

    Attributes:
        run_id: Its id.
        created: When it started, ISO 8601 UTC.
        version: Version of the target; empty where it has none.
        validity: The worst of its levels'.
    """

    run_id: str
    created: str
    version: str
    validity: str


@dataclass(frozen=True)
class TrendPoint:
    """The value of a metric in one run.

    Attributes:
        run: Position of the run.
        value: In the unit of the metric.
        validity: Of the level.
        why_not: Why it does not compare with the newest run of its setup, or is no value to
            compare: packages that are not known, a lower bound; empty if it compares.
    """

    run: int
    value: float
    validity: str
    why_not: str

    @property
    def counts(self) -> bool:
        """Whether change points are looked for in it: it is a measurement, and compares."""
        return self.validity == "valid" and not self.why_not


@dataclass(frozen=True)
class TrendChange:
    """A change point of a metric.

    Attributes:
        run: Position of the first run of the new level.
        earliest: The first run that may be the first of the new level.
        latest: The last one.
        effect: New level / old level; None where they are not of the same sign, here and below.
        low: Lower end of its interval.
        high: Upper end.
        tier: ``fast``: a warning that more runs may take back.
        is_worse: Whether the new level is worse than the old one; None where no direction is.
        raises_alert: Whether the look for alerts that comes next raises one for it, unless one is
            there: it is recent, worse by more than is negligible, and later runs did not mend it.
    """

    run: int
    earliest: int
    latest: int
    effect: float | None
    low: float | None
    high: float | None
    tier: TrendTier
    is_worse: bool | None
    raises_alert: bool = False


@dataclass(frozen=True)
class TrendDrift:
    """A metric that goes steadily up or down over its last level.

    Attributes:
        run: Position of the first run of that level.
        effect: End / start of the straight line through it; None where they are not of the same
            sign, here and below.
        low: Lower end of its interval.
        high: Upper end.
        is_worse: Whether it goes to the worse; None where no direction is worse.
        raises_alert: Whether the look for alerts that comes next raises one for it, unless one is
            there.
    """

    run: int
    effect: float | None
    low: float | None
    high: float | None
    is_worse: bool | None
    raises_alert: bool = False


@dataclass(frozen=True)
class TrendBaseline:
    """A pinned baseline with runs of this history.

    Attributes:
        name: As in ``pinned:NAME``.
        created: When it was pinned, ISO 8601 UTC.
        note: Why; may be empty.
        runs: Positions of its runs, in order.
    """

    name: str
    created: str
    note: str
    runs: tuple[int, ...]


@dataclass(frozen=True)
class MetricTrend:
    """One metric of a load level, or of one kind of workflow in it, over the runs of one setup.

    Attributes:
        level: Label of the level.
        family: The kind of workflow; empty for all together.
        metric: ``throughput_per_s``, ``p99_s``, ...
        unit: ``/s``, ``s``, ``MB``, ``ratio`` or ``%``.
        higher_is_better: The direction of the metric.
        points: Oldest first, at most one a run; a run without a value has none.
        changes: In the order of the runs.
        drift: Of the last level; None where it has none.
        setup: 0 for the setup of the newest run that has the level, 1 for the one before it, ...
        differences: What differs in it from the newest setup, in words; empty for the newest.
    """

    level: str
    family: str
    metric: str
    unit: str
    higher_is_better: bool
    points: tuple[TrendPoint, ...]
    changes: tuple[TrendChange, ...] = ()
    drift: TrendDrift | None = None
    setup: int = 0
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trend:
    """The history of one scenario on one target and machine, in every setup.

    Attributes:
        scenario: Name of the scenario.
        target: Name of the target, without version and packages.
        machine: Fingerprint of the machine.
        runs: Oldest first.
        metrics: In the order of the levels, then of their setups, then of the metrics.
        baselines: Those with at least one run here.
        alerts: Of this scenario and target, newest first.
    """

    scenario: str
    target: str
    machine: str
    runs: tuple[TrendRun, ...]
    metrics: tuple[MetricTrend, ...]
    baselines: tuple[TrendBaseline, ...] = ()
    alerts: tuple[Alert, ...] = ()
