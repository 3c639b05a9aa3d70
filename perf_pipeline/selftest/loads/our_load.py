"""Our own load on the HTTP service with known delays: a closed level, and one at a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.selftest.loads.observed_load import PERCENTS, ObservedLoad
from perf_pipeline.selftest.loads.only_level import closed_level
from perf_pipeline.selftest.loads.played_level import play
from perf_pipeline.selftest.loads.service_process import delayed_service, read_log

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.service_times import ServiceTimes

GET = "perf_pipeline.selftest.known.http_get:get"
WARM_UP_S = 0.2
OUR_RESOLUTION_MS = 1e-6


def load_closed(
    folder: Path,
    delays_s: tuple[float, float],
    connections: int,
    length_s: float,
    seed: int,
    *,
    by_target: bool = False,
) -> ObservedLoad:
    """Keep ``connections`` requests in flight for ``length_s``, as a closed level does.

    Args:
        folder: Created.
        delays_s: Shortest and longest delay of the service.
        connections: Requests in flight.
        length_s: How long is measured.
        seed: Of the plan and the service.
        by_target: The target ``http`` sends them, in place of a function on a plain socket.

    Raises:
        PerfPipelineError: The level measured nothing.
    """
    phases = Phases(ramp_up_s=0.0, warm_up_s=WARM_UP_S, steady_s=length_s, drain_s=2.0)
    played = folder / "level"
    played.mkdir(parents=True)
    with delayed_service(folder / "service", *delays_s, seed) as service:
        work = HttpRequest(service.url, expect_text="ok") if by_target else GET
        level = closed_level(work, connections, phases, seed)
        level.play(played, user_code=UserCode(python_path=str(service.folder)))
    metrics = level.metrics(played)
    begin_ns, end_ns = level.records(played).log["phases_ns"]["steady"]
    return ObservedLoad(
        name="ours",
        length_s=(end_ns - begin_ns) / 1e9,
        per_s=_measured(metrics.throughput_per_s),
        percentiles_ms=_percentiles_ms(metrics.service_times),
        resolution_ms=OUR_RESOLUTION_MS,
        log=read_log(service).between(begin_ns, end_ns),
    )


def load_at_rate(
    folder: Path, delays_s: tuple[float, float], rate_per_s: float, length_s: float, seed: int
) -> ObservedLoad:
    """Start ``rate_per_s`` requests a second, evenly, as an open level does.

    Raises:
        PerfPipelineError: The level measured nothing.
    """
    slots = int(4 * rate_per_s * delays_s[1])
    arrivals = Arrivals("agreement", "constant", rate_per_s, length_s, slots)
    folder.mkdir()
    with delayed_service(folder / "service", *delays_s, seed) as service:
        played = play(arrivals, GET, seed=seed, user_code=UserCode(python_path=str(service.folder)))
    planned = played.frame.filter(played.frame["number"] >= 0)  # the cold start is not load
    begin_ns = int(planned["intended_start_ns"].min())  # type: ignore[arg-type]
    times = played.metrics.response_times
    if times is None:
        raise PerfPipelineError("the open level has no response times")
    return ObservedLoad(
        name="ours",
        length_s=length_s,
        per_s=_measured(played.metrics.throughput_per_s),
        percentiles_ms=_percentiles_ms(times),
        resolution_ms=OUR_RESOLUTION_MS,
        log=read_log(service).between(begin_ns, begin_ns + int(length_s * 1e9)),
    )


def _percentiles_ms(times: ServiceTimes) -> dict[int, float]:
    found = {round(100 * one.p): one.value_s for one in times.percentiles}
    return {percent: 1000 * _measured(found[percent]) for percent in PERCENTS}


def _measured(value: float | None) -> float:
    if value is None:
        raise PerfPipelineError("the level measured nothing: no request was answered in time")
    return value
