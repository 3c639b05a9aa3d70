"""What one command measured and what went wrong, noted where it happens, for its CI files."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.exit_code import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.ci.cases import Case

NOT_ENDED = -1
"""In place of the exit code of a command that still runs, or was killed."""

MEANINGS: dict[int, str] = {
    NOT_ENDED: "it has not ended",
    Exit.COMPLETE: "everything was measured, and every gate held",
    Exit.GATE_FAILED: "a gate, an objective or the target failed, something got worse, or there is "
    "no valid measurement",
    Exit.BAD_INPUT: "wrong options or input; nothing was started",
    Exit.NOT_A_MEASUREMENT: "not a measurement, or a verdict is undecided",
    Exit.DEFECT: "a defect of perf_pipeline",
    Exit.GAVE_UP_WAITING: "gave up waiting for another load run; nothing was started",
    Exit.HUNG_UP: "its terminal was closed; what was measured is kept",
    Exit.INTERRUPTED: "interrupted; what was measured is kept",
    Exit.TERMINATED: "it was asked to end; what was measured is kept",
}

RESULTS: dict[int, str] = {
    NOT_ENDED: "did not end",
    Exit.COMPLETE: "passed",
    Exit.GATE_FAILED: "failed",
    Exit.BAD_INPUT: "not started, wrong input",
    Exit.NOT_A_MEASUREMENT: "undecided",
    Exit.DEFECT: "failed, a defect of perf_pipeline",
    Exit.GAVE_UP_WAITING: "not started, the machine was busy",
    Exit.HUNG_UP: "interrupted",
    Exit.INTERRUPTED: "interrupted",
    Exit.TERMINATED: "interrupted",
}
"""How a command ended, in the words of a heading."""


@dataclass(frozen=True)
class NotedRun:
    """One run that was measured, or a comparison of runs, or the alerts of a results folder.

    Attributes:
        run_id: The run, or the comparison.
        scenario: Its scenario.
        started_at: Wall clock, ISO 8601 UTC.
        report: Path of its report.
        cases: Its verdicts.
        summary: Its tables and answers as Markdown.
        what: What it is in a heading; empty for a run.
    """

    run_id: str
    scenario: str
    started_at: str
    report: str
    cases: tuple[Case, ...]
    summary: str
    what: str = ""


@dataclass
class Notes:
    """What a command has noted so far.

    Attributes:
        runs: Runs that were measured.
        errors: Kind of each error, and its sentences.
    """

    runs: list[NotedRun] = field(default_factory=list)
    errors: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def problems(self, code: int) -> list[tuple[str, tuple[str, ...]]]:
        """Return the errors; where nothing else shows that a command failed, its exit code.

        Args:
            code: The command's exit code.
        """
        bad = any(case.outcome != "passed" for run in self.runs for case in run.cases)
        is_judged = code in (Exit.COMPLETE, Exit.GATE_FAILED, Exit.NOT_A_MEASUREMENT)
        if self.errors or (self.runs and is_judged and bad):
            return self.errors
        if code == Exit.COMPLETE:
            return []  # it had nothing to measure
        meaning = MEANINGS.get(code, "it did not end by itself")
        return [("ExitCode", (f"exit code {code}: {meaning}",))]


_NOTES: ContextVar[Notes | None] = ContextVar("notes", default=None)


@contextmanager
def taking_notes() -> Iterator[Notes]:
    """Take the notes of the command that the block runs."""
    notes = Notes()
    before = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(before)


def are_wanted() -> bool:
    """Return whether a command writes CI files."""
    return _NOTES.get() is not None


def note_run(run: NotedRun) -> None:
    """Note a run; of no effect where no command wants it."""
    if notes := _NOTES.get():
        notes.runs.append(run)


def note_error(kind: str, sentences: Sequence[str]) -> None:
    """Note an error; likewise."""
    if notes := _NOTES.get():
        notes.errors.append((kind, tuple(sentences)))
