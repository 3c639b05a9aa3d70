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
from perf_pipeline.loadgen.environment.function_trial import try_functions
from perf_pipeline.loadgen.users_servers import refuse_unusable_servers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings


def made_and_tried(
    scenario: Scenario, targets: Iterable[str], *, name: str, settings: Settings
) -> dict[str, TargetEnvironment]:
    """Make the environments of targets unless they are cached; try what is the user's there.

    Args:
        scenario: Its interpreter is that of its own target; arms have one that is made.
        targets: Targets of its levels and arms.
        name: What messages call the scenario.
        settings: Where environments are cached, and the user's own servers.

    Returns:
        Target to its environment.

    Raises:
        PerfPipelineError: An environment cannot be made.
        ScenarioError: No worker can call a function; the text says why, and where it was looked
            for.
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
    try_functions(scenario, pythons, among=pythons).refuse_wrong(name)
    refuse_unusable_servers(scenario, settings, pythons)
    return environments
