"""What one failure did to a load level, and how the target came back from it."""

from dataclasses import dataclass, field
from typing import Literal

from perf_pipeline.config.fault.fault_window import SettingValue

FaultVerdict = Literal["recovered", "metastable", "invalid", "not_possible"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: The figure.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class FaultMoments:
    """When a failure passed through its steps, s after the go; None for a step never reached.

    Attributes:
        injecting_s: It began to be injected.
        in_effect_s: First sign of its effect.
        undoing_s: It began to be taken back.
        gone_s: First sign that it was gone, with everything as before.
    """

    injecting_s: float | None
    in_effect_s: float | None
    undoing_s: float | None
    gone_s: float | None


@dataclass(frozen=True)
class FaultSign:
    """An observation of a failure that does not rest on the injector's word.

    Attributes:
        t_s: When, after the go.
        in_effect: The failure acted.
        value: What was observed.
        text: The same for people.
    """

    t_s: float
    in_effect: bool
    value: float
    text: str


@dataclass(frozen=True)
class Harm:
    """What workflows met from the injection until the target was back, or was no longer watched.

    Attributes:
        due: Workflows that arrived (closed loop: that were started) in that time.
        bad: Those that were not answered well: failed, dropped, or later than the limit.
        unknown: Those that our own stop cut short before the limit: neither good nor bad.
        by_class: Bad ones by class: ``slow`` (ok, later than the limit), ``timeout``,
            ``dropped``, or the class of the error.
        p99_s: 99th percentile of their response times (closed loop: service times), nearest
            rank, unanswered ones at their time so far; None without any.
        longest_bad_run_s: Longest time without one that was answered well.
    """

    due: int
    bad: int
    unknown: int
    by_class: dict[str, int]
    p99_s: float | None
    longest_bad_run_s: float


@dataclass(frozen=True)
class Backlog:
    """Workflows that had arrived and not ended.

    Attributes:
        before: Mean before the first failure of the level.
        peak: Greatest number from the injection on.
        drain_s: Time after the failure was gone until they were as few as before; None if they
            never were.
        is_shrinking: Where they never were: they became fewer, at a pace that would have led
            there within twice the time that was watched.
    """

    before: float
    peak: float
    drain_s: float | None
    is_shrinking: bool


@dataclass(frozen=True)
class Retries:
    """Attempts per workflow: 1 without retries; None for a time without any.

    Attributes:
        before: Before the first failure of the level.
        during: From the injection until the failure was gone.
        after: From then on.
        storm_s: Longest time after it was gone with more than ``STORM_RATIO`` attempts a workflow.
    """

    before: float | None
    during: float | None
    after: float | None
    storm_s: float


@dataclass(frozen=True)
class FaultRecovery:
    """One failure at one load level.

    Attributes:
        kind: A row of ``config/fault/fault_kinds.py``.
        server: The service; empty for a failure of the machine.
        settings: Those that the scenario gave.
        at_s: Its planned begin, after the begin of the steady phase.
        duration_s: Its planned length.
        verdict: ``invalid`` where it was not in effect for 95 % of its window, or where it cannot
            be known whether the target came back; ``not_possible`` where no run on this machine
            can have it.
        why: The reason, in a sentence.
        moments: What happened when.
        evidence_share: Share of the window in which it was proven to be in effect, 0 to 1.
        observations: How many observations are behind that.
        signs: Those, or every second, third, ... of them.
        watched_s: Time after it was gone in which recovery was looked for.
        hold_s: How long service must be as before to count as recovered.
        time_to_recover_s: From gone to the first arrival from which on service was as before; None
            unless it recovered.
        lost_service_s: Seconds without service that would have harmed as many; None in a closed
            loop, and where it was never injected or there is nothing to compare with.
        harm: What workflows met; None where it was never injected.
        backlog: Workflows in waiting; None in a closed loop, and where it was never injected.
        overshoot_ratio: Greatest rate of ok workflows within a second after it was gone, relative
            to the baseline; never set against the loss. None where there was none.
        retries: Attempts per workflow; None where no workflow counted them.
    """

    kind: str
    server: str
    settings: dict[str, SettingValue]
    at_s: float
    duration_s: float
    verdict: FaultVerdict
    why: str
    moments: FaultMoments
    evidence_share: float
    observations: int = 0
    signs: tuple[FaultSign, ...] = ()
    watched_s: float = 0.0
    hold_s: float = 0.0
    time_to_recover_s: Estimate | None = None
    lost_service_s: Estimate | None = None
    harm: Harm | None = None
    backlog: Backlog | None = None
    overshoot_ratio: float | None = None
    retries: Retries | None = None

    @property
    def name(self) -> str:
        """``kind`` or ``kind on server``, as reports say it."""
        return f"{self.kind} on {self.server}" if self.server else self.kind


@dataclass(frozen=True)
class ServiceBaseline:
    """How the target served before the first failure of a level.

    Attributes:
        start_s: Begin of that time, after the go.
        end_s: Its end: the first injection.
        due: Workflows that arrived in it.
        rate_per_s: The same per second.
        p99_s: 99th percentile of their response times (closed loop: service times).
        error_share: Share that failed.
        good_share: Share that was answered well.
        limit_s: Longest time that is answered well.
        limit_of: Where the limit is from: the text of an objective, or ``baseline``.
        as_before_s: Longest time that is as before: 1.2 times ``p99_s``.
        as_before_low_s: The same from the lower end of the interval of ``p99_s``.
        as_before_high_s: Likewise from the upper end.
        why_not: Why nothing can be compared with it; empty if it can.
    """

    start_s: float
    end_s: float
    due: int
    rate_per_s: float
    p99_s: float
    error_share: float
    good_share: float
    limit_s: float
    limit_of: str
    as_before_s: float
    as_before_low_s: float
    as_before_high_s: float
    why_not: str = ""


@dataclass(frozen=True)
class ServiceSeries:
    """How arrivals were served over time, by the time of their arrival.

    Attributes:
        bin_s: Length of a bin.
        first_s: Begin of the first one, after the go.
        due: Workflows that arrived in each bin.
        good: Those that were answered well.
    """

    bin_s: float
    first_s: float
    due: tuple[int, ...]
    good: tuple[int, ...]


@dataclass(frozen=True)
class LevelRecovery:
    """The failures of a load level.

    Attributes:
        is_control: Nothing was injected: the figures are those of the same windows without a
            failure, which shows how often the measure itself is wrong.
        faults: One for each window, in their order.
        baseline: Service before the first one; None where there was no such time.
        series: Service over time; None where nothing arrived.
        why_no_retries: Why attempts are unknown; empty where they are known.
    """

    faults: tuple[FaultRecovery, ...]
    is_control: bool = False
    baseline: ServiceBaseline | None = None
    series: ServiceSeries | None = None
    why_no_retries: str = field(default="")

    def of(self, verdict: FaultVerdict) -> tuple[FaultRecovery, ...]:
        """Return the failures with a verdict."""
        return tuple(fault for fault in self.faults if fault.verdict == verdict)
