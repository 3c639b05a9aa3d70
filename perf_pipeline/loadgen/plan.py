"""The plan of a run: every level as data, made and hashed before anything starts."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from array import array
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario import Arm, Limits, Phases, SettingValue
from perf_pipeline.config.target_spec import parse_target, target_facts, with_defaults
from perf_pipeline.loadgen.left_out import workload_without

if TYPE_CHECKING:
    from perf_pipeline.config.scenario import Scenario, Workload

KINDS_CYCLE = 1000
"""Length of the sequence of kinds; workflow ``n`` has the kind at ``n % KINDS_CYCLE``."""


@dataclass(frozen=True)
class LevelPlan:
    """One level, as it will be played.

    Attributes:
        index: Position in the run; unique, and part of everything that is written.
        label: Name for folders and files.
        title: What people call the level besides; empty for the label alone.
        role: ``level`` or ``arm``.
        repeat: 0 for the first.
        target: What executes the workflows, as ``target_spec.parse_target`` reads it.
        mode: ``threads`` or ``asyncio``: what a slot is.
        settings: Every setting of the target, given or default.
        nodes: How the workflows are written.
        workloads: ``Workload.name`` of each kind, by index.
        without: Servers that the workflows of each kind do without, by index.
        seed: Seed of the run; it decides the workflows' data too.
        concurrency: Slots of all workers together.
        processes: Worker processes, at most one a slot.
        phases: Lengths of its phases.
        limits: What the workers may use, all together.
        kinds: int64[KINDS_CYCLE], index of the workload of each workflow.
        ramp_ns: int64[concurrency], when each slot starts after the go, ns.
    """

    index: int
    label: str
    title: str
    role: str
    repeat: int
    target: str
    mode: str
    settings: dict[str, SettingValue]
    nodes: str
    workloads: tuple[str, ...]
    without: tuple[tuple[str, ...], ...]
    seed: int
    concurrency: int
    processes: int
    phases: Phases
    limits: Limits
    kinds: array[int]
    ramp_ns: array[int]

    @property
    def folder_name(self) -> str:
        """Name of the level's folder in the run's folder."""
        return f"{self.index:02d}-{self.label}"

    @property
    def shown(self) -> str:
        """What people call the level: ``1000 (medium stress)``."""
        return f"{self.label} ({self.title})" if self.title else self.label

    def head(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        head = {name: value for name, value in values.items() if name not in _ARRAYS}
        return {**head, "phases": asdict(self.phases), "limits": asdict(self.limits)}

    def sha256(self) -> str:
        """Hash everything that decides the load; equal on every machine for the same seed.

        What people call a level decides nothing, nor does how long nothing is done after it.
        """
        head = {name: value for name, value in self.head().items() if name != "title"}
        head["phases"].pop("cooldown_s")
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
        for words in (self.kinds, self.ramp_ns):
            digest.update(little_endian(words))
        return digest.hexdigest()

    def slots_of(self, worker: int) -> array[int]:
        """Return the ramp of one worker's slots: every ``processes``-th, so ramps interleave."""
        return self.ramp_ns[worker :: self.processes]


_ARRAYS = ("kinds", "ramp_ns")


def little_endian(words: array[int]) -> bytes:
    """Return int64 words as little-endian bytes, on any machine."""
    if sys.byteorder == "big":
        words = array("q", words)
        words.byteswap()
    return words.tobytes()


def plan_levels(
    scenario: Scenario, processes: int, left_out: tuple[str, ...] = ()
) -> list[LevelPlan]:
    """Plan every level of a run: the levels of each repeat, and the arms after the first repeat.

    Args:
        scenario: What to do.
        processes: Worker processes of a level, >= 1; a level with fewer slots uses fewer.
        left_out: Servers that cannot be had and that workflows do not write to.
    """
    levels = [
        Arm(
            label=str(slots),
            target=scenario.target,
            nodes=scenario.nodes,
            concurrency=slots,
            steady_s=scenario.phases.steady_s,
            settings=scenario.settings,
        )
        for slots in scenario.concurrency
    ]
    played = [("level", 0, level) for level in levels]
    played += [("arm", 0, arm) for arm in scenario.arms]
    played += [("level", again, level) for again in range(1, scenario.repeats) for level in levels]
    titles = dict(zip(scenario.concurrency, scenario.level_names, strict=False))
    return [
        _plan_of(
            arm,
            scenario,
            index=index,
            role=role,
            repeat=repeat,
            title=titles.get(arm.concurrency, "") if role == "level" else "",
            processes=min(processes, arm.concurrency),
            left_out=left_out,
        )
        for index, (role, repeat, arm) in enumerate(played)
    ]


def _plan_of(
    arm: Arm,
    scenario: Scenario,
    *,
    index: int,
    role: str,
    repeat: int,
    title: str,
    processes: int,
    left_out: tuple[str, ...],
) -> LevelPlan:
    """Plan one level; a level of the scenario is an arm that has its number for a label."""
    name = parse_target(arm.target).name
    return LevelPlan(
        index=index,
        label=arm.label,
        title=title,
        role=role,
        repeat=repeat,
        target=arm.target,
        mode=target_facts(name).mode,
        settings=with_defaults(name, dict(arm.settings)),
        nodes=arm.nodes,
        workloads=tuple(workload.name for workload in scenario.workloads),
        without=tuple(workload_without(one, left_out) for one in scenario.workloads),
        seed=scenario.seed,
        concurrency=arm.concurrency,
        processes=processes,
        phases=replace(scenario.phases, steady_s=arm.steady_s),
        limits=scenario.limits,
        kinds=mixed_kinds(scenario.workloads, random.Random(f"{scenario.seed}/{index}")),
        ramp_ns=even_ramp(arm.concurrency, scenario.phases.ramp_up_s),
    )


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
