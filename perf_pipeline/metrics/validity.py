"""Whether a load level is a valid measurement, and the reasons why it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import STEADY_TURNOVERS
from perf_pipeline.metrics.generator_lag import arrival_problems
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from perf_pipeline.metrics.target_failure import TargetFailure
    from perf_pipeline.metrics.types.noise import Noise
    from perf_pipeline.metrics.types.open_load import OpenLoad
    from perf_pipeline.metrics.types.records import Hanging, Thinking, WorkerEnd, Writes
    from perf_pipeline.metrics.types.service_times import ServiceTimes
    from perf_pipeline.metrics.types.steady_state import SteadyState
    from perf_pipeline.metrics.types.validity import Validity

NOT_QUIET = "something else used the machine"
"""How every reason for ``noisy_host`` begins."""

MIN_SAMPLES = 20
"""With fewer, even the median has fewer than 10 samples beyond it."""

MIN_IN_FLIGHT = 0.95
"""Share of the wanted number that must have been in flight half of the time. It is below 1 because
a thread whose workflows take microseconds is sometimes preempted between two of them."""

WORST_FIRST: tuple[Validity, ...] = (
    "incomplete",
    "target_failed",
    "generator_limited",
    "noisy_host",
    "not_steady",
    "too_few_samples",
    "valid",
)


def worst(validities: list[Validity]) -> Validity:
    """Return the worst validity; ``incomplete`` if nothing was measured."""
    return min(validities, key=WORST_FIRST.index, default="incomplete")


def judge_level(
    *,
    ended_because: EndedBecause,
    ended_detail: str,
    workers: tuple[WorkerEnd, ...],
    damaged_blocks: int,
    duplicates: int,
    writes: tuple[Writes, ...],
    times: ServiceTimes,
    concurrency: int,
    in_flight_median: float | None,
    thinking: Thinking | None = None,
    open_load: OpenLoad | None = None,
    response: ServiceTimes | None = None,
    steady_state: SteadyState | None = None,
    failure: TargetFailure | None = None,
    hanging: Hanging | None = None,
    has_faults: bool = False,
) -> tuple[Validity, tuple[str, ...]]:
    """Judge one level, whatever else used the machine (``judge_neighbours`` adds that).

    Args:
        ended_because: From the supervisor's log.
        ended_detail: Likewise; empty for nothing to add.
        workers: How the workers ended.
        damaged_blocks: Blocks of records whose checksum is wrong.
        duplicates: Records with a number that another record has too.
        writes: The writes on the servers against the records.
        times: Service times of the steady phase.
        concurrency: Workflows that should have been in flight.
        in_flight_median: Workflows that were.
        thinking: The users of a level with think time, who are in flight or thinking.
        open_load: What arrived in an open level; None for a closed one.
        response: Response times of an open level.
        steady_state: Result of the steady-state test; only ``not_steady`` makes the level invalid.
        failure: How the target failed; None if it did not. Where nothing worked, that is the
            verdict whatever else is missing, unless the run itself or somebody else cut the level
            short; where timeouts alone make the failure, a late generator comes first.
        hanging: Workflows that hang; None for none.
        has_faults: Something was made to fail in the level.

    Returns:
        The worst verdict and the reasons for every one that is not ``valid``.
    """
    found: list[tuple[Validity, str]] = []
    lost = [worker.sentence for worker in workers if worker.reason != "done"]
    if not (ended_because.ran_to_end or ended_because.is_finding):
        cause = ended_detail or ": ".join([ended_because, *lost[:1]])
        lost = lost if ended_detail else lost[1:]
        found.append(("incomplete", f"the level did not run to its end: {cause}"))
    found += [("incomplete", reason) for reason in lost]
    found += [("incomplete", reason) for worker in workers for reason in _worker_problems(worker)]
    if damaged_blocks:
        found.append(("incomplete", f"{damaged_blocks} blocks of records are damaged"))
    if duplicates:
        found.append(("incomplete", f"{duplicates} workflow numbers were recorded twice"))
    found += [("incomplete", reason) for write in writes for reason in _write_problems(write)]
    if hanging is not None and hanging.workflows > (1 - MIN_IN_FLIGHT) * concurrency:
        found.append(("not_steady", hanging.sentence))
    if open_load is not None and response is not None:
        found += arrival_problems(open_load, response, has_faults=has_faults)
        found += _sample_problems(response.samples)
    else:
        found += _steadiness_problems(times.samples, concurrency, in_flight_median, thinking)
        found += _sample_problems(times.samples)
    if steady_state is not None and steady_state.verdict == "not_steady":
        found.append(("not_steady", steady_state.why))
    verdict = worst([validity for validity, _ in found] or ["valid"])
    reasons = tuple(reason for _, reason in found)
    if failure is None:
        return verdict, reasons
    if not (failure.by_waiting and verdict == "generator_limited"):
        verdict = worst([verdict, "target_failed"])
    if failure.nothing_worked and _is_of_target(ended_because, workers, damaged_blocks):
        verdict = "target_failed"
    return verdict, (failure.reason, *reasons)


def _is_of_target(
    ended_because: EndedBecause, workers: tuple[WorkerEnd, ...], damaged_blocks: int
) -> bool:
    """Return whether the level ended by itself or because the target ended its own process.

    SIGKILL comes from outside: from a person, a limit, or the kernel short of memory.
    """
    by_itself = all(
        worker.reason == "done"
        or worker.reason.startswith("exit code")
        or (worker.reason.startswith("killed by SIG") and "SIGKILL" not in worker.reason)
        for worker in workers
    )
    from_outside = {EndedBecause.INTERRUPTED, EndedBecause.HOST_FLOOR, EndedBecause.DISK_FULL}
    cut = ended_because in from_outside
    return by_itself and not cut and not damaged_blocks


def judge_neighbours(
    validity: Validity,
    reasons: tuple[str, ...],
    noise: Noise | None,
    failure: TargetFailure | None = None,
) -> tuple[Validity, tuple[str, ...]]:
    """Return a level's validity and reasons with what its neighbours on the machine add to them.

    A neighbour can slow a target down until it times out, but makes it return nothing wrong.

    Args:
        validity: From ``judge_level``.
        reasons: Likewise.
        noise: Whether other programs used the machine; None where nothing looked for it.
        failure: How the target failed; None if it did not.
    """
    if noise is None or not noise.judged or not noise.causes:
        return validity, reasons
    causes = tuple(f"{NOT_QUIET}: {cause}" for cause in noise.causes)
    if validity == "target_failed" and failure is not None:
        verdict: Validity = "noisy_host" if failure.by_waiting else validity
        return verdict, (reasons[0], *causes, *reasons[1:])
    return worst([validity, "noisy_host"]), (*causes, *reasons)


def _worker_problems(worker: WorkerEnd) -> list[str]:
    if not worker.may_be_missing:
        return []
    return [f"worker {worker.worker}: {worker.may_be_missing} started workflows have no record"]


def _write_problems(write: Writes) -> list[str]:
    if write.problem:
        return [f"writes on {write.server} could not be counted: {write.problem}"]
    if write.missing and not write.lost_by:
        return [f"{write.missing} of {write.expected} ok workflows have no write on {write.server}"]
    return []


def _steadiness_problems(
    samples: int, concurrency: int, in_flight_median: float | None, thinking: Thinking | None
) -> list[tuple[Validity, str]]:
    problems: list[tuple[Validity, str]] = []
    turnovers = samples / concurrency
    if turnovers < STEADY_TURNOVERS:
        problems.append(
            (
                "not_steady",
                (
                    f"{turnovers:.2f} turnovers in the steady phase "
                    f"(at least {STEADY_TURNOVERS:.0f}): "
                    "too few workflows ended to speak of a steady state"
                ),
            )
        )
    if thinking is not None:
        if thinking.users < MIN_IN_FLIGHT * concurrency:
            too_few = f"{thinking.users} of {concurrency} users (at least {MIN_IN_FLIGHT:.0%})"
            problems.append(("not_steady", f"{too_few} executed any workflow"))
    elif in_flight_median is not None and in_flight_median < MIN_IN_FLIGHT * concurrency:
        problems.append(
            (
                "not_steady",
                (
                    f"the median in flight was {in_flight_median:.0f} of {concurrency} "
                    f"(at least {MIN_IN_FLIGHT:.0%})"
                ),
            )
        )
    return problems


def _sample_problems(samples: int) -> list[tuple[Validity, str]]:
    if samples >= MIN_SAMPLES:
        return []
    reason = f"{samples} workflows ended in the steady phase (at least {MIN_SAMPLES})"
    return [("too_few_samples", reason)]
