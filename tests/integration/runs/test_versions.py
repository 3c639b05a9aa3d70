"""Released versions and extra packages, from the package index; cached in the user's cache."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.environment.environment import TargetEnvironment

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ONE_WORKFLOW = """
import importlib.util, json, kailash
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
builder = WorkflowBuilder()
builder.add_node("PythonCodeNode", "one", {"code": "result = 6 * 7"})
with LocalRuntime(enable_monitoring=False) as runtime:
    results, _ = runtime.execute(builder.build())
pandas = importlib.util.find_spec("pandas") is not None
print(json.dumps([kailash.__version__, results["one"]["result"], pandas]))
"""


@cache
def environment_of(target: str) -> TargetEnvironment:
    """Make the environment of a target's text."""
    environ = dict(os.environ)
    cache_dir = current_settings().cache_dir
    return make_environment(
        parse_target(target), cache_dir=cache_dir, environ=environ, uv=find_uv(environ)
    )


def run_one_workflow(python: Path, home: Path) -> list[Any]:
    """Execute a workflow of one node; returns version, its result, and whether pandas is there."""
    run = subprocess.run(
        [python, "-c", ONE_WORKFLOW],
        env={"HOME": str(home), "PATH": os.defpath},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: list[Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("kailash", ["2.65.0", 42, False]),
        ("kailash==2.19.0", ["2.19.0", 42, False]),
        ("kailash+pandas", ["2.65.0", 42, True]),
    ],
)
def test_a_workflow_runs_in_the_environment_of_each_version_and_set_of_packages(
    target: str, expected: list[Any], tmp_path: Path
) -> None:
    made = environment_of(target)
    assert run_one_workflow(made.python, tmp_path) == expected
    assert made.packages["kailash"] == expected[0]


def test_pandas_comes_beside_exactly_the_locked_packages() -> None:
    """They differ in pandas and what it needs, so only pandas can make the difference."""
    locked, more = environment_of("kailash").packages, environment_of("kailash+pandas").packages
    assert {name: more[name] for name in locked} == locked
    assert {"numpy", "pandas"} <= more.keys() - locked.keys()


def test_another_version_has_the_drivers_of_the_servers_too() -> None:
    drivers = {"psycopg2-binary", "pymongo", "pymysql", "redis", "sqlalchemy"}
    assert drivers <= environment_of("kailash==2.19.0").packages.keys()


def test_control_and_kailash_of_one_version_are_one_environment() -> None:
    assert environment_of("control==2.19.0") == environment_of("kailash==2.19.0")
