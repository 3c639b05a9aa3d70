"""Traces the allocations of a short extra level, and names the places that grew with the work."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.analysis.allocations.code_names import code_line
from perf_pipeline.analysis.allocations.growth_places import (
    Traced,
    growth_places,
    no_growth_places,
)
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.loadgen.environment.target_environments import call_with_servers, made_and_tried
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.plan.level_job import kinds_of, level_job
from perf_pipeline.loadgen.profiling.traced_level import TracingError, play_traced, traced_plan
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.samples.run_folder import new_run_id
from perf_pipeline.worker.tracing.trace_job import TraceJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces


def trace_growth(
    scenario: Scenario,
    settings: Settings,
    *,
    trace: TraceJob | None = None,
    environment: TargetEnvironment | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    wait_s: float | None = DEFAULT_WAIT_S,
) -> GrowthPlaces:
    """Play a scenario with its allocations traced, and name what grew; nothing is stored.

    Only memory that Python's allocators hand out is traced. What native code allocates by itself is
    not: it is in ``process.outside_bytes``.

    Args:
        scenario: Checked; its kinds of workflow are played in a closed loop, also those of hours.
        settings: Where things are.
        trace: How much is played; None for the usual amount.
        environment: Of the scenario's target; None to make it.
        notify: Called with each line that people should see.
        wait_s: How long to wait for another load run; None where the caller has the host's lock.

    Returns:
        The places; with ``problem`` where the target did not play enough.

    Raises:
        PerfPipelineError: A server or an environment is unavailable, or the other load run went on
            for longer.
    """
    asked, now = trace or TraceJob(), datetime.now(UTC)
    trace_id = new_run_id(now)
    with ExitStack() as stack:
        files = stack.enter_context(scratch_folder(settings.temp_dir, trace_id))
        if wait_s is not None:
            since = now.isoformat(timespec="seconds")
            holder = f"tracing {scenario.name}, process {os.getpid()}, since {since}"
            lock = load_lock(settings.lock_path, holder, notify, time.sleep, wait_s=wait_s)
            stack.enter_context(lock)
        servers = RunServers(scenario, settings, trace_id, notify=notify, stack=stack)
        opened = servers.open()
        servers.seed()
        made = (
            environment
            or made_and_tried(
                scenario, [scenario.target], name=scenario.name, settings=settings, notify=notify
            )[scenario.target]
        )
        call_with_servers(scenario, {scenario.target: made}, opened.values(), notify)
        servers.settle()
        plan = traced_plan(scenario, asked, servers.left_out)
        folder = files / plan.folder_name
        folder.mkdir()
        job = level_job(
            plan,
            run_id=trace_id,
            kinds=kinds_of(scenario, servers.left_out),
            run_data=servers.run_data,
            files=files,
        )
        traced = Traced(
            trace_id=trace_id,
            scenario=scenario.name,
            target=scenario.target,
            seed=scenario.seed,
            in_flight=plan.concurrency,
            warm_up_asked=asked.warm_up_workflows,
        )
        notify(
            f"allocations: {asked.warm_up_workflows} workflows of warm-up, then "
            f"{asked.intervals} x {asked.interval_workflows} traced, {plan.concurrency} in flight, "
            f"at most {asked.limit_s:.0f} s"
        )
        try:
            found = play_traced(
                plan,
                folder=folder,
                python=made.python,
                job=job,
                user_code=user_code_of(scenario, os.environ),
            )
            return growth_places(traced, found, lambda one: code_line(one, found.import_path))
        except TracingError as error:
            return no_growth_places(traced, str(error))
