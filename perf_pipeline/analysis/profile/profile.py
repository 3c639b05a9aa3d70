"""Makes the differential profile of two sampled sides: a plain value, to be stored and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.call_paths import call_path_costs
from perf_pipeline.analysis.profile.moves import function_moves, unusable
from perf_pipeline.analysis.profile.sampling_cost import sampling_cost
from perf_pipeline.metrics.types.profile import ArmProfile, DifferentialProfile, SamplingCost

if TYPE_CHECKING:
    from perf_pipeline.analysis.profile.arm_samples import ArmSamples

MAX_MOVES = 50
FEW_SAMPLES = 300
"""With fewer samples a side, a function that takes a tenth of the time is known to 2 % of it."""
COSTLY_RATIO = 0.9
"""Sampling that costs more than a tenth of the throughput may itself move the profile."""
CROWDED_RATIO = 0.5
"""Threads that wait for a core for so long, for each second on one, shift the shares: who releases
the interpreter lock wakes another thread and waits behind it."""


@dataclass(frozen=True)
class Sampling:
    """How two sides are sampled.

    Attributes:
        comparison_id: The comparison that is explained.
        in_flight: Workflows in flight of the sampled levels.
        asked_in_flight: Those of the level that is explained.
        sampler: Program and version; empty before it is known to work.
        rate_hz: Samples a second.
        is_native: Whether native frames are sampled.
    """

    comparison_id: str
    in_flight: int
    asked_in_flight: int
    sampler: str = ""
    rate_hz: int = 0
    is_native: bool = False


def differential_profile(
    sampling: Sampling, baseline: ArmSamples, candidate: ArmSamples, *, problem: str = ""
) -> DifferentialProfile:
    """Compare two sampled sides.

    Args:
        sampling: How they were sampled.
        baseline: The older side.
        candidate: The newer side.
        problem: Why sampling ended before its time; empty if it did not.
    """
    problem = problem or unusable(baseline) or unusable(candidate)
    arms = _arm(baseline), _arm(candidate)
    return DifferentialProfile(
        comparison_id=sampling.comparison_id,
        role="explain",
        in_flight=sampling.in_flight,
        asked_in_flight=sampling.asked_in_flight,
        sampler=sampling.sampler,
        rate_hz=sampling.rate_hz,
        is_native=sampling.is_native,
        baseline=arms[0],
        candidate=arms[1],
        moves=() if problem else function_moves(baseline, candidate)[:MAX_MOVES],
        stacks=() if problem else call_path_costs(baseline, candidate),
        problem=problem,
        warnings=() if problem else _warnings(sampling, arms),
    )


def no_profile(sampling: Sampling, names: tuple[str, str], problem: str) -> DifferentialProfile:
    """Return the profile of sides that could not be sampled, with the reason."""
    baseline, candidate = (
        ArmProfile(name, "", None, 0, 0, 0, 0, None, SamplingCost(None, None, None, None))
        for name in names
    )
    return DifferentialProfile(
        comparison_id=sampling.comparison_id,
        role="explain",
        in_flight=sampling.in_flight,
        asked_in_flight=sampling.asked_in_flight,
        sampler=sampling.sampler,
        rate_hz=sampling.rate_hz,
        is_native=sampling.is_native,
        baseline=baseline,
        candidate=candidate,
        moves=(),
        stacks=(),
        problem=problem,
        warnings=(),
    )


def _arm(side: ArmSamples) -> ArmProfile:
    return ArmProfile(
        name=side.name,
        target=side.target,
        cpu_per_workflow_s=side.cpu_per_workflow_s,
        workflows=side.workflows,
        pairs=len(side.pairs),
        samples=side.samples,
        waiting_samples=side.waiting_samples,
        core_wait_ratio=side.core_wait_ratio,
        cost=sampling_cost(side.pairs),
    )


def _warnings(sampling: Sampling, arms: tuple[ArmProfile, ArmProfile]) -> tuple[str, ...]:
    found = []
    if sampling.in_flight < sampling.asked_in_flight:
        found.append(
            f"sampled with {sampling.in_flight} workflows in flight in place of "
            f"{sampling.asked_in_flight}: the sampler stops every thread for each sample, so what "
            "only many threads cost is not in this profile"
        )
    if not sampling.is_native:
        found.append(
            "native frames could not be sampled here, so only threads that held the interpreter "
            "lock were: native code that releases it is missing"
        )
    for arm in arms:
        if arm.samples < FEW_SAMPLES:
            found.append(
                f"{arm.name}: only {arm.samples} samples of threads that computed, so small moves "
                "cannot be told"
            )
        crowded = arm.core_wait_ratio
        if crowded is not None and crowded > CROWDED_RATIO:
            found.append(
                f"{arm.name}: its threads waited {crowded:.2g} s for a core for each second on "
                "one: "
                "samples cannot tell the two apart, and native code that releases the "
                "interpreter lock is shown larger than it is. End other programs and explain again"
            )
        ratio = arm.cost.throughput_ratio
        if ratio is not None and ratio < COSTLY_RATIO:
            found.append(
                f"{arm.name}: sampling itself took {100 * (1 - ratio):.0f} % of the throughput"
            )
    return tuple(found)
