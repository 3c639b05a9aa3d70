"""Time constants of campaigns: one registry of those that are scaled with the hours."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import perf_pipeline
import perf_pipeline.scenarios
from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.loadgen.endurance import time_scale
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of
from perf_pipeline.loadgen.endurance.time_scale import lead_s, lease_s, sample_every_s, scaled_s

ROOT = Path(perf_pipeline.__file__).parent
FOLDERS = ("loadgen/endurance", "worker/endurance", "config/endurance", "samples/campaign")
FILES = ("endurance_run.py",)
REGISTRY = ROOT / "loadgen/endurance/time_scale.py"
UNSCALED = {
    "REAL_HOUR_S": "it is what the others are scaled by",
    "start_timeout_s": "of a workflow, which takes as long in hours of any length",
    "lease_s": "given for real hours; the registry scales it",
    "hour_seconds": "the length of an hour itself",
    "_ANSWER_S": "how long a process may take to answer",
    "_END_S": "how long a process may take to end",
    "_END_GRACE_S": "how long a process may take to end",
    "_RECOVERY_GRACE_S": "how long a process may take to end",
    "READY_S": "how long a process may take to read an hour's files",
    "POLL_S": "how often a process looks",
    "_POLL_S": "how often a process looks",
    "ARM_MIN_S": "of the second arm, after all hours: what tracing takes",
    "ARM_MAX_S": "of the second arm, after all hours: what tracing takes",
    "LOOK_EVERY_S": "at most; samples of scaled hours are closer, and so are looks",
}
"""Other times of a campaign, and why hours of another length leave them as they are."""


def times_of(path: Path) -> set[str]:
    """Return the times that a module gives a value: constants, and defaults of fields."""
    tree = ast.parse(path.read_text())
    found = set()
    for owner in (tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))):
        for statement in owner.body:
            if isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets: list[ast.expr] = [statement.target]
            else:
                targets = statement.targets if isinstance(statement, ast.Assign) else []
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                found |= {one.id for one in names if isinstance(one, ast.Name)}
    return {name for name in found if name.lower().endswith(("_s", "_seconds", "_hours"))}


def test_every_time_constant_is_in_the_registry_or_has_a_reason_not_to_be() -> None:
    files = [ROOT / name for name in FILES]
    files += [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))]
    files += sorted((ROOT / "campaign").glob("*.py"))
    elsewhere = {name: path for path in files if path != REGISTRY for name in times_of(path)}
    assert {name: str(path) for name, path in elsewhere.items() if name not in UNSCALED} == {}


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
def test_times_are_scaled_with_the_hours_down_to_what_processes_take(share: float) -> None:
    soak = Endurance(rate_per_s=10.0, lease_s=900.0, hour_seconds=3600.0 * share)
    assert lease_s(soak) == max(900.0 * share, time_scale.MIN_LEASE_S)
    lead = min(soak.hour_seconds / 2, max(time_scale.LEAD_S * share, time_scale.MIN_LEAD_S))
    assert lead_s(soak) == pytest.approx(lead)
    assert scaled_s(60.0, soak.hour_seconds, 0.0) == pytest.approx(60.0 * share)


@pytest.mark.parametrize(
    ("hours", "hour_seconds", "every_s"),
    [
        (1, 3600, 5),
        (11, 3600, 5),
        (24, 3600, 30),
        (24, 360, 3),  # a tenth of real hours
        (24, 10, 0.5),
        (4, 10, 0.5),
    ],
)
def test_samples_are_5_s_apart_30_s_in_a_day_and_closer_in_scaled_hours(
    hours: float, hour_seconds: float, every_s: float
) -> None:
    (folder,) = perf_pipeline.scenarios.__path__
    scenario = read_scenario(Path(folder) / "endurance.toml", read_machine_limits())
    soak = replace(endurance_of(scenario), hours=hours, hour_seconds=hour_seconds)
    assert sample_every_s(replace(scenario, endurance=soak)) == pytest.approx(every_s)


DAEMON_S, QUEUE_S = 30.0, 5.0
"""How often Dagster looks for the next partition of a backfill, and for a run in its queue."""


@pytest.mark.parametrize("hour_seconds", [1.0, 10.0, 60.0, 3600.0])
def test_a_target_outlives_the_wait_for_the_next_hour_of_a_backfill(hour_seconds: float) -> None:
    """Three times as long, for the machine may be busy while the hour's process starts."""
    soak = Endurance(rate_per_s=10.0, hour_seconds=hour_seconds)
    assert lease_s(soak) > 3 * (DAEMON_S + QUEUE_S)
