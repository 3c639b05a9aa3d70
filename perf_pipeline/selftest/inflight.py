"""Measuring leaves 95 % of kailash's throughput at 1000 in flight; 10,000 are held in flight.

The engine and a bare loop (same environment, processes, threads, runtime, workflow and result
check; no stamps, records, journal or monitor) take turns of a second or two, one stopped while the
other runs. At size full throughput is judged; at size ci workflows a CPU second, because on a
machine that others use as well the clock on the wall measures the neighbours. Both are shown.
At 10,000 in flight, a task of ``control_async`` each, all are in flight at once, none
is dropped or lost, and the memory of the workers stays below the gigabyte that users allow.
"""

from __future__ import annotations

import logging
import math
import os
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.resources.resource_monitor import ResourceMonitor
from perf_pipeline.metrics.survival.service_time import ended_within
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.bare_loop import BareLoop
from perf_pipeline.selftest.loads.taking_turns import EnoughError, TakingTurns
from perf_pipeline.targets.target import Job, Kind, Stores

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Nodes
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.selftest.loads.taking_turns import Turn

WORKLOAD = Workload("transformation", "medium")
MIN_IN_FLIGHT_SHARE = 0.95
MAX_MEMORY_MB = 1000.0
"""What users of the old framework allow a run."""

_T_95 = 2.0
_KINDS = [(WORKLOAD.family, WORKLOAD.complexity)]
_NO_STORES = Stores(None, "none", None, "none:", 1, 1.0)
TAKES_LOAD_LOCK = True
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """One comparison of the engine with the bare loop.

    Attributes:
        nodes: How the workflows are written.
        concurrency: Workflows in flight of each side.
        turn_s: Length of a turn.
        warm: Turns of each side that are left out.
        pairs: Turns of each side that count.
        least: What the ratio must reach.
        by_clock: Whether that is the ratio of throughputs, or of workflows a CPU second.
    """

    nodes: Nodes
    concurrency: int
    turn_s: float
    warm: int
    pairs: int
    least: float
    by_clock: bool


COMPARED = {
    Size.CI: (Compared("lean", 20, 0.2, 2, 8, 0.8, by_clock=False),),
    Size.FULL: (
        Compared("code", 1000, 1.5, 4, 24, 0.95, by_clock=True),
        Compared("lean", 100, 0.5, 4, 24, 0.95, by_clock=True),
    ),
}
MANY = {Size.CI: (1000, 0.5), Size.FULL: (10_000, 8.0)}
"""Tasks in flight, and how long the level is measured."""


def run(size: Size, seed: int) -> list[Figure]:
    """Compare with the bare loop, then hold many in flight."""
    settings = current_settings()
    holder = f"selftest inflight, process {os.getpid()}"
    with load_lock(settings.lock_path, holder, _log.info, time.sleep):
        python = make_environment(
            parse_target("kailash"),
            cache_dir=settings.cache_dir,
            environ=os.environ,
            uv=find_uv(os.environ),
        ).python
        figures = [figure for one in COMPARED[size] for figure in _compare(one, python, seed)]
        return figures + _many(*MANY[size], python, seed)


def _compare(one: Compared, python: Path, seed: int) -> list[Figure]:
    processes = len(os.sched_getaffinity(0))
    job = _job(one.nodes, "kailash", seed, one.concurrency)
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        ours, bare = Path(temporary, "ours"), Path(temporary, "bare")
        for folder in (ours, bare):
            folder.mkdir()
        concurrency = one.concurrency
        with BareLoop(job, python, bare, concurrency=concurrency, processes=processes) as loop:
            turns = TakingTurns(
                loop.pids, loop.go, loop.ended,
                clock_ns=time.monotonic_ns, pairs=one.warm + one.pairs,
            )  # fmt: skip
            scenario = _scenario(one.nodes, "kailash", one.concurrency, seed, 3600.0)
            try:
                _play(scenario, job, python, ours, processes, turns, one.turn_s)
            except EnoughError:
                _log.info("%s nodes, %d in flight: %d turns", one.nodes, concurrency, one.pairs)
            else:
                raise PerfPipelineError("the level ended before the turns did")
        frame = read_level(ours, 1).frame.filter(pl.col("flags") == 0)
    return _ratios(one, turns.ours[one.warm :], turns.bare[one.warm :], frame)


def _ratios(one: Compared, ours: list[Turn], bare: list[Turn], frame: pl.DataFrame) -> list[Figure]:
    """Return the ratio of throughputs, and of workflows a CPU second."""
    counted = [ended_within(frame, turn.start_ns, turn.end_ns).height for turn in ours]
    figures = []
    for what, spent_ours, spent_bare, judged in (
        ("throughput", [_s(t) for t in ours], [_s(t) for t in bare], one.by_clock),
        (
            "workflows a CPU second",
            [t.cpu_s for t in ours],
            [t.cpu_s for t in bare],
            not one.by_clock,
        ),
    ):
        rate = sum(counted) / sum(spent_ours)
        other = sum(turn.ended for turn in bare) / sum(spent_bare)
        pairs = [
            n * b / (a * turn.ended)
            for n, a, b, turn in zip(counted, spent_ours, spent_bare, bare, strict=True)
            if a and turn.ended
        ]
        half = _T_95 * statistics.stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else 0.0
        figures.append(
            Figure(
                f"kailash, {one.nodes} nodes, {one.concurrency} in flight: {what}, engine / bare",
                rate / other if other else None,
                "",
                one.least if judged else None,
                at_most=False,
                note=f"{rate:.4g} / {other:.4g}; {len(pairs)} pairs of turns of {one.turn_s:g} s, "
                f"+- {half:.2g}",
            )
        )
    return figures


def _many(concurrency: int, steady_s: float, python: Path, seed: int) -> list[Figure]:
    """Hold many tasks in flight on plain functions."""
    processes = len(os.sched_getaffinity(0))
    job = _job("lean", "control_async", seed, concurrency)
    scenario = _scenario("lean", "control_async", concurrency, seed, steady_s)
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        _play(scenario, job, python, folder, processes)
        level = measure_level(folder, LevelContext(_KINDS, (), 1, {}))
    return _held(level, concurrency)


def _held(level: LevelMetrics, concurrency: int) -> list[Figure]:
    name = f"control_async, {concurrency:,} in flight"
    median, memory = level.in_flight.median, level.resources.workers_pss_peak_mb
    outcomes = level.outcomes
    lost = sum(worker.may_be_missing for worker in level.workers)
    not_ok = sum(outcomes.get(word, 0) for word in ("error", "timeout", "dropped"))
    ended = ", ".join(f"{count:,} {word}" for word, count in outcomes.items() if count)
    each = f", {1e3 * memory / concurrency:.3g} kB each" if memory else ""
    rate = level.throughput_per_s
    return [
        Figure(
            f"{name}: median in flight", median, "", MIN_IN_FLIGHT_SHARE * concurrency,
            at_most=False, note=f"{rate:.4g} workflows/s" if rate else "",
        ),
        Figure(f"{name}: dropped, failed or timed out", not_ok, "", 0, note=ended),
        Figure(f"{name}: started and without a record", lost, "", 0),
        Figure(
            f"{name}: memory of the workers (sum of PSS, peak)", memory, "MB", MAX_MEMORY_MB,
            note=f"{level.resources.samples} samples{each}",
        ),
    ]  # fmt: skip


def _play(
    scenario: Scenario,
    job: Job,
    python: Path,
    folder: Path,
    processes: int,
    turns: TakingTurns | None = None,
    sample_every_s: float = 0.5,
) -> None:
    """Play the only level of a scenario; with turns, those begin when its load does."""
    monitor = ResourceMonitor(folder / "resources.jsonl", {})
    go_ns: list[int] = []

    def write_log(log: LevelLog) -> None:
        write_json(folder / "level.json", asdict(log))
        if log.go_ns is not None:
            go_ns[:] = [log.go_ns]

    def on_second(now_ns: int, pids: list[int]) -> None:
        if turns is None:
            monitor.sample(now_ns, pids)
        elif go_ns and now_ns > go_ns[0] and not turns.is_over:
            turns.look(pids)

    with monitor:
        LevelSupervisor(
            plan_levels(scenario, processes)[0],
            folder=folder,
            python=python,
            job=job,
            on_second=on_second,
            on_progress=lambda _progress: None,
            write_log=write_log,
            sample_every_s=sample_every_s,
        ).run()


def _scenario(nodes: Nodes, target: str, concurrency: int, seed: int, steady_s: float) -> Scenario:
    return Scenario(
        "selftest-inflight",
        seed=seed,
        target=target,
        nodes=nodes,
        concurrency=(concurrency,),
        workloads=(WORKLOAD,),
        phases=Phases(
            ramp_up_s=0.0,
            warm_up_s=0.0,
            steady_s=steady_s,
            steady_max_s=steady_s,
            drain_s=2.0,
            deadline_s=600.0,
        ),
    )


def _job(nodes: str, target: str, seed: int, concurrency: int) -> Job:
    kind = Kind(WORKLOAD.family, WORKLOAD.complexity)
    settings = with_defaults(target, {})
    return Job((kind,), nodes, seed, "selftest", 0, _NO_STORES, settings, concurrency=concurrency)


def _s(turn: Turn) -> float:
    return (turn.end_ns - turn.start_ns) / 1e9
