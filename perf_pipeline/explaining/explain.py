"""Plays short extra levels of both sides in alternation, and samples their stacks."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.profile import Sampling, differential_profile, no_profile
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.loadgen.environment.target_environments import call_with_servers, made_and_tried
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.plan.level_job import kinds_of, level_job
from perf_pipeline.loadgen.profiling.py_spy import SamplingError, open_py_spy
from perf_pipeline.loadgen.profiling.sampled_level import (
    play_sampled,
    sampled_in_flight,
    sampled_plan,
)
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.metrics.profile_file import write_profile
from perf_pipeline.report.profile.page import write_profile_page
from perf_pipeline.samples.run_folder import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.profiling.py_spy import PySpy
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from perf_pipeline.samples.stacks.window import WindowPair

LEVELS_A_SIDE = 4
PAIRS_A_LEVEL = 2
OTHER_THREADS = 4
"""Threads of a worker process beside those of its slots."""
POOL_THREADS = 32
"""Threads that the runtime of an asynchronous target may have."""


@dataclass(frozen=True)
class ExplainedSide:
    """One side of a comparison, as it can be played again.

    Attributes:
        name: As the comparison calls it.
        scenario: Checked; with the target, settings and functions of this side.
        environment: Of its target; None to make it.
    """

    name: str
    scenario: Scenario
    environment: TargetEnvironment | None = None


@dataclass(frozen=True)
class Effort:
    """How much is sampled; the unit of the intervals is the level, a process of its own.

    Attributes:
        levels: Levels of each side; the sides alternate, and every second round is in reverse.
        pairs: Pairs of windows of each level, one with sampling and one without.
    """

    levels: int = LEVELS_A_SIDE
    pairs: int = PAIRS_A_LEVEL


EFFORT = Effort()


def explain(
    comparison_id: str,
    baseline: ExplainedSide,
    candidate: ExplainedSide,
    settings: Settings,
    *,
    in_flight: int,
    notify: Callable[[str], None] = lambda _text: None,
    effort: Effort = EFFORT,
    wait_s: float | None = DEFAULT_WAIT_S,
) -> DifferentialProfile:
    """Sample both sides, say which functions' CPU time per workflow moved, and write it.

    Takes one or two minutes, and waits before for other load on this host to end. The files are
    ``RESULTS/profiles/ID.json`` and its page; the page of the comparison leads to it if it is
    written afterwards.

    Args:
        comparison_id: The comparison that is explained.
        baseline: The older side.
        candidate: The newer side.
        settings: Where things are.
        in_flight: Workflows in flight of the level that is explained. Where each is a thread, at
            most 16 are sampled.
        notify: Called with each line that people should see.
        effort: How much is sampled.
        wait_s: How long to wait for another load run; None where the caller has the host's lock.

    Returns:
        The profile; with ``problem`` where py-spy may not sample, or a level did not run.

    Raises:
        PerfPipelineError: A server or an environment is unavailable, or the other load run went on
            for longer.
    """
    modes = {
        target_facts(parse_target(side.scenario.target).name).mode for side in (baseline, candidate)
    }
    sampled = min(sampled_in_flight(in_flight, mode) for mode in modes)
    threads = OTHER_THREADS + (sampled if "threads" in modes else POOL_THREADS)
    now = datetime.now(UTC)
    data_id = new_run_id(now)  # the data of a run that goes on are not ours
    with ExitStack() as stack:
        files = stack.enter_context(scratch_folder(settings.temp_dir, data_id))
        sampling = Sampling(comparison_id, sampled, in_flight)
        try:
            spy = open_py_spy(threads, files)
        except SamplingError as error:
            notify(f"explain: {error}")
            names = baseline.name, candidate.name
            return stored(no_profile(sampling, names, str(error)), settings)
        sampling = replace(
            sampling, sampler=spy.version, rate_hz=spy.rate_hz, is_native=spy.is_native
        )
        if wait_s is not None:
            since = now.isoformat(timespec="seconds")
            holder = f"explaining {comparison_id}, process {os.getpid()}, since {since}"
            lock = load_lock(settings.lock_path, holder, notify, time.sleep, wait_s=wait_s)
            stack.enter_context(lock)
        servers = RunServers(baseline.scenario, settings, data_id, notify=notify, stack=stack)
        levels = _Levels(sampling, servers, settings, spy, files, data_id, notify)
        sides, problem = levels.play((baseline, candidate), effort)
    return stored(differential_profile(sampling, *sides, problem=problem), settings)


def stored(profile: DifferentialProfile, settings: Settings) -> DifferentialProfile:
    """Write a profile and its page into the results folder; returns it."""
    write_profile(settings.results_dir, profile)
    write_profile_page(settings.results_dir, profile)
    return profile


class _Levels:
    """The sampled levels of both sides, in alternating order."""

    def __init__(
        self,
        sampling: Sampling,
        servers: RunServers,
        settings: Settings,
        spy: PySpy,
        files: Path,
        data_id: str,
        notify: Callable[[str], None],
    ) -> None:
        self._sampling = sampling
        self._servers = servers
        self._settings = settings
        self._spy = spy
        self._files = files
        self._data_id = data_id
        self._notify = notify

    def play(
        self, sides: tuple[ExplainedSide, ExplainedSide], effort: Effort
    ) -> tuple[tuple[ArmSamples, ArmSamples], str]:
        """Play all levels; returns what was sampled, and why no more was."""
        opened = self._servers.open()
        self._servers.seed()
        environments = [self._environment(side) for side in sides]
        for side, environment in zip(sides, environments, strict=True):
            named = {side.scenario.target: environment}
            call_with_servers(side.scenario, named, opened.values(), self._notify)
        found: list[list[tuple[WindowPair, ...]]] = [[] for _ in sides]
        problem = ""
        order = [which for again in range(effort.levels) for which in ((0, 1), (1, 0))[again % 2]]
        for index, which in enumerate(order):
            side, levels = sides[which], found[which]
            self._notify(
                f"explain: {side.name}, level {index + 1} of {len(order)}, "
                f"{self._sampling.in_flight} in flight, sampled {self._spy.rate_hz} times a second"
            )
            try:
                taken = self._level(
                    side, environments[which], index, effort.pairs, effort.pairs * len(levels)
                )
                levels.append(tuple(taken))
            except SamplingError as error:
                problem = f"{side.name}: {error}"
                self._notify(f"explain: {problem}")
                break
        before, after = (
            ArmSamples(side.name, side.scenario.target, tuple(levels))
            for side, levels in zip(sides, found, strict=True)
        )
        return (before, after), problem

    def _environment(self, side: ExplainedSide) -> TargetEnvironment:
        if side.environment is not None:
            return side.environment
        scenario = side.scenario
        made = made_and_tried(
            scenario,
            [scenario.target],
            name=scenario.name,
            settings=self._settings,
            notify=self._notify,
        )
        return made[scenario.target]

    def _level(
        self,
        side: ExplainedSide,
        environment: TargetEnvironment,
        index: int,
        pairs: int,
        first: int,
    ) -> list[WindowPair]:
        scenario = side.scenario
        plan = sampled_plan(
            scenario,
            index=index,
            label=f"explain-{index + 1}",
            in_flight=self._sampling.in_flight,
            pairs=pairs,
            left_out=self._servers.left_out,
        )
        folder = self._files / plan.folder_name
        folder.mkdir()
        self._servers.settle()
        job = level_job(
            plan,
            run_id=self._data_id,
            kinds=kinds_of(scenario, self._servers.left_out),
            run_data=self._servers.run_data,
            files=self._files,
        )
        return play_sampled(
            plan,
            folder=folder,
            python=environment.python,
            job=job,
            spy=self._spy,
            pairs=pairs,
            user_code=user_code_of(scenario, os.environ),
            first=first,
        )
