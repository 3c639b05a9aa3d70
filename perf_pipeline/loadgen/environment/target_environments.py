"""The environments of the targets of a run, with functions and servers of the user tried there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.loadgen.environment.environment import (
    TargetEnvironment,
    find_uv,
    make_environment,
)
from perf_pipeline.loadgen.environment.function_trial import FunctionTrial, try_functions
from perf_pipeline.loadgen.users_servers import refuse_unusable_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server


def made_and_tried(
    scenario: Scenario,
    targets: Iterable[str],
    *,
    name: str,
    settings: Settings,
    notify: Callable[[str], None],
) -> dict[str, TargetEnvironment]:
    """Make the environments of targets unless they are cached; try what is the user's there.

    Functions are called, unless they need servers: those are called when the servers run
    (``call_with_servers``).

    Args:
        scenario: Its interpreter is that of its own target; arms have one that is made.
        targets: Targets of its levels and arms.
        name: What messages call the scenario.
        settings: Where environments are cached, and the user's own servers.
        notify: Called with each line about a trial.

    Returns:
        Target to its environment.

    Raises:
        PerfPipelineError: An environment cannot be made.
        ScenarioError: No worker can call a function, or every call of it raised; the text says
            why, and where.
        ServiceUnavailableError: A worker could not use a server of the user's.
    """
    uv = find_uv(os.environ)
    given = Path(scenario.interpreter) if scenario.interpreter else None
    environments = {
        target: make_environment(
            parse_target(target),
            cache_dir=settings.cache_dir,
            environ=os.environ,
            uv=uv,
            interpreter=given if target == scenario.target else None,
        )
        for target in dict.fromkeys(targets)
    }
    pythons = {target: environment.python for target, environment in environments.items()}
    calls = scenario.trial_call and not scenario.servers
    trial = try_functions(scenario, pythons, among=pythons, calls=calls, notify=notify)
    _judge(trial, name, notify, calls=calls)
    refuse_unusable_servers(scenario, settings, pythons)
    return environments


def call_with_servers(
    scenario: Scenario,
    environments: Mapping[str, TargetEnvironment],
    servers: Iterable[Server],
    notify: Callable[[str], None],
) -> None:
    """Call the user's functions that need servers, which run by now, once in each target.

    Args:
        scenario: What will run.
        environments: Target to its environment.
        servers: The servers of the scenario.
        notify: Called with each line about a trial.

    Raises:
        ScenarioError: Every call of a function raised; the text says what, and where.
    """
    if not (scenario.trial_call and scenario.servers):
        return
    pythons = {target: environment.python for target, environment in environments.items()}
    trial = try_functions(
        scenario, pythons, among=pythons, servers=list(servers), calls=True, notify=notify
    )
    _judge(trial, scenario.name, notify, calls=True)


def _judge(trial: FunctionTrial, name: str, notify: Callable[[str], None], *, calls: bool) -> None:
    """Show what a trial found; refuse a scenario with a function that does not work."""
    for sentence in (*trial.warnings, *(trial.not_tried if calls else ())):
        notify(f"trial: {sentence}")
    trial.refuse_wrong(name)
