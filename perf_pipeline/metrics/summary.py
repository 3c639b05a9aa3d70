"""From one level's records to its metrics; pure but for reading the level's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.infrastructure.level_canaries import FILE as CANARY_FILE
from perf_pipeline.metrics.bottleneck.verdict import bottleneck_of
from perf_pipeline.metrics.distribution import distribution_of
from perf_pipeline.metrics.intervals import throughput_interval, with_intervals
from perf_pipeline.metrics.level import (
    ColdStart,
    FamilyMetrics,
    InFlight,
    LevelMetrics,
    WorkerEnd,
    Writes,
)
from perf_pipeline.metrics.noise import noise_of
from perf_pipeline.metrics.open_level import open_load_of
from perf_pipeline.metrics.record_figures import RecordFigures, record_figures
from perf_pipeline.metrics.resources import resources_of
from perf_pipeline.metrics.response_time import response_durations, response_times
from perf_pipeline.metrics.samples import read_samples
from perf_pipeline.metrics.server_told import connections_of
from perf_pipeline.metrics.service_time import durations
from perf_pipeline.metrics.slo import judge_slos
from perf_pipeline.metrics.slo_windows import LevelHistory
from perf_pipeline.metrics.steady_state import steady_state_of
from perf_pipeline.metrics.stretches import observed_between, observed_responses
from perf_pipeline.metrics.validity import judge_level
from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import NoiseHandling
    from perf_pipeline.config.slo import Slo
    from perf_pipeline.metrics.noise import Noise
    from perf_pipeline.metrics.resource_use import Resources
    from perf_pipeline.metrics.samples import Sample
    from perf_pipeline.metrics.steady_state import SteadyState

PHASES = ("ramp_up", "warm_up", "steady", "drain")


@dataclass(frozen=True)
class LevelContext:
    """What summarising a level needs to know of its run.

    Attributes:
        kinds: (family, complexity) of each kind, by index.
        servers: The servers that the run used.
        max_db_connections: The most connections that all workers together may open to each.
        pools: Server to what bounds its connections, in words.
        noise: Whether a machine that others used makes a level no measurement (``judge``) or is
            only told of (``tell``); None: nothing looked for it.
        cpu_limit_cores: Of the control group of the run; None without one.
        slos: The objectives of the run.
    """

    kinds: Sequence[tuple[str, str]]
    servers: Sequence[str]
    max_db_connections: int
    pools: dict[str, str]
    noise: NoiseHandling | None = None
    cpu_limit_cores: float | None = None
    slos: Sequence[Slo] = ()


def summarise_level(folder: Path, context: LevelContext) -> LevelMetrics:
    """Summarise the level in ``folder``, also one that was cut short.

    Raises:
        RunFolderError: The level's log or a journal cannot be read.
    """
    records = read_level(folder, len(context.kinds))
    log, plan = records.log, records.log["plan"]
    warm = records.frame.filter((pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0)
    last_ns = _last_ns(records)
    go_ns = log["go_ns"] if log["go_ns"] is not None else last_ns
    steady_ns = _phase_ns(log, "steady", last_ns)
    window = steady_ns or (last_ns, last_ns)
    steady_state = _steady_state(warm, log, go_ns, steady_ns, last_ns)
    if steady_state and steady_state.starts_s is not None:
        # Where the warm-up went on into the planned phase, nothing that is told counts it.
        window = (max(window[0], go_ns + round(steady_state.starts_s * 1e9)), window[1])
    length_s = (window[1] - window[0]) / 1e9
    figures = record_figures(
        records.frame.lazy(),
        window_ns=window,
        level_ns=(go_ns, last_ns),
        kinds=len(context.kinds),
        slots=plan["concurrency"],
    )
    times, ok = figures.service_times, sum(figures.ok)
    writes = read_writes(folder)
    workers = _worker_ends(records, window)
    in_flight = _in_flight(records, figures, window, plan["concurrency"])
    all_samples = read_samples(folder / "resources.jsonl", 0, 2**63 - 1)
    samples = [sample for sample in all_samples if window[0] <= sample["at_ns"] <= window[1]]
    noise = _noise(folder, samples, context)
    is_open = plan.get("loop") == "open"
    open_load = open_load_of(records, folder, window) if is_open else None
    response = response_times(records.frame, *window) if is_open else None
    validity, reasons = judge_level(
        ended_because=log["ended_because"],
        ended_detail=log.get("ended_detail", ""),
        workers=workers,
        damaged_blocks=sum(worker.journal.damaged_blocks for worker in records.workers),
        duplicates=figures.duplicates,
        writes=writes,
        times=times,
        concurrency=plan["concurrency"],
        in_flight_median=in_flight.median,
        noise=noise,
        open_load=open_load,
        response=response,
        steady_state=steady_state,
    )
    resources = resources_of(samples, all_samples, go_ns=go_ns)
    phases = {name: _phase_ns(log, name, last_ns) for name in PHASES}
    if steady_ns and window[0] > steady_ns[0]:
        phases["warm_up"] = ((phases["warm_up"] or steady_ns)[0], window[0])
        phases["steady"] = window
    throughput = throughput_interval(warm, *window)
    level = LevelMetrics(
        index=plan["index"],
        label=plan["label"],
        role=plan["role"],
        repeat=plan["repeat"],
        target=plan["target"],
        nodes=plan["nodes"],
        concurrency=plan["concurrency"],
        title=plan.get("title", ""),
        mode=plan.get("mode", "threads"),
        settings=plan.get("settings", {}),
        ended_because=log["ended_because"],
        ended_detail=log.get("ended_detail", ""),
        limits={**plan.get("limits", {}), "mechanism": log.get("limits", "none")},
        validity=validity,
        reasons=reasons,
        outcomes=figures.outcomes,
        steady_outcomes=figures.steady_outcomes,
        error_classes=figures.error_classes,
        steady_error_classes=figures.steady_error_classes,
        error_examples=_error_examples(records),
        phases={
            name: ((at[0] - go_ns) / 1e9, (at[1] - go_ns) / 1e9)
            for name, at in phases.items()
            if at
        },
        throughput_per_s=ok / length_s if length_s else None,
        error_ratio=1 - ok / times.samples if times.samples else None,
        turnovers=times.samples / plan["concurrency"] if steady_ns and not is_open else None,
        throughput_low_per_s=throughput.low,
        throughput_high_per_s=throughput.high,
        throughput_interval_why=throughput.why,
        steady_state=steady_state,
        service_times=with_intervals(times, observed_between(warm, *window)),
        families=_families(figures, warm, window, context.kinds),
        in_flight=in_flight,
        fairness=figures.fairness if steady_ns and not is_open else None,
        cold_starts=_cold_starts(records.frame, context.kinds),
        writes=writes,
        connections=connections_of(
            all_samples,
            samples,
            connection_limits(context, plan["processes"]),
            context.pools,
        ),
        resources=resources,
        workers=workers,
        seconds=figures.seconds,
        started_at=log["started_at"],
        ended_at=log["ended_at"],
        server_state=_server_state(folder),
        not_measured=_not_measured(resources),
        distribution=distribution_of(*durations(warm, *window)) if steady_ns else None,
        response_distribution=distribution_of(*response_durations(records.frame, *window))
        if is_open and steady_ns
        else None,
        noise=noise,
        loop="open" if is_open else "closed",
        response_times=with_intervals(response, observed_responses(records.frame, *window))
        if response
        else None,
        open_load=open_load,
        bottleneck=bottleneck_of(
            samples,
            records,
            figures.curve,
            _in_use(in_flight) if is_open else in_flight,
            window,
            connection_limits=connection_limits(context, plan["processes"]),
        )
        if open_load is None or open_load.queue_grew
        else None,  # the arrivals decided the throughput, so nothing limited it
    )
    history = LevelHistory(warm, context.kinds, go_ns, window)
    return replace(level, slos=judge_slos(context.slos, level, history))


def connection_limits(context: LevelContext, processes: int) -> dict[str, int]:
    """Return the most connections that each server can see: a whole pool for every worker."""
    limit = context.max_db_connections // processes * processes
    # pymongo keeps one more connection a process, by which it watches the server.
    return {name: limit + (processes if name == "mongodb" else 0) for name in context.servers}


def read_writes(folder: Path) -> tuple[Writes, ...]:
    """Read the reconciliation that was made when the level ended; nothing if it never was."""
    path = folder / "writes.json"
    if not path.exists():
        return ()
    return tuple(Writes(**write) for write in json.loads(path.read_text(encoding="utf-8")))


def _server_state(folder: Path) -> dict[str, str]:
    path = folder / "state.json"
    state: dict[str, str] = read_json(path) if path.exists() else {}
    return state


def _noise(folder: Path, samples: Sequence[Sample], context: LevelContext) -> Noise | None:
    if context.noise is None:
        return None
    path = folder / CANARY_FILE
    return noise_of(
        samples,
        read_json(path) if path.exists() else {},
        servers=context.servers,
        cpu_limit_cores=context.cpu_limit_cores,
        judged=context.noise == "judge",
    )


def _not_measured(resources: Resources) -> dict[str, str]:
    why = resources.network_why_not
    return dict.fromkeys(("network_io_sent_mb", "network_io_recv_mb"), why) if why else {}


def _last_ns(records: LevelRecords) -> int:
    """Return until when the level is known.

    After its supervisor's death no phase has an end. A worker that lost records is then known up
    to its last commit only: what follows would look like a target that had stopped working.
    """
    lossy = [worker.journal.commits_ns[-1:] for worker in records.workers if worker.may_be_missing]
    if not records.log["workers"] and any(lossy):
        return min(at for commit in lossy for at in commit)
    commits = [worker.journal.commits_ns[-1:] for worker in records.workers]
    seen = records.frame.filter((pl.col("flags") & (NOT_STARTED | TIMES_LOST)) == 0)
    ends = [seen["end_ns"].max()] if len(seen) else []
    return max([*(at for commit in commits for at in commit), *ends], default=0)  # type: ignore[type-var, return-value]


def _phase_ns(log: dict[str, Any], phase: str, last_ns: int) -> tuple[int, int] | None:
    """Return a phase's bounds; one that was never ended ends with the last thing known."""
    if phase not in log["phases_ns"]:
        return None
    start_ns, end_ns = log["phases_ns"][phase]
    return start_ns, max(start_ns, last_ns) if end_ns is None else end_ns


def _error_examples(records: LevelRecords) -> dict[str, tuple[str, ...]]:
    texts: dict[str, dict[str, None]] = {}
    for worker in records.workers:
        for number, text in worker.journal.error_examples:
            texts.setdefault(ErrorClass(number).name.lower(), {})[text] = None
    return {name: tuple(list(found)[:3]) for name, found in texts.items()}


def _in_flight(
    records: LevelRecords, figures: RecordFigures, window: tuple[int, int], wanted: int
) -> InFlight:
    seen: dict[str, int] = {}
    for worker in records.workers:
        for at_ns, what, threads in worker.journal.waits:
            if window[0] <= at_ns < window[1]:
                seen[what] = seen.get(what, 0) + threads
    total = sum(seen.values())
    return InFlight(
        wanted=wanted,
        median=figures.in_flight_median,
        least=figures.in_flight_least,
        waits={what: count / total for what, count in sorted(seen.items())},
        wait_samples=total,
    )


def _in_use(in_flight: InFlight) -> InFlight:
    """Return what is in flight of the slots that were in use: the others had nothing to do."""
    return replace(in_flight, wanted=max(1, round(in_flight.median or 0.0)))


def _families(
    figures: RecordFigures,
    warm: pl.DataFrame,
    window: tuple[int, int],
    kinds: Sequence[tuple[str, str]],
) -> tuple[FamilyMetrics, ...]:
    length_s = (window[1] - window[0]) / 1e9
    return tuple(
        FamilyMetrics(
            family=family,
            complexity=complexity,
            throughput_per_s=ok / length_s if length_s else None,
            error_ratio=1 - ok / times.samples if times.samples else None,
            service_times=with_intervals(
                times, observed_between(warm.filter(pl.col("kind") == kind), *window)
            ),
        )
        for kind, ((family, complexity), ok, times) in enumerate(
            zip(kinds, figures.ok, figures.kinds, strict=True)
        )
    )


def _steady_state(
    warm: pl.DataFrame,
    log: dict[str, Any],
    go_ns: int,
    window: tuple[int, int] | None,
    last_ns: int,
) -> SteadyState | None:
    if window is None:
        return None
    plan, ramp_up = log["plan"], _phase_ns(log, "ramp_up", last_ns)
    is_open = plan.get("loop") == "open"
    return steady_state_of(
        warm,
        go_ns=go_ns,
        began_ns=ramp_up[1] if ramp_up else go_ns,
        window=window,
        slots=None if is_open else plan["concurrency"],
        schedule=plan["arrivals"]["schedule"] if is_open else "",
    )


def _cold_starts(frame: pl.DataFrame, kinds: Sequence[tuple[str, str]]) -> tuple[ColdStart, ...]:
    cold = frame.filter((pl.col("flags") & COLD) != 0).sort("worker", "start_ns")
    return tuple(
        ColdStart(
            worker=row["worker"],
            family=kinds[row["kind"]][0],
            complexity=kinds[row["kind"]][1],
            service_time_s=(row["end_ns"] - row["start_ns"]) / 1e9,
            outcome=Outcome(row["outcome"]).name.lower(),
        )
        for row in cold.iter_rows(named=True)
    )


def _worker_ends(records: LevelRecords, window: tuple[int, int]) -> tuple[WorkerEnd, ...]:
    reasons = {entry["worker"]: entry["reason"] for entry in records.log["workers"]}
    ends = []
    for worker in records.workers:
        commits = np.array(worker.journal.commits_ns, dtype=np.int64)
        within = commits[(commits >= window[0]) & (commits <= window[1])]
        measured = window[1] > window[0]
        gaps_ns = np.diff(np.concatenate([[window[0]], within, [window[1]]]))
        ends.append(
            WorkerEnd(
                worker=worker.worker,
                reason=reasons.get(worker.worker, "its supervisor was killed"),
                commit_gap_max_s=float(gaps_ns.max()) / 1e9 if measured else None,
                may_be_missing=worker.may_be_missing,
            )
        )
    return tuple(ends)
