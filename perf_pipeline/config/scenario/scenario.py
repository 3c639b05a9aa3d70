"""What a run should do: how much load, against what, for how long.

A scenario is a value, read from one TOML file (``parse.py``) and changed only by command-line
flags. Units come last in every name; a level is a number of workflows in flight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.level.named_level import NamedLevel
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.stages import Stage
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.config.think_time import ThinkTime

Complexity = Literal["simple", "medium", "complex", ""]
SettingValue = bool | int | float | str
Sort = Literal["families", "functions", "requests"]
Nodes = Literal["code", "lean"]
Order = Literal["as_written", "shuffled"]
MissingServers = Literal["fail", "leave_out"]

FAMILIES: tuple[str, ...] = ("transformation", "analytics", "data_processing", "database")
COMPLEXITIES: tuple[Complexity, ...] = ("simple", "medium", "complex")
NODES: tuple[Nodes, ...] = ("code", "lean")
ORDERS: tuple[Order, ...] = ("as_written", "shuffled")
MISSING_SERVERS: tuple[MissingServers, ...] = ("fail", "leave_out")
STEADY_TURNOVERS = 3
"""Minimum turnovers of a steady phase (ended workflows / in flight): with fewer, the workflows in
flight at its start decide most of the result."""

RAMP_SLOTS_PER_S, RAMP_MIN_S, RAMP_MAX_S = 200, 0.2, 5.0
"""A ramp that is not given: so many slots start a second, within these times."""

MAX_ERROR_RATIO = 0.5
"""Where most workflows fail, times and throughput are those of failing."""


@dataclass(frozen=True)
class Workload:
    """One kind of workflow and its share of the mix.

    Attributes:
        family: One of ``FAMILIES``; for a target that calls a user's own functions, the function
            as ``module:function``; the name of a request.
        complexity: How many nodes it has, and what it writes; empty for a function or a request.
        weight: Its share, relative to the other workloads of the scenario; > 0.
        data: Absolute path of a file with a row for each call of the function; empty for none.
        data_sha256: Of the content of that file.
        request: What is sent to a server behind HTTP; None for what a runtime here executes.
    """

    family: str
    complexity: Complexity
    weight: float = 1.0
    data: str = ""
    data_sha256: str = ""
    request: HttpRequest | None = None

    @property
    def name(self) -> str:
        """``family/complexity``, or the function alone."""
        return f"{self.family}/{self.complexity}" if self.complexity else self.family

    @property
    def is_function(self) -> bool:
        """True when it is a user's own function."""
        return self.sort == "functions"

    @property
    def sort(self) -> Sort:
        """What it is, as targets take it."""
        if self.request is not None:
            return "requests"
        return "families" if self.complexity else "functions"


@dataclass(frozen=True)
class Phases:
    """How long each part of a level lasts.

    The steady phase ends when ``steady_s`` has passed and ``steady_workflows``, and at least three
    turnovers (3 x in flight), have ended; at ``steady_max_s`` at the latest. The warm-up of a
    closed level ends after one turnover: as soon as the series of ended workflows is steady, else
    when ``warm_up_s`` has passed.

    Attributes:
        ramp_up_s: The slots start evenly spread over this time; None for a time by their number.
        warm_up_s: Length of the warm-up unless the series says sooner that it is over; of an open
            level, whose schedule is fixed, always its length.
        warm_up_min_s: The series is not asked sooner; as long as ``warm_up_s``, the length is
            fixed.
        steady_s: Minimum length of the steady phase, the only one that is measured.
        steady_workflows: Minimum number of workflows that end in it.
        steady_max_s: Maximum length of the warm-up, and of the steady phase.
        drain_s: How long workflows in flight may still end after the steady phase.
        deadline_s: A workflow that takes longer is a timeout.
        total_workflows: A closed level ends when so many workflows have ended in its steady
            phase, even if that is sooner than ``steady_s`` and three turnovers; what is in flight
            then may still end. 0 for no such end.
        cooldown_s: Pause between two levels.
    """

    ramp_up_s: float | None = None
    warm_up_s: float = 5.0
    warm_up_min_s: float = 1.0
    steady_s: float = 20.0
    steady_workflows: int = 0
    steady_max_s: float = 150.0
    drain_s: float = 10.0
    deadline_s: float = 120.0
    total_workflows: int = 0
    cooldown_s: float = 0.0

    def ramp_s(self, slots: int) -> float:
        """Return over which time the slots of a level start."""
        if self.ramp_up_s is not None:
            return self.ramp_up_s
        return min(RAMP_MAX_S, max(RAMP_MIN_S, slots / RAMP_SLOTS_PER_S))


@dataclass(frozen=True)
class ConnectionPools:
    """Bounds of the connection pools to each server.

    Attributes:
        max_db_connections: Maximum of connections that all workers together open to one server.
        connection_timeout_s: How long a workflow waits for a free connection of the pool.
        transaction_think_time_s: How long a workflow of the database family thinks while its
            transactions are open, and keeps their connections.
    """

    max_db_connections: int = 50
    connection_timeout_s: float = 30.0
    transaction_think_time_s: float = 0.0


@dataclass(frozen=True)
class WorkerLimits:
    """What the worker processes of a level may use, all together; None for no limit.

    Attributes:
        memory_mb: Resident memory, 10^6 bytes; a worker above its share is ended.
        cpu_percent: CPU, percent of one core (200 is two cores); workers are throttled to it.
    """

    memory_mb: float | None = None
    cpu_percent: float | None = None


@dataclass(frozen=True)
class Stop:
    """When a level is ended early, and the levels after it are not run.

    Attributes:
        error_ratio: More than this share of the workflows that ended in the last 10 s (at least
            20 of them) failed; 1 for never.
        memory_free_mb: The machine, or the control group, has less memory left; 0 for never.
        descriptors_free: A worker may open fewer files more; 0 for never.
    """

    error_ratio: float = 1.0
    memory_free_mb: float = 0.0
    descriptors_free: int = 0


@dataclass(frozen=True)
class Arm:
    """A short extra level that separates the cost of the work, the runtime and its nodes.

    Attributes:
        label: Name in the report; unique in the scenario.
        target: As ``Scenario.target``.
        nodes: How the workflows are written; the control target has no nodes and ignores it.
        concurrency: Workflows in flight.
        steady_s: Minimum length of its steady phase.
        settings: As ``Scenario.settings``.
    """

    label: str
    target: str
    nodes: Nodes
    concurrency: int
    steady_s: float
    settings: Mapping[str, SettingValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One run's worth of load.

    Attributes:
        name: Stem of the file; part of result file names.
        title: One line for people.
        seed: Source of every random choice; the same seed gives the same plan and data.
        target: What executes the workflows, as ``target_spec.parse_target`` reads it: a folder of
            ``targets``, then ``==version`` and ``+package`` as wanted (``kailash==2.19.0+pandas``).
        nodes: How the workflows of the levels are written.
        concurrency: The closed levels, in the order in which they run; may be empty if there are
            open ones.
        processes: Worker processes a level; None means one a core.
        repeats: How many times the levels run.
        order: ``as_written``: the levels of every repeat in their order, so that what one leaves
            behind, or the hour, is always the same level's; ``shuffled``: those of each repeat in
            an order drawn from the seed. A run that a level may end (``stop``) climbs as written.
        workloads: The mix; not empty.
        phases: Lengths of the phases of every level.
        connections: Bounds of the connection pools.
        arms: Short extra levels, run after the levels of the first repeat.
        missing_servers: ``fail``: the scenario needs all servers of its workloads; ``leave_out``:
            a server that workflows only write to at their end is left out if it is unavailable.
        settings: Options of the target, by the names of its ``target.toml``; what is not named
            there has the default.
        interpreter: A Python to run the target with as it is, nothing is installed into it; None
            for an environment made from the target's lock.
        folder: Folder of the scenario's file, in which a user's own functions work; None for
            ``python_path``.
        python_path: Folder from which a user's own functions are imported, absolute; None for
            none.
        variables: What the environment of a user's own functions has besides.
        setup: Function of the user's that each worker process calls before its first workflow,
            ``module:function``; empty for none.
        teardown: Likewise, after its last workflow.
        trial_call: The user's functions are called before the load, to see that they work.
        servers: Servers that are there for a user's own functions, beside those of the workloads.
        level_names: What people call the levels, in their order; empty for the numbers alone.
        limits: What the workers may use.
        stop: When to end early.
        sample_every_s: How often resources are sampled.
        log_detail: What the target logs goes to the workers' logs.
        stress: The load is meant to be too much: the tables of targets allow more errors.
        slos: What the run must keep.
        arrivals: The open levels; they run after the closed ones.
        stages: Closed levels that the same workers play, one after the other, after all others.
        max_error_ratio: A level of which a greater share of workflows fails is ``target_failed``,
            unless an objective on ``error_ratio`` allows more.
        think_time: Between the workflows of a slot of closed levels and arms, which is a user then.
        levels: Closed levels with names and bounds of their own; they run after those of
            ``concurrency``.
        faults: What fails in the levels, and when; neither arms nor stages have faults.
        endurance: What it plays for hours; None for a scenario of load levels.
        own_hosts: Hosts that requests may go to although their addresses are neither loopback nor
            private, because the command line says that they are the user's own.
    """

    name: str
    title: str = ""
    seed: int = 1
    target: str = "kailash"
    nodes: Nodes = "code"
    concurrency: tuple[int, ...] = (100,)
    processes: int | None = None
    repeats: int = 1
    order: Order = "as_written"
    workloads: tuple[Workload, ...] = (Workload("transformation", "medium"),)
    phases: Phases = field(default_factory=Phases)
    connections: ConnectionPools = field(default_factory=ConnectionPools)
    arms: tuple[Arm, ...] = ()
    missing_servers: MissingServers = "fail"
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    interpreter: str | None = None
    folder: str | None = None
    python_path: str | None = None
    variables: Variables = field(default_factory=Variables)
    setup: str = ""
    teardown: str = ""
    trial_call: bool = True
    servers: tuple[str, ...] = ()
    level_names: tuple[str, ...] = ()
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    stop: Stop = field(default_factory=Stop)
    sample_every_s: float = 1.0
    log_detail: bool = False
    stress: bool = False
    slos: tuple[Slo, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    stages: tuple[Stage, ...] = ()
    max_error_ratio: float = MAX_ERROR_RATIO
    think_time: ThinkTime = field(default_factory=ThinkTime)
    levels: tuple[NamedLevel, ...] = ()
    faults: tuple[FaultWindow, ...] = ()
    endurance: Endurance | None = None
    own_hosts: tuple[str, ...] = ()
