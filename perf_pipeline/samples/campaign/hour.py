"""``hours/000/hour.json``: one hour of a campaign, written once it has ended."""

from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1

DEADLINE = "deadline"
"""Why an hour ended that was played to its end; any other reason is a sentence."""

GAP_SHARE_MIN = 1 / 60
"""A gap of more than this share of an hour, one minute of a real one, is named as a gap."""


@dataclass(frozen=True)
class HourFigures:
    """What an hour's records say.

    Scheduled is exactly ok + errors + timeouts + dropped + abandoned.

    Attributes:
        scheduled: Workflows that its plan had until it ended.
        ok: Answered and right.
        errors: Answered wrongly, or raised.
        timeouts: Not answered within the deadline.
        dropped: Never started: no free slot within the start timeout.
        abandoned: Cut short by our own stop: neither success nor failure.
        throughput_per_s: Workflows that were answered rightly, per second of the hour.
        p50_s: Median response time; None where too much is censored, or nothing ended.
        p99_s: Likewise.
        error_ratio: Errors, timeouts and dropped among all that were not abandoned.
        cpu_per_workflow_s: CPU time of the target per ended workflow.
    """

    scheduled: int
    ok: int
    errors: int
    timeouts: int
    dropped: int
    abandoned: int
    throughput_per_s: float | None
    p50_s: float | None
    p99_s: float | None
    error_ratio: float | None
    cpu_per_workflow_s: float | None


@dataclass(frozen=True)
class Hour(HourFigures):
    """One hour of a campaign.

    Attributes:
        hour: Its number, from 0.
        partition: Its partition in Dagster (``2026-11-29-23:00``); empty where it has none.
        boot_id: Of the target's process; another one than that of the hour before is a *break*.
        begun_s: When its load began, seconds since the campaign began.
        ended_s: When its load ended, likewise.
        gap_before_s: Without load before it, since the hour before ended or the campaign began.
        ended_because: ``deadline``, or a sentence.
        run_id: The run folder with its records; empty where they are in the hour's own folder.
    """

    hour: int
    partition: str
    boot_id: str
    begun_s: float
    ended_s: float
    gap_before_s: float
    ended_because: str
    run_id: str = ""

    @property
    def ran_to_end(self) -> bool:
        """Whether the hour was played until its deadline."""
        return self.ended_because == DEADLINE


def write_hour(path: Path, hour: Hour) -> None:
    """Write ``hour.json``, whole or not at all."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(hour)})


def read_hour(path: Path) -> Hour:
    """Read ``hour.json``.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(path, Hour, SCHEMA_VERSION)
