"""Our throughput and percentiles agree with those of wrk and Locust, and with the service itself.

A small HTTP service answers after known delays and keeps a log of its own. It is loaded in closed
loop by us and by wrk with as many connections, and at a rate by us (an open level) and by Locust.
Each generator is held against the service's log of its own run. Ours must agree with it within what
the other can tell, wrk 0.01 ms and Locust whole milliseconds, and what sockets and timers take;
where the two generators differ, the log says who is right, and is printed.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.other_generators.locust_environment import locust_command
from perf_pipeline.selftest.other_generators.wrk import RESOLUTION_MS, run_wrk, wrk_command
from perf_pipeline.selftest.our_load import load_at_rate, load_closed
from perf_pipeline.selftest.seen_load import PERCENTS, SeenLoad, compared
from perf_pipeline.selftest.service_process import delayed_service, read_log

if TYPE_CHECKING:
    from collections.abc import Callable

DELAYS_S = (0.02, 0.06)
CONNECTIONS = 8
RATE_PER_S = 100.0
LOCUST_USERS = 20
LOCUST_RESOLUTION_MS = 1.0

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Load the service by each generator in turn."""
    full = size is Size.FULL
    length_s, share, judged = (15, 0.03, PERCENTS) if full else (1, 0.1, PERCENTS[:1])
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)

        def pair(
            loop: str, name: str, ours: Callable[[], SeenLoad], other: Callable[[], SeenLoad]
        ) -> list[Figure]:
            try:
                theirs = other()
            except PerfPipelineError as error:
                what = f"{loop}: ours against {name}"
                return [Figure(what, None, "", 0, note=f"{name} measured nothing: {error}")]
            mine = ours()
            log.info("agreement: %s, %s", mine, theirs)
            return compared(loop, mine, theirs, share=share, judged=judged)

        return [
            *pair(
                "closed",
                "wrk",
                lambda: load_closed(folder / "closed", DELAYS_S, CONNECTIONS, length_s, seed),
                lambda: _wrk(folder / "wrk", length_s, seed),
            ),
            *pair(
                "at a rate",
                "Locust",
                lambda: load_at_rate(folder / "rate", DELAYS_S, RATE_PER_S, length_s, seed),
                lambda: _locust(folder / "locust", length_s, seed),
            ),
        ]


def _wrk(folder: Path, length_s: int, seed: int) -> SeenLoad:
    command = wrk_command()
    with delayed_service(folder, *DELAYS_S, seed) as service:
        told = run_wrk(command, service.url, CONNECTIONS, length_s)
    answered = read_log(service)
    begin_ns, lasted_s = int(answered.arrived_ns[0]), told.requests / told.per_s
    return SeenLoad(
        name="wrk",
        length_s=lasted_s,
        per_s=told.per_s,
        percentiles_ms=told.percentiles_ms,
        resolution_ms=RESOLUTION_MS,
        log=answered.between(begin_ns, begin_ns + int(lasted_s * 1e9)),
    )


def _locust(folder: Path, length_s: int, seed: int) -> SeenLoad:
    command = locust_command("locust_rate.py")
    with delayed_service(folder, *DELAYS_S, seed) as service:
        arguments = [service.url, str(LOCUST_USERS), str(RATE_PER_S), str(length_s)]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
    if done.returncode != 0:
        raise PerfPipelineError(f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["failures"] or not told["requests"]:
        raise PerfPipelineError(
            f"{told['failures']} of its {told['requests']} requests failed: "
            f"{done.stderr.strip()[-500:]}"
        )
    lasted_s = (told["end_ns"] - told["begin_ns"]) / 1e9
    return SeenLoad(
        name="Locust",
        length_s=lasted_s,
        per_s=told["requests"] / lasted_s,
        percentiles_ms={percent: told[f"p{percent}_ms"] for percent in PERCENTS},
        resolution_ms=LOCUST_RESOLUTION_MS,
        log=read_log(service).between(told["begin_ns"], told["end_ns"]),
    )
