"""What a run should do: how much load, against what, for how long.

A scenario is a value, read from one TOML file (``parse.py``) and changed only by command-line
flags. Units stand last in every name; a level is a number of workflows in flight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Complexity = Literal["simple", "medium", "complex"]
Nodes = Literal["code", "lean"]
MissingServers = Literal["fail", "leave_out"]

FAMILIES: tuple[str, ...] = ("transformation", "analytics", "data_processing")
COMPLEXITIES: tuple[Complexity, ...] = ("simple", "medium", "complex")
NODES: tuple[Nodes, ...] = ("code", "lean")
MISSING_SERVERS: tuple[MissingServers, ...] = ("fail", "leave_out")
_ADAPTERS = (Path(__file__).parents[1] / "targets").glob("*/adapter.py")
TARGETS: tuple[str, ...] = tuple(sorted(path.parent.name for path in _ADAPTERS))
"""Every folder of ``targets`` with an adapter: adding one touches nothing else."""


@dataclass(frozen=True)
class Workload:
    """One kind of workflow and its share of the mix.

    Attributes:
        family: One of ``FAMILIES``.
        complexity: How many nodes it has, and what it writes.
        weight: Its share, relative to the other workloads of the scenario; > 0.
    """

    family: str
    complexity: Complexity
    weight: float = 1.0


@dataclass(frozen=True)
class Phases:
    """How long each part of a level lasts.

    The steady phase ends when ``steady_s`` has passed and ``steady_workflows``, and at least three
    turnovers (3 x in flight), have ended; at ``steady_max_s`` at the latest. The warm-up likewise
    needs one turnover.

    Attributes:
        ramp_up_s: The slots start evenly spread over this time.
        warm_up_s: Least length of the warm-up.
        steady_s: Least length of the steady phase, the only one that is measured.
        steady_workflows: Least number of workflows that end in it.
        steady_max_s: Greatest length of the warm-up, and of the steady phase.
        drain_s: How long workflows in flight may still end after the steady phase.
        deadline_s: A workflow that takes longer is a timeout.
    """

    ramp_up_s: float = 5.0
    warm_up_s: float = 5.0
    steady_s: float = 20.0
    steady_workflows: int = 0
    steady_max_s: float = 150.0
    drain_s: float = 10.0
    deadline_s: float = 120.0


@dataclass(frozen=True)
class Connections:
    """Bounds of the connection pools to each server.

    Attributes:
        max_db_connections: The most connections that all workers together open to one server.
        connection_timeout_s: How long a workflow waits for a free connection of the pool.
    """

    max_db_connections: int = 50
    connection_timeout_s: float = 30.0


@dataclass(frozen=True)
class Arm:
    """A short extra level that tells what the work, the runtime and its nodes cost apart.

    Attributes:
        label: Name in the report; unique in the scenario.
        target: One of ``TARGETS``.
        nodes: How the workflows are written; the control target has no nodes and ignores it.
        concurrency: Workflows in flight.
        steady_s: Least length of its steady phase.
    """

    label: str
    target: str
    nodes: Nodes
    concurrency: int
    steady_s: float


@dataclass(frozen=True)
class Scenario:
    """One run's worth of load.

    Attributes:
        name: Stem of the file; part of result file names.
        title: One line for people.
        seed: Source of every random choice; the same seed gives the same plan and data.
        target: What executes the workflows, one of ``TARGETS``.
        nodes: How the workflows of the levels are written.
        concurrency: The levels, in the order in which they run.
        processes: Worker processes a level; None means one a core.
        repeats: How many times the levels run.
        workloads: The mix; not empty.
        phases: Lengths of the phases of every level.
        connections: Bounds of the connection pools.
        arms: Short extra levels, run after the levels of the first repeat.
        missing_servers: ``fail``: the scenario needs all servers of its workloads; ``leave_out``:
            a server that workflows only write to at their end is left out if it cannot be had.
    """

    name: str
    title: str = ""
    seed: int = 1
    target: str = "kailash"
    nodes: Nodes = "code"
    concurrency: tuple[int, ...] = (100,)
    processes: int | None = None
    repeats: int = 1
    workloads: tuple[Workload, ...] = (Workload("transformation", "medium"),)
    phases: Phases = field(default_factory=Phases)
    connections: Connections = field(default_factory=Connections)
    arms: tuple[Arm, ...] = ()
    missing_servers: MissingServers = "fail"
