"""Sampled sides whose functions have known shares of the CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.samples.stacks.raw_stacks import Frame
from perf_pipeline.samples.stacks.window import Window, WindowPair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    levels: int = 4,
    pairs: int = 2,
    samples: int = 100,
    process_spread: float = 0.02,
    machine: Sequence[float] = (),
) -> ArmSamples:
    """Draw a side; processes differ, and so do the windows of one, as those of a real machine do.

    Args:
        name: Of the side.
        costs_s: Function to its CPU time per workflow.
        rng: Source of every draw.
        levels: How many, each a process of its own.
        pairs: Pairs of windows of each level.
        samples: On-CPU samples of a window.
        process_spread: Coefficient of variation between processes of each function's time.
        machine: How much slower than usual the machine is during each level; empty for never.
    """
    found = []
    for level in range(levels):
        slower = machine[level] if machine else 1.0
        own = rng.normal(slower, process_spread, len(costs_s)).clip(0.5)
        process_s = dict(zip(costs_s, own * list(costs_s.values()), strict=True))
        found.append(tuple(_pair(process_s, rng, samples) for _ in range(pairs)))
    return ArmSamples(name, "callable", tuple(found))


def _pair(costs_s: Mapping[str, float], rng: np.random.Generator, samples: int) -> WindowPair:
    total_s = sum(costs_s.values())
    drift = rng.normal(1.0, 0.02, len(costs_s)).clip(0.5)
    shares = [cost * one / total_s for cost, one in zip(costs_s.values(), drift, strict=True)]
    counts = rng.multinomial(samples, [share / sum(shares) for share in shares])
    workflows = int(rng.poisson(400))
    window = Window(1.0, workflows * total_s * float(rng.normal(1.0, 0.01)), workflows, 0.0)
    return WindowPair(
        Window(1.3, 1.3 * window.cpu_s, int(1.27 * workflows), 0.0),
        window,
        {stack_of(one): int(count) for one, count in zip(costs_s, counts, strict=True)},
    )


def interleaved_sides(
    costs_s: Sequence[Mapping[str, float]],
    rng: np.random.Generator,
    *,
    levels: int = 4,
    process_spread: float = 0.02,
    machine_spread: float = 0.0,
) -> list[ArmSamples]:
    """Draw sides whose levels alternate on a machine that gets slower and faster meanwhile.

    Args:
        costs_s: Function to its CPU time per workflow, of each side.
        rng: Source of every draw.
        levels: Of each side.
        process_spread: As in ``sampled_side``.
        machine_spread: Standard deviation of each step of the machine's random walk.
    """
    sides = len(costs_s)
    walk = 1.0 + rng.normal(0.0, machine_spread, levels * sides).cumsum()
    rounds = walk.reshape(levels, sides)
    rounds[1::2] = rounds[1::2, ::-1].copy()
    return [
        sampled_side(
            f"side {at}",
            costs,
            rng,
            levels=levels,
            process_spread=process_spread,
            machine=rounds[:, at].tolist(),
        )
        for at, costs in enumerate(costs_s)
    ]


def equal_costs(**others: float) -> dict[str, float]:
    """Return the cost of every function, those given by name in place of ``EACH_S``."""
    return {**dict.fromkeys(FUNCTIONS, EACH_S), **others}
