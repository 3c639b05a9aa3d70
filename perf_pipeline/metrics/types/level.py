"""What was measured at one level: plain values, as they stand in ``metrics.json``.

Times are seconds of CLOCK_MONOTONIC since the level's go unless a name says otherwise.
A value of None was not measured; ``not_measured`` on the level says why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from perf_pipeline.analysis.bottleneck.verdict import Bottleneck
    from perf_pipeline.analysis.slo.verdict import SloVerdict
    from perf_pipeline.metrics.noise.noise import Noise
    from perf_pipeline.metrics.records.fairness import Fairness
    from perf_pipeline.metrics.records.reconcile import Writes
    from perf_pipeline.metrics.records.time_point import TimePoint
    from perf_pipeline.metrics.records.worker_ends import WorkerEnd
    from perf_pipeline.metrics.resources.resource_use import Resources
    from perf_pipeline.metrics.steady.steady_state import SteadyState
    from perf_pipeline.metrics.types.open_load import OpenLoad

Validity = Literal[
    "valid", "generator_limited", "not_steady", "too_few_samples", "noisy_host", "incomplete"
]


@dataclass(frozen=True)
class Percentile:
    """A percentile of the service time.

    Attributes:
        p: 0.5, 0.9, 0.99.
        value_s: The percentile; None without any sample.
        at_least: True when it lies among workflows that had not ended: the true value is
            ``value_s`` or more.
        samples_beyond: Workflows that took longer, ended or not; with fewer than 10 the
            percentile is shown with a warning and not graded.
        low_s: Lower end of the 95 % interval (``survival/intervals.py``); None where there is
            none: fewer than 10 samples beyond, or too few stretches of time to compare.
        high_s: Upper end; None too where it lies among workflows that had not ended.
        samples_needed: How many workflows it would take to have 10 beyond; None when there are.
    """

    p: float
    value_s: float | None
    at_least: bool
    samples_beyond: int
    low_s: float | None = None
    high_s: float | None = None
    samples_needed: int | None = None


@dataclass(frozen=True)
class ServiceTimes:
    """Service times of the steady phase: workflows that ended in it or were in flight at its end.

    Attributes:
        samples: Workflows that ended in the steady phase.
        in_flight_at_end: Workflows that had not ended then, counted as "at least this long".
        avg_s: Time spent in flight in the phase / workflows that ended in it (Little's law), so
            workflows that never ended count too.
        min_s: Shortest of those that ended.
        max_s: Longest of all, ended or not.
        percentiles: p50, p90, p99.
    """

    samples: int
    in_flight_at_end: int
    avg_s: float | None
    min_s: float | None
    max_s: float | None
    percentiles: tuple[Percentile, ...]

    @property
    def p99(self) -> Percentile:
        """The 99th percentile."""
        return self.percentiles[-1]


@dataclass(frozen=True)
class Distribution:
    """How times are distributed, in buckets a twentieth of a decade wide.

    Attributes:
        edges_s: Where the buckets begin, and where the last one ends; one more than buckets.
        ended: Workflows that ended, by their time.
        not_ended: Workflows in flight at the end of the window, by the time that they had run: so
            long at least.
        longer_ratio: Share of all workflows that last longer than each bucket, 0 to 1.
    """

    edges_s: tuple[float, ...]
    ended: tuple[int, ...]
    not_ended: tuple[int, ...]
    longer_ratio: tuple[float, ...]


@dataclass(frozen=True)
class FamilyMetrics:
    """One kind of workflow within the level's steady phase."""

    family: str
    complexity: str
    throughput_per_s: float | None
    error_ratio: float | None
    service_times: ServiceTimes


@dataclass(frozen=True)
class InFlight:
    """How many workflows were in flight, counted at every start and end.

    Attributes:
        wanted: The level's concurrency.
        median: Time-weighted median over the steady phase.
        least: Least number within the steady phase.
        waits: Share of sampled threads by what they were seen doing, 0 to 1: ``runtime``
            (running or waiting for the interpreter lock), ``pool``, ``postgres``, ``redis``.
        wait_samples: How many thread samples the shares rest on.
    """

    wanted: int
    median: float | None
    least: int | None
    waits: dict[str, float]
    wait_samples: int


@dataclass(frozen=True)
class ConnectionUse:
    """Connections of the workers to one server during a level.

    Means are over the samples of the steady phase; peaks over all of the level. What the server
    does not tell, or could not be asked, is None.

    Attributes:
        server: The service.
        limit: The most that the pools allow, all workers together.
        peak: The most that the server reported.
        mean: Mean of those that there were.
        pool: What bounds it, in words.
        failed_probes: Samples of the level in which it did not answer.
        active_mean: Mean of those that executed something, or waited for a lock to do so.
        idle_mean: Mean of the others.
        waiting_mean: Mean of those that waited for a lock.
        utilisation_percent: Peak / limit.
        how: What was counted.
    """

    server: str
    limit: int
    peak: int | None
    mean: float | None
    pool: str
    failed_probes: int
    active_mean: float | None = None
    idle_mean: float | None = None
    waiting_mean: float | None = None
    utilisation_percent: float | None = None
    how: str = ""


@dataclass(frozen=True)
class ColdStart:
    """The first execution of one kind of workflow in one process."""

    worker: int
    family: str
    complexity: str
    service_time_s: float
    outcome: str


@dataclass(frozen=True)
class LevelMetrics:
    """Everything that was measured at one level or arm.

    Attributes:
        index: Position in the run; unique.
        label: ``100``, or an arm's name.
        role: ``level`` or ``arm``.
        repeat: 0 for the first.
        target: What executed the workflows.
        nodes: How they were written.
        concurrency: Workflows in flight.
        validity: Whether this is a measurement.
        reasons: Why the validity is what it is; empty when valid.
        outcomes: Counts over the whole level (ok, error, timeout, dropped, abandoned), cold
            starts included; their sum is the number scheduled.
        steady_outcomes: The same over the steady phase.
        error_classes: Counts over the whole level of errors by class.
        steady_error_classes: The same over the steady phase.
        error_examples: Up to a few texts a class.
        phases: Name (cold, ramp_up, warm_up, steady, drain) to [start_s, end_s].
        throughput_per_s: Workflows that ended ok in the steady phase / its length.
        error_ratio: Ended not ok / ended, steady phase, 0 to 1.
        turnovers: Workflows ended in the steady phase / concurrency.
        seconds: The level second by second.
        server_state: Server to the state that it was brought to before the level, in words.
        not_measured: Field of ``PerformanceMetrics`` to the reason why it is None.
        title: What people call the level besides its number; may be empty.
        mode: ``threads`` or ``asyncio``: what a slot is.
        settings: Every setting of the target.
        ended_because: Why the level ended, from a closed list (``loadgen/supervise/level_log.py``).
        ended_detail: A sentence about it; may be empty.
        limits: ``memory_mb`` and ``cpu_percent`` of all workers together (None for no limit), and
            the ``mechanism`` that held them.
        bottleneck: What limits it, with the evidence; None in metrics of before there was one.
        throughput_low_per_s: Lower end of the 95 % interval (``survival/intervals.py``).
        throughput_high_per_s: Upper end; both are None where there is no interval.
        throughput_interval_why: Why there is none; empty when there is one.
        steady_state: Where the warm-up ended and whether the rest drifts, found from the series.
        noise: Whether others used the machine meanwhile; None where nothing looked for it.
        distribution: Of the service times of the steady phase; None without any.
        response_distribution: Of the response times, likewise; None for a closed level.
        slos: The scenario's objectives that speak of this level.
        loop: ``closed``: the next workflow waits for the end of the last one; ``open``: it comes
            when the schedule says. ``service_times`` of a closed level are no response times.
        response_times: From the intended start to the end, of the workflows that were to start in
            the steady phase; those dropped, timed out or abandoned count as "at least this long".
            Its ``samples`` were answered, its ``in_flight_at_end`` were not; ``avg_s`` is over
            both. None for a closed level.
        open_load: What arrived and what became of it; None for a closed level.
    """

    index: int
    label: str
    role: str
    repeat: int
    target: str
    nodes: str
    concurrency: int
    validity: Validity
    reasons: tuple[str, ...]
    outcomes: dict[str, int]
    steady_outcomes: dict[str, int]
    error_classes: dict[str, int]
    steady_error_classes: dict[str, int]
    error_examples: dict[str, tuple[str, ...]]
    phases: dict[str, tuple[float, float]]
    throughput_per_s: float | None
    error_ratio: float | None
    turnovers: float | None
    service_times: ServiceTimes
    families: tuple[FamilyMetrics, ...]
    in_flight: InFlight
    fairness: Fairness | None
    cold_starts: tuple[ColdStart, ...]
    writes: tuple[Writes, ...]
    connections: tuple[ConnectionUse, ...]
    resources: Resources
    workers: tuple[WorkerEnd, ...]
    seconds: tuple[TimePoint, ...]
    started_at: str
    ended_at: str
    server_state: dict[str, str] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)
    title: str = ""
    mode: str = "threads"
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)
    ended_because: str = "complete"
    ended_detail: str = ""
    limits: dict[str, float | str | None] = field(default_factory=dict)
    bottleneck: Bottleneck | None = None
    noise: Noise | None = None
    slos: tuple[SloVerdict, ...] = ()
    loop: Literal["closed", "open"] = "closed"
    response_times: ServiceTimes | None = None
    open_load: OpenLoad | None = None
    distribution: Distribution | None = None
    response_distribution: Distribution | None = None
    throughput_low_per_s: float | None = None
    throughput_high_per_s: float | None = None
    throughput_interval_why: str = ""
    steady_state: SteadyState | None = None

    @property
    def shown(self) -> str:
        """What people call the level: ``1000 (medium stress)``."""
        return f"{self.label} ({self.title})" if self.title else self.label

    @property
    def shown_apart(self) -> str:
        """The same with the repeat, which tells it apart from the others of the run."""
        return f"{self.shown}, repeat {self.repeat + 1}" if self.repeat else self.shown

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain dicts and lists, ready for JSON."""
        return asdict(self)
