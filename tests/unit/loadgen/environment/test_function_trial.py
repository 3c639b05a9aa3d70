"""A function that no worker can call is found before anything starts."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from perf_pipeline.config.scenario.scenario import Arm, Scenario, Workload
from perf_pipeline.errors import ScenarioError
from perf_pipeline.lifeline import stamp
from perf_pipeline.loadgen.environment.function_trial import (
    FunctionTrial,
    function_targets,
    try_functions,
)

PYTHON = Path(sys.executable)
SHOP = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
print("[[noise that is no answer", flush=True)

def order(number):
    Path(__file__).with_name("called").touch()

async def later(number):
    pass

price = 3
"""


def trial(
    folder: Path,
    *functions: str,
    target: str = "callable",
    servers: tuple[str, ...] = (),
    python: Path | None = PYTHON,
    trial_s: float = 30.0,
) -> FunctionTrial:
    """Try functions of modules in a folder."""
    scenario = Scenario(
        "own",
        target=target,
        workloads=tuple(Workload(function, "") for function in functions),
        python_path=str(folder),
        servers=servers,
    )
    return try_functions(scenario, {target: python}, trial_s=trial_s)


def test_every_function_that_a_worker_cannot_call_is_reported_with_reason_and_path(
    tmp_path: Path,
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "broken.py").write_text("def f(number: pass")
    (tmp_path / "needy.py").write_text("import no_such_library")
    (tmp_path / "wanting.py").write_text("import os\nos.environ['PERF_PIPELINE_REDIS_URL']")
    wanted = {
        "shop:order": None,
        "shop:absent": f"shop:absent: {tmp_path}/shop.py has no absent",
        "shop:price": "shop:price is a int, which cannot be called",
        "shop:later": "shop:later is a coroutine function",
        "nowhere:f": "nowhere:f: nowhere cannot be imported (No module named 'nowhere')",
        "needy:f": "needy:f: needy cannot be imported (No module named 'no_such_library')",
        "broken:f": "broken:f: importing broken raised SyntaxError",
        "wanting:f": "wanting:f: importing wanting raised KeyError: 'PERF_PIPELINE_REDIS_URL'",
    }
    found = trial(tmp_path, *wanted)
    assert (found.good, found.not_tried) == (("shop:order",), ())
    starts = [start for start in wanted.values() if start]
    assert [
        message[: len(start)] for message, start in zip(found.wrong, starts, strict=True)
    ] == starts
    assert all(str(tmp_path) in message for message in found.wrong)
    with pytest.raises(ScenarioError) as refused:
        found.refuse_wrong("own.toml")
    assert refused.value.problems[0].startswith("own.toml: function shop:absent: ")


def test_a_function_is_imported_and_not_called(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    assert trial(tmp_path, "shop:order").good == ("shop:order",)
    assert (tmp_path / "imported").exists()
    assert not (tmp_path / "called").exists()


def test_a_plain_function_is_no_coroutine_function(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    found = trial(tmp_path, "shop:order", "shop:later", target="callable_async")
    assert found.good == ("shop:later",)
    assert "shop:order is not a coroutine function (async def)" in found.wrong[0]


def test_what_a_module_raises_that_has_servers_is_not_called_wrong(tmp_path: Path) -> None:
    """It cannot reach them before they run, so what it raises then proves nothing."""
    (tmp_path / "eager.py").write_text(
        "import os, socket, urllib.parse\n"
        "url = urllib.parse.urlsplit(os.environ['PERF_PIPELINE_REDIS_URL'])\n"
        "socket.create_connection((url.hostname, url.port))\n"
    )
    found = trial(tmp_path, "eager:f", servers=("redis",))
    assert (found.good, found.wrong) == ((), ())
    assert "ConnectionRefusedError" in found.not_tried[0]
    assert "as no server runs yet" in found.not_tried[0]


def test_a_module_that_ends_its_process_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os; print('bye', flush=True); os._exit(4)")
    (message,) = trial(tmp_path, "deadly:f").wrong
    assert "importing them ended the process with exit code 4: bye" in message


def test_an_import_without_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import subprocess, time, pathlib\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "pathlib.Path(__file__).with_name('pid').write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    found = trial(tmp_path, "slow:f", trial_s=1.5)
    assert "slow:f not tried to its end: its import took longer than 1.5 s" in found.not_tried[0]
    deadline = time.monotonic() + 5
    while stamp(int((tmp_path / "pid").read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert stamp(int((tmp_path / "pid").read_text())) is None


def test_a_function_whose_environment_is_not_made_yet_is_reported_as_not_tried(
    tmp_path: Path,
) -> None:
    found = trial(tmp_path, "shop:order", python=None)
    assert (found.good, found.wrong) == ((), ())
    assert found.not_tried[0].startswith("shop:order not tried: the environment of callable is not")


def test_functions_are_tried_for_arms_as_well_and_families_never() -> None:
    arm = Arm("tasks", "callable_async", "code", 1, 1.0)
    own = Scenario("own", target="callable", workloads=(Workload("shop:order", ""),), arms=(arm,))
    assert function_targets(own) == ["callable", "callable_async"]
    assert function_targets(Scenario("families")) == []
