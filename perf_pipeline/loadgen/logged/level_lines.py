"""Logs the course of load levels: their phases, how they ended, and how each worker ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.logs.trace import span_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.logs.log import Log

_DONE = "done"


class LevelLines:
    """Follows the supervisor's log of each level of a run, and writes a line for what is new."""

    def __init__(self, log: Log, run_id: str, wall_ns: Callable[[int], int]) -> None:
        """Begin with a run.

        Args:
            log: Of the process that supervises.
            run_id: The run.
            wall_ns: Gives the time since the epoch of one of CLOCK_MONOTONIC.
        """
        self._log = log
        self._run_id = run_id
        self._wall_ns = wall_ns
        self._seen: set[tuple[str, str, bool]] = set()

    def follow(self, level: LevelLog) -> None:
        """Write what is new in a level's log; called whenever that is stored."""
        name = level.folder_name
        names = {"level": name}
        span = span_id(self._run_id, name)
        if self._is_new(name, "", ended=False):
            text = f"level {level.plan['label']} begins"
            self._log.write("info", "level-began", text, labels=names, span_id=span)
        for phase, (begin_ns, end_ns) in list(level.phases_ns.items()):
            of_phase = {**names, "phase": phase}
            if self._is_new(name, phase, ended=False):
                self._log.write(
                    "info",
                    "phase-began",
                    f"level {level.plan['label']}: {phase} begins",
                    at_ns=self._wall_ns(begin_ns),
                    labels=of_phase,
                    span_id=span,
                )
            if end_ns is not None and self._is_new(name, phase, ended=True):
                self._log.write(
                    "info",
                    "phase-ended",
                    f"level {level.plan['label']}: {phase} ends",
                    at_ns=self._wall_ns(end_ns),
                    duration_ns=end_ns - begin_ns,
                    labels=of_phase,
                    span_id=span,
                )
        if level.ended_at and self._is_new(name, "", ended=True):
            self._write_end(level, names, span)

    def _write_end(self, level: LevelLog, names: dict[str, str], span: str) -> None:
        because = level.ended_because
        detail = f": {level.ended_detail}" if level.ended_detail else ""
        for worker in level.workers:
            is_done = worker["reason"] == _DONE
            self._log.write(
                "info" if is_done else "error",
                "worker-ended",
                f"worker {worker['worker']}, process {worker['pid']}: {worker['reason']}",
                outcome="success" if is_done else "failure",
                labels={**names, "worker": f"worker-{worker['worker']}"},
                span_id=span,
                worker_pid=worker["pid"],
                log_dropped_bytes=worker.get("log_dropped_bytes", 0),
            )
        began_ns = level.go_ns
        drained_ns = level.phases_ns.get("drain", (0, None))[1]
        self._log.write(
            "info" if because.ran_to_end else "warning",
            "level-ended",
            f"level {level.plan['label']} ended, {because}{detail}",
            outcome="success" if because.ran_to_end else "failure",
            duration_ns=drained_ns - began_ns if began_ns and drained_ns else None,
            labels=names,
            span_id=span,
        )

    def _is_new(self, level: str, phase: str, *, ended: bool) -> bool:
        seen = (level, phase, ended)
        is_new = seen not in self._seen
        self._seen.add(seen)
        return is_new
