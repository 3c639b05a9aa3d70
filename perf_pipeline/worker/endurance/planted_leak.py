"""A leak on purpose: what a campaign must find to prove that it would have found a real one.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget, Slot


class PlantedLeak:
    """Keeps an object after each workflow, for as long as the process lives.

    An object is a list of one ``bytearray``: blocks of the interpreter's heap, and memory of a
    known size, whatever the interpreter does with large objects.
    """

    def __init__(self, leak_bytes: int) -> None:
        """Leak so many bytes with each workflow."""
        self._leak_bytes = leak_bytes
        self._kept: list[list[bytearray]] = []

    def keep_one(self) -> None:
        """Keep one more object; any thread may."""
        self._kept.append([bytearray(self._leak_bytes)])


class LeakingSlot:
    """A target's slot whose workflows leak."""

    def __init__(self, slot: Slot, leak: PlantedLeak) -> None:
        self._execute = slot.execute
        self._leak = leak

    def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""
        self._execute(kind, number)
        self._leak.keep_one()


class LeakingTasks:
    """An asynchronous target whose workflows leak; it is its own slot.

    Attributes:
        at_once: As of ``AsyncTarget``.
    """

    def __init__(self, target: AsyncTarget, leak: PlantedLeak) -> None:
        self.at_once = target.at_once
        self.executing = target.executing
        self.close = target.close
        self._execute = target.open_slot().execute
        self._leak = leak

    def open_slot(self) -> AsyncSlot:
        """Return the target itself: tasks share it."""
        return self

    async def execute(self, kind: int, number: int) -> None:
        """As ``AsyncSlot.execute``."""
        await self._execute(kind, number)
        self._leak.keep_one()
