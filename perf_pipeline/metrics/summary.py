"""From the records of a load level to its metrics; pure but for reading the level's folder.

The bottleneck and the objectives of the level are judged later (``analysis/level.py``).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from perf_pipeline.host.level_calibration import FILE as CALIBRATION_FILE
from perf_pipeline.metrics.noise.noise import noise_of
from perf_pipeline.metrics.records.hanging import hanging_of
from perf_pipeline.metrics.records.kinds import cold_starts_of, families_of
from perf_pipeline.metrics.records.open_level import open_load_of
from perf_pipeline.metrics.records.record_figures import TIMED, RecordFigures, record_figures
from perf_pipeline.metrics.records.step_figures import steps_of
from perf_pipeline.metrics.records.stored_level import StoredLevel, read_stored_level
from perf_pipeline.metrics.records.stream_loads import stream_loads_of
from perf_pipeline.metrics.records.thinking import thinking_of
from perf_pipeline.metrics.records.worker_ends import error_examples, worker_ends
from perf_pipeline.metrics.resources.cpu_per_workflow import cpu_per_workflow
from perf_pipeline.metrics.resources.exhaustion import exhaustions_of
from perf_pipeline.metrics.resources.machines import cores_of, noise_of_all, others_of
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import resources_of
from perf_pipeline.metrics.resources.server_counters import connections_of
from perf_pipeline.metrics.steady.failures import first_failure_ns, lost_by, takes_cores
from perf_pipeline.metrics.steady.level_phases import phases_of
from perf_pipeline.metrics.survival.window_times import window_responses
from perf_pipeline.metrics.target_failure import Ended, target_failure, tolerated_error_ratio
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.noise import MachineUse
from perf_pipeline.metrics.types.records import InFlight, Writes
from perf_pipeline.metrics.validity import judge_level, judge_neighbours
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.level_faults import level_faults
from perf_pipeline.samples.record import Outcome
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.samples.shards.level_hosts import host_folder
from perf_pipeline.samples.stages.stage_records import home_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.records.in_flight import InFlightCurve
    from perf_pipeline.metrics.resources.resource_samples import Sample
    from perf_pipeline.metrics.types.noise import Noise
    from perf_pipeline.metrics.types.resource_use import Resources
    from perf_pipeline.samples.level_records import LevelRecords


class LevelSummary(NamedTuple):
    """A level in numbers, and what the verdicts about it are drawn from.

    Attributes:
        level: Its metrics, without ``bottleneck`` and ``slos``.
        records: What its worker processes left.
        warm: The records without cold starts and without workflows that never started.
        samples: The resource monitor's lines of the steady phase.
        curve: Number in flight over time.
        window_ns: Start and end of the steady phase, CLOCK_MONOTONIC.
        go_ns: Start of the level.
    """

    level: LevelMetrics
    records: LevelRecords
    warm: pl.DataFrame
    samples: Sequence[Sample]
    curve: InFlightCurve
    window_ns: tuple[int, int]
    go_ns: int


def summarise_level(
    folder: Path, context: LevelContext, stored: StoredLevel | None = None
) -> LevelSummary:
    """Summarise the level in ``folder``, also one that was cut short.

    Args:
        folder: The level's folder.
        context: What its run says about it.
        stored: What it has stored; None to read it.

    Raises:
        RunFolderError: The level's log or a journal cannot be read.
    """
    records, steps = stored or read_stored_level(folder, len(context.kinds))
    log, plan = records.log, records.log["plan"]
    home = home_of(folder, log)
    warm = records.frame.filter(TIMED)
    phases = phases_of(records, warm)
    window, go_ns = phases.window_ns, phases.go_ns
    length_s = (window[1] - window[0]) / 1e9
    figures = record_figures(
        records.frame.lazy(),
        warm,
        window_ns=window,
        level_ns=(go_ns, phases.last_ns),
        kinds=len(context.kinds),
        slots=plan["concurrency"],
        percentiles=context.percentiles,
    )
    times, ok = figures.service_times, sum(figures.ok)
    thinking = thinking_of(warm, plan, window)
    faults = level_faults(folder, log)
    writes = tuple(
        replace(write, lost_by=lost_by(faults, write.server)) if write.missing else write
        for write in read_writes(home)
    )
    workers = worker_ends(records, window)
    in_flight = _in_flight(records, figures, window, plan["concurrency"])
    all_samples = read_samples(home / "resources.jsonl", 0, 2**63 - 1)
    samples = [sample for sample in all_samples if window[0] <= sample["at_ns"] <= window[1]]
    resources = resources_of(
        samples,
        all_samples,
        go_ns=go_ns,
        servers_used=context.servers,
        cpu_limit_cores=context.cpu_limit_cores,
    )
    machines = _machines(home, window, context)
    if machines:
        resources = replace(resources, host=cores_of(machines), others=others_of(machines))
        noise = noise_of_all(machines)
    elif takes_cores(plan):
        # What the failure itself takes looks like another program: noise is judged before it.
        quiet = [one for one in samples if one["at_ns"] < first_failure_ns(log)]
        before = resources_of(
            quiet,
            all_samples,
            go_ns=go_ns,
            servers_used=context.servers,
            cpu_limit_cores=context.cpu_limit_cores,
        )
        noise = _noise(home, before, context)
    else:
        noise = _noise(home, resources, context)
    is_open = plan["loop"] == "open"
    open_load = open_load_of(records, folder, window) if is_open else None
    if open_load and (streams := stream_loads_of(records, folder, window, context.percentiles)):
        open_load = replace(open_load, streams=streams)
    responses = window_responses(records.frame, *window) if is_open else None
    response = responses.summary(context.percentiles) if responses else None
    examples, cold = error_examples(records), cold_starts_of(records.frame, context.kinds)
    cold_outcomes = Counter(one.outcome for one in cold)
    because = EndedBecause(log["ended_because"])
    exhausted = exhaustions_of(figures.error_classes, examples, all_samples)
    hanging = hanging_of(records, plan["concurrency"])
    failure = target_failure(
        Ended(
            load={name: n - cold_outcomes[name] for name, n in figures.outcomes.items()},
            steady=figures.steady_outcomes,
            cold=cold_outcomes,
            error_classes=figures.error_classes,
            error_examples=examples,
            lacking="; ".join(one.sentence for one in exhausted),
            unknown=records.may_be_missing,
            stopped=log["ended_detail"] if because is EndedBecause.MOSTLY_FAILING else "",
            hanging=hanging,
        ),
        tolerated_error_ratio(context.max_error_ratio, context.slos, plan["role"], plan["label"]),
    )
    validity_if_quiet, reasons_if_quiet = judge_level(
        ended_because=because,
        ended_detail=log["ended_detail"],
        workers=workers,
        damaged_blocks=sum(worker.journal.damaged_blocks for worker in records.workers),
        duplicates=figures.duplicates,
        writes=writes,
        times=times,
        concurrency=plan["concurrency"],
        in_flight_median=in_flight.median,
        thinking=thinking,
        open_load=open_load,
        response=response,
        steady_state=phases.steady_state,
        failure=failure,
        hanging=hanging,
        has_faults=bool(plan.get("faults")),
    )
    validity, reasons = judge_neighbours(validity_if_quiet, reasons_if_quiet, noise, failure)
    level = LevelMetrics(
        index=plan["index"],
        label=plan["label"],
        role=plan["role"],
        repeat=plan["repeat"],
        target=plan["target"],
        nodes=plan["nodes"],
        concurrency=plan["concurrency"],
        title=plan["title"],
        mode=plan["mode"],
        settings=plan["settings"],
        ended_because=because,
        ended_detail=log["ended_detail"],
        limits={**plan["limits"], "mechanism": log["limits"]},
        validity=validity,
        validity_if_quiet=validity_if_quiet,
        reasons=reasons,
        outcomes=figures.outcomes,
        steady_outcomes=figures.steady_outcomes,
        error_classes=figures.error_classes,
        steady_error_classes=figures.steady_error_classes,
        error_examples=examples,
        exhausted=exhausted,
        phases=phases.since_go_s(),
        throughput_per_s=ok / length_s if length_s else None,
        error_ratio=1 - ok / times.samples if times.samples else None,
        turnovers=times.samples / plan["concurrency"]
        if phases.has_steady and not is_open
        else None,
        throughput_low_per_s=figures.throughput.low,
        throughput_high_per_s=figures.throughput.high,
        throughput_interval_why=figures.throughput.why,
        steady_state=phases.steady_state,
        service_times=times,
        families=families_of(figures, window, context.kinds),
        in_flight=in_flight,
        fairness=figures.fairness if phases.has_steady and not is_open else None,
        cold_starts=cold,
        writes=writes,
        connections=connections_of(
            all_samples,
            samples,
            context.connection_limits(plan),
            context.pools,
        ),
        resources=resources,
        cpu_per_workflow=cpu_per_workflow(
            samples, warm.filter(pl.col("outcome") == Outcome.OK)["end_ns"].to_numpy()
        )
        if phases.has_steady
        else None,
        workers=workers,
        seconds=figures.seconds,
        started_at=log["started_at"],
        ended_at=log["ended_at"],
        server_state=_server_state(home),
        not_measured=_not_measured(resources),
        distribution=figures.distribution if phases.has_steady else None,
        response_distribution=responses.distribution() if responses and phases.has_steady else None,
        noise=noise,
        loop="open" if is_open else "closed",
        response_times=response,
        open_load=open_load,
        steps=steps_of(steps, warm, window, context.kinds),
        thinking=thinking,
        hanging=hanging,
        machines=machines,
    )
    return LevelSummary(level, records, warm, samples, figures.curve, window, go_ns)


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


def _noise(folder: Path, resources: Resources, context: LevelContext) -> Noise | None:
    if context.noise is None:
        return None
    path = folder / CALIBRATION_FILE
    return noise_of(
        resources.host,
        resources.others,
        read_json(path) if path.exists() else {},
        judged=context.noise == "judge",
    )


def _machines(
    folder: Path, window: tuple[int, int], context: LevelContext
) -> tuple[MachineUse, ...]:
    """Return what each of several machines did in the steady phase; nothing where one played."""
    uses = []
    for place, (name, cpu_limit_cores) in enumerate(context.machines):
        own = host_folder(folder, place)
        resources = resources_of(
            read_samples(own / "resources.jsonl", *window),
            servers_used=context.servers,
            cpu_limit_cores=cpu_limit_cores,
        )
        noise = _noise(own, resources, context)
        uses.append(MachineUse(name, resources.host, resources.others, noise))
    return tuple(uses)


def _not_measured(resources: Resources) -> dict[str, str]:
    why = resources.network_why_not
    reasons = dict.fromkeys(("network_io_sent_mb", "network_io_recv_mb"), why) if why else {}
    if resources.workers_pss_peak_mb is None:
        unread = [gap.reason for gap in resources.gaps if gap.what in ("workers", "children")]
        reasons |= {"peak_memory_mb": "; ".join(unread)} if unread else {}
    return reasons


def _in_flight(
    records: LevelRecords, figures: RecordFigures, window: tuple[int, int], wanted: int
) -> InFlight:
    counts: dict[str, int] = {}
    for worker in records.workers:
        for at_ns, what, threads in worker.journal.waits:
            if window[0] <= at_ns < window[1]:
                counts[what] = counts.get(what, 0) + threads
    total = sum(counts.values())
    return InFlight(
        wanted=wanted,
        median=figures.in_flight_median,
        minimum=figures.in_flight_min,
        waits={what: count / total for what, count in sorted(counts.items())},
        wait_samples=total,
    )
