"""Ends a load level while it runs when an SLO with ``abort = true`` is missed.

While a level runs, three things are known: the records that the workers have committed, the
stamps of their slots, and how many more workflows have ended than are in the journals. Those are
counted in favour of the target, as if each had ended well and in time. So an incomplete picture
never ends a level; the exact verdict is given from the records after the run.

An SLO over the whole steady phase is judged on the phase so far, from ``grace_s`` on; one over a
sliding window on the latest window, once it lies within the steady phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.loadgen.supervise.early_stop import MIN_ENDED, EarlyEnd
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.journal_tail import JournalTail
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.record import COLD, NOT_STARTED, Outcome
from perf_pipeline.samples.slots import ENDED, NUMBER, START_NS, STARTED, SlotFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan

    Rows = npt.NDArray[np.void]


class UnfinishedWorkflows(NamedTuple):
    """Workflows that have started and not ended: kind, start and intended start of each."""

    kind: npt.NDArray[np.int64]
    start_ns: npt.NDArray[np.int64]
    intended_ns: npt.NDArray[np.int64]


@dataclass(frozen=True)
class WindowCounts:
    """What is known of an SLO's window, or of the steady phase so far.

    Attributes:
        count: Workflows that the SLO judges.
        bad: Of them, those beyond its limit.
        spent_ns: Sum of their times, for a mean.
        unknown: Workflows that have ended and are in no journal yet.
        length_s: Length of the window.
    """

    count: int
    bad: int
    spent_ns: int
    unknown: int
    length_s: float


class SloWatch:
    """Looks about once a second whether an SLO of the level is missed."""

    def __init__(self, plan: LevelPlan, folder: Path) -> None:
        """Prepare to watch a level.

        Args:
            plan: The level, with the SLOs that end it.
            folder: Its folder, with the workers' journals.
        """
        self._watched = [_Tally(slo, plan) for slo in plan.aborts]
        self._plan = plan
        self._tail = JournalTail(folder)
        self._read = 0
        self._steady_ns: int | None = None

    def look(
        self, now_ns: int, phase: str, go_ns: int, slot_files: Sequence[SlotFile]
    ) -> EarlyEnd | None:
        """Return why the level should end now; None if it should not.

        Args:
            now_ns: CLOCK_MONOTONIC.
            phase: Where the level is; nothing ends it before its steady phase.
            go_ns: CLOCK_MONOTONIC of the go.
            slot_files: The workers'.
        """
        if not self._watched or phase != "steady":
            return None
        if self._steady_ns is None:
            self._steady_ns = now_ns
        ended = sum(one.totals().ended for one in slot_files)
        blocks = self._tail.new_blocks()
        payload = b"".join(block.payload for block in blocks)
        rows = np.frombuffer(payload, dtype=RECORD_DTYPE)
        self._read += len(rows)
        rows = rows[(rows["flags"] & COLD) == 0]
        in_flight = self._in_flight(slot_files, go_ns)
        for tally in self._watched:
            tally.add(rows, self._steady_ns)
            counts = tally.counts(now_ns, self._steady_ns, in_flight, max(0, ended - self._read))
            missed_by = counts and tally.missed_by(counts)
            if missed_by:
                return EarlyEnd(EndedBecause.SLO_ABORTED, f"{tally.slo.text}: {missed_by}")
        return None

    def _in_flight(self, slot_files: Sequence[SlotFile], go_ns: int) -> UnfinishedWorkflows:
        found = []
        for one in slot_files:
            words = one.words
            for slot in range(one.slots):
                base = SlotFile.base(slot)
                number, start_ns = words[base + NUMBER], words[base + START_NS]
                if words[base + STARTED] > words[base + ENDED] and number >= 0:
                    found.append((number, start_ns))
        numbers, starts_ns = np.array(found, dtype=np.int64).reshape(-1, 2).T
        kinds = np.frombuffer(self._plan.kinds, dtype=np.int64)
        intended_ns = starts_ns
        if self._plan.loop == "open" and len(numbers):
            intended_ns = np.frombuffer(self._plan.intended_ns, dtype=np.int64)[numbers] + go_ns
        return UnfinishedWorkflows(kinds[numbers % len(kinds)], starts_ns, intended_ns)


class _Tally:
    """The counts of one SLO."""

    def __init__(self, slo: Slo, plan: LevelPlan) -> None:
        self.slo = slo
        times = slo.about.times
        self._response = plan.loop == "open" and times in {"latency", "response"}
        families = [name.split("/")[0] for name in plan.workloads]
        self._kinds = [i for i, name in enumerate(families) if slo.family in {None, name}]
        self._limit_ns = round(slo.limit * 1e9) if times else 0
        self._whole = np.zeros(3, dtype=np.int64)
        self._recent: list[npt.NDArray[np.int64]] = []

    def add(self, rows: Rows, from_ns: int) -> None:
        """Count new records; those decided before ``from_ns`` are left out."""
        decided = self._decided(rows[np.isin(rows["kind"], self._kinds)])
        decided = decided[:, decided[0] >= from_ns]
        self._whole += [decided.shape[1], decided[1].sum(), decided[2].sum()]
        if self.slo.window_s and decided.size:
            self._recent.append(decided)

    def counts(
        self, now_ns: int, steady_ns: int, in_flight: UnfinishedWorkflows, unknown: int
    ) -> WindowCounts | None:
        """Return the counts of the window that ends now; None while it is too early to judge."""
        length_ns = round(self.slo.window_s * 1e9) or now_ns - steady_ns
        if now_ns - steady_ns < max(self.slo.grace_s * 1e9, self.slo.window_s * 1e9):
            return None
        count, bad, spent_ns = (int(part) for part in self._whole)
        if self.slo.window_s:
            start_ns = now_ns - length_ns
            self._recent = [one for one in self._recent if one[0].max() > start_ns]
            inside = [one[:, one[0] > start_ns] for one in self._recent]
            count = sum(one.shape[1] for one in inside)
            bad, spent_ns = (sum(int(one[part].sum()) for one in inside) for part in (1, 2))
        if self.slo.about.times:
            begin_ns = in_flight.intended_ns if self._response else in_flight.start_ns
            begin_ns = begin_ns[np.isin(in_flight.kind, self._kinds)]
            if self.slo.about.kind == "mean":
                count += len(begin_ns)
                spent_ns += int((now_ns - begin_ns).sum())
            else:
                passed_ns = begin_ns + self._limit_ns
                late = int(((passed_ns <= now_ns) & (passed_ns > now_ns - length_ns)).sum())
                count, bad = count + late, bad + late
        return WindowCounts(count, bad, spent_ns, unknown, length_ns / 1e9)

    def missed_by(self, counts: WindowCounts) -> str:
        """Say by how much the limit is missed even if every unknown workflow met it; else empty."""
        workflows, limit = counts.count + counts.unknown, self.slo.limit
        over = f"in the last {counts.length_s:.0f} s"
        share = f"{counts.bad:,} of {workflows:,} workflows"
        match self.slo.about.kind:
            case "percentile":
                missed = (
                    counts.bad >= MIN_TAIL_SAMPLES
                    and counts.bad > (1 - self.slo.about.p) * workflows
                )
                sentence = f"{share} took longer than {limit:g} s {over}"
            case "maximum":
                missed = counts.bad > 0
                sentence = f"{share} took longer than {limit:g} s {over}"
            case "mean":
                mean_s = counts.spent_ns / 1e9 / max(1, workflows)
                missed = counts.count >= MIN_ENDED and mean_s > limit
                sentence = f"the mean of {workflows:,} workflows was {mean_s:.4g} s or more {over}"
            case "rate":
                rate_per_s = workflows / counts.length_s
                missed = rate_per_s < limit
                sentence = f"{rate_per_s:.4g} workflows a second ended well at most {over}"
            case _:
                missed = counts.count >= MIN_ENDED and counts.bad > limit * workflows
                happened = "were dropped" if self.slo.metric == "dropped_ratio" else "failed"
                sentence = f"{share} {happened} {over}"
        return sentence if missed else ""

    def _decided(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Return when each record decided something, whether it was bad, and its time.

        Returns:
            int64[3, n]; times in ns, bad as 0 or 1.
        """
        outcome, about = rows["outcome"], self.slo.about
        begin_ns = rows["intended_start_ns" if self._response else "start_ns"]
        at_ns, spent_ns = rows["end_ns"].copy(), rows["end_ns"] - begin_ns
        keep = outcome != Outcome.ABANDONED
        bad = outcome == Outcome.DROPPED
        if about.kind == "rate":
            keep = outcome == Outcome.OK
        elif self.slo.metric == "error_ratio":
            keep, bad = keep & ~bad, outcome != Outcome.OK
        elif about.times:
            if not self._response:
                keep &= (rows["flags"] & NOT_STARTED) == 0
            late = spent_ns > self._limit_ns
            if about.kind != "mean":
                at_ns[late] = begin_ns[late] + self._limit_ns
            bad = late | (outcome == Outcome.TIMEOUT) | bad
        return np.array([at_ns, bad, spent_ns], dtype=np.int64)[:, keep]
