"""A user's own runtime, as the README shows it: a module, a scenario, a run."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from redis import Redis

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.environment.interpreter import base_interpreter
from perf_pipeline.run import Run
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SHOP = """
import time

class Engine:                    # your runtime
    def __init__(self, *steps):
        self.steps = steps

    def run(self, value):
        for step in self.steps:
            value = step(value)
        return value

def price(number):
    time.sleep(0.01)             # stands for a query
    return number * 3

engine = Engine(price, str)      # once in each worker process

def order(number):               # called with each workflow's number; raises if it failed
    assert engine.run(number) == str(number * 3)
"""
ORDERS = """
target = "callable"
python_path = "."
concurrency = [20]

[[workload]]
function = "shop:order"

[phases]
steady_s = 1
"""
QUICKLY = "ramp_up_s = 0.1\nwarm_up_s = 0.2\ndrain_s = 3\n"
KITCHEN = """
import asyncio

async def cook(number):
    await asyncio.sleep(0.02)
    assert number % 10, "every tenth is burnt"

async def serve(number):
    await asyncio.sleep(0.02)
"""
MEALS = """
target = "callable_async"
python_path = "."
concurrency = [50]
processes = 1

[[workload]]
function = "kitchen:cook"
weight = 3

[[workload]]
function = "kitchen:serve"

[phases]
steady_s = 1
"""
COUNTER = """
import os, socket
from urllib.parse import urlsplit
from my_runtime import VERSION         # installed in the interpreter of the scenario alone

url = urlsplit(os.environ["PERF_PIPELINE_REDIS_URL"])

def count(number):
    assert os.environ["PERF_PIPELINE_CONNECTIONS"] == "25" and VERSION == "1.0"
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(b"INCR of-a-callable\\r\\n")
        assert connection.recv(64).startswith(b":")
"""


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings of the test's own, with the environments of the user's cache."""
    return replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)


def write(folder: Path, module: str, source: str, scenario: str) -> Path:
    """Write a module and its scenario; returns the scenario's path."""
    (folder / f"{module}.py").write_text(source)
    path = folder / f"{module}.toml"
    path.write_text(scenario + QUICKLY)
    return path


def load(path: Path, settings: Settings) -> RunFolder:
    """Play a scenario, without a report."""
    with Run(read_scenario(path, read_machine_limits()), settings) as run:
        return run.load()


def records_of(folder: RunFolder) -> pl.DataFrame:
    """Return the records of the only level, cold starts among them."""
    (level,) = (folder.root / "levels").iterdir()
    return read_level(level, 2).frame


@pytest.mark.alone
def test_a_runtime_of_a_users_own_is_measured_from_ten_lines(tmp_path: Path, own: Settings) -> None:
    """From the files to the report: 20 in flight on threads, every result right."""
    path = write(tmp_path, "shop", SHOP, ORDERS)
    metrics = run_scenario(read_scenario(path, read_machine_limits()), own).metrics
    (level,) = metrics.levels
    assert (metrics.validity, level.validity) == ("valid", "valid")
    assert [(one.family, one.complexity) for one in level.families] == [("shop:order", "")]
    assert level.outcomes["error"] == 0
    assert level.outcomes["ok"] > 500
    assert metrics.manifest.target.packages == {}


def test_coroutine_functions_share_the_load_by_weight_and_say_what_was_wrong(
    tmp_path: Path, own: Settings
) -> None:
    """Three of four are cook, which fails for every tenth number; serve never does."""
    frame = records_of(load(write(tmp_path, "kitchen", KITCHEN, MEALS), own))
    warm = frame.filter(pl.col("number") >= 0)
    wrong = warm.filter(pl.col("outcome") == Outcome.ERROR)
    assert warm.filter(pl.col("kind") == 0).height / warm.height == pytest.approx(0.75, abs=0.04)
    assert set(wrong["error_class"]) == {ErrorClass.WRONG_RESULT}
    assert set(wrong["kind"]) == {0}
    assert set(wrong["number"] % 10) == {0}
    ended = warm.filter(pl.col("outcome").is_in([Outcome.OK, Outcome.ERROR]))
    tenth = ended.filter((pl.col("kind") == 0) & (pl.col("number") % 10 == 0))
    assert wrong.height == tenth.height > 10


def test_a_function_runs_in_the_users_interpreter_and_finds_the_servers_of_its_scenario(
    tmp_path: Path, own: Settings, servers: dict[str, Server]
) -> None:
    """Redis counts the calls: the trial call, and as many as there are records, cold ones too."""
    python = interpreter_with_a_runtime(tmp_path / "venv")
    scenario = f'interpreter = "{python}"\nservers = ["redis"]\nprocesses = 2\n{ORDERS}'
    url = servers["redis"].url
    path = write(tmp_path, "counter", COUNTER, scenario.replace("shop:order", "counter:count"))
    with Redis.from_url(url) as redis:
        redis.delete("of-a-callable")
        folder = load(path, replace(own, urls={"redis": url}))
        counted = int(redis.get("of-a-callable") or 0)
        redis.delete("of-a-callable")
    frame = records_of(folder)
    assert set(frame["outcome"]) == {Outcome.OK}
    assert frame.filter(pl.col("flags") & COLD != 0).height == 2
    assert counted == 1 + frame.height > 100
    target = json.loads(folder.manifest.read_text())["target"]
    assert target["python"] == str(python)
    assert target["packages"] == {"my-runtime": "1.0"}


def test_a_function_of_the_other_form_starts_no_load_and_says_where_it_belongs(
    tmp_path: Path, own: Settings
) -> None:
    scenario = ORDERS.replace("shop:order", "kitchen:cook")
    path = write(tmp_path, "kitchen", KITCHEN, scenario)
    says = 'kitchen: function kitchen:cook is a coroutine function: use target = "callable_async"'
    with pytest.raises(ScenarioError, match=says):
        load(path, own)
    assert not own.results_dir.exists()


def interpreter_with_a_runtime(folder: Path) -> Path:
    """Make a virtual environment that holds one package, ``my-runtime``."""
    subprocess.run([base_interpreter(), "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "my_runtime.py").write_text('VERSION = "1.0"\n')
    info = site / "my_runtime-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_runtime\nVersion: 1.0\n")
    return folder / "bin" / "python"
