"""The signals of the processes of one arm, the target or its twin, and of the harness."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.host.sock_diag import open_channel
from perf_pipeline.host.target_processes import target_processes
from perf_pipeline.metrics.resources.network.socket_owners import sockets_of
from perf_pipeline.metrics.resources.network.socket_states import SOCKET_STATES, socket_states
from perf_pipeline.metrics.signals.reading import NOT_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from perf_pipeline.metrics.resources.process import ProcessReader
    from perf_pipeline.metrics.signals.reading import Reading

MAX_FILES = 20_000
"""Of a scratch folder: a walk through more would disturb what is measured."""

USES = {
    "uss_bytes": "uss_bytes",
    "rss_bytes": "rss_bytes",
    "open_files": "descriptors",
    "threads": "threads",
}
"""Signal to what ``ProcessReader`` calls it."""

_CHILDREN = "children"
_TEMPORARY = "temporary_bytes"
_NOT_WRITTEN = "the worker process has not written it yet, or its C library does not count it"


@dataclass(frozen=True)
class Arm:
    """The processes of the target, or of its twin.

    Attributes:
        pids: Its worker processes.
        homes: Their scratch folders.
        memory: Returns what they say themselves of the memory that they have allocated: each
            signal to its sum over them, None if unknown.
    """

    pids: Sequence[int]
    homes: Sequence[Path]
    memory: Callable[[], dict[str, float | None]]


def add_arm(
    reading: Reading, who: str, arm: Arm, reader: ProcessReader, keeper_pid: int | None
) -> None:
    """Add the signals of an arm, summed over its worker processes and what they have started.

    Args:
        reading: Takes them.
        who: ``target`` or ``twin``.
        arm: Its processes.
        reader: Reads processes.
        keeper_pid: The process that started those that watch the workers; None for this one.
    """
    reading.add(who, arm.memory(), _NOT_WRITTEN)
    reading.try_to_add(who, [_TEMPORARY], lambda: {_TEMPORARY: _folder_bytes(arm.homes)})
    found = target_processes(arm.pids, keeper_pid or os.getpid())
    children = [pid for one in found.values() for pid in one.children]
    try:
        uses = uses_of(reader, arm.pids, children)
    except OSError as error:
        names = (*USES, _CHILDREN, *SOCKET_STATES)
        reading.add(who, dict.fromkeys(names), error.strerror or str(error))
        return
    reading.add(who, {**uses, _CHILDREN: len(children)}, NOT_SHOWN)
    pids = [*arm.pids, *children]
    reading.try_to_add(who, SOCKET_STATES, lambda: _sockets(pids))


def uses_of(
    reader: ProcessReader, pids: Iterable[int], children: Iterable[int] = ()
) -> dict[str, float | None]:
    """Return memory, open files and threads of some processes together.

    Args:
        reader: Reads processes.
        pids: Processes that must be alive.
        children: Processes that may have just ended.

    Raises:
        OSError: One could not be read; ``ProcessLookupError`` if it has ended.
    """
    read = [reader.read(pid, costly=False)[0] for pid in pids]
    for pid in children:
        try:
            read.append(reader.read(pid, costly=False)[0])
        except ProcessLookupError:
            continue
    sums: dict[str, float | None] = {}
    for signal, name in USES.items():
        values = [usage[name] for usage in read]
        sums[signal] = sum(value for value in values if value is not None)
        if None in values:
            sums[signal] = None
    return sums


def _sockets(pids: Iterable[int]) -> dict[str, float | None]:
    with closing(open_channel()) as channel:
        return {**socket_states(channel, sockets_of(pids))}


def _folder_bytes(folders: Iterable[Path]) -> float:
    """Return what the files of some folders take on the disk.

    Raises:
        OSError: There are more than ``MAX_FILES``, or a folder is not there.
    """
    waiting = [os.fspath(folder) for folder in folders]
    count = taken = 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > MAX_FILES:
                    raise OSError(f"more than {MAX_FILES} files, which are not counted")
                try:
                    taken += 512 * entry.stat(follow_symlinks=False).st_blocks
                except FileNotFoundError:
                    continue  # removed meanwhile
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return taken
