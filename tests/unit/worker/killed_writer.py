"""A worker's parts that write as fast as allowed until they are killed; run by the tests.

python killed_writer.py FOLDER SLOTS threads|asyncio. Truth that does not pass through the code
under test: FOLDER/executed holds the number of every workflow that reached the target,
FOLDER/acknowledged those of every block whose commit had returned (int64 each).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.record import RECORD, ErrorClass
from perf_pipeline.samples.slots import GO_NS, SlotFile
from perf_pipeline.worker import recorder as recorder_module
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.ledger import Ledger
from perf_pipeline.worker.recorder import Recorder


class AcknowledgingJournal(JournalWriter):
    """Notes a block's numbers once its commit has returned."""

    def commit(self, payload: bytes, records: int, committed_ns: int) -> None:
        super().commit(payload, records, committed_ns)
        os.write(acknowledged, array("q", [r[0] for r in RECORD.iter_unpack(payload)]).tobytes())


class SleepyTarget:
    """Notes every number that it is given and takes about a millisecond; its own slot."""

    def open_slot(self) -> SleepyTarget:
        return self

    def execute(self, _kind: int, number: int) -> None:
        os.write(executed, number.to_bytes(8, "little"))
        time.sleep(0.001)

    def close(self) -> None:
        pass


class SleepyAsyncTarget:
    """The same as a coroutine."""

    at_once = None

    def open_slot(self) -> SleepyAsyncTarget:
        return self

    def executing(self) -> int | None:
        return None

    async def execute(self, _kind: int, number: int) -> None:
        os.write(executed, number.to_bytes(8, "little"))
        await asyncio.sleep(0.001)

    async def close(self) -> None:
        pass


folder, slot_count, mode = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
acknowledged = os.open(folder / "acknowledged", flags)
executed = os.open(folder / "executed", flags)
recorder_module.COMMIT_EVERY_NS = 20_000_000  # many blocks in a short life
slots = SlotFile(folder / "worker-0.slots")
recorder = Recorder(AcknowledgingJournal(folder / "worker-0.sqlite"), slots, time.monotonic_ns)
arguments: dict[str, Any] = {
    "ledger": Ledger(
        classify=lambda _error: ErrorClass.OTHER,
        recorder=recorder,
        slots=slots,
        kinds=array("q", [0]),
        kind_count=1,
        deadline_ns=10**12,
        clock_ns=time.monotonic_ns,
    ),
    "slots": slots,
    "numbers": itertools.count(),
    "ramp_ns": array("q", [0] * slot_count),
    "clock_ns": time.monotonic_ns,
    "on_last_end": lambda: None,
}
loop: ClosedLoop | AsyncLoop = (
    ClosedLoop(target=SleepyTarget(), sleep=time.sleep, threads=[], **arguments)
    if mode == "threads"
    else AsyncLoop(
        target=SleepyAsyncTarget(), events=EventThread(), sleep=asyncio.sleep, **arguments
    )
)
loop.start()
slots.words[GO_NS] = time.monotonic_ns()
print("playing", flush=True)  # noqa: T201 the test waits for it
while True:
    time.sleep(0.05)
    recorder.commit_if_due(time.monotonic_ns())
