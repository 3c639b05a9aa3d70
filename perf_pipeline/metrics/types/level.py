"""The metrics of one load level: plain values, as in ``metrics.json``.

Times are seconds of CLOCK_MONOTONIC since the level's go unless a name says otherwise.
A value of None was not measured; ``not_measured`` on the level says why.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from perf_pipeline.metrics.types.bottleneck import Bottleneck
from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.metrics.types.exhaustion import Exhaustion
from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
from perf_pipeline.metrics.types.noise import MachineUse, Noise
from perf_pipeline.metrics.types.open_load import OpenLoad
from perf_pipeline.metrics.types.records import (
    ColdStart,
    Fairness,
    FamilyMetrics,
    Hanging,
    InFlight,
    Thinking,
    TimePoint,
    WorkerEnd,
    Writes,
)
from perf_pipeline.metrics.types.resource_use import Resources
from perf_pipeline.metrics.types.server_use import ConnectionUse
from perf_pipeline.metrics.types.service_times import Distribution, ServiceTimes
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.metrics.types.steady_state import SteadyState
from perf_pipeline.metrics.types.steps import Steps
from perf_pipeline.metrics.types.validity import Validity
from perf_pipeline.samples.ended_because import EndedBecause


@dataclass(frozen=True)
class LevelMetrics:
    """Everything that was measured at one load level or arm.

    Attributes:
        index: Position in the run; unique.
        label: ``100``, or an arm's name.
        role: ``level`` or ``arm``.
        repeat: Number of the repeat, 0 for the first.
        target: The runtime under test.
        nodes: How its workflows were written: ``code`` or ``lean``.
        concurrency: Workflows in flight that were wanted; of an open level at most.
        validity: Whether this is a measurement.
        validity_if_quiet: What the validity would be if no other program had used the machine.
        reasons: Why the validity is what it is; empty when valid.
        outcomes: Counts over the whole level (ok, error, timeout, dropped, abandoned), cold
            starts included; their sum is the number scheduled.
        steady_outcomes: The same over the steady phase.
        error_classes: Counts over the whole level of errors by class.
        steady_error_classes: The same over the steady phase.
        error_examples: Class to the texts of some of its errors.
        phases: Name (cold, ramp_up, warm_up, steady, drain) to [start_s, end_s].
        throughput_per_s: Workflows that ended ok in the steady phase / its length.
        error_ratio: Ended not ok / ended, steady phase, 0 to 1.
        turnovers: Workflows ended in the steady phase / concurrency.
        seconds: The level second by second.
        server_state: Server to how it was brought to a known state before the level.
        not_measured: Field of ``PerformanceMetrics`` to the reason why it is None.
        exhausted: Resources that ran out, by the texts of the errors.
        title: Name of the level for people, beside its label; may be empty.
        mode: ``threads`` or ``asyncio``: what a slot is.
        settings: Every setting of the target.
        ended_because: Why the level ended.
        ended_detail: A sentence about it; may be empty.
        limits: ``memory_mb`` and ``cpu_percent`` of all worker processes together (None for no
            limit), and the ``mechanism`` that enforced them.
        bottleneck: What limits it, with the evidence; None where the arrivals decided.
        throughput_low_per_s: Lower end of the 95 % interval (``survival/intervals.py``).
        throughput_high_per_s: Upper end; both are None where there is no interval.
        throughput_interval_why: Why there is none; empty when there is one.
        steady_state: Where the warm-up ended and whether the rest drifts, by the time series.
        cpu_per_workflow: CPU time of the target's worker processes per workflow; None in a level
            without a steady phase.
        noise: Whether other programs used the machine; None where that was not examined.
        distribution: Of the service times of the steady phase; None without any.
        response_distribution: Of the response times, likewise; None for a closed level.
        slos: Verdicts of the scenario's objectives that apply to this level.
        loop: ``closed``: a slot starts its next workflow when the last one has ended; ``open``:
            workflows arrive when the schedule says.
        response_times: From the intended start to the end, of the workflows scheduled in the steady
            phase; those dropped, timed out or abandoned count as "at least this long".
            Its ``samples`` were answered, its ``in_flight_at_end`` were not; ``avg_s`` is over
            both. None for a closed level.
        thinking: Its users and their think time; None where slots do not think.
        open_load: Arrivals and their outcomes; None for a closed level.
        steps: Steps and counts of the workflows; None where none were recorded.
        recovery: What failures did to it; None for a level of a scenario without any.
        machines: What each machine did, where several played it: ``resources`` adds them up, and
            ``noise`` is that of the noisiest. Empty where one did.
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
    ended_because: EndedBecause = EndedBecause.COMPLETE
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
    validity_if_quiet: Validity = "valid"
    cpu_per_workflow: CpuPerWorkflow | None = None
    exhausted: tuple[Exhaustion, ...] = ()
    steps: Steps | None = None
    thinking: Thinking | None = None
    hanging: Hanging | None = None
    recovery: LevelRecovery | None = None
    machines: tuple[MachineUse, ...] = ()

    @property
    def is_only_noisy(self) -> bool:
        """Whether a neighbour on the machine is the only reason why the level is not valid.

        A neighbour can only slow a target down, so what such a level reached, the target can
        reach; and CPU time per workflow hardly depends on neighbours.
        """
        return self.validity == "noisy_host" and self.validity_if_quiet == "valid"

    @property
    def has_failed_target(self) -> bool:
        """Whether the target failed, also where a neighbour may be the cause."""
        return "target_failed" in (self.validity, self.validity_if_quiet)

    @property
    def shown(self) -> str:
        """Name of the level for people: ``1000 (medium stress)``."""
        return f"{self.label} ({self.title})" if self.title else self.label

    @property
    def shown_apart(self) -> str:
        """The same with the number of the repeat, unique in the run."""
        return f"{self.shown}, repeat {self.repeat + 1}" if self.repeat else self.shown

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain dicts and lists, ready for JSON."""
        return asdict(self)
