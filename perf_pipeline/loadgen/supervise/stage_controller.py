"""Steers the stages of a closed load, each with its own ramp, warm-up and steady phase.

A stage is a level of its own that is played without a stop before it, so it has a log of its own
and ends by the same rules as a level (``plan/phase_rules.py``).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.plan.phase_rules import closed_phases
from perf_pipeline.loadgen.supervise.level_log import LevelLog, new_log
from perf_pipeline.loadgen.supervise.phase_controller import PhaseController
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_monitor import LevelMonitor
    from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess

RAMP_TICK_S = 0.02


class StageController(PhaseController):
    """Plays stages on worker processes that are ready."""

    def __init__(
        self,
        stages: Sequence[LevelPlan],
        workers: Sequence[WorkerProcess],
        monitor: LevelMonitor,
        log: LevelLog,
        write_log: Callable[[LevelLog], None],
    ) -> None:
        """Prepare; as ``PhaseController``, whose plan is the first of the stages."""
        super().__init__(stages[0], workers, monitor, log, write_log)
        self._stages = stages

    def play(self) -> EndedBecause:
        """Play all stages; returns why the last one that was begun ended."""
        because = self._play_stage(self._stages[0], self._go())
        for stage in self._stages[1:]:
            if not because.ran_to_end:
                return because
            because = self._play_stage(stage, self._next(stage, because))
        if not because.ran_to_end:
            return because
        last = self._stages[-1]
        return self._fall(last) or because

    def _next(self, stage: LevelPlan, because: EndedBecause) -> int:
        """End the log of a stage, and begin that of the next one; returns when that is."""
        now_ns = time.monotonic_ns()
        log = self.log
        log.ended_because, log.until_ns = because, now_ns
        log.ended_at = datetime.now(UTC).isoformat()
        self._write_log(log)
        self.logs.append(new_log(stage, go_ns=now_ns, limits=log.limits))
        self._write_log(self.log)
        self._monitor.enter(stage)
        return now_ns

    def _play_stage(self, stage: LevelPlan, begin_ns: int) -> EndedBecause:
        before = stage.stage.before if stage.stage else 0
        _, warm_up, steady = closed_phases(stage.phases, stage.concurrency)
        ramp_s = stage.phases.ramp_s(stage.concurrency)
        with self._logged("ramp_up", begin_ns):
            because = self._move(before, stage.concurrency, ramp_s, begin_ns)
        ended_before = self._ended()
        for rule in (warm_up, steady):
            if because:
                return because
            ended_before = self._ended()
            because = self._stay(rule, time.monotonic_ns())
        if because:
            return because
        enough = self._ended() - ended_before >= steady.min_workflows
        return EndedBecause.COMPLETE if enough else EndedBecause.STEADY_MAX

    def _fall(self, last: LevelPlan) -> EndedBecause | None:
        """Let the load fall to nothing; returns why that ended early, or None."""
        length_s = last.stage.ramp_down_s if last.stage else 0.0
        if not length_s:
            return None
        self.phase = "ramp_down"
        return self._move(last.concurrency, 0, length_s, time.monotonic_ns())

    def _move(self, before: int, after: int, length_s: float, begin_ns: int) -> EndedBecause | None:
        """Let the number in flight go evenly from one to another; returns as ``_stay``."""
        while self.all_alive():
            elapsed_s = (time.monotonic_ns() - begin_ns) / 1e9
            share = min(1.0, max(0.0, elapsed_s / length_s)) if length_s else 1.0
            for worker in self._workers:
                worker.allow(before + round((after - before) * share))
            if share >= 1.0:
                return None
            self.tick(RAMP_TICK_S)
            if because := self._ended_early():
                return because
        return EndedBecause.WORKER_LOST
