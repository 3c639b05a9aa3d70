"""Pauses the load after equal amounts of work, and snapshots the heap while nothing is in flight.

The slots are those of a staged loop, of which none may play while the load pauses. So a snapshot
has no workflow's own data in it, and every garbage cycle is collected before: what it has more than
the one before is what the process retained of the workflows between them.
"""

from __future__ import annotations

import gc
import json
import traceback
import tracemalloc
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import path as import_path
from typing import TYPE_CHECKING

from perf_pipeline.samples.allocations.allocation_trace import (
    SCHEMA_VERSION,
    AllocationTrace,
    HeapSnapshot,
    WorkInterval,
)
from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.slots import ALLOWED, GO_NS, STOP_NS
from perf_pipeline.worker.own_time import monotonic_ns, process_time, sleep, start_thread
from perf_pipeline.worker.start import PACKAGE
from perf_pipeline.worker.tracing.heap_places import HeapPlaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.slots import SlotFile, Totals
    from perf_pipeline.worker.recorder import Recorder
    from perf_pipeline.worker.tracing.trace_job import TraceJob

WARM_UP_SHARE, INTERVALS_SHARE = 1 / 3, 0.4
"""Shares of the time; the rest is for pauses, for callers and for the interval without tracing."""
LOOK_EVERY_S = 0.002
_OUR_FOLDER = str(Path(PACKAGE).parent)
QUIET_LOOKS = 15
"""Looks in a row that find nothing in flight: a slot that was just allowed may still begin."""
QUIET_MAX_S = 10.0
"""A workflow that takes longer is in the snapshot, and counted there."""


class _StoppedError(Exception):
    """The load was stopped before the trace was complete."""


@dataclass(frozen=True)
class _Mark:
    """How far the work is at one moment."""

    at_ns: int
    cpu_s: float
    totals: Totals


class AllocationTracer:
    """Steers the slots of one worker process, and writes what its heap retained."""

    def __init__(
        self, job: TraceJob, file: Path, slots: SlotFile, commit: Callable[[], None]
    ) -> None:
        """Prepare; allocations are traced already (``tracemalloc.start``).

        Args:
            job: How much is played.
            file: Where the trace is written after every snapshot.
            slots: Has the words that steer the slots, and counts workflows.
            commit: Commits the records of ended workflows, which are no part of the target's heap.
        """
        self._job = job
        self._file = file
        self._slots = slots
        self._commit = commit
        self._places = HeapPlaces((__file__,))
        self._snapshots: list[HeapSnapshot] = []
        self._intervals: list[WorkInterval] = []
        self._begun_ended = slots.totals().ended  # the cold starts

    def run(self) -> None:
        """Play the warm-up and all intervals; returns when the trace is written or was stopped."""
        words, job = self._slots.words, self._job
        try:
            while not words[GO_NS]:
                self._look()
            begun_ns = monotonic_ns()
            self._play(job.warm_up_workflows, begun_ns + int(WARM_UP_SHARE * job.limit_s * 1e9))
            workflows = self._affordable((monotonic_ns() - begun_ns) / 1e9)
            self._clean()
            self._snapshot()
            for _ in range(job.intervals):
                self._intervals.append(self._interval(workflows, is_traced=True))
                self._snapshot()
                self._write(is_ended=False)
            tracemalloc.stop()
            self._intervals.append(self._interval(workflows, is_traced=False))
            self._write(is_ended=False)
            self._trace_callers()
            self._write(is_ended=True)
        except _StoppedError:
            return
        except Exception as error:  # noqa: BLE001 the heap may be too large for another copy of it
            traceback.print_exc()
            self._write(is_ended=True, problem=f"{type(error).__name__}: {error}")

    def _affordable(self, warmed_up_s: float) -> int:
        """Return how many workflows an interval has, from the pace of the warm-up."""
        warmed_up = self._slots.totals().ended - self._begun_ended
        if not warmed_up:
            return self._job.interval_workflows
        time_s = INTERVALS_SHARE * self._job.limit_s / self._job.intervals
        return max(1, min(self._job.interval_workflows, int(warmed_up / warmed_up_s * time_s)))

    def _trace_callers(self) -> None:
        """Play some workflows with deeper call stacks; what they leave behind has its callers."""
        tracemalloc.start(self._job.frames)
        self._play(self._job.caller_workflows)
        self._clean()
        self._places.add_callers(tracemalloc.take_snapshot())
        tracemalloc.stop()

    def _interval(self, workflows: int, *, is_traced: bool) -> WorkInterval:
        uss_bytes, tracer_bytes = _uss_bytes(), tracemalloc.get_tracemalloc_memory()
        begun = self._mark()
        self._play(workflows)
        ended = self._mark()
        self._clean()
        now_bytes = _uss_bytes()
        return WorkInterval(
            workflows=ended.totals.ended - begun.totals.ended,
            failed=ended.totals.failed - begun.totals.failed,
            length_s=(ended.at_ns - begun.at_ns) / 1e9,
            cpu_s=ended.cpu_s - begun.cpu_s,
            uss_growth_bytes=None
            if uss_bytes is None or now_bytes is None
            else now_bytes - uss_bytes,
            tracer_growth_bytes=tracemalloc.get_tracemalloc_memory() - tracer_bytes,
            is_traced=is_traced,
        )

    def _mark(self) -> _Mark:
        return _Mark(monotonic_ns(), process_time(), self._slots.totals())

    def _play(self, workflows: int, until_ns: int | None = None) -> None:
        """Let the slots play until so many more workflows have ended and none is in flight."""
        words, slots = self._slots.words, self._slots
        enough = slots.totals().ended + workflows
        words[ALLOWED] = slots.slots
        while slots.totals().ended < enough and (until_ns is None or monotonic_ns() < until_ns):
            self._look()
        words[ALLOWED] = 0
        limit_ns, quiet = monotonic_ns() + int(QUIET_MAX_S * 1e9), 0
        while quiet < QUIET_LOOKS and monotonic_ns() < limit_ns:
            self._look()
            quiet = 0 if slots.totals().in_flight else quiet + 1

    def _look(self) -> None:
        """Let some milliseconds pass, unless the load was stopped."""
        if monotonic_ns() >= self._slots.words[STOP_NS]:
            raise _StoppedError
        sleep(LOOK_EVERY_S)

    def _clean(self) -> None:
        """Leave in the heap only what is retained."""
        self._commit()
        gc.collect()

    def _snapshot(self) -> None:
        begun_ns = monotonic_ns()
        open_files = _entries("/proc/self/fd")
        tracer_bytes = tracemalloc.get_tracemalloc_memory()
        heap_bytes, heap_blocks = self._places.add(tracemalloc.take_snapshot())
        totals = self._slots.totals()
        self._snapshots.append(
            HeapSnapshot(
                workflows=totals.ended - self._begun_ended,
                heap_bytes=heap_bytes,
                heap_blocks=heap_blocks,
                tracer_bytes=tracer_bytes,
                open_files=open_files,
                threads=_entries("/proc/self/task"),
                in_flight=totals.in_flight,
                took_s=(monotonic_ns() - begun_ns) / 1e9,
            )
        )

    def _write(self, *, is_ended: bool, problem: str = "") -> None:
        trace = AllocationTrace(
            is_ended=is_ended,
            problem=problem,
            warm_up_workflows=self._snapshots[0].workflows if self._snapshots else 0,
            snapshots=tuple(self._snapshots),
            intervals=tuple(self._intervals),
            places=self._places.grown_most(self._job.places),
            changed_places=self._places.changed(),
            import_path=(*import_path, _OUR_FOLDER),
        )
        text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(trace)})
        write_atomically(self._file, text.encode())


def begin_tracing(trace: TraceJob, file: str, slots: SlotFile, recorder: Recorder) -> None:
    """Let a thread trace allocations, and write what it found to a file."""

    def commit() -> None:
        recorder.commit_if_due(max(monotonic_ns(), recorder.due_ns))

    start_thread(AllocationTracer(trace, Path(file), slots, commit).run, ())


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _uss_bytes() -> int | None:
    """Return the memory that is this process's alone."""
    try:
        rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    sizes = [line.split() for line in rollup.splitlines() if line.startswith("Private_")]
    return sum(1024 * int(size) for _, size, *_ in sizes)
