"""A differential profile: which functions' CPU time per workflow moved between two sides.

Plain values, as they are stored. The levels behind it have the role ``explain``: they count in no
verdict, no history and no baseline.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingCost:
    """What sampling cost, from neighbouring windows of the same levels with and without it.

    Attributes:
        throughput_ratio: Throughput with sampling / without; None where it was not measured.
        low: Lower end of its 95 % interval; None with fewer than three pairs of windows.
        high: Upper end.
        cpu_ratio: CPU time per workflow with sampling / without.
    """

    throughput_ratio: float | None
    low: float | None
    high: float | None
    cpu_ratio: float | None


@dataclass(frozen=True)
class ArmProfile:
    """The sampled levels of one side.

    Attributes:
        name: As the comparison calls the side.
        target: With its version and packages.
        cpu_per_workflow_s: Measured in the windows without sampling; None where nothing ended.
        workflows: That ended ok in those windows.
        pairs: Pairs of windows.
        samples: On-CPU samples, which count.
        waiting_samples: Of threads that waited, which do not count.
        core_wait_ratio: How long threads waited for a core for each second on one; None where no
            CPU time was measured. They count as computing.
        cost: Of sampling.
    """

    name: str
    target: str
    cpu_per_workflow_s: float | None
    workflows: int
    pairs: int
    samples: int
    waiting_samples: int
    core_wait_ratio: float | None
    cost: SamplingCost


@dataclass(frozen=True)
class FunctionMove:
    """How the CPU time of one function per workflow moved.

    Its own time (exclusive) is what was spent in it and in native code that it called directly;
    inclusive time is that with everything that it called.

    Attributes:
        function: Its name.
        file: Its file.
        line: The line whose time moved most; 0 where it is not known.
        native: The native function below it whose time moved most; empty for none.
        path: How it was called most often, from the outermost function of the target to it.
        baseline_s: Its own time per workflow in the baseline.
        candidate_s: In the candidate.
        move_s: The difference.
        low_s: Lower end of the 95 % interval of the difference, which holds for all functions at
            once.
        high_s: Upper end.
        inclusive_baseline_s: With what it called, in the baseline.
        inclusive_candidate_s: In the candidate.
        baseline_samples: On-CPU samples of its own time.
        candidate_samples: In the candidate.
    """

    function: str
    file: str
    line: int
    native: str
    path: tuple[str, ...]
    baseline_s: float
    candidate_s: float
    move_s: float
    low_s: float
    high_s: float
    inclusive_baseline_s: float
    inclusive_candidate_s: float
    baseline_samples: int
    candidate_samples: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes that nothing moved."""
        return self.low_s > 0 or self.high_s < 0


@dataclass(frozen=True)
class StackCost:
    """One call path, and its own CPU time per workflow on each side; drawn as a flame graph.

    Attributes:
        frames: ``function (file)`` from the outermost to the innermost.
        baseline_s: Time of the innermost frame on this path, in the baseline.
        candidate_s: In the candidate.
    """

    frames: tuple[str, ...]
    baseline_s: float
    candidate_s: float


@dataclass(frozen=True)
class DifferentialProfile:
    """Why two sides differ, as far as CPU time tells.

    Attributes:
        comparison_id: The comparison that it explains.
        role: ``explain``: its levels count in no verdict.
        in_flight: Workflows in flight of the sampled levels, in one worker process.
        asked_in_flight: Those of the level that is explained.
        sampler: Program and version.
        rate_hz: Samples a second.
        is_native: Whether native frames were sampled; if not, only the thread that holds the
            interpreter lock was, and native code without it is missing.
        baseline: The older side.
        candidate: The newer side.
        moves: Functions by the size of the move of their own time, the greatest first.
        stacks: Call paths, the costliest first.
        problem: Why there is no profile; empty where there is one.
        warnings: Sentences on what weakens it.
    """

    comparison_id: str
    role: str
    in_flight: int
    asked_in_flight: int
    sampler: str
    rate_hz: int
    is_native: bool
    baseline: ArmProfile
    candidate: ArmProfile
    moves: tuple[FunctionMove, ...]
    stacks: tuple[StackCost, ...]
    problem: str
    warnings: tuple[str, ...]
