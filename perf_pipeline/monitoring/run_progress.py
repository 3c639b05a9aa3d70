"""The progress of a run, read from the files that it writes."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.errors import RunFolderError
from perf_pipeline.loadgen.plan.phase_rules import CONTROL_S, closed_phases
from perf_pipeline.monitoring.ended_workflows import EndedWorkflows
from perf_pipeline.samples.planned_levels import PlannedLevel, read_planned_levels, read_schedule
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from perf_pipeline.samples.run_folder import RunFolder

MIN_SHARE = 0.95
SILENT_S = 5.0
OVERHEAD_S = 5.0
"""A level's workers start, end and are counted about so long, on top of its phases."""
READS_JOURNAL_EVERY = 2
MAX_READS = 4
"""Failure counts are up to a second older than the journals, so a few reads are compared."""

START, REPORT = "start", "report"
_NOTHING = {"started": 0, "ended": 0, "failed": 0}


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        index: The level's position in the run, from 0.
        levels: How many the run plays.
        shown: Label of the level, for people.
        wanted: Workflows in flight that were asked for.
        phase: ``start``, a phase of the load, or ``report``.
        in_flight: Started and not ended.
        ended: Of this level; of a stage, since the first stage.
        failed: Of these.
        rate_per_s: Ended in the last second.
        elapsed_s: Since the level's go; 0 before.
        mean_service_s: Of what ended in the last 10 s; None where nothing did.
        errors: Error class to count, as far as it was in the journals when ``failed`` was counted;
            None if they are unreadable.
        loop: ``closed`` or ``open``.
        offered_per_s: Of an open level, how many were to start in the last second; else None.
        mean_response_s: Of an open level, like ``mean_service_s``; else None.
        left_s: An estimate of what is left of the run; None while there is no rate to go by.
        concerns: What may make this level invalid, judged by its progress so far.
    """

    index: int
    levels: int
    shown: str
    wanted: int
    phase: str
    in_flight: int
    ended: int
    failed: int
    rate_per_s: float
    elapsed_s: float
    mean_service_s: float | None
    errors: dict[str, int] | None
    left_s: float | None
    concerns: tuple[str, ...]
    loop: Literal["closed", "open"] = "closed"
    offered_per_s: float | None = None
    mean_response_s: float | None = None


class RunWatch:
    """Reads a run's folder as it grows."""

    def __init__(
        self,
        folder: RunFolder,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Read nothing yet.

        Args:
            folder: The run's; need not be there yet.
            clock_ns: CLOCK_MONOTONIC.
        """
        self._folder = folder
        self._level_folder = folder.root
        self._levels: tuple[PlannedLevel, ...] = ()
        self._intended_ns: array[int] | None = None
        self._clock_ns = clock_ns
        self._index = -1
        self._ended_before = 0
        self._read_bytes = 0
        self._reads = 0
        self._ended: EndedWorkflows | None = None
        self._begin_level(-1)

    def look(self) -> RunProgress | None:
        """Return how far the run is; None before its first level."""
        self._levels = self._levels or read_planned_levels(self._folder)
        self._enter_level()
        if self._index < 0 or self._ended is None:
            return None
        self._read_progress()
        self._reads += 1
        if self._reads % READS_JOURNAL_EVERY == 1:
            self._ended.read()
            self._errors.append(Counter(self._ended.errors))
        plan, progress, totals = self._levels[self._index], self._progress, self._progress["totals"]
        in_flight = totals["started"] - totals["ended"]
        return RunProgress(
            index=self._index,
            levels=len(self._levels),
            shown=plan.shown,
            wanted=plan.concurrency,
            phase=self._phase(),
            in_flight=in_flight,
            ended=totals["ended"],
            failed=totals["failed"],
            rate_per_s=progress["rate_per_s"],
            elapsed_s=progress["elapsed_s"],
            mean_service_s=self._ended.mean_service_s(self._clock_ns()),
            errors=self._errors_among(totals["failed"]) if self._ended.is_readable else None,
            left_s=self._left_s(),
            concerns=tuple(self._concerns(in_flight)),
            loop=plan.loop,
            offered_per_s=self._offered_per_s(plan),
            mean_response_s=self._ended.mean_response_s(self._clock_ns())
            if plan.loop == "open"
            else None,
        )

    def _errors_among(self, failed: int) -> dict[str, int]:
        """Return the newest error classes whose total is at most ``failed``.

        Classes come from the journals and the count from the progress file, at different moments:
        a greater total was committed after the count was written.
        """
        known = (read for read in reversed(self._errors) if read.total() <= failed)
        return dict(next(known, {}))

    def _offered_per_s(self, plan: PlannedLevel) -> float | None:
        """Return how many of an open level's workflows were to start in the last second."""
        elapsed_s: float = self._progress["elapsed_s"]
        if plan.loop == "closed" or not elapsed_s:
            return None
        since_s = max(0.0, elapsed_s - 1.0)
        if self._intended_ns is None:
            self._intended_ns = read_schedule(self._level_folder)
        first, last = (bisect_left(self._intended_ns, at_s * 1e9) for at_s in (since_s, elapsed_s))
        return (last - first) / (elapsed_s - since_s)

    def _enter_level(self) -> None:
        folders = sorted((self._folder.root / "levels").glob("*/"))
        if len(folders) - 1 != self._index and len(folders) <= len(self._levels):
            before = self._levels[self._index].home if self._index >= 0 else ""
            ended: int = self._progress["totals"]["ended"]
            self._begin_level(len(folders) - 1)
            home = self._levels[self._index].home
            self._ended_before = ended if home and home == before else 0
            self._level_folder = folders[-1].with_name(home) if home else folders[-1]
            self._intended_ns = None
            self._ended = EndedWorkflows(self._level_folder)

    def _begin_level(self, index: int) -> None:
        self._index = index
        self._progress: dict[str, Any] = {
            "phase": START,
            "totals": _NOTHING,
            "rate_per_s": 0.0,
            "elapsed_s": 0.0,
        }
        self._errors: deque[Counter[str]] = deque(maxlen=MAX_READS)
        self._phase_began = (0.0, 0)
        self._heard_ns = self._clock_ns()

    def _read_progress(self) -> None:
        """Read the new whole lines of ``progress.jsonl``."""
        try:
            with (self._folder.root / "progress.jsonl").open("rb") as file:
                file.seek(self._read_bytes)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return
        self._read_bytes += len(whole) + len(end)
        for line in whole.splitlines():
            progress = json.loads(line)
            if self._index < 0 or progress["label"] != self._levels[self._index].shown:
                continue
            if progress["phase"] == "drain" and self._progress["phase"] == START:
                continue  # of the repeat before, which has the same label
            if progress["phase"] != self._progress["phase"]:
                before = self._progress
                self._phase_began = (before["elapsed_s"], before["totals"]["ended"])
            self._progress = progress
            self._heard_ns = self._clock_ns()

    @property
    def _silent_s(self) -> float:
        return (self._clock_ns() - self._heard_ns) / 1e9

    def _phase(self) -> str:
        """Return the phase; after the last level the run is measured and reported."""
        if self._silent_s > 1 and self._index == len(self._levels) - 1:
            try:
                if self._folder.read_status()["status"] not in MAY_GO_ON:
                    return REPORT
            except RunFolderError:
                pass  # shown when the run has ended
        return str(self._progress["phase"])

    def _concerns(self, in_flight: int) -> list[str]:
        plan, progress = self._levels[self._index], self._progress
        concerns = []
        if self._silent_s > SILENT_S and self._phase() not in ("drain", REPORT, START):
            concerns.append(f"no progress report for {self._silent_s:.0f} s")
        if progress["phase"] == "steady" and plan.loop == "closed":
            if not plan.think_time_s and in_flight < MIN_SHARE * plan.concurrency:
                concerns.append(
                    f"{in_flight} in flight now, below {MIN_SHARE:.0%} of {plan.concurrency}: "
                    "not_steady if it stays so"
                )
            began_s, ended_before = self._phase_began
            ended, wanted = (
                progress["totals"]["ended"] - ended_before,
                closed_phases(plan.phases, plan.concurrency)[-1].min_workflows,
            )
            if progress["elapsed_s"] - began_s > plan.phases.steady_s and ended < wanted:
                concerns.append(
                    f"not_steady so far: {ended} of {wanted} workflows ended in the steady phase; "
                    f"it waits for them until {plan.phases.steady_max_s:g} s"
                )
        return concerns

    def _left_s(self) -> float | None:
        """Estimate what is left of the run, as if every level had this one's rate so far."""
        elapsed_s: float = self._progress["elapsed_s"]
        ended: int = self._progress["totals"]["ended"] - self._ended_before
        if not elapsed_s or ended <= 0:
            return None
        rate_per_s = ended / elapsed_s
        lengths_s = [self._length_s(plan, rate_per_s) for plan in self._levels[self._index :]]
        return max(0.0, lengths_s[0] - elapsed_s) + sum(lengths_s[1:])

    def _length_s(self, plan: PlannedLevel, rate_per_s: float) -> float:
        phases = plan.phases
        if plan.loop == "open":
            return phases.warm_up_s + phases.steady_s + OVERHEAD_S + CONTROL_S + phases.cooldown_s
        played_s = sum(
            rule.length_s(rate_per_s) for rule in closed_phases(plan.phases, plan.concurrency)
        )
        return played_s + OVERHEAD_S + phases.cooldown_s
