"""The target of a campaign and all that it needs, for as long as its keeper lives."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from threading import Thread
from typing import TYPE_CHECKING, Self

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.lifeline import stamp
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of, hour_plan
from perf_pipeline.loadgen.endurance.time_scale import sample_every_s
from perf_pipeline.loadgen.environment.target_environments import call_with_servers, made_and_tried
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.plan.level_job import kinds_of, level_job
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.loadgen.supervise.level_supervisor import START_TIMEOUT_S
from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess
from perf_pipeline.logs.run_log import run_log_context
from perf_pipeline.worker.worker_job import CampaignShare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.lifeline import ProcessStamp
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.servers.server import Server

TWIN = "twin"
"""Arm of the process that leaks on purpose."""

LOOK_EVERY_S = 1.0
"""How often a worker says at least how much memory its interpreter has allocated."""

_POLL_S = 0.02
_END_S = 15.0
"""How long the workers may take to end in order: drain, teardown, exit handlers."""


class Soak:
    """One life of a campaign's target. A context manager: leaving it ends everything.

    Attributes:
        boot_id: Of this life.
        workers: The target's worker processes.
        twin: The process that leaks on purpose; none in real hours.
        servers: Service to server.
        left_out: Unavailable servers that workflows do without.
    """

    def __init__(
        self,
        scenario: Scenario,
        settings: Settings,
        campaign: CampaignFolder,
        boot_id: str,
        *,
        notify: Callable[[str], None],
        environments: Mapping[str, TargetEnvironment],
        wait_s: float,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            scenario: Has an ``[endurance]`` table; checked.
            settings: Where things are.
            campaign: The campaign's folder.
            boot_id: Of this life, new.
            notify: Called with each line that people should see.
            environments: As of ``Run``.
            wait_s: How long to wait for another load run on this host to end.
        """
        self.boot_id = boot_id
        self.workers: list[WorkerProcess] = []
        self.twin: list[WorkerProcess] = []
        self.servers: dict[str, Server] = {}
        self._scenario = scenario
        self._soak = endurance_of(scenario)
        self._settings = settings
        self._campaign = campaign
        self._notify = notify
        self._environments = environments
        self._wait_s = wait_s
        self._has_played = False
        self._started: list[tuple[str, ProcessStamp]] = []
        self._stack = ExitStack()
        self._data = RunServers(
            scenario, settings, campaign.campaign_id, notify=notify, stack=self._stack
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Unavailable servers that workflows do without."""
        return self._data.left_out

    def __enter__(self) -> Self:
        """Start servers and workers, and wait until every worker is ready.

        Raises:
            GaveUpWaitingError: Another load run went on for longer.
            PerfPipelineError: A server or the target is unavailable.
        """
        with ExitStack() as undo:
            undo.push(self)
            self._open()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers in order, then everything else."""
        now_ns = time.monotonic_ns()
        for worker in self.all_workers:
            worker.stop(now_ns)
        for worker in self.all_workers:
            worker.wait_until(now_ns + int(_END_S * 1e9))
            worker.kill("hung: still running after the end of the campaign")
            worker.close()
        self._stack.close()

    @property
    def all_workers(self) -> list[WorkerProcess]:
        """The worker processes of the target and of its twin."""
        return [*self.workers, *self.twin]

    def announce(self, hour: int) -> None:
        """Have every worker play an hour, whose folder is ready.

        What the hours before have stored on the servers is removed meanwhile, so that a day of
        them takes no more room than one; workflows only write there.
        """
        for worker in self.all_workers:
            worker.announce(hour)
        if self._has_played:
            Thread(target=self._data.settle, daemon=True).start()
        self._has_played = True

    def dead(self) -> str:
        """Return which worker or server of ours has ended; empty while all live."""
        for worker in self.all_workers:
            if not worker.alive:
                who = TWIN if worker in self.twin else "target"
                return f"worker process {worker.worker} of the {who} ended: {worker.end_reason()}"
        return next(
            (f"server {one} ended" for one, made in self._started if not made.is_alive()), ""
        )

    def _open(self) -> None:
        settings, scenario = self._settings, self._scenario
        holder = f"endurance campaign {self._campaign.campaign_id}, process {os.getpid()}"
        self._stack.enter_context(
            load_lock(settings.lock_path, holder, self._notify, time.sleep, wait_s=self._wait_s)
        )
        self.servers = self._data.open()
        stamps = ((one.service, stamp(pid)) for one in self.servers.values() for pid in one.pids)
        self._started = [(service, made) for service, made in stamps if made is not None]
        self._data.seed()
        made = made_and_tried(
            scenario,
            [target for target in [scenario.target] if target not in self._environments],
            name=scenario.name,
            settings=settings,
            notify=self._notify,
        )
        environment = (dict(self._environments) | made)[scenario.target]
        call_with_servers(
            scenario, {scenario.target: environment}, self.servers.values(), self._notify
        )
        files = self._stack.enter_context(
            scratch_folder(settings.temp_dir, self._campaign.campaign_id)
        )
        plan = hour_plan(scenario, 0, processes_of(scenario, read_machine_limits()), self.left_out)
        job = level_job(
            plan,
            run_id=self._campaign.campaign_id,
            kinds=kinds_of(scenario, self.left_out),
            run_data=self._data.run_data,
            files=files,
            log=run_log_context(self._campaign.root, scenario.name),
        )
        home = self._campaign.boots / self.boot_id
        home.mkdir(parents=True)
        user_code = user_code_of(scenario, os.environ)
        for arm, leak_share, into in self._arms():
            folder = home / arm
            folder.mkdir(exist_ok=True)
            share = CampaignShare(
                hours=str(self._campaign.root / "hours"),
                arm=arm,
                workflows_per_hour=self._soak.workflows_per_hour,
                leak_share=leak_share,
                leak_workflows=self._soak.workflows,
                look_every_s=min(LOOK_EVERY_S, sample_every_s(scenario)),
            )
            for index in range(plan.processes):
                into.append(
                    WorkerProcess(
                        plan, index, folder, environment.python, job, user_code, campaign=share
                    )
                )
        self._wait_ready()

    def _arms(self) -> Iterator[tuple[str, float, list[WorkerProcess]]]:
        yield "", 0.0, self.workers
        if self._soak.has_twin:
            yield TWIN, self._soak.twin_leak_share, self.twin

    def _wait_ready(self) -> None:
        deadline_ns = time.monotonic_ns() + int(START_TIMEOUT_S * 1e9)
        while not all(worker.ready for worker in self.all_workers):
            if reason := self.dead():
                raise PerfPipelineError(f"the target could not be started: {reason}")
            if time.monotonic_ns() > deadline_ns:
                late = next(worker for worker in self.all_workers if not worker.ready)
                raise PerfPipelineError(
                    f"the target could not be started: {late.not_ready_reason(START_TIMEOUT_S)}"
                )
            time.sleep(_POLL_S)
