"""The arrivals of an open load level and their outcomes."""

from dataclasses import dataclass

from perf_pipeline.metrics.types.service_times import ServiceTimes

BALANCE_SHARE = 0.05
"""In a steady state as many workflows leave as arrive. A greater share left over means that the
queue grows, and response times depend on the length of the level."""


@dataclass(frozen=True)
class Lag:
    """Time from the intended start to the start of workflows.

    Attributes:
        samples: Workflows that started.
        p50_s: Median (nearest rank); None without any.
        p99_s: Likewise, 99th percentile.
        max_s: Longest.
    """

    samples: int
    p50_s: float | None
    p99_s: float | None
    max_s: float | None


@dataclass(frozen=True)
class ArrivalSecond:
    """Outcomes of the workflows that were scheduled in one second of the level.

    ``scheduled`` is the sum of the other five, exactly.

    Attributes:
        t_s: Start of the second, after the go.
        scheduled: Number of workflows scheduled in it.
        ok: Ended ok, at any time; likewise the others.
        error: Ended in an error.
        timeout: Took longer than the deadline.
        dropped: Waited longer than the start timeout and were not started.
        abandoned: Cut short by the end of the level, or never started because of it.
        p50_s: Median response time (nearest rank), unanswered workflows at the time so far: a lower
            bound. None where none was scheduled.
        p99_s: Likewise, 99th percentile.
        waiting: Time-weighted mean number that had arrived and not started.
    """

    t_s: float
    scheduled: int
    ok: int
    error: int
    timeout: int
    dropped: int
    abandoned: int
    p50_s: float | None = None
    p99_s: float | None = None
    waiting: float | None = None


@dataclass(frozen=True)
class StreamLoad:
    """One of several arrival streams of an open level.

    Attributes:
        label: Its name.
        offered: Its schedule as text.
        outcomes: Outcome to its workflows, of the whole schedule.
        offered_per_s: Workflows a second scheduled in the steady phase.
        throughput_per_s: Workflows that ended ok a second of the steady phase.
        response_times: As those of the level.
        lag: Likewise.
    """

    label: str
    offered: str
    outcomes: dict[str, int]
    offered_per_s: float | None
    throughput_per_s: float | None
    response_times: ServiceTimes
    lag: Lag


@dataclass(frozen=True)
class OpenLoad:
    """The load of an open level.

    Attributes:
        offered: The offered load as text: ``500/s (poisson)``.
        schedule: Its kind.
        slots: Maximum number of workflows in flight.
        start_timeout_s: A workflow that waits longer is dropped.
        scheduled: Workflows of the whole schedule: the sum of the outcomes without cold starts.
        offered_per_s: Workflows a second scheduled in the steady phase; the level's
            ``throughput_per_s`` is what was achieved.
        left_per_s: Workflows a second that ended in the steady phase, or were dropped in it.
        never_started: Of the whole schedule, those that were not started.
        checked: Started workflows whose times were checked, one by one.
        unexplained: Those whose intended start, lag and service time do not add up exactly to the
            response time, or whose intended start is not the plan's.
        lag: Of the workflows scheduled in the steady phase.
        control_lag: The same of the busiest part of the same schedule, with the same slots and
            processes, on workflows that do nothing: the generator's own lag. None if it was not
            measured.
        control_why_not: Why it was not measured; empty if it was.
        seconds: By the second in which workflows were scheduled.
        streams: Of a level in which several streams run together; else empty.
    """

    offered: str
    schedule: str
    slots: int
    start_timeout_s: float
    scheduled: int
    offered_per_s: float | None
    left_per_s: float | None
    never_started: int
    checked: int
    unexplained: int
    lag: Lag
    control_lag: Lag | None
    control_why_not: str
    seconds: tuple[ArrivalSecond, ...]
    streams: tuple[StreamLoad, ...] = ()

    @property
    def queue_grew(self) -> bool:
        """True when markedly fewer workflows left in the steady phase than arrived."""
        if self.offered_per_s is None or self.left_per_s is None:
            return False
        return self.left_per_s < (1 - BALANCE_SHARE) * self.offered_per_s
