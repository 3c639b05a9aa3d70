"""The composition root of a load run: brings scenario, servers, workers and files together.

``Run`` has a method for each step, so that an orchestrator can show the steps one by one; a step
first does the steps that it depends on. What follows the load is in ``scenario_run.py``: whoever
plays a load need not wait for polars and the report.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.names import name_problem
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.faults.sweep import sweep
from perf_pipeline.host.facts import read_cpu_times, read_git_state, read_host_facts, steal_percent
from perf_pipeline.host.level_calibration import LevelCalibration
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.level_player import LevelPlayer
from perf_pipeline.loadgen.course import PlannedCourse
from perf_pipeline.loadgen.environment.target_environments import call_with_servers, made_and_tried
from perf_pipeline.loadgen.manifest import make_manifest
from perf_pipeline.loadgen.plan.plan import stages_after
from perf_pipeline.loadgen.plan.share import WHOLE, Share
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.logs.log import Log
from perf_pipeline.logs.run_log import run_log_context
from perf_pipeline.monitoring.start_exporter import LAST_SCRAPES_S, outlast_exporter, start_exporter
from perf_pipeline.program.ending import is_request_to_end
from perf_pipeline.report.charts.drawing_process import drawing_ahead
from perf_pipeline.samples.disk_space import (
    FLOOR_BYTES,
    RUN_BYTES,
    disk_full,
    give_back,
    is_disk_full,
    reserve,
)
from perf_pipeline.samples.manifest import Manifest, write_manifest
from perf_pipeline.samples.planned_levels import PlannedLevel, write_planned_levels
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED, hold_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from types import TracebackType

    from perf_pipeline.config.names import NameKind
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.host.facts import GitState
    from perf_pipeline.loadgen.course import Course
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.loadgen.supervise.meeting import Meeting
    from perf_pipeline.loadgen.supervise.prepared_workers import PreparedWorkers
    from perf_pipeline.servers.server import Server

ASKED_TO_END = "it was asked to end (Ctrl-C, SIGTERM or Terminate)"


class Run:
    """One run, from servers to report. A context manager: leaving it frees what it took.

    Attributes:
        run_id: The run's id.
        folder: Where everything of it is written.
    """

    def __init__(
        self,
        scenario: Scenario,
        settings: Settings,
        *,
        run_id: str | None = None,
        notify: Callable[[str], None] = lambda _text: None,
        course: Course | None = None,
        environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
        wait_s: float = DEFAULT_WAIT_S,
        prepared: PreparedWorkers | None = None,
        share: Share = WHOLE,
        meeting: Meeting | None = None,
        without: tuple[str, ...] | None = None,
    ) -> None:
        """Prepare a run; nothing is started.

        Args:
            scenario: What to do; checked.
            settings: Where things are.
            run_id: Its id; None for a new one.
            course: Which levels it plays; None for all that the scenario plans.
            environments: Target to its environment, where it is made already and the user's own
                functions have been tried in it.
            notify: Called with each line to show while the run is active.
            wait_s: How long to wait for another load run on this host to end; 0 for not at all.
            prepared: Workers that were started for its first level; ended with it.
            share: Which of the workers of each level are on this host.
            meeting: Where it meets the shares of the run that are elsewhere; None for none.
            without: Servers that are left out whether or not they are available; None to leave
                out those that are not.

        Raises:
            ScenarioError: The run's id or the scenario's name cannot be part of a file's name, or
                the scenario plays hours and no load levels.
        """
        if scenario.endurance is not None:
            raise ScenarioError(
                [f"{scenario.name} plays hours and no load levels: run_endurance plays it."]
            )
        wanted: tuple[tuple[NameKind, str], ...] = (
            ("run id", run_id := run_id or new_run_id(datetime.now(UTC))),
            ("scenario name", scenario.name),
        )
        if problems := [one for one in (name_problem(*each) for each in wanted) if one]:
            raise ScenarioError([f"{problem}." for problem in problems])
        self.run_id = run_id
        self.folder = RunFolder(settings.results_dir / self.run_id)
        self._scenario = scenario
        self._course = course or PlannedCourse(scenario)
        self._environments = dict(environments)
        self._settings = settings
        self._log = Log("run")
        self._notify = notify = self._logged(notify)
        self._wait_s = wait_s
        self._share, self._meeting = share, meeting
        self._exporter: int | None = None
        self._stack = ExitStack()
        self._stack.callback(self._outlast_exporter)  # last: nobody waits for it but a container
        self._stack.callback(self._log.close)
        self._stack.callback(self._log_release)  # called when all that follows is freed
        self._prepared = prepared
        if prepared is not None:
            self._stack.callback(prepared.close)
        self._servers = RunServers(
            scenario,
            settings,
            self.run_id,
            notify=notify,
            stack=self._stack,
            without=without,
            is_first=share.index == 0,
        )
        self._plans: list[LevelPlan] = []
        self._git = ThreadPoolExecutor(1)
        self._stack.callback(self._git.shutdown, wait=False)
        self._git_states: list[Future[GitState]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the run's data, stop its servers and release the load lock."""
        self._stack.__exit__(kind, error, trace)

    def open_servers(self) -> dict[str, Server]:
        """Wait until no other load run is active on this host, then find or start the servers.

        Returns:
            Service to server, of the services that the scenario's workloads use.

        Raises:
            GaveUpWaitingError: The other run went on for longer than this one was to wait.
            ScenarioError: A server may not be faulted as the scenario wants; with each.
            ServiceUnavailableError: With a sentence for each that is unavailable.
        """
        if not self._plans:
            self._git_states = self._begin_git()
            own = f"run {self.run_id}, "
            lock = load_lock(
                self._settings.lock_path,
                f"{own}process {os.getpid()}, since {_now()}",
                self._notify,
                time.sleep,
                wait_s=self._wait_s,
                beside="" if self._share.is_whole else own,
            )
            self._stack.enter_context(lock)
            for sentence in sweep(self._settings):
                self._notify(sentence)
            for one in self._servers.open().values():
                self._log_server(one)
            self._plans = self._course.plans(self._servers.left_out)
            self._servers.faulted([fault for plan in self._plans for fault in plan.faults])
        return self._servers.open()

    def seed_data(self) -> dict[str, int]:
        """Create what the run stores on each server, and fill the table that workflows read.

        Returns:
            Server to rows that were seeded.
        """
        self.open_servers()
        return self._servers.seed()

    def load(self, on_progress: Callable[[Progress], None] = lambda _progress: None) -> RunFolder:
        """Play every level and store its records.

        The status that is recorded is our own: ``interrupted`` when anything but an error ends
        the process's work, also where an orchestrator calls that a failure.

        Args:
            on_progress: Called about once a second with the progress of the load.

        Raises:
            PerfPipelineError: Before the first level, when a server or the target is unavailable.
        """
        servers = self.open_servers()
        self.seed_data()
        environments = self._environments | self._new_environments()
        for scenario, targets in self._played():
            tried = {target: environments[target] for target in targets}
            call_with_servers(scenario, tried, servers.values(), self._notify)
        self.folder.begin(self._scenario.name, is_made=self._prepared is not None)
        self._log.open(run_log_context(self.folder.root, self._scenario.name))
        self._servers.log_to(self._log.context)
        self._log.write("info", "run-began", f"run {self.run_id} of {self._scenario.name} begins")
        needed_bytes = RUN_BYTES
        try:
            self._stack.callback(os.close, hold_run(self.folder.root))
            reserve(self.folder.root)
            needed_bytes = FLOOR_BYTES
            write_planned_levels(self.folder, tuple(map(_planned, self._plans)))
            manifest = self._play_levels(servers, environments, on_progress)
        except BaseException as error:
            give_back(self.folder.root)  # for the status, and for the report
            self._log.write("error", "run-ended", f"{error}", outcome="failure", error=error)
            if is_request_to_end(error):
                self.folder.end(INTERRUPTED, ASKED_TO_END)
            elif is_disk_full(error):
                full = disk_full(self.folder.root, error, needed_bytes)
                self.folder.end(FAILED, full)
                raise RunFolderError(f"{full}.") from error
            else:
                self.folder.end(FAILED, f"{type(error).__name__}: {error}")
            raise
        self.folder.end(COMPLETE, stopped=asdict(manifest.stopped) if manifest.stopped else None)
        self._log.write("info", "run-ended", "every level was played", outcome="success")
        return self.folder

    def _play_levels(
        self,
        servers: dict[str, Server],
        environments: dict[str, TargetEnvironment],
        on_progress: Callable[[Progress], None],
    ) -> Manifest:
        """Play the levels; the manifest is written before the first one and after the last one."""
        before = read_cpu_times()
        # Not before the folder is begun: what a killed run left is found by the run's id.
        files = self._stack.enter_context(scratch_folder(self._settings.temp_dir, self.run_id))
        calibrations = LevelCalibration(files)
        manifest = self._manifest(servers, environments, files)
        write_manifest(self.folder, manifest)
        player = LevelPlayer(
            self.folder,
            self._scenario,
            self._servers,
            calibrations,
            files,
            self._settings.state_dir,
            self._notify,
            self._log,
            self._prepared,
            self._start_exporter(),
            self._share,
            self._meeting,
        )
        for plan in self._course.levels(self._plans, self.folder):
            if plan.stage and plan.stage.number > 1:
                continue  # it was played with the first one
            stages = stages_after(plan, self._plans)
            arm = replace(player, scenario=self._course.scenario_of(plan))
            log = arm.play(plan, environments[plan.target].python, on_progress, stages)
            *_, last = (plan, *stages)
            if last is not self._plans[-1]:
                time.sleep(plan.phases.cooldown_s)
            ended = next(one for one in (plan, *stages) if one.folder_name == log.folder_name)
            if stopped := self._course.stopped(ended, log, self._plans):
                manifest = replace(manifest, stopped=stopped)
                self._notify(stopped.summary)
                break
        calibrations.after_last()
        if self._share.is_whole:  # else nothing is reported before the shares are merged
            self._stack.enter_context(drawing_ahead())  # the load has ended: it disturbs nothing
        give_back(self.folder.root)
        rounds, lost = calibrations.rounds, steal_percent(before, read_cpu_times())
        manifest = replace(
            manifest,
            plan_hashes={one.folder_name: one.sha256() for one in self._plans},
            noise=replace(manifest.noise, before=rounds[0], after=rounds[-1]),
            host=replace(manifest.host, steal_percent=lost),
            proxy=self._servers.proxied.record if self._servers.proxied else None,
        )
        write_manifest(self.folder, manifest)
        return manifest

    def _start_exporter(self) -> int | None:
        """Start what serves live metrics, where they are wanted; without it the run goes on."""
        try:
            self._exporter = start_exporter(
                self.folder.root, self._scenario.name, self._settings, self._share
            )
        except OSError as error:
            self._notify(f"no live metrics: the exporter cannot be started: {error}")
        return self._exporter

    def _outlast_exporter(self) -> None:
        if self._exporter is not None:
            complete = self.folder.read_status()["status"] == COMPLETE
            outlast_exporter(self._exporter, LAST_SCRAPES_S if complete else 0.0)

    def _logged(self, notify: Callable[[str], None]) -> Callable[[str], None]:
        """Return what shows a line and logs it as well."""

        def noted(text: str) -> None:
            self._log.write("info", "notice", text)
            notify(text)

        return noted

    def _log_server(self, server: Server) -> None:
        facts = server.facts
        found = f"{facts.product} {facts.version} at {server.redacted_url} answers"
        self._log.write("info", "server-opened", found, labels={"backend": server.service})

    def _log_release(self) -> None:
        freed = "the run's data and servers, and the load lock, are released"
        self._log.write("info", "run-released", freed)

    def _new_environments(self) -> dict[str, TargetEnvironment]:
        """Make the environments that are not known yet, and try the user's functions in them.

        Raises:
            PerfPipelineError: One cannot be made, or no worker can call a function in it.
        """
        made: dict[str, TargetEnvironment] = {}
        for scenario, targets in self._played():
            made |= made_and_tried(
                scenario,
                [target for target in targets if target not in self._environments],
                name=scenario.name,
                settings=self._settings,
                notify=self._notify,
            )
        return made

    def _played(self) -> list[tuple[Scenario, list[str]]]:
        """Return each scenario that the levels belong to, with the targets of its levels."""
        played: dict[int, tuple[Scenario, list[str]]] = {}
        for plan in self._plans:
            scenario = self._course.scenario_of(plan)
            targets = played.setdefault(id(scenario), (scenario, []))[1]
            if plan.target not in targets:
                targets.append(plan.target)
        return list(played.values())

    def _begin_git(self) -> list[Future[GitState]]:
        """Ask git for the state of the harness, and of the user's folder if there is one.

        Its processes walk the trees while the servers are opened.
        """
        folders = [PROJECT, *([Path(given)] if (given := self._scenario.python_path) else [])]
        path = self._settings.search_path
        return [self._git.submit(read_git_state, folder, path) for folder in folders]

    def _manifest(
        self, servers: dict[str, Server], environments: dict[str, TargetEnvironment], files: Path
    ) -> Manifest:
        scenario = self._scenario
        own, *users = (state.result() for state in self._git_states)
        return make_manifest(
            run_id=self.run_id,
            scenario=scenario,
            started_at=_now(),
            host=read_host_facts(self._settings.temp_dir),
            git=own,
            user_git=users[0] if users else None,
            servers=list(servers.values()),
            environments=environments,
            plans=self._plans,
            left_out=self._servers.left_out,
            noise=self._settings.noise,
            files_dir=files,
            searched=self._course.searched,
            compared=self._course.compared,
            proxy=self._servers.proxied.record if self._servers.proxied else None,
        )


def _planned(plan: LevelPlan) -> PlannedLevel:
    think_s = plan.think_time.mean_s
    home = plan.stage.home if plan.stage else ""
    return PlannedLevel(
        plan.label, plan.title, plan.concurrency, plan.loop, plan.phases, think_s, home
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
