"""How much of the target's throughput does measuring it cost?

Runs the engine and a bare loop (same environment, processes, threads, runtime, workflow and
result check; no stamps, records, journal or monitor) in pairs of blocks in alternating order, and
prints for each case the median of the paired ratios engine / bare, its interval, and the CPU time
per workflow of both::

    python -m tests.benchmarks.bare_loop [--pairs 5] [--seconds 20] [CASE...]

The interval is that of the median by order statistics (sign test; for 5 pairs the smallest and
largest ratio, which cover the median with 94 % probability).
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from perf_pipeline.config.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.target_spec import parse_target, with_defaults
from perf_pipeline.loadgen.environment import find_uv, make_environment
from perf_pipeline.loadgen.level import LevelRun
from perf_pipeline.loadgen.plan import plan_levels
from perf_pipeline.metrics.resource_monitor import ResourceMonitor
from perf_pipeline.metrics.samples import read_samples
from perf_pipeline.metrics.service_time import ended_within
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, Kind, Stores

PROJECT = Path(__file__).parents[2]
WARM_S = 5.0


@dataclass(frozen=True)
class Case:
    """What is compared: how workflows are written, and how many are in flight."""

    nodes: str
    concurrency: int


@dataclass(frozen=True)
class Block:
    """What one block of either side did."""

    rate_per_s: float
    cpu_ms_per_workflow: float


CASES = {
    "code-100": Case("code", 100),
    "code-1000": Case("code", 1000),
    "lean-100": Case("lean", 100),
}
WORKLOAD = Workload("transformation", "medium")


def job_of(case: Case) -> Job:
    """Return the work of both sides; it needs no server."""
    stores = Stores(None, "none", None, "none:", 1, 1.0)
    kind = Kind(WORKLOAD.family, WORKLOAD.complexity)
    settings = with_defaults("kailash", {})
    return Job((kind,), case.nodes, 1, "bare-loop", 0, stores, settings)


def engine_block(case: Case, python: Path, processes: int, seconds: float, folder: Path) -> Block:
    """Play a level and count in the window after the warm-up."""
    phases = Phases(
        ramp_up_s=0, warm_up_s=WARM_S, steady_s=seconds, steady_max_s=seconds, drain_s=2
    )
    scenario = Scenario(
        "bare-loop", nodes=case.nodes, concurrency=(case.concurrency,), phases=phases,
        workloads=(WORKLOAD,),
    )  # fmt: skip
    monitor = ResourceMonitor(folder / "resources.jsonl", {})
    level = LevelRun(
        plan_levels(scenario, processes)[0],
        folder=folder,
        python=python,
        job=job_of(case),
        on_second=monitor.sample,
        on_progress=lambda _progress: None,
        write_log=lambda log: write_json(folder / "level.json", asdict(log)),
    )
    log = level.run()
    assert log.go_ns is not None, f"the level did not start: {log}"
    frame = read_level(folder, 1).frame.filter(pl.col("flags") == 0)
    start_ns = log.go_ns + int(WARM_S * 1e9)
    end_ns = start_ns + int(seconds * 1e9)
    samples = read_samples(folder / "resources.jsonl", start_ns, end_ns)
    first, last = samples[0], samples[-1]
    cpu_s = sum(p["cpu_s"] for p in last["workers"]) - sum(p["cpu_s"] for p in first["workers"])
    ended = len(ended_within(frame, first["at_ns"], last["at_ns"]))
    rate_per_s = len(ended_within(frame, start_ns, end_ns)) / seconds
    return Block(rate_per_s, 1000 * cpu_s / ended)


def bare_block(case: Case, python: Path, processes: int, seconds: float, folder: Path) -> Block:
    """Run the bare loop in as many processes and threads."""
    job = {
        "parent_pid": os.getpid(), "worker": 0, "workers": processes, "target": "kailash",
        "mode": "threads",
        "kinds": "", "ramp": "", "journal": "", "slots": "", "deadline_ns": 0,
        "job": asdict(job_of(case)),
    }  # fmt: skip
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    environment = {
        "HOME": str(folder), "LANG": "C.UTF-8", "PATH": os.defpath, "PYTHONPATH": str(PROJECT)
    }  # fmt: skip
    script = PROJECT / "tests/benchmarks/bare_worker.py"
    workers = [
        subprocess.Popen(
            [
                python, "-P", script, path, str(len(range(worker, case.concurrency, processes))),
                str(worker), str(processes), str(WARM_S), str(seconds),
            ],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for worker in range(processes)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    results = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
    rate_per_s = sum(result["ended"] / result["elapsed_s"] for result in results)
    ended = sum(result["ended"] for result in results)
    return Block(rate_per_s, 1000 * sum(result["cpu_s"] for result in results) / ended)


def compare(name: str, pairs: int, seconds: float) -> None:
    """Run one case and print what came out."""
    case, processes = CASES[name], len(os.sched_getaffinity(0))
    environment = make_environment(
        parse_target("kailash"),
        cache_dir=current_settings().cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    )
    blocks: dict[str, list[Block]] = {"engine": [], "bare": []}
    sides = {"engine": engine_block, "bare": bare_block}
    for pair in range(pairs):
        order = list(sides) if pair % 2 == 0 else list(reversed(sides))
        for side in order:
            with tempfile.TemporaryDirectory(prefix="perf_pipeline-bare-") as scratch:
                block = sides[side](case, environment.python, processes, seconds, Path(scratch))
            blocks[side].append(block)
            time.sleep(1)
    ratios = sorted(
        engine.rate_per_s / bare.rate_per_s
        for engine, bare in zip(blocks["engine"], blocks["bare"], strict=True)
    )
    summary = {
        side: f"{statistics.median(b.rate_per_s for b in done):.1f}/s, "
        f"{statistics.median(b.cpu_ms_per_workflow for b in done):.3f} ms CPU a workflow"
        for side, done in blocks.items()
    }
    print(
        f"{name}: engine / bare = {statistics.median(ratios):.3f} "
        f"[{ratios[0]:.3f}, {ratios[-1]:.3f}] of {pairs} pairs of {seconds:g} s; "
        f"engine {summary['engine']}; bare {summary['bare']}",
        flush=True,
    )


def main() -> None:
    """Run the cases named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    for name in arguments.cases:
        compare(name, arguments.pairs, arguments.seconds)


if __name__ == "__main__":
    main()
