"""Our own load on the HTTP service with known delays: a closed level, and one at a rate."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.arrivals import Arrivals
from perf_pipeline.config.scenario import Phases, Scenario, Workload
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.level import LevelRun
from perf_pipeline.loadgen.plan import plan_levels
from perf_pipeline.metrics.summary import LevelContext, summarise_level
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.selftest.played_level import play
from perf_pipeline.selftest.seen_load import PERCENTS, SeenLoad
from perf_pipeline.selftest.service_process import delayed_service, read_log
from perf_pipeline.targets.target import Job, Kind, Stores

if TYPE_CHECKING:
    from perf_pipeline.loadgen.level_log import LevelLog
    from perf_pipeline.metrics.level import ServiceTimes

GET = "perf_pipeline.selftest.known.http_get:get"
WARM_UP_S = 0.2
OUR_RESOLUTION_MS = 1e-6
_NO_STORES = Stores(None, "", None, "", connections=1, connection_timeout_s=1.0)


def load_closed(
    folder: Path, delays_s: tuple[float, float], connections: int, length_s: float, seed: int
) -> SeenLoad:
    """Keep ``connections`` requests in flight for ``length_s``, as a closed level does.

    Raises:
        PerfPipelineError: The level measured nothing.
    """
    scenario = Scenario(
        "selftest",
        seed=seed,
        target="callable",
        concurrency=(connections,),
        workloads=(Workload(GET, ""),),
        phases=Phases(ramp_up_s=0.0, warm_up_s=WARM_UP_S, steady_s=length_s, drain_s=2.0),
    )
    plan = plan_levels(scenario, processes=1)[0]
    level = folder / "level"
    level.mkdir(parents=True)

    def write_log(log: LevelLog) -> None:
        write_json(level / "level.json", asdict(log))

    with delayed_service(folder / "service", *delays_s, seed) as service:
        LevelRun(
            plan,
            folder=level,
            python=Path(sys.executable),
            job=Job((Kind(GET, ""),), "", seed, "selftest", 0, _NO_STORES),
            on_second=lambda _now_ns, _pids: None,
            on_progress=lambda _progress: None,
            write_log=write_log,
            python_path=str(service.folder),
            cgroups=None,
        ).run()
    metrics = summarise_level(level, LevelContext([(GET, "")], (), 1, {}))
    begin_ns, end_ns = read_level(level, 1).log["phases_ns"]["steady"]
    return SeenLoad(
        name="ours",
        length_s=(end_ns - begin_ns) / 1e9,
        per_s=_told(metrics.throughput_per_s),
        percentiles_ms=_percentiles_ms(metrics.service_times),
        resolution_ms=OUR_RESOLUTION_MS,
        log=read_log(service).between(begin_ns, end_ns),
    )


def load_at_rate(
    folder: Path, delays_s: tuple[float, float], rate_per_s: float, length_s: float, seed: int
) -> SeenLoad:
    """Start ``rate_per_s`` requests a second, evenly, as an open level does.

    Raises:
        PerfPipelineError: The level measured nothing.
    """
    slots = int(4 * rate_per_s * delays_s[1])
    arrivals = Arrivals("agreement", "constant", rate_per_s, length_s, slots)
    folder.mkdir()
    with delayed_service(folder / "service", *delays_s, seed) as service:
        played = play(arrivals, GET, seed=seed, python_path=str(service.folder))
    planned = played.frame.filter(played.frame["number"] >= 0)  # the cold start is not load
    begin_ns = int(planned["intended_start_ns"].min())  # type: ignore[arg-type]
    times = played.metrics.response_times
    if times is None:
        raise PerfPipelineError("the open level has no response times")
    return SeenLoad(
        name="ours",
        length_s=length_s,
        per_s=_told(played.metrics.throughput_per_s),
        percentiles_ms=_percentiles_ms(times),
        resolution_ms=OUR_RESOLUTION_MS,
        log=read_log(service).between(begin_ns, begin_ns + int(length_s * 1e9)),
    )


def _percentiles_ms(times: ServiceTimes) -> dict[int, float]:
    found = {round(100 * one.p): one.value_s for one in times.percentiles}
    return {percent: 1000 * _told(found[percent]) for percent in PERCENTS}


def _told(value: float | None) -> float:
    if value is None:
        raise PerfPipelineError("the level measured nothing: no request was answered in time")
    return value
