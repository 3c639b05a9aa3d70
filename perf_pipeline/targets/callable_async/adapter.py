"""Coroutine functions of the user's own, awaited with the workflow's number, one task a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.steps import set_workflow, workflow_of
from perf_pipeline.targets.user_function import check_ran, classify, load_functions

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget, Job

__all__ = ["classify", "open_target"]


async def open_target(job: Job) -> AsyncTarget:
    """Import the functions of ``job``, inside the running event loop.

    Raises:
        ImportError: A module is not there, or cannot be imported.
        ValueError: It has no such function, or it is not a coroutine function.
    """
    return CallableAsyncTarget(job)


class CallableAsyncTarget:
    """Awaited calls without state, so one object is target and slot.

    Attributes:
        at_once: None: what the functions queue inside themselves is not known here.
    """

    at_once: int | None = None

    def __init__(self, job: Job) -> None:
        self._names = [kind.family for kind in job.kinds]
        self._functions = load_functions(job, "callable_async")

    def open_slot(self) -> AsyncSlot:
        """Return the target itself: tasks share it."""
        return self

    def executing(self) -> int | None:
        """Return None: see ``at_once``."""
        return None

    async def execute(self, kind: int, number: int) -> None:
        """Await the function; an exception of it means that the workflow failed."""
        set_workflow(workflow_of(kind, number))
        check_ran(self._names[kind], await self._functions[kind](number))

    async def close(self) -> None:
        """Do nothing: what the functions keep ends with the process."""
