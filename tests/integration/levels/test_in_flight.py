"""Thousands in flight on the asynchronous targets: counted, none lost, and in little memory."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.targets.target import Job, Kind, ServerAccess

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import SettingValue
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.level import LevelMetrics

pytestmark = [pytest.mark.integration, pytest.mark.alone]

PROCESSES = 2
WORKLOAD = Workload("transformation", "simple")


@dataclass(frozen=True)
class Played:
    """What became of a level.

    Its memory is PSS at its most, 10^6 bytes: of the workers, and what this process, which had the
    libraries of all tests before, has grown by.
    """

    level: LevelMetrics
    log: LevelLog
    started: int
    recorded: int
    different: int
    memory_mb: float
    waits: list[dict[str, int]]
    at_once: set[str]


def play(
    folder: Path,
    target: str,
    slots: int,
    phases: Phases,
    python: Path = Path(sys.executable),
    **settings: SettingValue,
) -> Played:
    """Play one level of lean workflows that need no server."""
    scenario = Scenario(
        "x", target=target, concurrency=(slots,), workloads=(WORKLOAD,), phases=phases
    )
    kind, memory_mb = (WORKLOAD.family, WORKLOAD.complexity), [0.0]
    before_mb = psutil.Process().memory_full_info().pss / 1e6

    def weigh(_now_ns: int, pids: list[int]) -> None:
        try:
            processes = [psutil.Process(pid) for pid in (os.getpid(), *pids)]
            pss_mb = sum(one.memory_full_info().pss for one in processes) / 1e6
            memory_mb.append(pss_mb - before_mb)
        except psutil.NoSuchProcess:
            return  # a worker has just ended

    log = LevelSupervisor(
        plan_levels(scenario, PROCESSES)[0],
        folder=folder,
        python=python,
        job=Job(
            (Kind(*kind),), "lean", 1, "r1", 0, ServerAccess({}, 25, 30.0),
            with_defaults(target, settings), slots // PROCESSES,
        ),
        on_second=weigh,
        on_progress=lambda _progress: None,
        write_log=lambda log: write_json(folder / "level.json", asdict(log)),
        cgroups=None,
    ).run()  # fmt: skip
    frame = read_level(folder, 1).frame
    stamps = [SlotFile(path, writable=False) for path in folder.glob("*.slots")]
    journals = [read_journal(path) for path in folder.glob("*.sqlite")]
    waits: dict[tuple[int, int], dict[str, int]] = {}
    for worker, journal in enumerate(journals):
        for at_ns, what, count in journal.waits:
            waits.setdefault((worker, at_ns), {})[what] = count
    return Played(
        level=measure_level(folder, LevelContext([kind], [], {})),
        log=log,
        started=sum(one.totals().started for one in stamps),
        recorded=len(frame),
        different=frame["number"].n_unique(),
        memory_mb=max(memory_mb),
        waits=list(waits.values()),
        at_once={journal.facts["executes_at_once"] for journal in journals},
    )


@pytest.mark.parametrize(
    ("slots", "ramp_up_s", "steady_s", "limit_mb"),
    [
        (2_000, 0.2, 1.5, 250),
        pytest.param(10_000, 2.0, 5.0, 950, marks=pytest.mark.slow),
    ],
)
def test_so_many_are_in_flight_on_the_asynchronous_control_target_and_no_record_is_lost(
    tmp_path: Path, slots: int, ramp_up_s: float, steady_s: float, limit_mb: float
) -> None:
    """Also while every workflow computes and never suspends; the loop executes one at a time.

    The limits are those of two workers and of what it takes to supervise them.
    """
    phases = Phases(
        ramp_up_s=ramp_up_s, warm_up_s=0.5, steady_s=steady_s, steady_max_s=40.0, drain_s=10.0
    )
    played = play(tmp_path, "control_async", slots, phases)

    assert played.log.ended_because == "complete"
    assert (played.level.validity, played.level.reasons) == ("valid", ())
    assert played.level.in_flight.median == slots
    assert played.started == played.recorded == played.different > 4 * slots
    assert {what: n for what, n in played.level.outcomes.items() if n} == {"ok": played.recorded}
    assert played.memory_mb < limit_mb
    assert played.at_once == {"1"}
    assert played.waits
    assert all(one.get("runtime", 0) <= 1 for one in played.waits)
    assert max(one.get("queued", 0) for one in played.waits) >= slots // PROCESSES - 1
    assert {what for one in played.waits for what in one} <= {"queued", "runtime"}


def test_what_kailashs_asynchronous_runtime_executes_and_what_it_queues_are_told_apart(
    tmp_path: Path,
) -> None:
    """100 in flight in each of two processes with three threads: 97 are queued."""
    environ = dict(os.environ)
    kailash = make_environment(
        parse_target("kailash_async"),
        cache_dir=current_settings().cache_dir,
        environ=environ,
        uv=find_uv(environ),
    )
    phases = Phases(ramp_up_s=0.1, warm_up_s=0.2, steady_s=2.5, steady_max_s=40.0, drain_s=10.0)
    played = play(tmp_path, "kailash_async", 200, phases, kailash.python, thread_pool_size=3)

    assert played.log.ended_because == "complete"
    assert (played.level.validity, played.level.reasons) == ("valid", ())
    assert played.level.in_flight.median == 200
    assert played.started == played.recorded == played.different > 800
    assert {what: n for what, n in played.level.outcomes.items() if n} == {"ok": played.recorded}
    assert played.at_once == {"3"}
    full = [one for one in played.waits if sum(one.values()) == 100]
    assert full
    assert all(97 <= one["queued"] < 100 for one in full)
