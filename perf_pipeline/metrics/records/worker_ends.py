"""How each worker process of a level ended, and examples of error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.types.records import WorkerEnd
from perf_pipeline.samples.ended_because import STOPPED_BY_US
from perf_pipeline.samples.journal import REPLACED, TEARDOWN
from perf_pipeline.samples.record import ErrorClass

if TYPE_CHECKING:
    from perf_pipeline.samples.level_records import LevelRecords

_PRINTED = ("printed_bytes", "log_dropped_bytes")
EXAMPLES = 3
"""Error messages that are shown of each class."""


def worker_ends(records: LevelRecords, window: tuple[int, int]) -> tuple[WorkerEnd, ...]:
    """Return how each worker of a level ended.

    Args:
        records: The log and records of the level.
        window: The steady phase, CLOCK_MONOTONIC ns; empty where there was none.
    """
    reasons = {entry["worker"]: entry["reason"] for entry in records.log["workers"]}
    left = {entry["worker"]: entry.get("left_behind", {}) for entry in records.log["workers"]}
    printed = {
        entry["worker"]: {name: int(entry.get(name, 0)) for name in _PRINTED}
        for entry in records.log["workers"]
    }
    ends = []
    for worker in records.workers:
        commits = np.array(worker.journal.commits_ns, dtype=np.int64)
        within = commits[(commits >= window[0]) & (commits <= window[1])]
        measured = window[1] > window[0]
        gaps_ns = np.diff(np.concatenate([[window[0]], within, [window[1]]]))
        ends.append(
            WorkerEnd(
                worker=worker.worker,
                reason=reasons.get(worker.worker, "its supervisor was killed"),
                commit_gap_max_s=float(gaps_ns.max()) / 1e9 if measured else None,
                may_be_missing=worker.may_be_missing,
                left_behind=left.get(worker.worker, {}),
                replaced=tuple(worker.journal.facts.get(REPLACED, "").splitlines()),
                teardown=worker.journal.facts.get(TEARDOWN, ""),
                in_flight=len(worker.in_flight),
                latest=max((one for one in worker.in_flight if one >= 0), default=None),
                **printed.get(worker.worker, {}),
            )
        )
    known = {worker.worker for worker in records.workers}
    unseen = [entry for entry in records.log["workers"] if entry["worker"] not in known]
    ends += [WorkerEnd(entry["worker"], entry["reason"], None, 0) for entry in unseen]
    return tuple(sorted(ends, key=lambda end: end.worker))


def error_examples(records: LevelRecords) -> dict[str, tuple[str, ...]]:
    """Return a few distinct messages of each class of errors, by class.

    A process that the target ended had no time for one: how it ended is the message. What our own
    stop ended is no error.
    """
    texts: dict[str, dict[str, None]] = {}
    for worker in records.workers:
        for number, text in worker.journal.error_examples:
            texts.setdefault(ErrorClass(number).name.lower(), {})[text] = None
    crash = ErrorClass.TARGET_CRASH.name.lower()
    for entry in records.log["workers"]:
        if entry["reason"] != "done" and not entry["reason"].startswith(STOPPED_BY_US):
            texts.setdefault(crash, {})[entry["reason"]] = None
    return {name: tuple(list(found)[:EXAMPLES]) for name, found in texts.items()}
