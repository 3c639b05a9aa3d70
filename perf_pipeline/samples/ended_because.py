"""Why a load level ended: the closed list, and what each reason means for the run."""

from __future__ import annotations

from enum import StrEnum

OF_A_SHARD = "shard "
"""How the reason of a worker's end begins where the shard that it belonged to did not end well."""

STOPPED_BY_US = ("hung: ", "killed by us: ", "supervisor killed", OF_A_SHARD)
"""How the reason of a worker's end begins where our own stop ended it, and not the target."""


class EndedBecause(StrEnum):
    """Why a load level ended; stored in ``level.json`` and ``metrics.json``."""

    COMPLETE = "complete"
    """All phases were played, and the steady phase has its turnovers."""

    STEADY_MAX = "steady_max"
    """All phases were played; the steady phase reached its greatest length before its turnovers."""

    TOTAL_WORKFLOWS = "total_workflows"
    """As many workflows have ended as the scenario wants."""

    MOSTLY_FAILING = "mostly_failing"
    """More workflows failed than the scenario tolerates."""

    SLO_ABORTED = "slo_aborted"
    """An objective with ``abort = true`` was missed."""

    HOST_FLOOR = "host_floor"
    """The host was about to run out of memory or file descriptors."""

    DISK_FULL = "disk full"
    """The disk of the run was full, or about to be: records could not be stored any more."""

    WORKER_LOST = "worker lost"
    """A worker process ended before its time."""

    START_FAILED = "start failed"
    """A worker process did not become ready."""

    INTERRUPTED = "interrupted"
    """The supervisor was interrupted, or killed: it is what its log says until the level ends."""

    @property
    def ran_to_end(self) -> bool:
        """True when the level was played as planned."""
        return self in {self.COMPLETE, self.STEADY_MAX, self.TOTAL_WORKFLOWS}

    @property
    def is_finding(self) -> bool:
        """True when the target ended the level by failing: a result, and no defect of the run."""
        return self in {self.MOSTLY_FAILING, self.SLO_ABORTED}

    @property
    def stops_run(self) -> bool:
        """True when no later level is played."""
        return self.is_finding or self in {self.HOST_FLOOR, self.DISK_FULL}

    @property
    def is_cut_short(self) -> bool:
        """True when the worker processes are stopped at once, without their drain."""
        cut_short = {self.INTERRUPTED, self.WORKER_LOST, self.START_FAILED, self.DISK_FULL}
        return self in cut_short
