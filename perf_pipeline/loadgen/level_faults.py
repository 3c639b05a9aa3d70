"""The failures of a load level: begun with its steady phase, taken back with its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.player import play_faults
from perf_pipeline.logs.log import NO_LOG
from perf_pipeline.samples.fault_log import read_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.faults.player import FaultPlay
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.logs.log import LogContext
    from perf_pipeline.samples.fault_log import FaultRecord


class LevelFaults:
    """Plays the failures of one level, none for most levels."""

    def __init__(
        self,
        plan: LevelPlan,
        servers: Mapping[str, FaultedServer],
        folder: Path,
        state_dir: Path,
        log: LogContext = NO_LOG,
    ) -> None:
        """Start the process that plays them, if there are any, and wait until it is ready.

        Args:
            plan: The level.
            servers: Service to the server that may be faulted.
            folder: The level's folder.
            state_dir: Where the fault journal is.
            log: What its processes log with.
        """
        self._folder = folder
        self._play: FaultPlay | None = None
        if plan.faults:
            self._play = play_faults(
                plan.faults, servers, folder, plan.seed, state_dir=state_dir, log=log
            )
            self._play.wait_until_ready()

    @property
    def pids(self) -> list[int]:
        """The process that plays them, if there is one."""
        return [self._play.pid] if self._play is not None else []

    def follow(self, log: LevelLog) -> None:
        """Begin and end with the steady phase; called whenever the level's log is written."""
        if self._play is None:
            return
        begin_ns, end_ns = log.phases_ns.get("steady", (None, None))
        if begin_ns is not None:
            self._play.begin(begin_ns)
        if end_ns is not None:
            self._play.end()

    def host_floor(self) -> str:
        """Return the sentence about a floor of the host that was reached; empty while none is."""
        return self._play.look() if self._play is not None else ""

    def stop(self) -> list[str]:
        """Have everything taken back, and wait for it.

        Returns:
            A sentence on each failure that was refused, failed, or was not taken back by itself.
        """
        if self._play is None:
            return []
        swept = self._play.stop()
        wrong = [one for one in read_faults(self._folder) if one.reason]
        return [*map(_sentence, wrong), *swept]


def _sentence(record: FaultRecord) -> str:
    why = record.reason if record.is_possible else f"not possible here: {record.reason}"
    return f"{record.window.name}: {why}"
