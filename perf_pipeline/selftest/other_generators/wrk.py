"""Debian's wrk in closed loop: on PATH, or unpacked into the cache."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.servers.lifecycle.debian import program_of

RESOLUTION_MS = 0.01
"""It prints two digits behind the point, and times below a second in ms."""

_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_PERCENTILE = re.compile(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
_REQUESTS = re.compile(r"^\s+(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_FAILED = re.compile(r"^\s+(?:Socket errors|Non-2xx).*$", re.MULTILINE)


@dataclass(frozen=True)
class WrkAccount:
    """What wrk printed.

    Attributes:
        requests: How many were answered.
        per_s: Requests a second.
        percentiles_ms: Percent to value: 50, 75, 90, 99.
    """

    requests: int
    per_s: float
    percentiles_ms: dict[int, float]


def wrk_command() -> list[str]:
    """Return the command of wrk.

    Raises:
        PackageError: It is unavailable; the text says why.
    """
    return program_of("wrk", "wrk", current_settings())


def run_wrk(command: list[str], url: str, connections: int, length_s: int) -> WrkAccount:
    """Keep ``connections`` requests in flight for whole seconds.

    Raises:
        PerfPipelineError: It failed, or requests of it did.
    """
    options = ["-t1", f"-c{connections}", f"-d{length_s}s", "--latency", url]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=length_s + 30, check=False
    )
    if done.returncode != 0:
        raise PerfPipelineError(f"wrk failed: {(done.stderr or done.stdout).strip()}")
    return parse_wrk(done.stdout)


def parse_wrk(text: str) -> WrkAccount:
    """Read what wrk printed.

    Raises:
        PerfPipelineError: Requests failed, or it is not the output of ``wrk --latency``.
    """
    requests, rate = _REQUESTS.search(text), _RATE.search(text)
    failed = _FAILED.search(text)
    if failed or requests is None or rate is None:
        raise PerfPipelineError(f"wrk measured no clean load: {(failed or [text])[0].strip()}")
    found = _PERCENTILE.findall(text)
    return WrkAccount(
        requests=int(requests[1]),
        per_s=float(rate[1]),
        percentiles_ms={int(percent): float(value) * _MS[unit] for percent, value, unit in found},
    )
