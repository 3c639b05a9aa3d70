"""How the Dagster run of a command ended, in one sentence and as an exit code."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.errors import ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.dagster_home import VARIABLE
from perf_pipeline.program.defects import explain_log

if TYPE_CHECKING:
    from perf_pipeline.cli.dagster_child import DagsterChild

_CRASHES = (
    *(signal.SIGABRT, signal.SIGBUS, signal.SIGFPE),
    *(signal.SIGILL, signal.SIGSEGV, signal.SIGTRAP),
)
"""What a library in C or Rust ends its process with."""
_WHO = "the Dagster run's process"


class ChildEnd(NamedTuple):
    """An end that was not a good one.

    Attributes:
        text: A sentence; of a defect, with the file that has the traceback or the log.
        code: What the command exits with if it measured nothing, and at least if it did.
    """

    text: str
    code: Exit


def end_of(child: DagsterChild, own_home: str = "") -> ChildEnd | None:
    """Return how a child ended that nobody asked to end; None if it measured to its end.

    Args:
        child: It has ended.
        own_home: ``DAGSTER_HOME`` of the user's; it may be what Dagster cannot work with.
    """
    note = child.failure
    if note is not None and note.is_verdict:
        return None
    if note is not None:
        if note.is_defect:
            return ChildEnd(explain_log(f"{note.kind}: {note.text}", note.trace), Exit.DEFECT)
        is_refused = note.kind == ScenarioError.__name__
        return ChildEnd(note.text, Exit.BAD_INPUT if is_refused else Exit.NOT_A_MEASUREMENT)
    if child.code > 0:
        return _end_before_steps(child, own_home)
    return _end_by_signal(child) if child.code else None


def _end_by_signal(child: DagsterChild) -> ChildEnd:
    number = signal.Signals(-child.code)
    text = f"{_WHO} was ended by {number.name}"
    if number in _CRASHES:
        return ChildEnd(explain_log(text, child.log), Exit.DEFECT)
    return ChildEnd(text, Exit.NOT_A_MEASUREMENT)


def _end_before_steps(child: DagsterChild, own_home: str) -> ChildEnd:
    """Return the end of a child that failed and noted nothing: its log alone says why."""
    last = next((line for line in reversed(child.log.splitlines()) if line.strip()), "no word")
    if own_home:
        kept = explain_log(last, child.log).rpartition(" ")[2]
        text = f"{_WHO} failed with {VARIABLE}={own_home} of your session: {last.strip()}"
        return ChildEnd(f"{text}; unset it, or see {kept}", Exit.BAD_INPUT)
    text = f"{_WHO} failed before any of its steps (exit code {child.code}): {last}"
    return ChildEnd(explain_log(text, child.log), Exit.DEFECT)
