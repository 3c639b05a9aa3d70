"""Times named steps of a workflow, and counts what they handle.

    from perf_pipeline.steps import count, step

    with step("charge card"):
        charge(card)
    count("rows", len(rows))

For code that runs in a worker process: in threads and in tasks of asyncio, also nested. A step that
raises counts as failed. Outside of a worker both do nothing, so that code with steps runs anywhere.
Processes that a worker starts record nothing. What happens outside of a workflow (while a module is
imported, or in a thread of the user's own) is recorded apart.

Standard library only; the journal is written elsewhere (``worker/recorder.py``).
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from contextvars import ContextVar
from operator import index as whole
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

STEP_WORDS = 4
"""Integers of a record: workflow number, start (CLOCK_MONOTONIC ns), duration in ns or the value
of a count, and a word: index of the name | kind of workflow << 32 | flags << 40."""

FAILED, COUNT, COLD, OUTSIDE = 1 << 40, 2 << 40, 4 << 40, 8 << 40
"""Flags: the step raised; a count; of a cold start; outside of a workflow."""

MAX_NAMES = 64
MAX_NAME_LENGTH = 80
MAX_COUNT = (1 << 53) - 1

_BLOCK_WORDS = 8192 * STEP_WORDS
"""So many are committed at once; the same steps take 1.1 MB until then."""
_MAX_WORDS = 16 * _BLOCK_WORDS
"""More are not kept while the journal cannot be written."""

NO_WORKFLOW = (0, OUTSIDE)
_workflow: ContextVar[tuple[int, int]] = ContextVar("workflow", default=NO_WORKFLOW)
set_workflow = _workflow.set
"""Say which workflow (``workflow_of``) this thread, or this task and those it starts, execute."""
reset_workflow = _workflow.reset
"""Take back ``set_workflow``, by what it returned."""


class StepBuffer:
    """The steps and counts of this process that are not in the journal yet.

    Any number of threads may add to it: extending a list is atomic under the interpreter lock.

    Attributes:
        pending: ``STEP_WORDS`` integers a record.
        names: Index to name.
        unnamed: How many were not recorded because of their name.
        no_room: How many were not recorded because the journal could not be written.
        commit: Called by the thread that has filled a block.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        """Begin without names; ``clock_ns`` is CLOCK_MONOTONIC."""
        self.clock_ns = clock_ns
        self.pending: list[int] = []
        self.names: list[str] = []
        self.unnamed = 0
        self.no_room = 0
        self.commit: Callable[[], None] = lambda: None
        self._indices: dict[str, int] = {}
        self._naming = allocate_lock()

    def add(
        self, name: str, start_ns: int, value: int, flags: int, workflow: tuple[int, int]
    ) -> None:
        """Store a step or a count.

        Args:
            name: Of the closed number of names; others are counted as ``unnamed``.
            start_ns: When it began.
            value: Its duration, ns, or the value of a count.
            flags: ``FAILED``, ``COUNT`` or 0.
            workflow: Number and word of the workflow, as ``workflow_of`` gives them.
        """
        found = self._indices.get(name)
        if found is None:
            found = self._new_index(name)
            if found is None:
                self.unnamed += 1
                return
        pending = self.pending
        if len(pending) >= _BLOCK_WORDS:
            self.commit()
            if len(pending) >= _MAX_WORDS:
                self.no_room += 1
                return
        number, word = workflow
        pending.extend((number, start_ns, value, word | flags | found))

    def _new_index(self, name: str) -> int | None:
        if len(self.names) >= MAX_NAMES or not is_name(name):
            return None
        with self._naming:
            if name not in self._indices and len(self.names) < MAX_NAMES:
                self.names.append(name)
                self._indices[name] = len(self.names) - 1
        return self._indices.get(name)


_buffer: StepBuffer | None = None


class step:  # noqa: N801 - read as a statement: with step("charge card")
    """Time the body of a ``with`` statement as a step; make a new one for each."""

    __slots__ = ("_name", "_start_ns")

    def __init__(self, name: str) -> None:
        """Name the step: 1 to 80 printable characters, and at most 64 different ones a process."""
        self._name = name
        self._start_ns = 0

    def __enter__(self) -> Self:
        if _buffer is not None:
            self._start_ns = _buffer.clock_ns()
        return self

    def __exit__(self, error_type: object, *_error: object) -> None:
        buffer, start_ns = _buffer, self._start_ns
        if buffer is not None and start_ns:
            lasted_ns = buffer.clock_ns() - start_ns
            flags = 0 if error_type is None else FAILED
            buffer.add(self._name, start_ns, lasted_ns, flags, _workflow.get())


def count(name: str, value: int = 1) -> None:
    """Count a value: rows, bytes, retries.

    Args:
        name: As of a step.
        value: A whole number from 0 to 2**53 - 1.

    Raises:
        TypeError: It is no whole number.
        ValueError: It is out of range.
    """
    value = whole(value)
    if not 0 <= value <= MAX_COUNT:
        raise ValueError(
            f"count({name!r}, {value}): a count is from 0 to {MAX_COUNT}; count other values in a "
            "smaller unit, or their absolute value"
        )
    buffer = _buffer
    if buffer is not None:
        buffer.add(name, buffer.clock_ns(), value, COUNT, _workflow.get())


def is_name(name: Any) -> bool:
    """Return whether a step may be called so."""
    return isinstance(name, str) and name.isprintable() and 1 <= len(name) <= MAX_NAME_LENGTH


def record_steps(clock_ns: Callable[[], int] = monotonic_ns) -> StepBuffer:
    """Record steps from now on in this process, but in no process that it forks."""
    buffer = StepBuffer(clock_ns)
    _set_buffer(buffer)
    os.register_at_fork(after_in_child=lambda: _set_buffer(None))
    return buffer


def buffer_in_use() -> StepBuffer | None:
    """Return where steps are recorded; None outside of a worker."""
    return _buffer


def in_workflow() -> bool:
    """Return whether this thread or task executes a workflow whose steps are recorded."""
    return _buffer is not None and _workflow.get() is not NO_WORKFLOW


def workflow_of(kind: int, number: int) -> tuple[int, int]:
    """Return what the steps of a workflow are recorded with; negative numbers are cold starts."""
    return (number, kind << 32 | (COLD if number < 0 else 0))


def _set_buffer(buffer: StepBuffer | None) -> None:
    global _buffer  # noqa: PLW0603 - one a process, read by every step
    _buffer = buffer
