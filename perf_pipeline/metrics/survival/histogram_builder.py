"""Builds histograms by second, phase, kind and outcome from blocks of records.

However long the run, a builder has in memory one block of records and at most ``MAX_PAIRS`` pairs
of bucket and count, below ``BOUND_MB`` together (``perf-pipeline selftest soak``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.histogram import QUANTITIES, checked_bucket_of
from perf_pipeline.metrics.survival.histogram_block import (
    ENTERED,
    IN_FLIGHT,
    PHASES,
    HistogramBlock,
)
from perf_pipeline.metrics.survival.histogram_pairs import (
    NO_PAIRS,
    SECOND,
    added,
    block_of,
    pairs_of,
)
from perf_pipeline.metrics.survival.survival_curve import entry_buckets
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt
    import polars as pl

MAX_PAIRS = 1 << 16
ROWS = 1 << 16
BOUND_MB = 100
"""Limit on the memory of a builder beyond that of an empty one, its working copies included."""
_PENDING_S = 2  # workers commit every half second: seconds older than this rarely get more records
_SERVICE, _RESPONSE = range(len(QUANTITIES))
_COLUMNS = ("intended_start_ns", "start_ns", "end_ns", "kind", "outcome", "flags")


class HistogramBuilder:
    """Takes records of one level in any order, and yields their histograms."""

    def __init__(
        self,
        go_ns: int,
        phases_ns: Mapping[str, tuple[int, int]],
        *,
        is_open: bool,
        max_pairs: int = MAX_PAIRS,
        rows: int = ROWS,
    ) -> None:
        """Begin a level.

        Args:
            go_ns: Start of second 0, CLOCK_MONOTONIC.
            phases_ns: Phase to its start and its end, exclusive; names of ``PHASES``.
            is_open: Response times are counted too.
            max_pairs: Pairs of bucket and count in memory from which on blocks are yielded.
            rows: Records counted at a time.
        """
        self._max_pairs = max_pairs
        self._rows = rows
        self._go_ns = go_ns
        self._is_open = is_open
        bounds = sorted(
            (start, end, PHASES.index(name)) for name, (start, end) in phases_ns.items()
        )
        self._starts = np.array([start for start, _, _ in bounds], dtype=np.int64)
        self._ends = np.array([end for _, end, _ in bounds], dtype=np.int64)
        self._phases = np.array([phase for _, _, phase in bounds], dtype=np.int64)
        self._pending = NO_PAIRS
        self._newest = -1
        self._waiting: list[bytes] = []

    def add_payload(self, payload: bytes) -> Iterator[HistogramBlock]:
        """Count a block of a worker, bytes of ``record.RECORD``, once ``rows`` have accumulated."""
        self._waiting.append(payload)
        if sum(map(len, self._waiting)) >= self._rows * RECORD_DTYPE.itemsize:
            yield from self._add_waiting()

    def add(self, frame: pl.DataFrame) -> Iterator[HistogramBlock]:
        """Count records of ``SCHEMA`` and yield the histograms that they complete.

        The service time counts in the second and phase of the end, for what was started and has
        times; the response time (of an open level) in those of the intended start.

        Raises:
            HistogramError: A record ends before it starts.
        """
        for part in frame.iter_slices(self._rows):
            yield from self._add_rows({name: part[name].to_numpy() for name in _COLUMNS})

    def add_in_flight(
        self,
        phase: str,
        end_ns: int,
        kinds: npt.NDArray[np.int64],
        starts_ns: npt.NDArray[np.int64],
    ) -> None:
        """Count workflows in flight at the end of a phase as right-censored there.

        Args:
            phase: The phase.
            end_ns: Its end.
            kinds: int64[n], the kind of each workflow.
            starts_ns: int64[n], when it started.
        """
        ages_ns = end_ns - starts_ns
        self._count_at(phase, end_ns - 1, kinds, IN_FLIGHT, checked_bucket_of(ages_ns), ages_ns)

    def add_delayed_entries(
        self,
        phase: str,
        start_ns: int,
        kinds: npt.NDArray[np.int64],
        starts_ns: npt.NDArray[np.int64],
        ends_ns: npt.NDArray[np.int64],
    ) -> None:
        """Count workflows in flight at the start of a phase that ended within it.

        Args:
            phase: The phase.
            start_ns: Its start.
            kinds: int64[n], the kind of each workflow.
            starts_ns: int64[n], when it started, before the phase.
            ends_ns: int64[n], when it ended, within the phase.
        """
        ages_ns, at_end_ns = start_ns - starts_ns, ends_ns - starts_ns
        buckets, entered = entry_buckets(ages_ns, at_end_ns)
        self._count_at(phase, start_ns, kinds[entered], ENTERED, buckets, ages_ns[entered])

    def finish(self) -> Iterator[HistogramBlock]:
        """Yield everything that has not been yielded yet."""
        yield from self._add_waiting()
        yield block_of(self._pending)
        self._pending = self._pending.clear()

    def _add_waiting(self) -> Iterator[HistogramBlock]:
        rows = np.frombuffer(b"".join(self._waiting), dtype=RECORD_DTYPE)
        self._waiting = []
        yield from self._add_rows({name: rows[name] for name in _COLUMNS})

    def _add_rows(self, rows: Mapping[str, npt.NDArray[np.int64]]) -> Iterator[HistogramBlock]:
        for at in range(0, len(rows["end_ns"]), self._rows):
            part = {name: column[at : at + self._rows] for name, column in rows.items()}
            cold = part["flags"] & COLD != 0
            times = part["flags"] & (NOT_STARTED | TIMES_LOST) == 0
            self._count_rows(_SERVICE, part, part["end_ns"], part["start_ns"], cold, times)
            if self._is_open:
                due_ns = part["intended_start_ns"]
                known = ~cold & (part["flags"] & TIMES_LOST == 0)
                self._count_rows(_RESPONSE, part, due_ns, due_ns, cold, known)
            yield from self._ripe()

    def _count_rows(
        self,
        quantity: int,
        part: Mapping[str, npt.NDArray[np.int64]],
        at_ns: npt.NDArray[np.int64],
        since_ns: npt.NDArray[np.int64],
        cold: npt.NDArray[np.bool_],
        wanted: npt.NDArray[np.bool_],
    ) -> None:
        phase = np.where(cold, PHASES.index("cold"), self._phase_of(at_ns))
        lasted_ns = part["end_ns"] - since_ns
        columns = [at_ns, phase, part["kind"], part["outcome"], lasted_ns]
        if not wanted.all():
            columns = [column[wanted] for column in columns]
        at_ns, phase, kind, outcome, lasted_ns = columns
        buckets = checked_bucket_of(lasted_ns)
        self._count(quantity, at_ns, phase, kind, outcome, buckets, lasted_ns)

    def _phase_of(self, at_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        outside = PHASES.index("outside")
        if not len(self._starts):
            return np.full(len(at_ns), outside, dtype=np.int64)
        place = np.searchsorted(self._starts, at_ns, side="right") - 1
        inside = (place >= 0) & (at_ns < self._ends[np.maximum(place, 0)])
        return np.where(inside, self._phases[np.maximum(place, 0)], outside)

    def _count_at(
        self,
        phase: str,
        at_ns: int,
        kinds: npt.NDArray[np.int64],
        outcome: int,
        buckets: npt.NDArray[np.int64],
        ages_ns: npt.NDArray[np.int64],
    ) -> None:
        """Count ages of workflows at one moment."""
        moment, place, outcomes = (
            np.full(len(kinds), value, dtype=np.int64)
            for value in (at_ns, PHASES.index(phase), outcome)
        )
        self._count(_SERVICE, moment, place, kinds, outcomes, buckets, ages_ns)

    def _count(
        self,
        quantity: int,
        at_ns: npt.NDArray[np.int64],
        phase: npt.NDArray[np.int64],
        kind: npt.NDArray[np.int64],
        outcome: npt.NDArray[np.int64],
        buckets: npt.NDArray[np.int64],
        lasted_ns: npt.NDArray[np.int64],
    ) -> None:
        if not len(at_ns):
            return
        second = np.maximum((at_ns - self._go_ns) // 1_000_000_000, -1)
        self._newest = max(self._newest, int(second.max()))
        counted = pairs_of(second, (quantity, phase, kind, outcome, buckets), lasted_ns)
        self._pending = added(self._pending, counted)

    def _ripe(self) -> Iterator[HistogramBlock]:
        """Yield the seconds that are over, or everything where that frees too little memory."""
        if len(self._pending) < self._max_pairs:
            return
        ripe = self._newest - _PENDING_S > SECOND
        old = self._pending.filter(ripe)
        young = self._pending.filter(~ripe)
        if len(young) >= self._max_pairs // 2:
            old, young = self._pending, young.clear()
        self._pending = young
        yield block_of(old)
