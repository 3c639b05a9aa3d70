"""Counts from the records of a load level: everything but its times."""

from dataclasses import dataclass, field

from perf_pipeline.metrics.types.service_times import ServiceTimes


@dataclass(frozen=True)
class FamilyMetrics:
    """One kind of workflow within the level's steady phase."""

    family: str
    complexity: str
    throughput_per_s: float | None
    error_ratio: float | None
    service_times: ServiceTimes

    @property
    def name(self) -> str:
        """``family/complexity``, or of a user's own function its name alone."""
        return f"{self.family}/{self.complexity}" if self.complexity else self.family


@dataclass(frozen=True)
class InFlight:
    """The number of workflows in flight, counted at every start and end.

    Attributes:
        wanted: The level's concurrency.
        median: Time-weighted median over the steady phase.
        minimum: Minimum number within the steady phase.
        waits: Share of sampled threads by what they did, 0 to 1: ``runtime`` (running or waiting
            for the interpreter lock), ``pool``, or the server for which they waited.
        wait_samples: Number of thread samples behind the shares.
    """

    wanted: int
    median: float | None
    minimum: int | None
    waits: dict[str, float]
    wait_samples: int


@dataclass(frozen=True)
class Thinking:
    """The users of a closed level with think time: each is in flight or thinking.

    Attributes:
        planned: Think time as it was planned: ``think time 2 s (exponential)``.
        planned_avg_s: Its mean.
        users: Users who executed at least one workflow in the level.
        avg_s: Measured mean: time between two workflows of a user in the steady phase / pauses
            that ended in it (Little's law), so pauses that never ended count too; None without any.
        samples: How many pauses ended in it.
    """

    planned: str
    planned_avg_s: float
    users: int
    avg_s: float | None
    samples: int


@dataclass(frozen=True)
class ColdStart:
    """The first execution of one kind of workflow in one process."""

    worker: int
    family: str
    complexity: str
    service_time_s: float
    outcome: str


@dataclass(frozen=True)
class Fairness:
    """How evenly the threads were served in the steady phase.

    Attributes:
        slots: Threads.
        starved: Threads that ended no workflow in the phase.
        median: Workflows that the median thread ended.
        maximum: Maximum number of workflows that one thread ended.
        jain_index: 1 when all threads ended as many, 1 / slots when one ended all
            (Jain, Chiu, Hawe, DEC-TR-301, 1984).
    """

    slots: int
    starved: int
    median: float
    maximum: int
    jain_index: float | None


@dataclass(frozen=True)
class TimePoint:
    """One second of a level.

    Attributes:
        t_s: Start of the second.
        ended_ok: Workflows that ended ok in it.
        ended_not_ok: Workflows that ended in an error or a timeout.
        p50_s: Median service time of those that ended in it; None if none did.
        p99_s: Likewise, 99th percentile (nearest rank).
        in_flight: Time-weighted mean number in flight.
    """

    t_s: float
    ended_ok: int
    ended_not_ok: int
    p50_s: float | None
    p99_s: float | None
    in_flight: float


@dataclass(frozen=True)
class WorkerEnd:
    """How one worker process ended.

    Attributes:
        worker: Its index.
        reason: ``done``, or what happened: ``killed by SIGKILL``, ``exit code 3``, ``hung``.
        commit_gap_max_s: Longest time between two commits of its journal in the steady phase;
            without any commit, the whole phase. None without a steady phase.
        may_be_missing: Workflows that it had started and of which no record was committed.
        left_behind: Processes that the target had started and that still ran when the worker had
            ended, by name: they were ended.
        replaced: What the target had replaced in its process: clocks, threads, settings of the
            interpreter; a sentence each.
        printed_bytes: What it and the target printed; its log has the beginning and the end.
        log_dropped_bytes: What the log lacks of it.
        teardown: What went wrong with the user's teardown, which costs no record; may be empty.
        in_flight: Workflows that were in flight when it ended, if it ended before its time.
        latest: Number of the latest workflow that it had started; None for none of the load.
    """

    worker: int
    reason: str
    commit_gap_max_s: float | None
    may_be_missing: int
    left_behind: dict[str, int] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()
    printed_bytes: int = 0
    log_dropped_bytes: int = 0
    teardown: str = ""
    in_flight: int = 0
    latest: int | None = None

    @property
    def sentence(self) -> str:
        """How it ended, with what was in flight: ``worker 0: killed by SIGKILL while 2 ...``."""
        what, colon, more = self.reason.partition(": ")
        if self.in_flight and self.reason != "done":
            were = "workflow was" if self.in_flight == 1 else "workflows were"
            latest = "cold starts" if self.latest is None else f"the latest number {self.latest}"
            what = f"{what} while {self.in_flight} {were} in flight ({latest})"
        return f"worker {self.worker}: {what}{colon}{more}"


@dataclass(frozen=True)
class Hanging:
    """Workflows that were in flight until the load ended, far longer than any that was answered.

    Attributes:
        workflows: How many.
        slots: Of the level; each has one workflow in flight at most.
        numbers: Of the first few.
        in_flight_s: How long each of them was in flight, or longer.
        longest_answered_s: Longest service time that ended: of the load, or of the cold starts
            where nothing of the load was answered.
        answered: Workflows of the load that were answered.
        silent_s: Time without any answer until the load stopped.
        limit_s: From when on a workflow is called hanging.
    """

    workflows: int
    slots: int
    numbers: tuple[int, ...]
    in_flight_s: float
    longest_answered_s: float
    answered: int
    silent_s: float
    limit_s: float

    @property
    def sentence(self) -> str:
        """What hangs, and how that shows."""
        named = ", ".join(map(str, self.numbers))
        more = ", ..." if self.workflows > len(self.numbers) else ""
        of_what = "that was answered" if self.answered else "of the cold starts"
        silent = "" if self.silent_s < self.limit_s else f"; no answer for {self.silent_s:.3g} s"
        return (
            f"{self.workflows} of {self.slots} slots hang (workflow {named}{more}): unanswered for "
            f"{self.in_flight_s:.3g} s, the longest {of_what} took {self.longest_answered_s:.3g} s"
            f"{silent}"
        )


@dataclass(frozen=True)
class Writes:
    """The writes of a level on one server, compared with the records.

    Attributes:
        server: The service.
        expected: Workflows that ended ok and write to it.
        found: Writes of this level on the server.
        missing: Ok workflows without their write; with any the level is not valid.
        extra: Writes of workflows that did not end ok; allowed.
        problem: Why the server could not be counted; then found and missing are None.
        extra_failed: Of the extra ones, those of workflows that were answered with an error: it
            came after the write.
        extra_unknown: Those of workflows whose answer was lost (timeout, lost connection, crash,
            our own stop): there or not, both are right.
        lost_by: The failure by which a server loses what it had acknowledged, and did. Missing
            writes are then what the failure did, and no defect of the measurement.
    """

    server: str
    expected: int
    found: int | None
    missing: int | None
    extra: int | None
    problem: str | None = None
    extra_failed: int = 0
    extra_unknown: int = 0
    lost_by: str = ""
