"""What programs use a second: from counters of the kernel, between two looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.host.process_cpu import core_wait_s, process_cpu_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_AGO_S = 1.0
_FIRST_S = 0.05


@dataclass(frozen=True)
class Totals:
    """What programs have used since they began, and since boot.

    Attributes:
        pids: The programs.
        at_s: When, monotonic.
        cpu_s: CPU time.
        wait_s: For how long they were ready to run, without a core.
        written_bytes: To disks.
        busy_s: For how long a device had something to do; 0 where it is not known.
        device_bytes: What it was written, by whomever; 0 likewise.
    """

    pids: tuple[int, ...]
    at_s: float
    cpu_s: float
    wait_s: float
    written_bytes: int
    busy_s: float = 0.0
    device_bytes: int = 0


class Rates:
    """Remembers the looks of the last second."""

    def __init__(self, look: Callable[[], Totals], sleep: Callable[[float], None]) -> None:
        """Prepare.

        Args:
            look: Reads the counters.
            sleep: Waits, s.
        """
        self._look, self._sleep = look, sleep
        self._looks: list[Totals] = []

    def forget(self) -> None:
        """Forget the looks so far: what comes is not averaged with what was."""
        self._looks = []

    def over_last_second(self) -> Totals:
        """Return what was used a second, since a second ago or since the programs are these.

        ``at_s`` is the time between the two looks.
        """
        now = self._look()
        if not self._looks or self._looks[-1].pids != now.pids:
            self._looks = [now]  # what others used does not count
            self._sleep(_FIRST_S)
            now = self._look()
        self._looks.append(now)
        while len(self._looks) > 2 and now.at_s - self._looks[1].at_s >= _AGO_S:  # noqa: PLR2004 - now and another
            self._looks.pop(0)
        then = self._looks[0]
        elapsed_s = max(now.at_s - then.at_s, 1e-9)
        return Totals(
            pids=now.pids,
            at_s=elapsed_s,
            cpu_s=max(0, now.cpu_s - then.cpu_s) / elapsed_s,
            wait_s=max(0, now.wait_s - then.wait_s) / elapsed_s,
            written_bytes=int(max(0, now.written_bytes - then.written_bytes) / elapsed_s),
            busy_s=max(0, now.busy_s - then.busy_s) / elapsed_s,
            device_bytes=int(max(0, now.device_bytes - then.device_bytes) / elapsed_s),
        )


def totals(pids: Iterable[int], at_s: float, proc: Path = Path("/proc")) -> Totals:
    """Read the counters of processes; one that has ended meanwhile counts nothing."""
    cpu_s = wait_s = 0.0
    written_bytes = 0
    found = tuple(pids)
    for pid in found:
        try:
            cpu_s += process_cpu_s(pid)
            wait_s += core_wait_s(pid, proc)
            written_bytes += _written_bytes(proc / str(pid) / "io")
        except OSError:
            continue
    return Totals(found, at_s, cpu_s, wait_s, written_bytes)


def _written_bytes(path: Path) -> int:
    for line in path.read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    return 0
