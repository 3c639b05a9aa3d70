"""One level as data: made and hashed before anything starts, then only played."""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.config.scenario.scenario import ConnectionPools, Stop
from perf_pipeline.config.scenario.target_spec import in_effect
from perf_pipeline.config.think_time import ThinkTime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.http.http_request import HttpRequest
    from perf_pipeline.config.scenario.arrivals import Arrivals
    from perf_pipeline.config.scenario.scenario import Phases, SettingValue, WorkerLimits
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.loadgen.plan.stage_plan import StagePlan
    from perf_pipeline.worker.tracing.trace_job import TraceJob


@dataclass(frozen=True)
class LevelPlan:
    """One level, as it will be played.

    Attributes:
        index: Position in the run; unique, and part of everything that is written.
        label: Name for folders and files.
        title: Further name for people; empty for the label alone.
        role: ``level`` or ``arm``.
        repeat: 0 for the first.
        target: What executes the workflows, as ``target_spec.parse_target`` reads it.
        mode: ``threads`` or ``asyncio``: what a slot is.
        settings: Every setting of the target, given or default.
        nodes: How the workflows are written.
        workloads: ``Workload.name`` of each kind, by index.
        without: Servers that the workflows of each kind do without, by index.
        seed: Seed of the run; it decides the workflows' data too.
        concurrency: Slots of all workers together: workflows in flight of a closed level, their
            maximum in an open one.
        processes: Worker processes, at most one a slot.
        phases: Lengths of its phases.
        limits: What the workers may use, all together.
        kinds: int64[KINDS_CYCLE], index of the workload of each workflow; with streams int64[n].
        ramp_ns: int64[slots], when each slot starts after the go, ns; all 0 for a stage, where
            the supervisor says how many slots play.
        arrivals: How the workflows of an open level arrive; None for a closed one.
        intended_ns: int64[n], when workflow ``n`` of an open level should start after the go, ns,
            non-decreasing; empty for a closed one.
        stream_of: int64[n], index of the stream of workflow ``n``; empty without streams.
        connections: Bounds of the connection pools of all workers together.
        servers: Servers for a user's own functions.
        stop: When the level is ended early.
        aborts: Objectives that end the level when they are missed.
        log_detail: Whether the target's log goes to the workers' logs.
        variables: Variables of a user's own functions to their values, as they are stored; to
            None for those that are passed through.
        data: SHA-256 of the data file of each kind, by index; empty where none has one.
        requests: What is sent for each kind, by index; empty where nothing is sent.
        setup: Function that each worker process calls before its first workflow; empty for none.
        teardown: Likewise, after its last workflow.
        think_time: Between the workflows of a slot of a closed level.
        stage: Its place among the stages that the same workers play; None for a level alone.
        faults: What fails in its steady phase, and when.
        trace: How its worker processes trace their allocations; None for not at all.
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
    limits: WorkerLimits
    kinds: array[int]
    ramp_ns: array[int]
    arrivals: Arrivals | None = None
    intended_ns: array[int] = field(default_factory=lambda: array("q"))
    stream_of: array[int] = field(default_factory=lambda: array("q"))
    connections: ConnectionPools = field(default_factory=ConnectionPools)
    servers: tuple[str, ...] = ()
    stop: Stop = field(default_factory=Stop)
    aborts: tuple[Slo, ...] = ()
    log_detail: bool = False
    variables: Mapping[str, str | None] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    requests: tuple[HttpRequest, ...] = ()
    setup: str = ""
    teardown: str = ""
    think_time: ThinkTime = field(default_factory=ThinkTime)
    stage: StagePlan | None = None
    faults: tuple[FaultWindow, ...] = ()
    trace: TraceJob | None = None

    @property
    def loop(self) -> Literal["closed", "open"]:
        """Whether the next workflow waits for the last one's end, or for its time alone."""
        return "closed" if self.arrivals is None else "open"

    @property
    def folder_name(self) -> str:
        """Name of the level's folder in the run's folder."""
        return f"{self.index:02d}-{self.label}"

    @property
    def shown(self) -> str:
        """The level for people: ``1000 (medium stress)``."""
        return f"{self.label} ({self.title})" if self.title else self.label

    @property
    def load(self) -> str:
        """The load as text: ``100 in flight``, ``500/s (poisson), at most 1000 in flight``."""
        if self.think_time.mean_s:
            return f"{self.concurrency} users, {self.think_time.shown}"
        if self.arrivals is None:
            return f"{self.concurrency} in flight"
        return f"{self.arrivals.offered}, at most {self.concurrency} in flight"

    def head(self) -> dict[str, Any]:
        """Return everything but the arrays, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        head = {name: value for name, value in values.items() if name not in _ARRAYS}
        return {
            **head,
            "phases": asdict(self.phases),
            "limits": asdict(self.limits),
            "connections": asdict(self.connections),
            "think_time": asdict(self.think_time),
            "stop": asdict(self.stop),
            "stage": self.stage and asdict(self.stage),
            "aborts": [asdict(slo) for slo in self.aborts],
            "requests": [asdict(request) for request in self.requests],
            "faults": [asdict(window) for window in self.faults],
            "trace": self.trace and asdict(self.trace),
            "loop": self.loop,
            "arrivals": self.arrivals and _arrivals_head(self.arrivals),
        }

    def sha256(self) -> str:
        """Hash everything that decides the load, its target and servers, and when it ends.

        Equal on every machine for the same scenario, seed, number of processes and servers that
        are left out. So paths are not in it (an interpreter, the folder of a user's functions, a
        trace, whose times are): their content is in the manifest. Neither the title of a level nor
        the pause after it is included.
        """
        head = {name: value for name, value in self.head().items() if name != "title"}
        head["phases"].pop("cooldown_s")
        if not self.think_time.mean_s:
            del head["think_time"]
        if not self.connections.transaction_think_time_s:
            del head["connections"]["transaction_think_time_s"]
        # Which nodes are timed is how we look at the load, not the load.
        settings = head["settings"]
        head["settings"] = {
            name: value for name, value in in_effect(settings).items() if name not in _OBSERVING
        }
        for name in _LATER:  # the hash of a plan without them is what it always was
            if not head[name]:
                del head[name]
        arrivals = head["arrivals"] or {}
        head["arrivals"] = {name: arrivals[name] for name in arrivals if name not in _NAMES}
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
        for values in (self.kinds, self.ramp_ns, self.intended_ns, self.stream_of):
            digest.update(little_endian(values))
        return digest.hexdigest()

    def slots_of(self, worker: int) -> array[int]:
        """Return the ramp of one worker's slots: every ``processes``-th, so ramps interleave."""
        return self.ramp_ns[worker :: self.processes]


_OBSERVING = ("sample_nodes_every",)
_ARRAYS = ("kinds", "ramp_ns", "intended_ns", "stream_of")
_NAMES = ("title", "offered", "trace", "level", "workloads", "streams", "settings")
"""What the arrays say better, or what is a name."""
_LATER = ("variables", "data", "requests", "setup", "teardown", "stage", "faults", "trace")


def _arrivals_head(arrivals: Arrivals) -> dict[str, Any]:
    streams = tuple({**asdict(one), "offered": one.offered} for one in arrivals.streams)
    return {**asdict(arrivals), "offered": arrivals.offered, "streams": streams}


def little_endian(values: array[int]) -> bytes:
    """Return int64 values as little-endian bytes, on any machine."""
    if sys.byteorder == "big":
        values = array("q", values)
        values.byteswap()
    return values.tobytes()
