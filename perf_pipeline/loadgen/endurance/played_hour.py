"""One hour of a campaign on an attached target: its files, its load until the deadline, its end."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.endurance.attached_worker import AttachedWorker, slot_path
from perf_pipeline.loadgen.endurance.attachment import TargetLostError
from perf_pipeline.loadgen.endurance.soak import TWIN
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.supervise.early_stop import StopWatch
from perf_pipeline.loadgen.supervise.level_log import LevelLog, new_log
from perf_pipeline.loadgen.supervise.level_monitor import LevelMonitor
from perf_pipeline.loadgen.supervise.phase_controller import GO_DELAY_S, PhaseController
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.run_folder import INTENDED, write_json
from perf_pipeline.samples.slots import SlotFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.loadgen.endurance.attachment import Attachment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import Progress

READY_S = 60.0
_POLL_S = 0.02
_END_GRACE_S = 10.0


class PlayedHour(PhaseController):
    """An hour that this process plays.

    Attributes:
        folder: The hour's folder.
        lost: Why the target ended while the hour was played; empty where it lives.
    """

    def __init__(
        self,
        plan: LevelPlan,
        attachment: Attachment,
        folder: Path,
        *,
        on_sample: Callable[[int, list[int]], None],
        on_tick: Callable[[], None],
        on_progress: Callable[[Progress], None],
        sample_every_s: float,
    ) -> None:
        """Make the hour's files, and announce it to the workers.

        Args:
            plan: Of the hour.
            attachment: Its target.
            folder: The hour's folder; it exists.
            on_sample: Called every ``sample_every_s`` with the time and the workers' pids.
            on_tick: Called about ten times a second.
            on_progress: Called about once a second with the progress.
            sample_every_s: How often.

        Raises:
            TargetLostError: The target has ended.
        """
        self.folder = folder
        self.lost = ""
        self._attachment = attachment
        self._on_tick = on_tick
        self._attached = _prepared(plan, folder, attachment.pids)
        self._twins = _prepared(plan, folder / TWIN, attachment.twin_pids)
        monitor = LevelMonitor(
            plan.shown,
            self._attached,  # type: ignore[arg-type] # has what a monitor reads of a worker
            folder=folder,
            stop_watch=StopWatch(plan.stop),
            on_sample=on_sample,
            sample_every_s=sample_every_s,
            on_progress=on_progress,
        )
        super().__init__(plan, self._attached, monitor, new_log(plan), self._write)  # type: ignore[arg-type]
        self._write(self.log)
        attachment.announce(plan.index)

    @property
    def stop_ns(self) -> int:
        """When the hour's load ends as planned, CLOCK_MONOTONIC; known once it has begun."""
        return (self.log.go_ns or 0) + int(self._phases.steady_s * 1e9)

    def play_from(self, begin_ns: int) -> None:
        """Play the hour until its deadline.

        Args:
            begin_ns: When its load should begin, CLOCK_MONOTONIC; as soon as possible if that is
                past.
        """
        self._wait_ready()
        if not self.lost:
            self.set_go(begin_ns)
        because = EndedBecause.WORKER_LOST if self.lost else self.play()
        self.log.ended_because = because
        self.log.ended_detail = self.lost or self.log.ended_detail
        self._write(self.log)
        if because is not EndedBecause.COMPLETE:
            for worker in self._all:
                worker.stop()

    @property
    def begun(self) -> bool:
        """True once it is decided when the hour's load begins."""
        return self.log.go_ns is not None

    @property
    def ready(self) -> bool:
        """True once every worker has read the hour's schedule."""
        return all(worker.ready for worker in self._all)

    def set_go(self, begin_ns: int) -> None:
        """Decide when the hour's load begins, unless that is decided; as of ``play_from``."""
        if self.log.go_ns is None:
            self.log.go_ns = max(begin_ns, time.monotonic_ns() + int(GO_DELAY_S * 1e9))
            self._write(self.log)
            for worker in self._all:
                worker.play(self.log.go_ns, self.stop_ns)

    def interrupt(self) -> None:
        """Stop the load: this process was asked to end."""
        self.log.ended_because = EndedBecause.INTERRUPTED
        for worker in self._all:
            worker.stop()

    def discard(self) -> None:
        """Remove the files of an hour that never began: its target has ended."""
        for one in self._all:
            one.close()
        shutil.rmtree(self.folder)

    def end(self) -> LevelLog:
        """Wait until every record is committed; returns the log, complete."""
        drain_ns = int((self._phases.drain_s + _END_GRACE_S) * 1e9)
        deadline_ns = time.monotonic_ns() + drain_ns
        begin_ns = time.monotonic_ns()
        while any(one.alive and not one.closed for one in self._all):
            if time.monotonic_ns() > deadline_ns:
                break
            time.sleep(_POLL_S)
        self.log.phases_ns["drain"] = (begin_ns, time.monotonic_ns())
        self.log.ended_at = datetime.now(UTC).isoformat()
        self.log.workers = [
            {"worker": one.worker, "pid": one.pid, "reason": self._end_of(one)}
            for one in self._attached
        ]
        self._write(self.log)
        for one in self._all:
            one.close()
        return self.log

    def tick(self, length_s: float | None = None) -> None:
        """As ``PhaseController.tick``; renews the lease of the target."""
        super().tick(length_s)
        try:
            self._attachment.renew()
        except TargetLostError as error:
            self.lost = self.lost or str(error)
        self._on_tick()

    def all_alive(self) -> bool:
        """Return whether the target lives."""
        return not self.lost and super().all_alive()

    @property
    def _all(self) -> list[AttachedWorker]:
        return [*self._attached, *self._twins]

    def _go(self) -> int:
        go_ns = self.log.go_ns
        assert go_ns is not None
        self._monitor.begin(go_ns)
        return go_ns

    def _wait_ready(self) -> None:
        deadline_ns = time.monotonic_ns() + int(READY_S * 1e9)
        while not self.ready:
            if not self.all_alive():
                self.lost = self.lost or "a worker process of the target ended"
                return
            if time.monotonic_ns() > deadline_ns:
                self.lost = f"it did not take up the hour within {READY_S:.0f} s: it hangs"
                return
            self.tick(_POLL_S)

    def _end_of(self, worker: AttachedWorker) -> str:
        if worker.closed:
            return "done"
        if worker.alive:
            return "hung: its records of the hour were not committed after the drain"
        return self.lost or "the worker process ended"

    def _write(self, log: LevelLog) -> None:
        write_json(self.folder / "level.json", asdict(log))


def _prepared(plan: LevelPlan, folder: Path, pids: tuple[int, ...]) -> list[AttachedWorker]:
    """Make the files that the workers of an arm read; nothing where it has no workers."""
    if not pids:
        return []
    folder.mkdir(exist_ok=True)
    (folder / INTENDED).write_bytes(little_endian(plan.intended_ns))
    drain_ns = int(plan.phases.drain_s * 1e9)
    workers = []
    for index, pid in enumerate(pids):
        (folder / f"worker-{index}.kinds").write_bytes(little_endian(plan.kinds))
        slots = len(plan.slots_of(index))
        workers.append(
            AttachedWorker(index, pid, SlotFile.create(slot_path(folder, index), slots, drain_ns))
        )
    return workers
