"""The HTTP service with known delays, in its own process, and its log."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[1] / "known" / "delayed_service.py"
ADDRESS_MODULE = "delayed_service_address.py"
_END_LIMIT_S = 10.0


@dataclass(frozen=True)
class ServiceProcess:
    """A running service.

    Attributes:
        port: Its port on loopback.
        folder: Contains the module by which workers find it and, after its end, its log.
    """

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def delayed_service(
    folder: Path, low_s: float, high_s: float, seed: int
) -> Iterator[ServiceProcess]:
    """Run the service for the block.

    Args:
        folder: Created; contains its address module and, after the block, its log.
        low_s: Shortest delay, s.
        high_s: Longest delay, s.
        seed: Order of the delays.

    Raises:
        PerfPipelineError: It did not start.
    """
    folder.mkdir()
    arguments = [str(low_s), str(high_s), str(seed), str(folder / "log")]
    process = subprocess.Popen(
        [sys.executable, "-P", str(SCRIPT), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise PerfPipelineError("the service with known delays did not start")
        (folder / ADDRESS_MODULE).write_text(f"PORT = {int(line)}\n", encoding="utf-8")
        yield ServiceProcess(int(line), folder)
        process.communicate(timeout=_END_LIMIT_S)  # its standard input ends, so it does too
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class ServiceLog:
    """The service's log of the requests of one generator.

    Attributes:
        arrived_ns: int64[n], when each request arrived, CLOCK_MONOTONIC.
        sent_ns: int64[n], when it was answered.
    """

    arrived_ns: np.ndarray[Any, np.dtype[np.int64]]
    sent_ns: np.ndarray[Any, np.dtype[np.int64]]

    def between(self, begin_ns: int, end_ns: int) -> ServiceLog:
        """Return the requests answered in ``[begin_ns, end_ns)``."""
        inside = (self.sent_ns >= begin_ns) & (self.sent_ns < end_ns)
        return ServiceLog(self.arrived_ns[inside], self.sent_ns[inside])

    def percentile_ms(self, percent: int) -> float:
        """Return a percentile (nearest rank) of the times in the service, ms."""
        times_ns = self.sent_ns - self.arrived_ns
        return float(np.percentile(times_ns, percent, method="inverted_cdf")) / 1e6


def read_log(service: ServiceProcess) -> ServiceLog:
    """Read the log of a service that has ended."""
    pairs = np.fromfile(service.folder / "log", dtype="<i8").reshape(-1, 2)
    return ServiceLog(pairs[:, 0], pairs[:, 1])
