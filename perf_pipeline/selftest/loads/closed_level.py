"""A short closed level without servers, played as a run plays it, on a chosen target."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, Kind, ServerAccess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Nodes
    from perf_pipeline.loadgen.supervise.level_log import LevelLog

_NO_SERVERS = ServerAccess({}, connections=1, connection_timeout_s=1.0)


@dataclass(frozen=True)
class ClosedLevel:
    """A closed level on one kind of workflow.

    Attributes:
        target: ``kailash`` or ``control``.
        nodes: How its workflows are written.
        workload: The kind of workflow.
        concurrency: Workflows in flight.
        warm_up_s: Length of the warm-up, s.
        steady_s: Length of the steady phase, s.
        seed: Source of the workflows' data.
    """

    target: str
    nodes: Nodes
    workload: Workload
    concurrency: int
    warm_up_s: float
    steady_s: float
    seed: int

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Family and complexity of its only kind."""
        return [(self.workload.family, self.workload.complexity)]

    def python(self) -> Path:
        """Return the interpreter of the target's environment, which is made if it is not there."""
        return make_environment(
            parse_target(self.target),
            cache_dir=current_settings().cache_dir,
            environ=os.environ,
            uv=find_uv(os.environ),
        ).python

    def play(
        self,
        folder: Path,
        python: Path,
        on_sample: Callable[[int, list[int]], None],
        sample_every_s: float,
    ) -> None:
        """Play it once, with a worker process on every usable core.

        Args:
            folder: Of the level; its records and its log are written there.
            python: The target's interpreter.
            on_sample: Called with CLOCK_MONOTONIC and the worker processes, from the start of
                the load on.
            sample_every_s: How often.
        """
        went_ns: list[int] = []

        def write_log(log: LevelLog) -> None:
            write_json(folder / "level.json", asdict(log))
            if log.go_ns is not None:
                went_ns[:] = [log.go_ns]

        def on_second(now_ns: int, pids: list[int]) -> None:
            if went_ns and now_ns > went_ns[0]:
                on_sample(now_ns, pids)

        processes = len(os.sched_getaffinity(0))
        LevelSupervisor(
            plan_levels(self._scenario(), processes)[0],
            folder=folder,
            python=python,
            job=self._job(),
            on_second=on_second,
            on_progress=lambda _progress: None,
            write_log=write_log,
            sample_every_s=sample_every_s,
        ).run()

    def _scenario(self) -> Scenario:
        return Scenario(
            "selftest",
            seed=self.seed,
            target=self.target,
            nodes=self.nodes,
            concurrency=(self.concurrency,),
            workloads=(self.workload,),
            phases=Phases(
                ramp_up_s=0.0,
                warm_up_s=self.warm_up_s,
                steady_s=self.steady_s,
                steady_max_s=self.steady_s,
                drain_s=2.0,
                deadline_s=60.0,
            ),
        )

    def _job(self) -> Job:
        kind = Kind(self.workload.family, self.workload.complexity)
        settings = with_defaults(self.target, {})
        return Job(
            (kind,),
            self.nodes,
            self.seed,
            f"selftest-{time.monotonic_ns()}",
            0,
            _NO_SERVERS,
            settings,
            concurrency=self.concurrency,
        )
