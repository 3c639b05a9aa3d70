"""A worker process of the campaign's target, as the process of an hour steers it."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import CLOSED, GO_NS, READY, STATE, STOP_NS, SlotFile

if TYPE_CHECKING:
    from pathlib import Path


class AttachedWorker:
    """Steers a worker through the slot file of one hour; it is its keeper's child, not ours.

    Attributes:
        worker: Its index.
        pid: Its process id.
        slots: The hour's slot file, mapped.
    """

    def __init__(self, worker: int, pid: int, slots: SlotFile) -> None:
        """Take a worker that lives; ``slots`` is closed with this object."""
        self.worker = worker
        self.pid = pid
        self.slots = slots
        try:
            self._pidfd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfd = None

    @property
    def ready(self) -> bool:
        """True once it has read the hour's schedule."""
        return self.slots.words[STATE] >= READY

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._pidfd is not None and not select.select([self._pidfd], [], [], 0)[0]

    @property
    def closed(self) -> bool:
        """True once its last record of the hour is committed."""
        return self.slots.words[STATE] == CLOSED

    def play(self, from_ns: int, until_ns: int) -> None:
        """Let it play the hour from and until moments of CLOCK_MONOTONIC."""
        self.slots.words[STOP_NS] = until_ns
        self.slots.words[GO_NS] = from_ns

    def stop(self) -> None:
        """Let it start nothing more from now on."""
        self.slots.words[STOP_NS] = min(self.slots.words[STOP_NS], time.monotonic_ns())

    def close(self) -> None:
        """Release what it took; the process lives on."""
        if self._pidfd is not None:
            os.close(self._pidfd)
        self.slots.close()


def slot_path(folder: Path, worker: int) -> Path:
    """Return the path of a worker's slot file in the folder of an hour or of a boot."""
    return folder / f"worker-{worker}.slots"
