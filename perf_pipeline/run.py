"""The composition root: the only place where scenario, servers, workers and files meet.

``Run`` offers the steps of a run one by one, so that an orchestrator can show each as a part of
its own; every step does what it needs of the ones before. ``run_scenario`` is all of them.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.infrastructure import postgres_data, redis_data
from perf_pipeline.infrastructure.host import (
    read_cpu_times,
    read_git_state,
    read_host_facts,
    steal_percent,
)
from perf_pipeline.infrastructure.lease import leased
from perf_pipeline.infrastructure.load_lock import load_lock
from perf_pipeline.infrastructure.services import ServiceSession
from perf_pipeline.loadgen.environment import TargetEnvironment, find_uv, make_environment
from perf_pipeline.loadgen.level import LevelLog, LevelRun, Progress
from perf_pipeline.loadgen.manifest import make_manifest
from perf_pipeline.loadgen.plan import LevelPlan, plan_levels
from perf_pipeline.metrics.measure import measure_run, write_metrics
from perf_pipeline.metrics.reconcile import reconcile
from perf_pipeline.metrics.resource_monitor import ResourceMonitor
from perf_pipeline.report.files import write_report
from perf_pipeline.report.result_file import write_result_files
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import (
    COMPLETE,
    FAILED,
    INTERRUPTED,
    RunFolder,
    write_json,
)
from perf_pipeline.targets.target import Job, Kind, Stores
from perf_pipeline.workload.dataset import (
    MEASUREMENT_COLUMNS,
    MEASUREMENTS,
    RESULTS,
    ddl,
    measurement_rows,
)
from perf_pipeline.workload.servers import connection_name, servers_used

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from perf_pipeline.config.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.infrastructure.server import Server
    from perf_pipeline.metrics.run_metrics import RunMetrics
    from perf_pipeline.report.files import ReportFiles

PROJECT = Path(__file__).parents[1]
REDIS_PREFIX = "perf_pipeline:"
SAY_PREFIX = "perf_pipeline: "
"""Starts every line by which a run in a child process tells its parent what people should know."""


def new_run_id(now: datetime) -> str:
    """Return a run's id: ``20241201_120000-4f2c``; sorts by time, never meets another."""
    return f"{now:%Y%m%d_%H%M%S}-{secrets.token_hex(2)}"


class Run:
    """One run, from servers to report. A context manager: leaving it gives everything back.

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
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Prepare a run; nothing is started.

        Args:
            scenario: What to do; checked.
            settings: Where things are.
            run_id: Its id; None for a new one.
            say: Told what people should know while they wait.
        """
        self.run_id = run_id or new_run_id(datetime.now(UTC))
        self.folder = RunFolder(settings.results_dir / self.run_id)
        self._scenario = scenario
        self._settings = settings
        self._say = say
        self._stack = ExitStack()
        self._services: ServiceSession | None = None
        self._seeded: dict[str, int] | None = None
        self._schema = "perf_" + self.run_id.replace("-", "_").lower()
        self._keys = f"{REDIS_PREFIX}{self.run_id}:"
        processes = processes_of(scenario, read_machine_limits())
        self._kinds = [(w.family, w.complexity) for w in scenario.workloads]
        self._plans = plan_levels(scenario, processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was seeded, stop servers, let the next load run begin."""
        self._stack.__exit__(kind, error, trace)

    def open_servers(self) -> dict[str, Server]:
        """Wait until no other load runs on this host, then find or start the servers.

        Returns:
            Service to server, of the services that the scenario's workloads use.

        Raises:
            ServiceUnavailableError: With a sentence for each that cannot be had.
        """
        if self._services is None:
            holder = f"run {self.run_id}, process {os.getpid()}, since {_now()}"
            lock = load_lock(self._settings.lock_path, holder, self._say, time.sleep)
            self._stack.enter_context(lock)
            used = (servers_used(*kind) for kind in self._kinds)
            services = ServiceSession(self._settings, sorted(frozenset().union(*used)))
            self._services = self._stack.enter_context(services)
        return self._services.servers

    def seed_data(self) -> dict[str, int]:
        """Make the run's own schema and prefix, and fill the table that workflows read.

        Returns:
            Server to rows that were seeded.
        """
        if self._seeded is None:
            self._seeded = {}
            for service, server in self.open_servers().items():
                name = self._schema if service == "postgres" else self._keys
                self._stack.enter_context(leased(self._settings.state_dir, server, name))
                self._seeded[service] = self._seed(server)
        return self._seeded

    def load(self, on_progress: Callable[[Progress], None] = lambda _progress: None) -> RunFolder:
        """Play every level and write down what happened.

        The status that is recorded is our own: ``interrupted`` when anything but an error ends
        the process's work, whatever an orchestrator calls that.

        Args:
            on_progress: Told about once a second where the load stands.

        Raises:
            PerfPipelineError: Before the first level, when servers or target cannot be had.
        """
        servers = self.open_servers()
        self.seed_data()
        environments = self._environments()
        self.folder.begin(self._scenario.name)
        manifest = self._manifest(servers, environments)
        before = read_cpu_times()
        try:
            write_json(self.folder.manifest, manifest)
            for plan in self._plans:
                self._play(plan, environments[plan.target].python, on_progress)
            manifest["host"]["steal_percent"] = steal_percent(before, read_cpu_times())
            write_json(self.folder.manifest, manifest)
        except Exception as error:
            self.folder.end(FAILED, f"{type(error).__name__}: {error}")
            raise
        except BaseException as interruption:
            self.folder.end(INTERRUPTED, type(interruption).__name__)
            raise
        self.folder.end(COMPLETE)
        return self.folder

    def _environments(self) -> dict[str, TargetEnvironment]:
        """Find or make the environment of every target that the levels and arms use."""
        uv, cache = find_uv(os.environ), self._settings.cache_dir
        targets = dict.fromkeys(plan.target for plan in self._plans)
        return {
            target: make_environment(target, cache_dir=cache, environ=os.environ, uv=uv)
            for target in targets
        }

    def _manifest(
        self, servers: dict[str, Server], environments: dict[str, TargetEnvironment]
    ) -> dict[str, Any]:
        return make_manifest(
            run_id=self.run_id,
            scenario=self._scenario,
            started_at=_now(),
            host=read_host_facts(self._settings.temp_dir).to_manifest(),
            git=read_git_state(PROJECT, self._settings.search_path),
            servers=list(servers.values()),
            environments=environments,
            plans=self._plans,
        )

    def _seed(self, server: Server) -> int:
        if server.service != "postgres":
            return 0
        return postgres_data.provision(
            server.url,
            self._schema,
            ddl=ddl(self._schema),
            table=MEASUREMENTS,
            columns=MEASUREMENT_COLUMNS,
            rows=measurement_rows(self._scenario.seed),
        )

    def _play(
        self,
        plan: LevelPlan,
        python: Path,
        on_progress: Callable[[Progress], None],
    ) -> None:
        folder = self.folder.root / "levels" / plan.folder_name
        folder.mkdir()
        self._say(f"level {plan.label}: {plan.concurrency} in flight on {plan.target}")
        monitor = ResourceMonitor(
            folder / "resources.jsonl", self._server_pids, self._connection_probes()
        )
        level = LevelRun(
            plan,
            folder=folder,
            python=python,
            job=self._job(plan),
            phases=self._scenario.phases,
            on_second=monitor.sample,
            on_progress=lambda progress: self._progress(progress, on_progress),
            write_log=lambda log: _write_log(folder, log),
        )
        level.run()
        self._reconcile(plan, folder)

    def _job(self, plan: LevelPlan) -> Job:
        servers = self.open_servers()
        limit = self._scenario.connections.max_db_connections
        stores = Stores(
            postgres_url=servers["postgres"].url if "postgres" in servers else None,
            postgres_schema=self._schema,
            redis_url=servers["redis"].url if "redis" in servers else None,
            redis_prefix=REDIS_PREFIX,
            connections=limit // plan.processes,
            connection_timeout_s=self._scenario.connections.connection_timeout_s,
        )
        return Job(
            kinds=tuple(Kind(*kind) for kind in self._kinds),
            nodes=plan.nodes,
            seed=self._scenario.seed,
            run_id=self.run_id,
            level=plan.index,
            stores=stores,
        )

    def _reconcile(self, plan: LevelPlan, folder: Path) -> None:
        """Count the level's writes, then remove those that were counted."""
        servers, kinds = self.open_servers(), self._kinds
        frame = read_level(folder, len(kinds)).frame
        where = (self._schema, RESULTS, self.run_id, plan.index)
        counts: dict[str, Callable[[], set[int]]] = {}
        if "postgres" in servers:
            counts["postgres"] = lambda: postgres_data.written_numbers(
                servers["postgres"].url, *where
            )
        if "redis" in servers:
            counts["redis"] = lambda: redis_data.written_numbers(
                servers["redis"].url, REDIS_PREFIX, self.run_id, plan.index
            )
        writes = reconcile(frame, kinds, counts)
        write_json(folder / "writes.json", [asdict(write) for write in writes])
        counted = {write.server for write in writes if write.problem is None}
        if "postgres" in counted:
            postgres_data.delete_written(servers["postgres"].url, *where)
        if "redis" in counted:
            redis_data.delete(servers["redis"].url, self._keys)

    def _server_pids(self) -> list[int]:
        """Return the processes of the servers that this run started."""
        pids = [pid for server in self.open_servers().values() for pid in server.pids]
        found = []
        for pid in pids:
            try:
                found += [pid, *(child.pid for child in psutil.Process(pid).children())]
            except psutil.NoSuchProcess:
                continue
        return found

    def _connection_probes(self) -> dict[str, Callable[[], tuple[int, int]]]:
        servers, name = self.open_servers(), connection_name(self.run_id)
        probes: dict[str, Callable[[], tuple[int, int]]] = {}
        if "postgres" in servers:
            probes["postgres"] = lambda: postgres_data.connection_count(
                servers["postgres"].url, name
            )
        if "redis" in servers:
            probes["redis"] = lambda: (redis_data.connection_count(servers["redis"].url, name),) * 2
        return probes

    def _progress(self, progress: Progress, on_progress: Callable[[Progress], None]) -> None:
        with (self.folder.root / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress)) + "\n")
        on_progress(progress)


def measure(folder: RunFolder) -> RunMetrics:
    """Compute and store the metrics of a run, finished or not."""
    metrics = measure_run(folder)
    write_metrics(folder, metrics)
    return metrics


def report(folder: RunFolder, metrics: RunMetrics) -> ReportFiles:
    """Write the report and the result files of a run."""
    write_result_files(folder.root.parent, metrics)
    return write_report(metrics, folder.root)


def run_scenario(
    scenario: Scenario,
    settings: Settings,
    *,
    say: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> RunMetrics:
    """Run a scenario from servers to report, without an orchestrator."""
    with Run(scenario, settings, say=say) as run:
        folder = run.load(on_progress)
    metrics = measure(folder)
    report(folder, metrics)
    return metrics


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write_log(folder: Path, log: LevelLog) -> None:
    write_json(folder / "level.json", asdict(log))
