"""What one process uses, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Usage = dict[str, int | float | None]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_ENDED_STATES = (b"Z", b"X", b"x")
_DELAY_SWITCH = "sys/kernel/task_delayacct"

MANY_THREADS = 100
"""With more, asking each takes longer than everything else: some 12 ms for 500."""

RUN_DELAY = "run_delay_s"
IO_DELAY = "io_delay_s"
NO_IO_DELAY = "the kernel does not count it (kernel.task_delayacct is 0)"

# Positions in /proc/PID/stat after the program's name, which may hold spaces.
_STATE, _UTIME, _STIME, _THREADS, _START, _RSS_PAGES, _BLKIO = 0, 11, 12, 17, 19, 21, 39


class ProcessReader:
    """Reads processes repeatedly; identifies them by process id and start time.

    The kernel counts waiting by thread (the figure in the ``stat`` of the process is that of its
    main thread alone) and drops the count when the thread ends: the waits of ended threads are
    stored here.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        """Know no process yet.

        Args:
            proc: Where the kernel tells of processes.
        """
        self._proc = proc
        self.counts_io_delay = _counts_io_delay(proc / _DELAY_SWITCH)
        self._started: dict[int, bytes] = {}
        self._waited: dict[int, dict[str, tuple[int, int]]] = {}
        self._waited_by_ended: dict[int, tuple[int, int]] = {}

    def read(
        self, pid: int, *, lasting: bool = False, costly: bool = True
    ) -> tuple[Usage, dict[str, str]]:
        """Read one process.

        Args:
            pid: Its number.
            lasting: It should be the same process each time: another one with its number is not
                read.
            costly: Ask each of its threads how long it waited, also if there are more than
                ``MANY_THREADS``.

        Returns:
            ``pid`` and what it uses: memory, CPU seconds, threads, descriptors, bytes from and to
            storage, seconds that its threads waited for a core (``run_delay_s``) and for storage
            (``io_delay_s``), all since its start. What could not be read is None, and the second
            mapping tells for each part why. It says nothing of ``io_delay_s`` where the kernel
            does not count it (``counts_io_delay``), nor of either delay when not ``costly``.

        Raises:
            ProcessLookupError: It has ended, or its number is another's by now.
            OSError: It could not be read at all.
        """
        root = f"{self._proc}/{pid}/"
        try:
            stat = _read(root + "stat").rpartition(b")")[2].split()
        except (FileNotFoundError, ProcessLookupError) as error:
            raise ProcessLookupError("it has ended") from error
        if stat[_STATE] in _ENDED_STATES:
            raise ProcessLookupError("it has ended")
        if self._started.get(pid, stat[_START]) != stat[_START]:
            if lasting:
                raise ProcessLookupError("it has ended, and another process has its number")
            self._waited.pop(pid, None)
            self._waited_by_ended.pop(pid, None)
        self._started[pid] = stat[_START]
        usage: Usage = {
            "pid": pid,
            "cpu_s": (int(stat[_UTIME]) + int(stat[_STIME])) / _TICKS_PER_S,
            "threads": int(stat[_THREADS]),
            "rss_bytes": int(stat[_RSS_PAGES]) * os.sysconf("SC_PAGE_SIZE"),
            RUN_DELAY: None,
            IO_DELAY: None,
        }
        problems: dict[str, str] = {}
        parts: dict[str, tuple[tuple[str, ...], Callable[[], Usage]]] = {
            "memory": (("pss_bytes", "uss_bytes"), lambda: _memory(root)),
            "descriptors": (("descriptors",), lambda: {"descriptors": _length(root + "fd")}),
            "storage": (("read_bytes", "write_bytes"), lambda: _storage(root)),
            "delays": ((RUN_DELAY, IO_DELAY), lambda: self._delays(pid, root)),
        }
        if not costly and int(stat[_THREADS]) > MANY_THREADS:
            del parts["delays"]
        for part, (names, read) in parts.items():
            try:
                usage |= read()
            except OSError as error:
                if isinstance(error, ProcessLookupError) or not os.access(root, os.F_OK):
                    raise ProcessLookupError("it has ended") from error
                usage |= dict.fromkeys(names)
                problems[part] = error.strerror or type(error).__name__
        return usage, problems

    def _delays(self, pid: int, root: str) -> Usage:
        """Return how long all threads of a process have waited since its start."""
        before = self._waited.get(pid, {})
        now: dict[str, tuple[int, int]] = {}
        folder = os.open(root + "task", os.O_RDONLY | os.O_DIRECTORY)
        try:
            for thread in os.listdir(folder):  # noqa: PTH208 - of an open folder
                try:
                    now[thread] = self._waits(thread, folder)
                except (ProcessLookupError, FileNotFoundError):
                    continue  # a thread that has just ended: what it had waited is in ``before``
        finally:
            os.close(folder)
        run_ns, io_ticks = self._waited_by_ended.get(pid, (0, 0))
        for thread, waited in before.items():
            if now.get(thread, (-1, -1)) < waited:  # not there, or another one with its number
                run_ns, io_ticks = run_ns + waited[0], io_ticks + waited[1]
        self._waited[pid], self._waited_by_ended[pid] = now, (run_ns, io_ticks)
        run_ns += sum(waited[0] for waited in now.values())
        io_ticks += sum(waited[1] for waited in now.values())
        io_delay_s = io_ticks / _TICKS_PER_S if self.counts_io_delay else None
        return {RUN_DELAY: run_ns / 1e9, IO_DELAY: io_delay_s}

    def _waits(self, thread: str, folder: int) -> tuple[int, int]:
        """Return how long a thread has waited for a core (ns) and for storage (ticks)."""
        run_ns = int(_read(f"{thread}/schedstat", folder).split()[1])
        if not self.counts_io_delay:
            return run_ns, 0
        stat = _read(f"{thread}/stat", folder).rpartition(b")")[2].split()
        return run_ns, int(stat[_BLKIO])


def children_of(pid: int) -> list[int]:
    """Return the processes that a process's main thread started, theirs included.

    Raises:
        FileNotFoundError: The process has ended.
    """
    found = [int(word) for word in _read(f"/proc/{pid}/task/{pid}/children").split()]
    below: list[int] = []
    for child in found:
        try:
            below += children_of(child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended, and with it its list of children
    return found + below


def _counts_io_delay(switch: Path) -> bool:
    try:
        return _read(str(switch)).strip() == b"1"
    except FileNotFoundError:  # kernels before 5.14 always count, if they were built to
        return False


def _memory(root: str) -> Usage:
    kilobytes: dict[bytes, int] = {}
    for line in _read(root + "smaps_rollup").splitlines()[1:]:
        name, _, rest = line.partition(b":")
        kilobytes[name] = int(rest.split()[0])
    unshared = sum(size for name, size in kilobytes.items() if name.startswith(b"Private_"))
    return {
        "pss_bytes": kilobytes[b"Pss"] * 1024,
        "uss_bytes": unshared * 1024,
        "rss_bytes": kilobytes[b"Rss"] * 1024,  # stat's is an estimate
    }


def _storage(root: str) -> Usage:
    lines = _read(root + "io").splitlines()
    counts = {name: int(count) for name, _, count in (line.partition(b": ") for line in lines)}
    return {"read_bytes": counts[b"read_bytes"], "write_bytes": counts[b"write_bytes"]}


def _length(folder: str) -> int:
    with os.scandir(folder) as entries:
        return sum(1 for _ in entries)


def _read(path: str, folder: int | None = None) -> bytes:
    """Read a file of the kernel's whole, with as few calls as that takes."""
    file = os.open(path, os.O_RDONLY, dir_fd=folder)
    try:
        parts = []
        while part := os.read(file, 8192):  # a short part need not be the last
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(file)
