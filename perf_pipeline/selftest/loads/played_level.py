"""One open level on workflows of known behaviour, played as a run plays it, without servers."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.host.process_cpu import process_cpu_s
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.supervise.control_run import play_control
from perf_pipeline.selftest.loads.only_level import PYTHON, open_level

if TYPE_CHECKING:
    import polars as pl

    from perf_pipeline.config.scenario.arrivals import Arrivals
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import OpenLoad

PHASES = Phases(ramp_up_s=0.0, warm_up_s=0.0, drain_s=5.0)


@dataclass(frozen=True)
class PlayedLevel:
    """An open level after it was played.

    Attributes:
        metrics: As a run would report it.
        load: What arrived.
        frame: Its records, one for every arrival, and the cold starts.
        facts: Facts that its first worker stored about itself.
        cpu_percent: CPU of its workers, percent of one core; None if it was too short to tell.
    """

    metrics: LevelMetrics
    load: OpenLoad
    frame: pl.DataFrame
    facts: dict[str, str]
    cpu_percent: float | None


def play(
    arrivals: Arrivals,
    function: str,
    *,
    seed: int,
    target: str = "callable",
    control_s: float = 0.0,
    user_code: UserCode = NO_USER_CODE,
) -> PlayedLevel:
    """Play one open level in one worker process.

    Args:
        arrivals: What arrives.
        function: What is called for each, ``module:function``.
        seed: Source of the schedule.
        target: ``callable`` or ``callable_async``.
        control_s: How long the same arrivals are played on workflows that do nothing; 0 for not.
        user_code: Working folder, modules and variables of the user's.
    """
    level = open_level(function, arrivals, PHASES, seed, target)
    used: list[tuple[int, float]] = []

    def note_cpu(now_ns: int, pids: list[int]) -> None:
        with suppress(OSError):  # the worker has just ended, and its keeper has not yet
            used.append((now_ns, sum(map(process_cpu_s, pids))))

    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        level.play(
            folder,
            on_second=note_cpu,
            user_code=user_code,
        )
        if control_s:
            play_control(
                level.plan,
                folder=folder,
                python=PYTHON,
                job=level.job,
                user_code=user_code,
                length_s=control_s,
            )
        records, metrics = level.records(folder), level.metrics(folder)
    if metrics.open_load is None:
        raise AssertionError("an open level has an open load")
    go_ns = records.log["go_ns"]
    return PlayedLevel(
        metrics=metrics,
        load=metrics.open_load,
        frame=records.frame,
        facts=records.workers[0].journal.facts,
        cpu_percent=_percent([(at_ns, cpu_s) for at_ns, cpu_s in used if at_ns > go_ns]),
    )


def _percent(used: list[tuple[int, float]]) -> float | None:
    """Return the mean between the samples; a sample after the worker's end is lower, and left."""
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(used) if b[1] >= a[1]]
    length_s = sum(step_ns for step_ns, _ in steps) / 1e9
    return 100 * sum(cpu_s for _, cpu_s in steps) / length_s if length_s else None
