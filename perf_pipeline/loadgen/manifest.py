"""Collects the manifest of a run that is about to start."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.builtin import BUILTIN_FOLDER
from perf_pipeline.config.scenario.target_spec import (
    parse_target,
    target_facts,
    with_defaults,
)
from perf_pipeline.config.services import SERVICES
from perf_pipeline.samples.host_record import HostFacts, HostNoise
from perf_pipeline.samples.manifest import (
    ConnectionBounds,
    EnvironmentRecord,
    HarnessRecord,
    Manifest,
    ProxyRecord,
    SearchedLoad,
    TargetRecord,
    UserCodeRecord,
    VariablesRecord,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.interleaved.arms import AbQuestion
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import NoiseHandling
    from perf_pipeline.host.facts import GitState
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.servers.server import Server

HARNESS_PACKAGES = ("dagster", "polars", "psycopg", "psutil", "redis", "numpy", "vl-convert-python")


def make_manifest(
    *,
    run_id: str,
    scenario: Scenario,
    started_at: str,
    host: HostFacts,
    git: GitState,
    user_git: GitState | None,
    servers: Sequence[Server],
    environments: Mapping[str, TargetEnvironment],
    plans: Sequence[LevelPlan],
    left_out: Sequence[str],
    noise: NoiseHandling,
    files_dir: Path,
    searched: SearchedLoad | None,
    compared: AbQuestion | None,
    proxy: ProxyRecord | None,
) -> Manifest:
    """Collect the manifest of a run that is about to start.

    Args:
        run_id: The run.
        scenario: What it does.
        started_at: Wall clock, ISO 8601 UTC.
        host: Facts about the host.
        git: Commit of the harness and whether its tree was dirty.
        user_git: Likewise, of the user's own functions; None where there are none.
        servers: What answered.
        environments: Target to its interpreter and packages; the scenario's and the arms'.
        plans: Every level.
        left_out: Servers that were unavailable and that workflows do not write to.
        noise: How noise of the host is handled.
        files_dir: Folder of temporary files of the run.
        searched: What a search looks for; None where all levels are planned.
        compared: The arms of an interleaved comparison; None for any other run.
        proxy: The proxies in the path to servers; None for none.
    """
    environment = environments[scenario.target]
    pools = {name: spec.pool for name, spec in SERVICES.items() if spec.pool}
    name = parse_target(scenario.target).name
    facts = target_facts(name)
    return Manifest(
        run_id=run_id,
        scenario=scenario.name,
        title=scenario.title,
        seed=scenario.seed,
        repeats=scenario.repeats,
        order=scenario.order,
        started_at=started_at,
        processes=max((plan.processes for plan in plans), default=0),
        plan_hashes={plan.folder_name: plan.sha256() for plan in plans},
        workloads=scenario.workloads,
        left_out=tuple(left_out),
        phases=scenario.phases,
        connections=ConnectionBounds(**asdict(scenario.connections), pools=pools),
        limits=scenario.limits,
        stop=scenario.stop,
        slos=scenario.slos,
        faults=scenario.faults,
        max_error_ratio=scenario.max_error_ratio,
        arms=tuple(arm.label for arm in scenario.arms),
        level_titles={plan.label: plan.title for plan in plans if plan.title},
        host=host,
        servers=tuple(server.record() for server in servers),
        target=TargetRecord(
            name=scenario.target,
            title=facts.title,
            package=facts.package,
            settings=with_defaults(name, dict(scenario.settings)),
            python=str(environment.python),
            lock_hash=environment.lock_hash,
            packages=dict(environment.packages),
        ),
        lock_hashes={name: one.lock_hash for name, one in environments.items()},
        environments={
            name: EnvironmentRecord(str(one.python), dict(one.packages))
            for name, one in environments.items()
            if name != scenario.target
        },
        harness=HarnessRecord(
            version=version("perf-pipeline"),
            python=platform.python_version(),
            packages={name: version(name) for name in HARNESS_PACKAGES},
            git_commit=git.commit,
            git_dirty=git.dirty,
            git_problem=git.problem,
            git_branch=git.branch,
        ),
        noise=HostNoise(noise),
        files_dir=str(files_dir),
        capacity=searched,
        ab=compared,
        variables=VariablesRecord(scenario.variables.stored(), scenario.variables.passed),
        stress=scenario.stress,
        setup=scenario.setup or None,
        teardown=scenario.teardown or None,
        user_code=_user_code(scenario.python_path, user_git),
        scenario_file=_scenario_file(scenario),
        proxy=proxy,
        own_hosts=scenario.own_hosts,
    )


def _scenario_file(scenario: Scenario) -> str:
    if scenario.folder is None or Path(scenario.folder) == BUILTIN_FOLDER:
        return ""
    file = Path(scenario.folder) / f"{scenario.name}.toml"
    return str(file) if file.is_file() else ""


def _user_code(folder: str | None, git: GitState | None) -> UserCodeRecord | None:
    if folder is None or git is None or git.commit is None:
        return None
    return UserCodeRecord(folder, git.commit, git.branch, bool(git.dirty), git.changes_sha256)
