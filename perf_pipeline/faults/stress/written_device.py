"""Finds the block device that takes what is written to a folder, and proves it by writing.

A file system with a device of its own has that device's number. One that lies over others (overlay,
as in containers) or over several (btrfs, ZFS) has a number without a device. Then every device is
asked: the one whose count of written bytes grows by what we write, each time we write, and does not
while we wait, takes our writes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import NotPossibleHereError
from perf_pipeline.faults.stress.device import Device, device_with, every_device
from perf_pipeline.faults.stress.write import nameless_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ROUNDS, PROVEN_ROUNDS = 6, 5
"""Another program may write while we wait."""

_TRIALS = 3
"""Of so many rounds each, where other programs write much."""

_PROVEN_SHARE = 0.5
"""Of what we wrote: file systems may compress it, or put it on several devices."""

_PIECE_BYTES, _PIECES = 2 << 20, 2
_LEAST_PAUSE_S = 0.01


@dataclass(frozen=True)
class Round:
    """What a device counted while we wrote, and while we waited for as long.

    Attributes:
        ours_bytes: What we wrote.
        writing_bytes: What the device was written meanwhile.
        waiting_bytes: The same while we waited.
    """

    ours_bytes: int
    writing_bytes: int
    waiting_bytes: int

    @property
    def is_proof(self) -> bool:
        """It was written more than while we waited, by a good part of what we wrote."""
        return self.writing_bytes - self.waiting_bytes >= _PROVEN_SHARE * self.ours_bytes


def written_device(folder: Path) -> Device:
    """Return the device that takes what is written to a folder.

    Args:
        folder: A file without a name is written in it over and over, unless the kernel names its
            device.

    Raises:
        NotPossibleHereError: No device does, as far as the kernel shows.
    """
    own = device_with(folder.stat().st_dev)
    if own is not None:
        return own
    devices = every_device()
    if not devices:
        raise NotPossibleHereError(
            f"the kernel shows no block device, so whether the one below {folder} is saturated "
            "cannot be seen"
        )
    with nameless_writer(folder, _PIECE_BYTES, _PIECE_BYTES) as write:
        for _ in range(_TRIALS):
            found = proven(devices, write, time.sleep, time.monotonic)
            if found is not None:
                return found
    names = ", ".join(device.name for device in devices)
    raise NotPossibleHereError(
        f"what is written to {folder} is seen on none of the block devices here ({names}): its "
        "file system is in memory, or on another machine"
    )


def proven(
    devices: Sequence[Device],
    write: Callable[[], int],
    sleep: Callable[[float], None],
    clock_s: Callable[[], float],
) -> Device | None:
    """Return the device whose count of written bytes follows our writes; None for none.

    Of several (a disk, and what lies over it) the one that others write to the least.

    Args:
        devices: That may be it.
        write: Writes something, and returns how many bytes once they are on the disk.
        sleep: Waits, s.
        clock_s: Monotonic.
    """
    rounds: dict[Device, list[Round]] = {device: [] for device in devices}
    for _ in range(ROUNDS):
        begin_s, before = clock_s(), _written(devices)
        ours_bytes = sum(write() for _ in range(_PIECES))
        took_s, between = clock_s() - begin_s, _written(devices)
        sleep(max(_LEAST_PAUSE_S, took_s))
        after = _written(devices)
        for device, *counts in zip(devices, before, between, after, strict=True):
            writing, waiting = counts[1] - counts[0], counts[2] - counts[1]
            rounds[device].append(Round(ours_bytes, writing, waiting))
    found = [
        device
        for device, seen in rounds.items()
        if sum(one.is_proof for one in seen) >= PROVEN_ROUNDS
    ]
    written = {device: sum(one.writing_bytes for one in rounds[device]) for device in found}
    return min(found, key=written.__getitem__, default=None)


def _written(devices: Sequence[Device]) -> list[int]:
    return [device.use()[0] for device in devices]
