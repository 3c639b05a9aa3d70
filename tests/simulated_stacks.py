"""Sampled sides whose functions have known shares of the CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.samples.stacks.raw_stacks import Frame
from perf_pipeline.samples.stacks.window import Window, WindowPair

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from perf_pipeline.samples.stacks.raw_stacks import Stack

FUNCTIONS = ("parse", "score", "fold", "order", "digest")
EACH_S = 0.2e-3
"""CPU time of each function per workflow."""
ENTRY = (
    Frame("Thread.run", "threading.py", 982, is_native=False),
    Frame("ClosedLoop._play", "perf_pipeline/worker/closed_loop.py", 142, is_native=False),
    Frame("work", "shop.py", 70, is_native=False),
)


def stack_of(function: str, *native: str, line: int = 10) -> Stack:
    """Return a stack whose innermost Python function is ``function``."""
    own = Frame(function, "shop.py", line, is_native=False)
    return (*ENTRY, own, *(Frame(name, "libshop.so", 0, is_native=True) for name in native))


def sampled_side(
    name: str,
    costs_s: Mapping[str, float],
    rng: np.random.Generator,
    *,
    pairs: int = 10,
    samples: int = 100,
) -> ArmSamples:
    """Draw a side; windows differ in rate and clock, as those of a real machine do.

    Args:
        name: Of the side.
        costs_s: Function to its CPU time per workflow.
        rng: Source of every draw.
        pairs: Pairs of windows.
        samples: On-CPU samples of a window.
    """
    total_s = sum(costs_s.values())
    names = list(costs_s)
    found = []
    for _ in range(pairs):
        drift = rng.normal(1.0, 0.02, len(names)).clip(0.5)
        shares = [cost * one / total_s for cost, one in zip(costs_s.values(), drift, strict=True)]
        counts = rng.multinomial(samples, [share / sum(shares) for share in shares])
        workflows = int(rng.poisson(400))
        window = Window(1.0, workflows * total_s * float(rng.normal(1.0, 0.01)), workflows, 0.0)
        found.append(
            WindowPair(
                Window(1.3, 1.3 * window.cpu_s, int(1.27 * workflows), 0.0),
                window,
                {stack_of(one): int(count) for one, count in zip(names, counts, strict=True)},
            )
        )
    return ArmSamples(name, "callable", tuple(found))


def equal_costs(**others: float) -> dict[str, float]:
    """Return the cost of every function, those given by name in place of ``EACH_S``."""
    return {**dict.fromkeys(FUNCTIONS, EACH_S), **others}
