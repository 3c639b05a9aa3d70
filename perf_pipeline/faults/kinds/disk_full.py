"""The file system of a server's data has no space."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.faults.arguments import not_on, server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.process_faults import (
    ENTRY_FOLDER,
    left_folder,
    own_server,
    revive,
    server_state,
)
from perf_pipeline.faults.stress.fill import FULL, Filler, nameless_file, takes
from perf_pipeline.servers.lifecycle.own_disk import own_disk_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.servers.lifecycle.started_server import StartedServer

_TRIED_BYTES = 65_536
"""A write of so much must be refused."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:  # noqa: ARG001 - it has none
    """Return the failure in a place.

    Raises:
        FaultRefusedError: The service keeps no data on a disk.
    """
    service = server_of(place).service
    if service == "redis":
        raise not_on("disk_full", service)
    return DiskFull(place)


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Have the server of an entry started again, if it ended for want of space."""
    started = left_folder(entry)
    if started is not None:
        revive(started, time.sleep)


class DiskFull:
    """A file takes all space of the server's own file system; see ``Fault``.

    Only that: the file system of the machine belongs to other programs as well. The file has no
    name, so its space is free when this process ends. A server that ends for want of space is
    started again, as an administrator would.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is taken."""
        self._place = place
        self._started: StartedServer | None = None
        self._disk = -1
        self._filler: Filler | None = None

    def preflight(self) -> None:
        """Find the server's own file system, and see whether its memory can be taken."""
        self._server, self._started = own_server(self._place)
        needed = self._free_bytes()
        available, total = available_memory()
        floor = memory_floor_bytes(total)
        if available - needed < floor:
            raise FaultRefusedError(
                f"the disk is in memory: its {needed / 1e6:.0f} MB would leave less than "
                f"{floor / 1e6:.0f} MB of {available / 1e6:.0f} MB available"
            )

    def state(self) -> State:
        """Return whether there is space, and how the server answers."""
        assert self._started is not None
        space = "none" if self._is_full() else "there is"
        return {"space": space, **server_state(self._server, self._started)}

    def undo_entry(self) -> Mapping[str, str]:
        """Return its folder: the file ends with this process, and then the server may have too."""
        assert self._started is not None
        return {ENTRY_FOLDER: str(self._started.folder)}

    def inject(self) -> None:
        """Take all space."""
        self._filler = Filler(self._opened())
        self._filler.start()

    def sign(self) -> Sign:
        """Write a file of its own, and see whether that is refused."""
        full, free = self._is_full(), self._free_bytes()
        text = f"{free / 1e6:.1f} MB free; a write of {_TRIED_BYTES // 1024} KiB is "
        text += "refused: no space left on device" if full else "accepted"
        return Sign(in_effect=full, value=free / 1e6, text=text)

    def undo(self) -> None:
        """Give the space back, and have the server started again if it has ended."""
        if self._filler is not None:
            self._filler.stop()
            if self._started is not None:
                revive(self._started, self._place.sleep)
        self._filler = None
        if self._disk >= 0:
            os.close(self._disk)
        self._disk = -1

    def _opened(self) -> int:
        """Return a descriptor of the data folder as the server sees it, opened once.

        Raises:
            FaultRefusedError: It is on the file system of the machine.
        """
        assert self._started is not None
        if self._disk < 0:
            data = None
            for process in self._started.processes():
                with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                    data = own_disk_of(self._started.folder, process)
                    break
            if data is None:
                raise FaultRefusedError(
                    f"the data are on the file system of {self._started.folder.parent}, which "
                    "other programs use; one of their own needs user namespaces (see `unshare "
                    "--user --mount true`) and a run that begins with this failure in mind"
                )
            self._disk = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._disk

    def _free_bytes(self) -> int:
        found = os.fstatvfs(self._opened())
        return found.f_bavail * found.f_frsize

    def _is_full(self) -> bool:
        try:
            file = nameless_file(self._opened())
        except OSError as error:
            if error.errno in FULL:
                return True
            raise
        try:
            return not takes(file, 0, _TRIED_BYTES)
        finally:
            os.close(file)
