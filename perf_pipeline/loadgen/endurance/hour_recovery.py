"""Completes the log of an hour whose process was killed, so that its records can be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from perf_pipeline.loadgen.endurance.attached_worker import slot_path
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.run_folder import read_json, write_json
from perf_pipeline.samples.slots import CLOSED, NEVER_NS, STATE, STOP_NS, SlotFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_POLL_S = 0.05


def recovered_log(
    folder: Path, is_alive: Callable[[], bool], wait_s: float
) -> tuple[int, int] | None:
    """Complete ``level.json`` of a killed hour.

    Its keeper has stopped the load when the connection of the hour's process ended. If the keeper
    was killed as well, the load ended with the last commit.

    Args:
        folder: The hour's folder.
        is_alive: Whether the target that played it still lives: then its workers commit what is
            left, which is waited for.
        wait_s: How long.

    Returns:
        When its load began and ended, CLOCK_MONOTONIC; None if it had not begun.

    Raises:
        RunFolderError: A file of the hour cannot be read.
    """
    path = folder / "level.json"
    log = read_json(path) if path.exists() else {}
    if not log.get("go_ns"):
        return None
    workers = range(log["plan"]["processes"])
    until_s = time.monotonic() + wait_s
    while not all(_words(folder, one)[0] for one in workers):
        if not is_alive() or time.monotonic() > until_s:
            break
        time.sleep(_POLL_S)
    states = [_words(folder, one) for one in workers]
    end_ns = min(stop_ns for _, stop_ns in states)
    if not all(closed for closed, _ in states):
        journals = (read_journal(folder / f"worker-{one}.sqlite") for one in workers)
        last_ns = max((at for one in journals for at in one.commits_ns), default=log["go_ns"])
        end_ns = min(end_ns, max(last_ns, log["go_ns"]))
    write_json(path, _completed(log, states, end_ns))
    return log["go_ns"], end_ns


def _words(folder: Path, worker: int) -> tuple[bool, int]:
    """Return whether a worker has committed its last record, and when it was to stop."""
    path = slot_path(folder, worker)
    if not path.exists():
        return False, NEVER_NS
    slots = SlotFile(path, writable=False)
    try:
        return slots.words[STATE] == CLOSED, slots.words[STOP_NS]
    finally:
        slots.close()


def _completed(log: dict[str, Any], states: list[tuple[bool, int]], end_ns: int) -> dict[str, Any]:
    return {
        **log,
        "phases_ns": {**log["phases_ns"], "steady": (log["go_ns"], end_ns)},
        "ended_because": EndedBecause.INTERRUPTED,
        "workers": [
            {"worker": one, "reason": "done" if closed else "supervisor killed"}
            for one, (closed, _) in enumerate(states)
        ],
    }
