"""Steps of workflows and what they count (``perf_pipeline/steps.py``)."""

from dataclasses import dataclass

from perf_pipeline.metrics.types.service_times import ServiceTimes


@dataclass(frozen=True)
class StepMetrics:
    """A step of one kind of workflow.

    Attributes:
        name: Of the step.
        family: The kind of workflow; or the user's function.
        complexity: Likewise; empty for a function.
        times: Durations of the steps that ended in the steady phase. ``in_flight_at_end`` is 0: of
            a step that has not ended nothing is known.
        failed: How many of these raised.
        per_workflow: Steps a workflow; None where no workflow ended in the steady phase.
        time_share: Share of the service time of these workflows, above 1 where steps of a workflow
            overlap; None as above.
        cold_samples: Executions in cold starts, which are in no other figure.
        cold_mean_s: Their mean duration; None without any.
    """

    name: str
    family: str
    complexity: str
    times: ServiceTimes
    failed: int
    per_workflow: float | None
    time_share: float | None
    cold_samples: int = 0
    cold_mean_s: float | None = None


@dataclass(frozen=True)
class CountPercentile:
    """A percentile of what a workflow counts in all.

    Attributes:
        p: 0.5, 0.9, 0.99.
        value: At most 0.4 % off.
        samples_beyond: Workflows that rank above it.
        samples_needed: How many workflows it would take to have 10 beyond; None when there are.
    """

    p: float
    value: int
    samples_beyond: int
    samples_needed: int | None = None


@dataclass(frozen=True)
class CountMetrics:
    """A count in one kind of workflow.

    Attributes:
        name: Of the count.
        family: The kind of workflow; or the user's function.
        complexity: Likewise; empty for a function.
        calls: How often it was counted in the steady phase.
        total: Sum of the values then, exact.
        per_s: ``total`` / length of the steady phase; None without one, and where workflows are
            sampled.
        per_workflow: Mean of the sum of a workflow; None where no workflow ended then.
        percentiles: Of the sums of the workflows that ended in the steady phase, p50, p90, p99.
        cold_total: Sum in cold starts, which are in no other figure.
    """

    name: str
    family: str
    complexity: str
    calls: int
    total: int
    per_s: float | None
    per_workflow: float | None
    percentiles: tuple[CountPercentile, ...] = ()
    cold_total: int = 0


@dataclass(frozen=True)
class OutsideStep:
    """A step or count outside of workflows: while a module is imported, or in a thread of its own.

    All of the level, not of the steady phase alone.

    Attributes:
        name: Of the step or count.
        calls: How many.
        failed: How many raised.
        mean_s: Mean duration; None for a count.
        max_s: Longest; likewise.
        total: Sum of the values; None for a step.
    """

    name: str
    calls: int
    failed: int
    mean_s: float | None
    max_s: float | None
    total: int | None


@dataclass(frozen=True)
class Steps:
    """The steps and counts of a level.

    Attributes:
        steps: By name, and then by kind of workflow.
        counts: Likewise.
        outside: What was recorded outside of workflows.
        sampled_every: The steps are those of every so many-th workflow; 0: of each.
        workflows: Workflows that ended in the steady phase and whose steps were recorded.
        unnamed: Steps and counts that were not recorded because of their name: more than 64
            different ones in a process, or not 1 to 80 printable characters.
        no_room: Likewise because the journal could not be written.
        damaged: Records and blocks of the journals that are not as they were written.
    """

    steps: tuple[StepMetrics, ...]
    counts: tuple[CountMetrics, ...]
    outside: tuple[OutsideStep, ...] = ()
    sampled_every: int = 0
    workflows: int = 0
    unnamed: int = 0
    no_room: int = 0
    damaged: int = 0
