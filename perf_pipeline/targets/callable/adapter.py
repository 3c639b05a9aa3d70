"""Functions of the user's own, each called with the workflow's number, from one thread a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.steps import NO_WORKFLOW, set_workflow, workflow_of
from perf_pipeline.targets.forked import COPIES, end_copy
from perf_pipeline.targets.user_function import check_ran, classify, load_functions

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job, Slot, Target

__all__ = ["classify", "open_target"]


def open_target(job: Job) -> Target:
    """Import the functions of ``job``.

    Raises:
        ImportError: A module is not there, or cannot be imported.
        ValueError: It has no such function, or it is a coroutine function.
    """
    return CallableTarget(job)


class CallableTarget:
    """Function calls without state, so one object is target and slot."""

    def __init__(self, job: Job) -> None:
        self._names = [kind.family for kind in job.kinds]
        self._functions = load_functions(job, "callable")

    def open_slot(self) -> Slot:
        """Return the target itself: threads share it."""
        return self

    def execute(self, kind: int, number: int) -> None:
        """Call the function; an exception of it means that the workflow failed."""
        # Inlined for the load: every workflow pays for it, with steps or without.
        set_workflow((number, kind << 32) if number >= 0 else workflow_of(kind, number))
        try:
            check_ran(self._names[kind], self._functions[kind](number))
        except BaseException as error:
            if COPIES:
                end_copy(error)
            raise
        finally:
            if number < 0:  # this thread goes on with other things
                set_workflow(NO_WORKFLOW)
        if COPIES:
            end_copy(None)

    def close(self) -> None:
        """Do nothing: what the functions keep ends with the process."""
