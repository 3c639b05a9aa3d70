"""Setup and teardown of a user's own runtime, in real worker processes of real runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.cli.dagster_child import STOP_GRACE_S
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.supervise import level_supervisor
from perf_pipeline.run import Run
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.worker.runtime import lifecycle
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.metrics.types.level import LevelMetrics

pytestmark = pytest.mark.integration

SHOP = """
import atexit, os, subprocess, threading, time

def note(what):
    with open(f"{os.getpid()}.notes", "a") as file:
        file.write(what + "\\n")

atexit.register(note, "atexit")

def start():
    global child
    assert os.environ["PERF_PIPELINE_CONNECTIONS"]
    child = subprocess.Popen(["sleep", "600"])
    note("start")

def stop():
    child.kill()
    child.wait()
    note("stop")

def order(number):
    assert child.poll() is None
    if number < 0 or number < 2:
        note("order")
    time.sleep(0.01)

def stop_hanging():
    note("stop")
    time.sleep(600)

def stop_raising():
    raise OSError("the shop is on fire")

def start_raising():
    if not os.path.exists("open"):
        raise ConnectionError("the shop is closed")

async def astart():
    import asyncio
    global loop
    loop = asyncio.get_running_loop()
    note("start")

async def astop():
    import asyncio
    assert asyncio.get_running_loop() is loop
    note("stop")

async def aorder(number):
    import asyncio
    assert asyncio.get_running_loop() is loop
    if number < 2:
        note("order")
    await asyncio.sleep(0.01)
"""
SCENARIO = """
python_path = "."
concurrency = [4]
processes = 2
trial_call = false
[phases]
ramp_up_s = 0
warm_up_s = 0.1
steady_s = {steady_s}
drain_s = 2
"""


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings of the test's own, with the environments of the user's cache."""
    return replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)


def played(
    folder: Path,
    settings: Settings,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    said: list[str] | None = None,
    **keys: str,
) -> LevelMetrics:
    """Play and measure a scenario with further keys at its top."""
    scenario = written(folder, **keys)
    with Run(
        read_scenario(scenario, read_machine_limits()),
        settings,
        notify=(said if said is not None else []).append,
    ) as run:
        run.load(on_progress)
        (level,) = measure(run.folder).levels
    return level


def written(folder: Path, **keys: str) -> Path:
    """Write the module and a scenario; returns the scenario's path."""
    target = keys.pop("target", "callable")
    function = keys.pop("function", "shop:order")
    phases = SCENARIO.format(steady_s=keys.pop("steady_s", "0.5"))
    (folder / "shop.py").write_text(SHOP)
    top = "".join(f'{name} = "{value}"\n' for name, value in keys.items())
    workload = f'[[workload]]\nfunction = "{function}"\n'
    path = folder / "shop.toml"
    path.write_text(f'target = "{target}"\n{top}{phases}{workload}')
    return path


def notes(folder: Path) -> list[list[str]]:
    """Return the distinct notes of each worker process, in order."""
    files = sorted(folder.glob("*.notes"))
    return [list(dict.fromkeys(path.read_text().splitlines())) for path in files]


@pytest.mark.parametrize(
    "keys",
    [
        {"setup": "shop:start", "teardown": "shop:stop"},
        {
            "setup": "shop:astart",
            "teardown": "shop:astop",
            "target": "callable_async",
            "function": "shop:aorder",
        },
    ],
    ids=["threads", "tasks"],
)
def test_each_worker_calls_setup_first_and_teardown_last_and_then_its_exit_handlers(
    tmp_path: Path, own: Settings, keys: dict[str, str]
) -> None:
    level = played(tmp_path, own, **keys)
    assert notes(tmp_path) == [["start", "order", "stop", "atexit"]] * 2
    assert [(one.reason, one.teardown, one.left_behind) for one in level.workers] == [
        ("done", "", {})
    ] * 2
    assert level.outcomes["error"] == 0
    assert level.outcomes["ok"] > 50


def test_a_teardown_that_hangs_or_raises_costs_no_record_and_is_named(
    tmp_path: Path, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two runs; the limit of the supervisor is above that of the worker, which is 10 s."""
    monkeypatch.setattr(level_supervisor, "HANG_GRACE_S", 1.0)
    monkeypatch.setattr(level_supervisor, "TEARDOWN_S", 0.5)
    said: list[str] = []
    level = played(tmp_path, own, setup="shop:start", teardown="shop:stop_hanging", said=said)
    abandoned = "teardown shop:stop_hanging had not ended when its worker process ended"
    assert [(one.reason, one.may_be_missing) for one in level.workers] == [("done", 0)] * 2
    assert all(one.teardown.startswith(abandoned) for one in level.workers)
    assert level.outcomes["ok"] > 50
    assert not [reason for reason in level.reasons if "teardown" in reason]
    assert any(line.startswith(f"level 4: {abandoned}") for line in said)


def test_a_teardown_that_raises_is_named_with_its_line(tmp_path: Path, own: Settings) -> None:
    level = played(tmp_path, own, setup="shop:start", teardown="shop:stop_raising")
    line = 1 + SHOP.splitlines().index('    raise OSError("the shop is on fire")')
    assert {one.teardown for one in level.workers} == {
        (
            f"teardown shop:stop_raising raised OSError: the shop is on fire "
            f"({tmp_path}/shop.py line {line})"
        )
    }
    assert {one.reason for one in level.workers} == {"done"}
    # The child that nothing ended is ended with its worker.
    assert {tuple(one.left_behind) for one in level.workers} == {("sleep",)}


def test_a_setup_that_raises_fails_the_start_of_the_level_with_the_users_reason(
    tmp_path: Path, own: Settings
) -> None:
    level = played(tmp_path, own, setup="shop:start_raising", teardown="shop:stop")
    assert level.ended_because == "start failed"
    assert level.outcomes["ok"] == 0
    assert any(
        "setup shop:start_raising raised ConnectionError: the shop is closed (" in reason
        for reason in level.reasons
    )
    assert notes(tmp_path) == [["atexit"]] * len(notes(tmp_path))


def test_teardown_is_called_after_an_interruption(tmp_path: Path, own: Settings) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.totals.ended > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        played(tmp_path, own, interrupt, setup="shop:start", teardown="shop:stop", steady_s="30")
    assert notes(tmp_path) == [["start", "order", "stop", "atexit"]] * 2
    (folder,) = own.results_dir.iterdir()
    (level,) = (folder / "levels").iterdir()
    assert {one["reason"] for one in read_json(level / "level.json")["workers"]} == {"done"}


def test_functions_are_called_before_a_run_and_one_that_always_raises_starts_nothing(
    tmp_path: Path, own: Settings
) -> None:
    path = written(tmp_path, setup="shop:start_raising")
    path.write_text(path.read_text().replace("trial_call = false\n", ""))
    said: list[str] = []
    scenario = read_scenario(path, read_machine_limits())
    with (
        pytest.raises(ScenarioError, match=r"shop:start_raising\(\), the setup, raised Connection"),
        Run(scenario, own, notify=said.append) as run,
    ):
        run.load()
    assert said == [f"calls shop:start_raising(), shop:order(-1) once in {tmp_path}"]
    assert not own.results_dir.exists()


def test_the_limit_of_a_teardown_is_within_what_an_interrupted_command_waits() -> None:
    waits_s = level_supervisor.INTERRUPT_GRACE_S + lifecycle.TEARDOWN_S
    assert waits_s + 5 < STOP_GRACE_S
