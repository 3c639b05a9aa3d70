"""Logs a sample of a level's workflows, read from its journals once it has ended.

Nothing is logged while workflows run: the journal has every one of them, so the measured process
pays for no line. Of those that failed each is logged up to a bound, of the others one in N; both
N are in the lines, so that counts of lines can be read as counts of workflows.
"""

from __future__ import annotations

import sqlite3
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.logs.run_log import fault_id
from perf_pipeline.logs.trace import span_id
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.record import COLD, RECORD_WORDS, ErrorClass, Outcome
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.logs.ecs import Outcome as LoggedOutcome
    from perf_pipeline.logs.log import Log
    from perf_pipeline.samples.fault_log import FaultRecord
    from perf_pipeline.samples.journal import Journal
    from perf_pipeline.targets.target import Kind

MAX_FAILED = 500
MAX_OTHERS = 100
"""Lines of one worker of one level."""

_FAILED = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.DROPPED)
_BYTE = 0xFF
_WORDS = struct.Struct(f"<{RECORD_WORDS}q")
_LAST_WORD = struct.Struct(f"<{8 * (RECORD_WORDS - 1)}xq")
_LOGGED: dict[Outcome, LoggedOutcome] = {
    Outcome.OK: "success",
    Outcome.ABANDONED: "unknown",
    **dict.fromkeys(_FAILED, "failure"),
}


@dataclass(frozen=True)
class _Sample:
    """The rows of a journal that are logged, and of how many each is one."""

    rows: list[int]
    one_in: int


class OperationLines:
    """Writes the sampled workflows of one level."""

    def __init__(
        self,
        log: Log,
        run_id: str,
        folder: Path,
        level: LevelLog,
        kinds: Sequence[Kind],
        wall_ns: Callable[[int], int],
    ) -> None:
        """Prepare.

        Args:
            log: Takes the lines; of this level alone.
            run_id: The run.
            folder: The level's folder, with its journals.
            level: Its log, complete.
            kinds: Kinds of workflow, by their index in a record.
            wall_ns: Gives the time since the epoch of one of CLOCK_MONOTONIC.
        """
        self._log = log
        self._run_id = run_id
        self._folder = folder
        self._level = level
        self._kinds = kinds
        self._wall_ns = wall_ns
        self._faults = read_faults(folder)

    def write(self) -> None:
        """Write the lines of every worker of the level."""
        for path in sorted(self._folder.glob("worker-*.sqlite")):
            worker = path.name.removesuffix(".sqlite")
            try:
                journal = read_journal(path)
            except sqlite3.DatabaseError as error:
                self._log.write("error", "journal-unreadable", f"{path.name}: {error}", error=error)
                continue
            self._write_worker(worker, journal)

    def _write_worker(self, worker: str, journal: Journal) -> None:
        outcomes = [word >> 40 & _BYTE for (word,) in _LAST_WORD.iter_unpack(journal.payload)]
        all_failed = [row for row, outcome in enumerate(outcomes) if outcome in _FAILED]
        failed = _sampled(all_failed, MAX_FAILED)
        others = _sampled(
            [row for row, outcome in enumerate(outcomes) if outcome not in _FAILED], MAX_OTHERS
        )
        one_in = dict.fromkeys(failed.rows, failed.one_in)
        one_in |= dict.fromkeys(others.rows, others.one_in)
        records = {row: _WORDS.unpack_from(journal.payload, row * _WORDS.size) for row in one_in}
        for row in sorted(records, key=lambda at: records[at][3]):
            self._write_workflow(worker, records[row], one_in[row])
        for error_class, text in journal.error_examples:
            name = _error_name(error_class)
            self._log.write(
                "warning",
                "operation-error-example",
                f"{worker}: {name}: {text}",
                dataset="op",
                labels={"level": self._level.folder_name, "worker": worker},
                fields={"error.type": name, "error.message": text},
            )
        self._log.write(
            "info",
            "operations-sampled",
            f"{worker}: of {len(outcomes)} workflows {len(all_failed)} failed; logged are one "
            f"in {failed.one_in} of those and one in {others.one_in} of the others",
            dataset="op",
            labels={"level": self._level.folder_name, "worker": worker},
            workflows=len(outcomes),
            failed=len(all_failed),
            failed_one_in=failed.one_in,
            others_one_in=others.one_in,
        )

    def _write_workflow(self, worker: str, record: tuple[int, ...], one_in: int) -> None:
        number, intended_ns, start_ns, end_ns, word = record
        outcome = Outcome(word >> 40 & _BYTE)
        kind = self._kinds[word >> 32 & _BYTE]
        has_failed = outcome in _FAILED
        level = self._level.folder_name
        workload = " ".join(filter(None, (kind.family, kind.complexity)))
        backends = sorted(servers_used(kind.family, kind.complexity, kind.without))
        self._log.write(
            "warning" if has_failed else "debug",
            "operation-ended",
            f"workflow {number} ({workload}): {outcome.name.lower()}",
            dataset="op",
            outcome=_LOGGED[outcome],
            duration_ns=end_ns - intended_ns,
            at_ns=self._wall_ns(end_ns),
            span_id=span_id(self._run_id, level, number),
            fields={"error.type": _error_name(word >> 48 & _BYTE)} if has_failed else None,
            labels={
                "level": level,
                "worker": worker,
                "workload": workload,
                "backend": " ".join(backends),
                "phase": self._phase(start_ns, cold=bool(word >> 56 & COLD)),
                "fault_id": " ".join(self._faults_during(intended_ns, end_ns)),
            },
            outcome_name=outcome.name.lower(),
            workflow=number,
            schedule_lag_ns=start_ns - intended_ns,
            service_time_ns=end_ns - start_ns,
            one_in=one_in,
        )

    def _phase(self, start_ns: int, *, cold: bool) -> str:
        if cold:
            return "cold_start"
        for phase, (begin_ns, end_ns) in self._level.phases_ns.items():
            if begin_ns <= start_ns and (end_ns is None or start_ns < end_ns):
                return phase
        return ""

    def _faults_during(self, begin_ns: int, end_ns: int) -> list[str]:
        """Return the failures that were there while a workflow waited or was in flight."""
        return [
            fault_id(one.window.kind, one.number)
            for one in self._faults
            if _meets(one, begin_ns, end_ns)
        ]


def _meets(fault: FaultRecord, begin_ns: int, end_ns: int) -> bool:
    if fault.injecting_ns is None:
        return False
    return fault.injecting_ns <= end_ns and (fault.gone_ns is None or begin_ns < fault.gone_ns)


def _sampled(rows: list[int], bound: int) -> _Sample:
    one_in = max(1, -(-len(rows) // bound))
    return _Sample(rows[::one_in], one_in)


def _error_name(error_class: int) -> str:
    return ErrorClass(error_class).name.lower()
