"""Supervises the worker processes of one load level from their start to their end.

The supervisor generates no load. It reads the workers' slot files, ends phases
(``phase_controller.py``), and survives workers that die or hang.
"""

from __future__ import annotations

import errno
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.limits.control_group import CGROUPS, group_name
from perf_pipeline.loadgen.limits.limiter import Limiter
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.plan.share import WHOLE, Share
from perf_pipeline.loadgen.supervise.early_stop import StopWatch
from perf_pipeline.loadgen.supervise.level_log import LevelLog, new_log
from perf_pipeline.loadgen.supervise.level_monitor import LevelMonitor
from perf_pipeline.loadgen.supervise.phase_controller import PhaseController
from perf_pipeline.loadgen.supervise.stage_controller import StageController
from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess
from perf_pipeline.samples.disk_space import FLOOR_BYTES, disk_full, free_bytes, is_disk_full
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.run_folder import INTENDED, STREAMS
from perf_pipeline.samples.slots import DISK_FULL
from perf_pipeline.worker.runtime.lifecycle import TEARDOWN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.loadgen.supervise.meeting import Meeting
    from perf_pipeline.loadgen.supervise.slo_watch import SloWatch
    from perf_pipeline.loadgen.supervise.started_worker import StartedWorker
    from perf_pipeline.targets.target import Job

START_TIMEOUT_S = 120.0
INTERRUPT_DRAIN_S = 1.0
INTERRUPT_GRACE_S = 3.0
HANG_GRACE_S = 10.0
SHORT_TICK_S = 0.02
"""Before the load and after it, when people wait for what is next."""

KILL_AT_INTERRUPTION = 2
"""The first interruption lets workflows end, this one kills the workers."""


class LevelSupervisor:
    """One load level; ``run`` plays it."""

    def __init__(
        self,
        plan: LevelPlan,
        *,
        folder: Path,
        python: Path,
        job: Job,
        on_second: Callable[[int, list[int]], None],
        on_progress: Callable[[Progress], None],
        write_log: Callable[[LevelLog], None],
        user_code: UserCode = NO_USER_CODE,
        make_room: Callable[[], None] = lambda: None,
        sample_every_s: float = 1.0,
        cgroups: Path | None = CGROUPS,
        stages: Sequence[LevelPlan] = (),
        host_floor: Callable[[], str] = lambda: "",
        prepared: Sequence[StartedWorker] = (),
        share: Share = WHOLE,
        meeting: Meeting | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            plan: The level.
            folder: Its folder, empty.
            python: The target's interpreter.
            job: What the target has to execute.
            on_second: Called every ``sample_every_s`` with the time and the workers' pids.
            on_progress: Called about once a second with the progress.
            write_log: Stores the log; called at the start, at every phase and at the end, so that
                a killed supervisor leaves the latest.
            user_code: Working folder, modules and variables of the user's.
            make_room: Called when the disk is full: frees what was set apart for that.
            sample_every_s: How often ``on_second`` is called.
            cgroups: Where control groups are mounted; None to do without.
            stages: The stages after this one, which the same workers play.
            host_floor: As of ``LevelMonitor``.
            prepared: The process of each worker, where those were started earlier.
            share: Which of the workers are supervised here; the others are on other hosts.
            meeting: As of ``PhaseController``.
        """
        self._plan = plan
        self._share = share
        self._prepared = list(prepared)
        self._folder = folder
        self._python = python
        self._job = job
        self._write_log = write_log
        self._user_code = user_code
        self._cgroups = cgroups
        self._make_room = make_room
        self._workers: list[WorkerProcess] = []
        self._limiters: list[Limiter] = []
        self._stop_ns: int | None = None
        monitor = LevelMonitor(
            plan.shown,
            self._workers,
            folder=folder,
            stop_watch=StopWatch(plan.stop),
            slo_watch=_slo_watch(plan, folder),
            new_slo_watch=lambda stage: _slo_watch(stage, folder),
            on_sample=on_second,
            sample_every_s=sample_every_s,
            on_progress=on_progress,
            host_floor=host_floor,
        )
        log = new_log(plan)
        self._phases = (
            StageController((plan, *stages), self._workers, monitor, log, write_log)
            if plan.stage
            else PhaseController(plan, self._workers, monitor, log, write_log, meeting)
        )

    @property
    def _log(self) -> LevelLog:
        return self._phases.log

    def run(self) -> LevelLog:
        """Play the level to its end, even if workers fail.

        Returns:
            The log, complete; of the last stage that was begun.

        Raises:
            BaseException: This process was interrupted, or the level could not be played; the
                load is stopped and the log written first.
        """
        try:
            if free_bytes(self._folder) < FLOOR_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301
            self._write_log(self._log)
            if self._plan.arrivals:
                (self._folder / INTENDED).write_bytes(little_endian(self._plan.intended_ns))
            if self._plan.stream_of:
                (self._folder / STREAMS).write_bytes(little_endian(self._plan.stream_of))
            for worker in self._share.workers(self._plan.processes):
                self._start(worker)
            # Until then the log says "interrupted", which is what a killed supervisor leaves.
            ready = self._wait_ready()
            because = self._phases.play() if ready else EndedBecause.START_FAILED
            self._log.ended_because = self._or_disk_full(because)
            if self._log.ended_because is EndedBecause.DISK_FULL:
                self._make_room()  # for the records that workers could not commit
            self._drain()
        except BaseException as error:
            is_full = is_disk_full(error)
            if is_full:
                self._log.ended_detail = disk_full(self._folder, error)
                self._make_room()
            because = EndedBecause.DISK_FULL if is_full else EndedBecause.INTERRUPTED
            self._log.ended_because = because
            if interruptions(error) < KILL_AT_INTERRUPTION:
                self._drain()
            if not is_full:
                raise
        finally:
            self._reap()
        return self._log

    def _start(self, index: int) -> None:
        """Start one worker, limited to its share from the beginning."""
        worker = WorkerProcess(
            self._plan,
            index,
            self._folder,
            self._python,
            self._job,
            self._user_code,
            prepared=self._prepared.pop(0) if self._prepared else None,
        )
        self._workers.append(worker)
        limiter = Limiter(
            self._plan.limits,
            self._plan.processes,
            group_name=group_name(self._plan.index, index),
            cgroups=self._cgroups,
        )
        self._limiters.append(limiter)
        limiter.apply(worker)
        self._log_limits()

    def _wait_ready(self) -> bool:
        deadline_ns = time.monotonic_ns() + int(START_TIMEOUT_S * 1e9)
        while not all(worker.ready for worker in self._workers):
            if not self._phases.all_alive():
                return False
            if time.monotonic_ns() > deadline_ns:
                for worker in self._workers:
                    if not worker.ready:
                        worker.kill(worker.not_ready_reason(START_TIMEOUT_S))
                return False
            self._phases.tick(SHORT_TICK_S)
        return True

    def _or_disk_full(self, because: EndedBecause) -> EndedBecause:
        """Return why the level ended: a worker that ended may have done so for want of space."""
        stuck = any(worker.slots.words[DISK_FULL] for worker in self._workers)
        if not stuck or because not in {EndedBecause.START_FAILED, EndedBecause.WORKER_LOST}:
            return because
        self._log.ended_detail = disk_full(self._folder)
        return EndedBecause.DISK_FULL

    def _drain(self) -> None:
        """Stop the load and wait for the workers to end; those that hang are killed."""
        if self._stop_ns is None:
            steady = self._log.phases_ns.get("steady")
            self._stop_ns = (steady and steady[1]) or time.monotonic_ns()
        self._phases.phase = "drain"
        # Ticks store samples, of which a full disk would take none.
        quietly = self._log.ended_because in {EndedBecause.INTERRUPTED, EndedBecause.DISK_FULL}
        short = self._log.ended_because.is_cut_short
        for worker in self._workers:
            worker.stop(self._stop_ns, INTERRUPT_DRAIN_S if short else None)
        grace_s = INTERRUPT_GRACE_S if short else self._plan.phases.drain_s + HANG_GRACE_S
        grace_s += TEARDOWN_S if self._job.teardown else 0
        deadline_ns = time.monotonic_ns() + int(grace_s * 1e9)
        while any(worker.alive for worker in self._workers):
            if time.monotonic_ns() > deadline_ns:
                for worker in self._workers:  # a teardown that hangs costs no record
                    hung = f"hung: still running {grace_s:.0f} s after the stop{worker.doing()}"
                    worker.kill("done" if worker.closed and self._job.teardown else hung)
                return
            time.sleep(SHORT_TICK_S) if quietly else self._phases.tick(SHORT_TICK_S)

    def _reap(self) -> None:
        """Kill running workers, log how each ended, and release every resource."""
        for worker in self._workers:
            worker.kill("killed by us: interrupted again while workflows were ending")
        while self._prepared:  # it was interrupted before all had their job
            self._prepared.pop().discard()
        if self._log.go_ns is not None:
            now_ns = time.monotonic_ns()
            self._log.phases_ns["drain"] = (self._stop_ns or now_ns, now_ns)
        # The latest worker has no limiter yet if this was interrupted between the two.
        killed = [*((one.reason(), one.sigkill_sender()) for one in self._limiters), (None, "")]
        workers = [
            {
                "worker": worker.worker,
                "pid": worker.pid,
                "reason": worker.end_reason(why, sender),
                "left_behind": worker.left_behind(),
                **worker.printed(),
            }
            for worker, (why, sender) in zip(self._workers, killed, strict=False)
        ]
        self._log_limits()
        for limiter in self._limiters:
            limiter.release()
        self._log.ended_at = datetime.now(UTC).isoformat()
        for log in self._phases.logs:
            log.workers = workers
            self._write_log(log)
        for worker in self._workers:
            worker.close()

    def _log_limits(self) -> None:
        """Log how the limits are enforced; usually the same for all workers."""
        self._log.limits = "; ".join(dict.fromkeys(one.mechanism for one in self._limiters))


def _slo_watch(plan: LevelPlan, folder: Path) -> SloWatch | None:
    """Return what ends a level that misses an SLO; None where no SLO ends it."""
    if not plan.aborts:
        return None
    from perf_pipeline.loadgen.supervise.slo_watch import (  # noqa: PLC0415 - numpy and polars
        SloWatch,
    )

    return SloWatch(plan, folder)


def interruptions(error: BaseException) -> int:
    """Count the interruptions (Ctrl-C and the like) that led to an error.

    A second one may arrive while the first is still on its way through ``finally`` blocks; it
    replaces the first, which remains its context.
    """
    chain: BaseException | None = error
    count = 0
    while chain is not None:
        count += not isinstance(chain, Exception)
        chain = chain.__context__
    return count
