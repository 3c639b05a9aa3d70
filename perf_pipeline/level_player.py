"""Plays a load level of a run: calibrations, load, control run and the count of its writes."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.measuring_process import measuring_pids
from perf_pipeline.errors import ServiceUnavailableError, ShardMissingError
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.level_faults import LevelFaults
from perf_pipeline.loadgen.logged.level_lines import LevelLines
from perf_pipeline.loadgen.logged.operation_lines import OperationLines
from perf_pipeline.loadgen.plan.level_job import kinds_of, level_job
from perf_pipeline.loadgen.plan.share import WHOLE, Share
from perf_pipeline.loadgen.proxied_servers import busy_sentence
from perf_pipeline.loadgen.supervise.control_run import play_control
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.logs.log import Log
from perf_pipeline.logs.wall_time import wall_time
from perf_pipeline.metrics.records.counted_writes import (
    CountedWrites,
    count_writes,
    write_counted,
    writing_kinds,
)
from perf_pipeline.metrics.resources.loaded_server import loaded_server
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.samples.disk_space import give_back
from perf_pipeline.samples.journal import REPLACED, TEARDOWN, read_facts
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.host.level_calibration import LevelCalibration
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.run_servers import RunServers
    from perf_pipeline.loadgen.supervise.level_log import LevelLog, Progress
    from perf_pipeline.loadgen.supervise.meeting import Meeting
    from perf_pipeline.loadgen.supervise.prepared_workers import PreparedWorkers
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.targets.target import Kind


def facts_in(folder: Path, fact: str) -> list[str]:
    """Return the distinct lines of a fact of the worker processes of a level."""
    facts = (read_facts(path) for path in sorted(folder.glob("worker-*.sqlite")))
    return list(dict.fromkeys(line for one in facts for line in one.get(fact, "").splitlines()))


@dataclass(frozen=True)
class LevelPlayer:
    """What the levels of a run share.

    Attributes:
        folder: The run's folder.
        scenario: What the run plays.
        servers: Its servers, seeded.
        calibrations: Fixed work before and after each level.
        files: Folder for the files that workflows read.
        state_dir: Where the fault journal is.
        notify: Called with each line that people should see while they wait.
        log: Of this process; what its lines say of the run, those of all others do.
        prepared: Workers that were started before the run began; None for none.
        exporter_pid: The process that serves the run's live metrics; None without one.
        share: Which of the workers of each level are on this host.
        meeting: Where it meets those that are elsewhere; None where there are none.
    """

    folder: RunFolder
    scenario: Scenario
    servers: RunServers
    calibrations: LevelCalibration
    files: Path
    state_dir: Path
    notify: Callable[[str], None]
    log: Log
    prepared: PreparedWorkers | None = None
    exporter_pid: int | None = None
    share: Share = WHOLE
    meeting: Meeting | None = None

    def play(
        self,
        plan: LevelPlan,
        python: Path,
        on_progress: Callable[[Progress], None],
        stages: Sequence[LevelPlan] = (),
    ) -> LevelLog:
        """Play a level, and the control run of an open one, and store what happened.

        Args:
            plan: The level.
            python: The interpreter of its target.
            on_progress: Called about once a second with the progress of the load.
            stages: The stages after it, which the same workers play.

        Returns:
            The log; of stages, that of the last one that was begun.
        """
        folder = self._folder_of(plan)
        user_code = user_code_of(self.scenario, os.environ)
        # Before the calibration, which nothing of ours may disturb.
        workers = self.prepared.take(plan, python, user_code) if self.prepared else []
        folder.mkdir(exist_ok=bool(workers))
        load = " then ".join(one.load for one in (plan, *stages))
        self.notify(f"level {plan.shown}: {load} on {plan.target}")
        write_json(folder / "state.json", self._settle(plan))
        self.calibrations.before(folder)
        kinds = kinds_of(self.scenario, self.servers.left_out)
        run_data = self.servers.run_data
        job = level_job(
            plan,
            run_id=self.folder.run_id,
            kinds=kinds,
            run_data=run_data,
            files=self.files,
            log=self.log.context.with_labels(level=plan.folder_name),
        )
        watched = {name: one.watched() for name, one in run_data.items()}
        faulted = self.servers.faulted(plan.faults)
        faults = LevelFaults(plan, faulted, folder, self.state_dir, job.log)
        lines = LevelLines(self.log, self.folder.run_id, wall_time())

        def write_log(log: LevelLog) -> None:
            self._write_log(log)
            faults.follow(log)
            lines.follow(log)

        proxied = self.servers.proxied
        beside = (self.exporter_pid, proxied.pid if proxied else None)
        helpers = [*faults.pids, *measuring_pids(), *(pid for pid in beside if pid is not None)]
        resources = folder / "resources.jsonl"
        loaded = loaded_server(one.request for one in self.scenario.workloads if one.request)
        try:
            with (
                proxied.watched(plan.folder_name) if proxied else nullcontext(),
                ResourceSampler(resources, watched, helpers=helpers, loaded=loaded) as monitor,
            ):
                log = LevelSupervisor(
                    plan,
                    folder=folder,
                    python=python,
                    job=job,
                    user_code=user_code,
                    sample_every_s=self.scenario.sample_every_s,
                    make_room=lambda: give_back(self.folder.root),
                    on_second=monitor.sample,
                    on_progress=lambda progress: self._progress(progress, on_progress),
                    write_log=write_log,
                    stages=stages,
                    host_floor=faults.host_floor,
                    prepared=workers,
                    share=self.share,
                    meeting=self.meeting,
                ).run()
        finally:
            for sentence in faults.stop():
                self.notify(f"level {plan.shown}: {sentence}")
        self.calibrations.ended()
        if proxied:
            proxied.refuse_ended()
            if sentence := busy_sentence(proxied.record, plan.folder_name):
                self.notify(f"level {plan.shown}: {sentence}")
        if left := log.left_behind():
            names = ", ".join(f"{count} x {name}" for name, count in left.items())
            self.notify(f"level {plan.shown}: ended processes that the target left behind: {names}")
        for sentence in facts_in(folder, REPLACED):
            self.notify(f"level {plan.shown}: the target changed its process: {sentence}")
        for sentence in facts_in(folder, TEARDOWN):
            self.notify(f"level {plan.shown}: {sentence}; all records were stored before")
        if plan.arrivals and not log.ended_because.stops_run:
            self.notify(f"level {plan.shown}: the same arrivals on workflows that do nothing")
            play_control(
                plan,
                folder=folder,
                python=python,
                job=job,
                user_code=user_code,
                share=self.share,
            )
        self._log_operations(folder, log, kinds)
        self._count_writes((plan, *stages), kinds)
        return log

    def _settle(self, plan: LevelPlan) -> dict[str, str]:
        """Bring servers to a known state while no share of the run uses them."""
        meeting = self.meeting if self.servers.run_data else None
        if meeting is None:
            return self.servers.settle()
        meeting.meet(f"{plan.folder_name}-begins")  # whoever is here has ended the level before
        settled = self.servers.settle()
        meeting.meet(f"{plan.folder_name}-settled")
        return settled

    def _log_operations(self, folder: Path, log: LevelLog, kinds: Sequence[Kind]) -> None:
        """Log a sample of the workflows of a level that has ended, in a file of its own."""
        own = Log(f"{folder.name}-operations").open(self.log.context)
        try:
            OperationLines(own, self.folder.run_id, folder, log, kinds, wall_time()).write()
        finally:
            own.close()

    def _count_writes(self, plans: Sequence[LevelPlan], kinds: Sequence[Kind]) -> None:
        """Compare what is on the servers with the records: the next level removes it first."""
        found_on, writes = self.servers.written(plans[0].index), []
        if not self.share.is_whole:
            self._count_for_all(plans[0], kinds, found_on)
            return
        if found_on:
            from perf_pipeline.metrics.records.reconcile import (  # noqa: PLC0415 - polars
                reconcile_levels,
            )

            folders = [self._folder_of(one) for one in plans]
            begun = [one for one in folders if (one / "level.json").exists()]
            writes = reconcile_levels(begun, kinds, count_writes(kinds, found_on))
        path = self._folder_of(plans[0]) / "writes.json"
        write_json(path, [asdict(write) for write in writes])

    def _count_for_all(
        self,
        plan: LevelPlan,
        kinds: Sequence[Kind],
        found_on: Mapping[str, Callable[[], set[int]]],
    ) -> None:
        """Count what all shares have written; who merges them has the records.

        The first share counts when all have ended the level. Where one is missing it may still
        write, so nothing is counted.
        """
        if self.meeting is None or not found_on:
            return
        try:
            self.meeting.meet(f"{plan.folder_name}-ended")
        except (ShardMissingError, ServiceUnavailableError) as error:
            self.notify(f"level {plan.shown}: the writes of all shards are not counted: {error}")
            unknown = CountedWrites(frozenset(), f"not reconciled: {error}")
            counted = dict.fromkeys(writing_kinds(kinds), unknown)
        else:
            counted = count_writes(kinds, found_on) if self.share.index == 0 else {}
        if self.share.index == 0:
            write_counted(self._folder_of(plan), counted)

    def _folder_of(self, plan: LevelPlan) -> Path:
        return self.folder.root / "levels" / plan.folder_name

    def _write_log(self, log: LevelLog) -> None:
        folder = self.folder.root / "levels" / log.folder_name
        folder.mkdir(exist_ok=True)
        write_json(folder / "level.json", asdict(log))

    def _progress(self, progress: Progress, on_progress: Callable[[Progress], None]) -> None:
        with (self.folder.root / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress)) + "\n")
        on_progress(progress)
