"""Our throughput and percentiles agree with those of wrk and Locust, and with the service itself.

A small HTTP service answers after known delays and writes its own log. It is loaded in closed loop
by our generator and by wrk with as many connections, and at a rate by our open level and Locust.
In closed loop ours asks in two ways: a function on a plain socket, and the target http.
Each generator is compared with the service's log of its own run. Ours must agree with it within the
resolution of the other (wrk 0.01 ms, Locust whole milliseconds) and a tolerance for sockets and
timers; where the two generators differ, the log decides between them, and is printed.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.observed_load import PERCENTS, ObservedLoad, compared
from perf_pipeline.selftest.loads.our_load import load_at_rate, load_closed
from perf_pipeline.selftest.loads.service_process import delayed_service, read_log
from perf_pipeline.selftest.other_generators.locust_environment import locust_command
from perf_pipeline.selftest.other_generators.wrk import RESOLUTION_MS, run_wrk, wrk_command

if TYPE_CHECKING:
    from collections.abc import Callable

    _Load = Callable[[Path, int, int], ObservedLoad]

DELAYS_S = (0.02, 0.06)
CONNECTIONS = 8
RATE_PER_S = 100.0
LOCUST_USERS = 20
LOCUST_RESOLUTION_MS = 1.0

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Load the service by each generator in turn, in several rounds at full size."""
    full = size is Size.FULL
    rounds, length_s, share, judged = (4, 3, 0.03, PERCENTS) if full else (1, 1, 0.1, PERCENTS[:1])
    pairs: list[tuple[str, str, _Load, _Load]] = [
        ("closed", "wrk", _ours_closed, _wrk),
        ("closed, target http", "wrk", _ours_http, _wrk),
        ("at a rate", "Locust", _ours_at_rate, _locust),
    ]
    figures = []
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        for loop, name, our_load, other_load in pairs:
            found = []
            try:
                for index in range(rounds):
                    folder = Path(temporary) / f"{loop}-{index}"
                    folder.mkdir()
                    other = other_load(folder / "other", length_s, seed + index)
                    ours = our_load(folder / "ours", length_s, seed + index)
                    log.info("agreement: %s, round %d: %s, %s", loop, index, ours, other)
                    found.append(compared(loop, ours, other, share=share, judged=judged))
            except PerfPipelineError as error:
                what = f"{loop}: ours against {name}"
                figures.append(Figure(what, None, "", 0, note=f"not measured: {error}"))
            else:
                figures += _quietest_round(found)
    return figures


def _quietest_round(rounds: list[list[Figure]]) -> list[Figure]:
    """Return each figure of ours, and the one of both that follows it, from its best round.

    Neighbours on the machine wake a generator late, which can only increase the error that it
    measures: the round with the smallest is nearest to the generator's own error.
    """
    figures = []
    for index in range(0, len(rounds[0]), 2):
        values = [figures_of[index].value or 0.0 for figures_of in rounds]
        best = rounds[values.index(min(values))]
        note = f"{best[index].note}; best of {len(values)} rounds, the worst {max(values):.2f}"
        figures += [replace(best[index], note=note), best[index + 1]]
    return figures


def _ours_closed(folder: Path, length_s: int, seed: int) -> ObservedLoad:
    return load_closed(folder, DELAYS_S, CONNECTIONS, length_s, seed)


def _ours_http(folder: Path, length_s: int, seed: int) -> ObservedLoad:
    return load_closed(folder, DELAYS_S, CONNECTIONS, length_s, seed, by_target=True)


def _ours_at_rate(folder: Path, length_s: int, seed: int) -> ObservedLoad:
    return load_at_rate(folder, DELAYS_S, RATE_PER_S, length_s, seed)


def _wrk(folder: Path, length_s: int, seed: int) -> ObservedLoad:
    command = wrk_command()
    with delayed_service(folder, *DELAYS_S, seed) as service:
        reported = run_wrk(command, service.url, CONNECTIONS, length_s)
    answered = read_log(service)
    begin_ns, lasted_s = int(answered.arrived_ns[0]), reported.requests / reported.per_s
    return ObservedLoad(
        name="wrk",
        length_s=lasted_s,
        per_s=reported.per_s,
        percentiles_ms=reported.percentiles_ms,
        resolution_ms=RESOLUTION_MS,
        log=answered.between(begin_ns, begin_ns + int(lasted_s * 1e9)),
    )


def _locust(folder: Path, length_s: int, seed: int) -> ObservedLoad:
    command = locust_command("locust_rate.py")
    with delayed_service(folder, *DELAYS_S, seed) as service:
        arguments = [service.url, str(LOCUST_USERS), str(RATE_PER_S), str(length_s)]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
    if done.returncode != 0:
        raise PerfPipelineError(f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    reported = json.loads(done.stdout.splitlines()[-1])
    if reported["failures"] or not reported["requests"]:
        raise PerfPipelineError(
            f"{reported['failures']} of its {reported['requests']} requests failed: "
            f"{done.stderr.strip()[-500:]}"
        )
    lasted_s = (reported["end_ns"] - reported["begin_ns"]) / 1e9
    return ObservedLoad(
        name="Locust",
        length_s=lasted_s,
        per_s=reported["requests"] / lasted_s,
        percentiles_ms={percent: reported[f"p{percent}_ms"] for percent in PERCENTS},
        resolution_ms=LOCUST_RESOLUTION_MS,
        log=read_log(service).between(reported["begin_ns"], reported["end_ns"]),
    )
