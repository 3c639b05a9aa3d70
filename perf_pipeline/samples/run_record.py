"""``run.json``: the record of a run's status, checked when it is read.

A results folder may hold what is no run of ours: folders of other programs, damaged or edited
files, archives of other people. Whatever reads a record gets a checked one or an error.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

from perf_pipeline.config.wording import with_article
from perf_pipeline.errors import RunFolderError
from perf_pipeline.held_folder import hold, holder_liveness
from perf_pipeline.lifeline import Liveness, ProcessStamp, own_stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNNING, COMPLETE, INTERRUPTED, FAILED, KILLED, NOT_SEEN = (
    "running",
    "complete",
    "interrupted",
    "failed",
    "killed",
    "not seen from here",
)
"""``NOT_SEEN``: it may still run; nothing that can be seen from here tells whether it does."""

LOCK_FILE = ".run.lock"
"""File in a run's folder that its process locks for its life: its id means nothing elsewhere."""
_PROCESS = "process"

MAY_GO_ON = (RUNNING, NOT_SEEN)
"""Status of a run whose files may still grow: nothing of it is stored anew, or cleared."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far the clocks of two hosts that share a results folder may differ."""


class StoppedRecord(TypedDict):
    """How the scenario ended a run before its last level, as ``manifest.Stopped`` has it."""

    level: str
    because: str
    detail: str
    not_run: list[str]


class RunRecord(TypedDict):
    """The content of ``run.json``: status is of the closed list above, times are ISO 8601 UTC."""

    run_id: str
    scenario: str
    status: str
    process: tuple[int, int, str, int]
    started_at: str
    why: NotRequired[str]
    ended_at: NotRequired[str]
    stopped: NotRequired[StoppedRecord]


def record_of(value: object, path: Path) -> RunRecord:
    """Return the content of a ``run.json`` as a record.

    Args:
        value: What the file holds.
        path: The file, for the error.

    Raises:
        RunFolderError: It is not the record of a run; the text says what is wrong with it.
    """
    if not isinstance(value, dict):
        raise RunFolderError(f"{path} is not the record of a run: it holds {_named(value)}")
    for key, (is_needed, fits, wanted) in _KEYS.items():
        if key not in value:
            if is_needed:
                raise RunFolderError(f"{path} is not the record of a run: it has no {key}")
        elif not fits(value[key]):
            raise RunFolderError(
                f"{path} is not the record of a run: {key} is {_named(value[key])}, not {wanted}"
            )
    return cast("RunRecord", value)


def hold_run(folder: Path) -> int:
    """Let every container of this host see that this process runs the run of a folder.

    Returns:
        The descriptor that is closed when the run is over; with the process at the latest.
    """
    return hold(folder, LOCK_FILE, {_PROCESS: list(own_stamp())}, mode=0o644)


def with_liveness(record: RunRecord, folder: Path) -> RunRecord:
    """Return a record whose status says whether the process of a running run is still there.

    Args:
        record: As it is in the file.
        folder: The run's.
    """
    if record["status"] != RUNNING:
        return record
    owner = ProcessStamp.from_json(record["process"])
    liveness = holder_liveness(folder, LOCK_FILE, _PROCESS, owner)
    if liveness is Liveness.GONE:
        why = f"its process {owner.pid} is gone without a record of its end"
        return {**record, "status": KILLED, "why": why}
    if liveness is Liveness.NOT_SEEN:
        why = (
            f"its process {owner.pid} is in another container (PID namespace), on another host, or "
            "from before a restart, and no lock in its folder tells more: it may still run, and "
            "nothing of it is changed"
        )
        return {**record, "status": NOT_SEEN, "why": why}
    return record


def started(record: RunRecord) -> datetime:
    """Return when a run started."""
    return datetime.fromisoformat(record["started_at"])


def is_from_the_future(record: RunRecord, now: datetime) -> bool:
    """Return whether a run says that it starts later than now: then its clock was wrong."""
    return started(record) > now + CLOCK_TOLERANCE


def _named(value: object) -> str:
    return f"{with_article(type(value).__name__)}, {value!r:.60}"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_status(value: object) -> bool:
    return value in (RUNNING, COMPLETE, INTERRUPTED, FAILED, KILLED)


def _is_process(value: object) -> bool:
    try:
        ProcessStamp.from_json(value)
    except ValueError:
        return False
    return True


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        # Times at the ends of the calendar cannot be compared with others.
        return datetime.fromisoformat(value).astimezone(UTC).year > 0 and value[-6:] == "+00:00"
    except (ValueError, OverflowError):
        return False


def _is_stopped(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    texts, not_run = (
        [value.get(key) for key in ("level", "because", "detail")],
        value.get("not_run"),
    )
    return (
        all(isinstance(one, str) for one in texts)
        and isinstance(not_run, list)
        and all(isinstance(one, str) for one in not_run)
    )


_KEYS: dict[str, tuple[bool, Callable[[Any], bool], str]] = {
    "run_id": (True, _is_text, "a text"),
    "scenario": (True, _is_text, "a text"),
    "status": (True, _is_status, "the status of a run"),
    "process": (True, _is_process, "a process (id, start, boot and PID namespace)"),
    "started_at": (True, _is_time, "a time in UTC"),
    "why": (False, _is_text, "a text"),
    "ended_at": (False, _is_time, "a time in UTC"),
    "stopped": (False, _is_stopped, "how a scenario ended the run"),
}
"""Key to whether it is needed, its check, and what it should be."""
