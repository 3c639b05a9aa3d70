"""A worker that records everything durably does six times what Locust does with a no-op user.

Both run as one process, in turns. What is compared is iterations a second of CPU time, which is the
rate of each on a core alone: on a shared machine, wall-clock time measures the neighbours too.
Locust's user fires the event for its statistics, at 1 ms resolution, and stores no record. Ours
reads the clock twice, stamps its slot, and commits a record of 40 bytes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from perf_pipeline.config.http.http_request import CONNECTIONS, HttpRequest
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.noop_worker import NoopBlock, play_nothing
from perf_pipeline.selftest.loads.recorder_cost import recorder_cost
from perf_pipeline.selftest.loads.service_process import delayed_service
from perf_pipeline.selftest.other_generators.locust_environment import locust_command

MIN_RATIO = {Size.CI: 4.0, Size.FULL: 6.0}
"""Three pairs of 0.3 s, as at size ci, gave 5.6 to 7.2 on one machine within a minute."""
IN_FLIGHT = 8
STORE_NS, DURABLE_NS = 100.0, 250.0
_ANSWER_LIMIT_S = 60.0

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Measure what a record costs, and a worker and Locust in turns."""
    full = size is Size.FULL
    pairs, length_s, blocks = (7, 1.0, 200) if full else (3, 0.3, 20)
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        figures = [*_cost(folder, blocks, judged=full), *_requests(folder, length_s, seed)]
        try:
            locust = _Locust(locust_command("locust_noop.py"))
        except TargetEnvironmentError as error:
            ours = [_ours(folder, pair, length_s, seed) for pair in range(pairs)]
            return [*figures, *_rates(ours), _ratio(size, [], f"Locust is unavailable: {error}")]
        ours, theirs, unmeasured = [], [], []
        try:
            for pair in range(pairs):
                ours.append(_ours(folder, pair, length_s, seed))
                theirs.append(locust.play("measured", length_s))
                if full:
                    unmeasured.append(locust.play("unmeasured", length_s))
                log.info("overhead: ours %s, Locust %s", ours[-1], theirs[-1])
        finally:
            locust.end()
    ratios = [a.per_cpu_s / b.per_cpu_s for a, b in zip(ours, theirs, strict=True)]
    figures += [*_rates(ours), _rate("Locust, a user that does nothing and is measured", theirs)]
    if unmeasured:
        figures.append(_rate("Locust, a user that does nothing and is not measured", unmeasured))
    spread = f"{len(ratios)} pairs in turns, {min(ratios):.2f} to {max(ratios):.2f}"
    return [*figures, _ratio(size, ratios, spread)]


def _cost(folder: Path, blocks: int, *, judged: bool) -> list[Figure]:
    """Return the cost of a record; nanoseconds are judged at full size alone."""
    cost = recorder_cost(folder, blocks)
    return [
        Figure("two clock reads", cost.clock_reads_ns, "ns", None),
        Figure(
            "storing a record beyond the two clock reads",
            cost.store_ns,
            "ns",
            STORE_NS if judged else None,
        ),
        Figure(
            "the same with outcome, packing, checksum and durable commit, amortised",
            cost.durable_ns,
            "ns",
            DURABLE_NS if judged else None,
        ),
        Figure(
            "storing a record through Recorder.record, slot stamps included",
            cost.record_ns,
            "ns",
            None,
            note="what open and asynchronous loops call",
        ),
    ]


def _requests(folder: Path, length_s: float, seed: int) -> list[Figure]:
    """Return what a request of the target http costs its worker, on a service without delay."""
    figures = []
    with delayed_service(folder / "service", 0.0, 0.0, seed) as service:
        for connection in CONNECTIONS:
            own = folder / f"requests-{connection}"
            own.mkdir()
            work = HttpRequest(service.url, expect_text="ok", connection=connection)
            block = play_nothing(own, length_s, seed, work, IN_FLIGHT)
            what = f"the target http, connection = {connection}, {IN_FLIGHT} in flight"
            figures += [
                _rate(what, [block]),
                Figure(
                    f"{what}: CPU time of a request",
                    1e6 * block.cpu_s / block.iterations,
                    "µs",
                    None,
                ),
            ]
    return figures


def _ours(folder: Path, pair: int, length_s: float, seed: int) -> NoopBlock:
    own = folder / f"pair-{pair}"
    own.mkdir()
    return play_nothing(own, length_s, seed)


def _rates(ours: list[NoopBlock]) -> list[Figure]:
    unrecorded = sum(block.unrecorded for block in ours)
    return [
        _rate("ours, a workflow that does nothing", ours),
        Figure("workflows without exactly one durable record", unrecorded, "workflows", 0),
    ]


def _rate(what: str, blocks: list[NoopBlock]) -> Figure:
    wall_per_s = median(block.iterations / block.wall_s for block in blocks)
    per_cpu_s = median(block.per_cpu_s for block in blocks)
    note = f"{wall_per_s:,.0f} a second of wall-clock time, neighbours on the machine included"
    return Figure(f"{what}, one process", per_cpu_s, "iterations/CPU s", None, note=note)


def _ratio(size: Size, ratios: list[float], note: str) -> Figure:
    value = median(ratios) if ratios else None
    what = "ours / Locust, iterations a second of one process"
    return Figure(what, value, "", MIN_RATIO[size], at_most=False, note=note)


class _Locust:
    """The driver process in Locust's environment; it ends with its standard input."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def play(self, user: str, length_s: float) -> NoopBlock:
        """Run one user for a time."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._process.stdin.write(f"{user} {length_s}\n")
        self._process.stdin.flush()
        return NoopBlock(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """Close its standard input and wait for its end."""
        try:
            self._process.communicate(timeout=_ANSWER_LIMIT_S)
        finally:
            self._process.kill()
