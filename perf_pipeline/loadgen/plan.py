"""The plan of a run: every level as data, made and hashed before anything starts."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.config.scenario import Scenario, Workload

KINDS_CYCLE = 1000
"""Length of the sequence of kinds; workflow ``n`` has the kind at ``n % KINDS_CYCLE``."""


@dataclass(frozen=True)
class LevelPlan:
    """One level, as it will be played.

    Attributes:
        index: Position in the run; unique, and part of everything that is written.
        label: Name for people and folders.
        role: ``level`` or ``arm``.
        repeat: 0 for the first.
        target: What executes the workflows.
        nodes: How they are written.
        workloads: ``family/complexity`` of each kind, by index.
        seed: Seed of the run; it decides the workflows' data too.
        concurrency: Slots of all workers together.
        processes: Worker processes, at most one a slot.
        steady_s: Least length of the steady phase.
        kinds: int64[KINDS_CYCLE], index of the workload of each workflow.
        ramp_ns: int64[concurrency], when each slot starts after the go, ns.
    """

    index: int
    label: str
    role: str
    repeat: int
    target: str
    nodes: str
    workloads: tuple[str, ...]
    seed: int
    concurrency: int
    processes: int
    steady_s: float
    kinds: array[int]
    ramp_ns: array[int]

    @property
    def folder_name(self) -> str:
        """Name of the level's folder in the run's folder."""
        return f"{self.index:02d}-{self.label}"

    def sha256(self) -> str:
        """Hash everything that decides the load; equal on every machine for the same seed."""
        head = [self.index, self.label, self.role, self.repeat, self.target, self.nodes]
        head += [self.workloads, self.seed, self.concurrency, self.processes, self.steady_s]
        digest = hashlib.sha256(json.dumps(head).encode())
        for words in (self.kinds, self.ramp_ns):
            digest.update(little_endian(words))
        return digest.hexdigest()

    def slots_of(self, worker: int) -> array[int]:
        """Return the ramp of one worker's slots: every ``processes``-th, so ramps interleave."""
        return self.ramp_ns[worker :: self.processes]


def little_endian(words: array[int]) -> bytes:
    """Return int64 words as little-endian bytes, on any machine."""
    if sys.byteorder == "big":
        words = array("q", words)
        words.byteswap()
    return words.tobytes()


def plan_levels(scenario: Scenario, processes: int) -> list[LevelPlan]:
    """Plan every level of a run: the levels of each repeat, and the arms after the first repeat.

    Args:
        scenario: What to do.
        processes: Worker processes of a level, >= 1; a level with fewer slots uses fewer.
    """
    plans: list[LevelPlan] = []

    def add(  # one place where index, seed and arrays meet
        label: str, role: str, repeat: int, target: str, nodes: str, slots: int, steady_s: float
    ) -> None:
        index = len(plans)
        plans.append(
            LevelPlan(
                index=index,
                label=label,
                role=role,
                repeat=repeat,
                target=target,
                nodes=nodes,
                workloads=tuple(f"{w.family}/{w.complexity}" for w in scenario.workloads),
                seed=scenario.seed,
                concurrency=slots,
                processes=min(processes, slots),
                steady_s=steady_s,
                kinds=mixed_kinds(scenario.workloads, random.Random(f"{scenario.seed}/{index}")),
                ramp_ns=even_ramp(slots, scenario.phases.ramp_up_s),
            )
        )

    for repeat in range(scenario.repeats):
        for n in scenario.concurrency:
            add(
                str(n),
                "level",
                repeat,
                scenario.target,
                scenario.nodes,
                n,
                scenario.phases.steady_s,
            )
        if repeat == 0:
            for arm in scenario.arms:
                add(arm.label, "arm", 0, arm.target, arm.nodes, arm.concurrency, arm.steady_s)
    return plans


def mixed_kinds(workloads: tuple[Workload, ...], rng: random.Random) -> array[int]:
    """Draw the sequence of kinds: each has its exact share of the cycle, in random order.

    Shares are rounded by largest remainder, so every workload whose share is at least one in
    ``KINDS_CYCLE`` occurs.

    Returns:
        int64[KINDS_CYCLE], indices into ``workloads``.
    """
    total = sum(workload.weight for workload in workloads)
    exact = [workload.weight / total * KINDS_CYCLE for workload in workloads]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for index in by_remainder[: KINDS_CYCLE - sum(counts)]:
        counts[index] += 1
    kinds = array("q", [index for index, count in enumerate(counts) for _ in range(count)])
    rng.shuffle(kinds)
    return kinds


def even_ramp(slots: int, ramp_up_s: float) -> array[int]:
    """Spread the starts of the slots evenly over the ramp-up.

    Returns:
        int64[slots], ns after the go, non-decreasing from 0.
    """
    return array("q", [int(slot * ramp_up_s * 1e9) // slots for slot in range(slots)])
