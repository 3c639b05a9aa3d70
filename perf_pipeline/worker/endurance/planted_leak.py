"""A leak on purpose: what a campaign must find to prove that it would have found a real one.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot


class LeakingSlot:
    """A target's slot that keeps an object after each workflow, for as long as the process lives.

    An object is a list of one ``bytearray``: blocks of the interpreter's heap, and memory of a
    known size, whatever the interpreter does with large objects.
    """

    def __init__(self, slot: Slot, leak_bytes: int) -> None:
        """Leak so many bytes with each workflow of ``slot``."""
        self._execute = slot.execute
        self._leak_bytes = leak_bytes
        self._kept: list[list[bytearray]] = []

    def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""
        self._execute(kind, number)
        self._kept.append([bytearray(self._leak_bytes)])
