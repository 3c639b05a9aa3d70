"""The cost of storing a record, without everything else that a worker process does.

The minimum over many blocks is taken: neighbours on the machine can only add to the cost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.worker.recorder import BLOCK_RECORDS, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NEVER_NS = 2**62


@dataclass(frozen=True)
class RecorderCost:
    """Nanoseconds a record.

    Attributes:
        clock_reads_ns: Two clock reads, in a loop that does nothing else.
        store_ns: Keeping the record beyond them, as the closed loop does.
        durable_ns: The same with packing, checksum and commit of whole blocks.
        record_ns: Keeping it through ``Recorder.record``, with its slot's stamps, as the open and
            the asynchronous loops do.
    """

    clock_reads_ns: float
    store_ns: float
    durable_ns: float
    record_ns: float


def recorder_cost(folder: Path, blocks: int) -> RecorderCost:
    """Measure with a real journal in ``folder``; each cost is the minimum of ``blocks`` blocks."""
    slots = SlotFile.create(folder / "cost.slots", 1, 0)
    journal = JournalWriter(folder / "cost.sqlite")
    recorder = Recorder(journal, slots, time.monotonic_ns)
    reads_ns = _min_ns(recorder, blocks, _read_clock)
    cost = RecorderCost(
        clock_reads_ns=reads_ns,
        store_ns=_min_ns(recorder, blocks, _store) - reads_ns,
        durable_ns=_min_ns(recorder, blocks, _store_and_commit) - reads_ns,
        record_ns=_min_ns(recorder, blocks, _call_record) - reads_ns,
    )
    journal.close()
    slots.close()
    return cost


def _min_ns(recorder: Recorder, blocks: int, work: Callable[[Recorder], None]) -> float:
    """Return the minimum cost of a block, ns a record; without commits but those of ``work``."""
    costs = []
    for _ in range(blocks):
        recorder.due_ns = _NEVER_NS
        begin_ns = time.monotonic_ns()
        work(recorder)
        costs.append((time.monotonic_ns() - begin_ns) / BLOCK_RECORDS)
        _commit(recorder)
    return min(costs)


def _commit(recorder: Recorder) -> None:
    recorder.due_ns = 0
    recorder.commit_if_due(time.monotonic_ns())


def _read_clock(_recorder: Recorder) -> None:
    clock_ns = time.monotonic_ns
    for _ in range(BLOCK_RECORDS):
        clock_ns()
        clock_ns()


def _store(recorder: Recorder) -> None:
    clock_ns, keep = time.monotonic_ns, recorder.keep
    for number in range(BLOCK_RECORDS):
        start_ns = clock_ns()
        end_ns = clock_ns()
        keep((number, start_ns, start_ns, end_ns, 0))
        if end_ns >= recorder.due_ns:
            recorder.commit_if_due(end_ns)


def _store_and_commit(recorder: Recorder) -> None:
    _store(recorder)
    _commit(recorder)


def _call_record(recorder: Recorder) -> None:
    clock_ns, record = time.monotonic_ns, recorder.record
    for number in range(BLOCK_RECORDS):
        start_ns = clock_ns()
        record(number, 0, 0, start_ns, clock_ns(), 0)
