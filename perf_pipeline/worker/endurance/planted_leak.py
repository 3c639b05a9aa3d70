"""Leaks on purpose: what a campaign must find to prove that it would have found a real one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.worker.own_time import new_lock, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.targets.target import Slot

OBJECT_BYTES = 512


def _object(kept: list[object]) -> None:
    kept.append([bytearray(OBJECT_BYTES)])


def _descriptor(kept: list[object]) -> None:
    kept.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


def _thread(kept: list[object]) -> None:
    never = new_lock()
    never.acquire()
    kept.append(never)
    start_thread(never.acquire, ())


LEAKS: dict[str, Callable[[list[object]], None]] = {
    "object": _object,
    "descriptor": _descriptor,
    "thread": _thread,
}
"""What is leaked: keeps one more of it."""


class LeakingSlot:
    """A target's slot that keeps something after every so many-th workflow of the process."""

    def __init__(self, slot: Slot, leak: PlantedLeak) -> None:
        self._execute = slot.execute
        self._leak = leak

    def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""
        self._execute(kind, number)
        self._leak.after_workflow()


class PlantedLeak:
    """One leak of a process, shared by its slots."""

    def __init__(self, text: str) -> None:
        """Read a leak as ``object/1`` or ``descriptor/100``: what, and after how many workflows.

        Raises:
            ValueError: It is none.
        """
        what, _, every = text.partition("/")
        if what not in LEAKS or not every.isdecimal() or not int(every):
            raise ValueError(f"{text!r} is no leak; allowed are {', '.join(LEAKS)}, then /NUMBER")
        self._keep_one, self._every = LEAKS[what], int(every)
        self._kept: list[object] = []
        self._workflows = 0

    def after_workflow(self) -> None:
        """Count a workflow; a race between two threads loses a count, and never a leak."""
        self._workflows += 1
        if self._workflows % self._every == 0:
            self._keep_one(self._kept)

    def of(self, slot: Slot) -> Slot:
        """Return a slot that leaks."""
        return LeakingSlot(slot, self)


def leak_of(text: str) -> Callable[[Slot], Slot]:
    """Return what makes a slot leak as a text says; nothing for an empty one."""
    return PlantedLeak(text).of if text else _no_leak


def _no_leak(slot: Slot) -> Slot:
    return slot
