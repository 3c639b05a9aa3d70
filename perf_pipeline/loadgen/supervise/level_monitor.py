"""Samples, reports and decides on an early end about once a second while a level runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.supervise.early_stop import EarlyEnd
from perf_pipeline.loadgen.supervise.level_log import Progress
from perf_pipeline.samples.disk_space import FLOOR_BYTES, disk_full, free_bytes
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.slots import DISK_FULL, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.early_stop import StopWatch
    from perf_pipeline.loadgen.supervise.slo_watch import SloWatch
    from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess

REPORT_EVERY_NS = 1_000_000_000


def totals_of(workers: Sequence[WorkerProcess]) -> Totals:
    """Add up what the workers have done so far."""
    return sum((worker.slots.totals() for worker in workers), Totals(0, 0, 0))


class LevelMonitor:
    """Called at every tick of the supervisor; does each thing when it is due."""

    def __init__(
        self,
        label: str,
        workers: Sequence[WorkerProcess],
        *,
        folder: Path,
        stop_watch: StopWatch,
        slo_watch: SloWatch | None = None,
        new_slo_watch: Callable[[LevelPlan], SloWatch | None] | None = None,
        on_sample: Callable[[int, list[int]], None],
        sample_every_s: float,
        on_progress: Callable[[Progress], None],
        host_floor: Callable[[], str] = lambda: "",
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Prepare.

        Args:
            label: Name of the level, for people.
            workers: The level's worker processes; may grow.
            folder: The level's folder.
            stop_watch: Decides whether the level ends early.
            slo_watch: Decides whether an SLO is missed; None without SLOs.
            new_slo_watch: Makes that of a later stage.
            on_sample: Called every ``sample_every_s`` with the time and the workers' pids.
            sample_every_s: How often.
            on_progress: Called about once a second with the progress.
            host_floor: Returns the sentence about a floor of the host that an injected failure
                reached; empty while none is.
            clock_ns: CLOCK_MONOTONIC.
        """
        self._host_floor = host_floor
        self._label = label
        self._workers = workers
        self._folder = folder
        self._stop_watch = stop_watch
        self._slo_watch = slo_watch
        self._new_slo_watch = new_slo_watch
        self._on_sample = on_sample
        self._sample_every_ns = int(sample_every_s * 1e9)
        self._clock_ns = clock_ns
        self._sample_due_ns = clock_ns()
        self._on_progress = on_progress
        self._reported: tuple[int, int] = (clock_ns(), 0)

    def begin(self, go_ns: int) -> None:
        """Note that the load begins at ``go_ns``; samples are due from then on.

        So hosts that agreed on the go sample at the same moments.
        """
        self._sample_due_ns = go_ns
        self._stop_watch.begin(go_ns, totals_of(self._workers))

    def enter(self, stage: LevelPlan) -> None:
        """Note that a later stage begins: from now on its progress and its SLOs are watched."""
        self._label = stage.shown
        if self._new_slo_watch is not None:
            self._slo_watch = self._new_slo_watch(stage)

    def beat(self, phase: str, go_ns: int | None) -> EarlyEnd | None:
        """Do what is due.

        Args:
            phase: The phase that the level is in.
            go_ns: CLOCK_MONOTONIC of the go; None before.

        Returns:
            Why the level should end now; None while it should not, or has ended already.
        """
        now_ns = self._clock_ns()
        if now_ns >= self._sample_due_ns:
            # From when it was due, not from now: beats are late by a tenth of a second or so.
            missed = (now_ns - self._sample_due_ns) // self._sample_every_ns
            self._sample_due_ns += (missed + 1) * self._sample_every_ns
            self._on_sample(now_ns, self._alive_pids())
        then_ns, ended_then = self._reported
        if now_ns - then_ns < REPORT_EVERY_NS:
            return None
        totals = totals_of(self._workers)
        self._reported = (now_ns, totals.ended)
        early_end = None
        if go_ns is not None and phase != "drain":
            early_end = (
                self._no_disk()
                or self._no_reserve()
                or self._stop_watch.look(now_ns, totals, self._alive_pids())
            )
            if early_end is None and self._slo_watch is not None:
                slots = [worker.slots for worker in self._workers]
                early_end = self._slo_watch.look(now_ns, phase, go_ns, slots)
        self._on_progress(
            Progress(
                label=self._label,
                phase=phase,
                totals=totals,
                rate_per_s=(totals.ended - ended_then) / ((now_ns - then_ns) / 1e9),
                elapsed_s=0.0 if go_ns is None else max(0.0, (now_ns - go_ns) / 1e9),
            )
        )
        return early_end

    def _no_disk(self) -> EarlyEnd | None:
        """Return that the level ends if the disk of its folder is full, or about to be."""
        stuck = any(worker.slots.words[DISK_FULL] for worker in self._workers)
        if not stuck and free_bytes(self._folder) >= FLOOR_BYTES:
            return None
        return EarlyEnd(EndedBecause.DISK_FULL, disk_full(self._folder))

    def _no_reserve(self) -> EarlyEnd | None:
        """Return that the level ends if its failures took what the host must keep."""
        reached = self._host_floor()
        return EarlyEnd(EndedBecause.HOST_FLOOR, reached) if reached else None

    def _alive_pids(self) -> list[int]:
        return [worker.pid for worker in self._workers if worker.alive]
