"""A function that no worker can call is found before anything starts."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import pytest

from perf_pipeline.config.scenario.scenario import Arm, Scenario, Workload
from perf_pipeline.config.scenario.variables import Variables
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
    import_s: float = 30.0,
    call_s: float = 30.0,
    calls: bool = False,
    setup: str = "",
    teardown: str = "",
    said: list[str] | None = None,
) -> FunctionTrial:
    """Try functions of modules in a folder."""
    scenario = Scenario(
        "own",
        target=target,
        workloads=tuple(Workload(function, "") for function in functions),
        python_path=str(folder),
        servers=servers,
        setup=setup,
        teardown=teardown,
    )
    return try_functions(
        scenario,
        {target: python},
        calls=calls,
        notify=(said if said is not None else []).append,
        import_s=import_s,
        call_s=call_s,
    )


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
        "shop:price": "shop:price is an int, which cannot be called",
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


def test_the_trial_is_made_in_the_folder_of_the_scenario_with_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative files and variables are there at the import, as they are under load."""
    monkeypatch.chdir("/")
    monkeypatch.setenv("SHOP_TOKEN", "t0p")
    (tmp_path / "prices.json").write_text("7")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "shop.py").write_text(
        "import os\n"
        "assert open('prices.json').read() == '7'\n"
        "assert (os.environ['SHOP_API'], os.environ['SHOP_TOKEN']) == ('http://shop', 't0p')\n"
        "def order(number): pass\n"
    )
    scenario = Scenario(
        "own",
        target="callable",
        workloads=(Workload("shop:order", ""),),
        folder=str(tmp_path),
        python_path=str(tmp_path / "modules"),
        variables=Variables({"SHOP_API": "http://shop"}, ("SHOP_TOKEN",)),
    )
    found = try_functions(scenario, {"callable": PYTHON})
    assert (found.good, found.wrong) == (("shop:order",), ())


def test_a_variable_that_is_not_there_is_named_with_how_to_hand_it_over(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import os\nos.environ['SHOP_API']")
    (tmp_path / "other.py").write_text("{}['SHOP_API']")
    found = trial(tmp_path, "shop:order", "other:order")
    assert "in [environment] of the scenario give it a value, SHOP_API = " in found.wrong[0]
    assert "environment" not in found.wrong[1]


def test_a_file_called_like_a_module_of_python_is_named(tmp_path: Path) -> None:
    """Unused it is only named; a function in it, or code that wants it, is refused."""
    (tmp_path / "queue.py").write_text("def order(number): pass")
    (tmp_path / "types.py").write_text("Order = 1")
    (tmp_path / "perf_pipeline").mkdir()
    (tmp_path / "perf_pipeline" / "__init__.py").touch()
    (tmp_path / "random").mkdir()
    (tmp_path / "shop.py").write_text("import queue\nqueue.Queue\ndef order(number): pass")
    (tmp_path / "wants.py").write_text("from types import Order")
    found = trial(tmp_path, "shop:order")
    assert (found.good, found.wrong) == (("shop:order",), ())
    names = ["perf_pipeline", "queue.py", "types.py"]
    assert [one.partition(" has the name")[0] for one in found.hidden] == [
        str(tmp_path / name) for name in names
    ]
    found = trial(tmp_path, "queue:order", "wants:order", "__main__:main")
    assert found.wrong[0].startswith(f"queue:order: {tmp_path}/queue.py has the name of a module")
    assert "cannot import name 'Order' from 'types'" in found.wrong[1]
    assert "__main__ is the worker itself" in found.wrong[2]
    assert set(found.hidden) <= set(found.wrong)


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
    found = trial(tmp_path, "slow:f", import_s=1.5)
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


OWN = """
import os, pathlib, threading, time

def note(what):
    is_main = threading.current_thread() is threading.main_thread()
    with open("calls", "a") as file:
        file.write(f"{what} {is_main}\\n")

def start():
    assert "PERF_PIPELINE_CONNECTIONS" in os.environ
    note("start")

def stop():
    note("stop")

def order(number):
    note(f"order {number}")

def refund(number):
    note(f"refund {number}")

def fail(number):
    raise ConnectionError(f"no shop for {number}")

def fail_once(number):
    if number == -1:
        raise ConnectionError("no shop yet")

def hang(number):
    time.sleep(60)

def end(number):
    os._exit(4)

def bad():
    raise ValueError("no licence")

def with_argument(config):
    pass

def lazily():
    yield

async def astart():
    note("astart")

async def aorder(number):
    note(f"aorder {number}")
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def test_setup_each_function_and_teardown_are_called_once_in_the_folder_of_the_workers(
    own: Path,
) -> None:
    """Setup and teardown in the main thread, workflows in others, as under load."""
    said: list[str] = []
    found = trial(
        own,
        "own:order",
        "own:refund",
        setup="own:start",
        teardown="own:stop",
        calls=True,
        said=said,
    )
    assert (found.wrong, found.warnings, found.not_tried) == ((), (), ())
    assert said == [f"calls own:start(), own:order(-1), own:refund(-2), own:stop() once in {own}"]
    assert (own / "calls").read_text().splitlines() == [
        *("start True", "order -1 False", "refund -2 False", "stop True")
    ]
    assert [one.partition(":  called")[0].split(": called")[0] for one in found.called] == [
        *("own:start()", "own:order(-1)", "own:refund(-2)", "own:stop()")
    ]


def test_coroutine_functions_are_awaited_in_the_trial(own: Path) -> None:
    found = trial(own, "own:aorder", setup="own:astart", target="callable_async", calls=True)
    assert (found.wrong, len(found.called)) == ((), 2)
    assert (own / "calls").read_text().splitlines() == ["astart False", "aorder -1 False"]


def test_a_function_that_raises_in_each_of_three_calls_is_wrong_with_its_line(own: Path) -> None:
    line = 1 + OWN.splitlines().index('    raise ConnectionError(f"no shop for {number}")')
    (sentence,) = trial(own, "own:fail", calls=True).wrong
    assert sentence.startswith(
        f"own:fail(-3) raised ConnectionError: no shop for -3 ({own}/own.py line {line}), as each "
        "of 3 calls raised. "
    )
    assert "trial_call = false" in sentence


def test_a_function_that_fails_now_and_then_is_warned_of_and_can_be_measured(own: Path) -> None:
    found = trial(own, "own:fail_once", calls=True)
    assert found.wrong == ()
    (warning,) = found.warnings
    assert warning.startswith("own:fail_once(-1) raised ConnectionError: no shop yet (")
    assert "own:fail_once(-2) ended well" in warning


def test_a_setup_that_raises_is_wrong_at_once_and_a_teardown_only_warned_of(own: Path) -> None:
    found = trial(own, "own:order", setup="own:bad", calls=True)
    assert found.wrong[0].startswith("own:bad(), the setup, raised ValueError: no licence (")
    assert not (own / "calls").exists()
    found = trial(own, "own:order", teardown="own:bad", calls=True)
    assert found.wrong == ()
    assert found.warnings[0].startswith("own:bad(), the teardown, raised ValueError: no licence (")


def test_setups_that_no_worker_can_call_are_wrong_all_at_once(own: Path) -> None:
    found = trial(own, "own:order", setup="own:astart", teardown="own:absent")
    assert [one.partition(" ")[0] for one in found.wrong] == ["own:astart", "own:absent:"]
    assert "is a coroutine function" in found.wrong[0]
    found = trial(own, "own:order", setup="own:with_argument", teardown="own:lazily")
    assert "called without arguments: missing a required argument: 'config'" in found.wrong[0]
    assert "own:lazily is a generator" in found.wrong[1]
    found = trial(own, "own:aorder", setup="own:start", target="callable_async")
    assert "own:start is not a coroutine function (async def)" in found.wrong[0]


def test_a_call_without_end_is_not_wrong_and_one_that_ends_its_process_is(own: Path) -> None:
    found = trial(own, "own:hang", import_s=1.0, call_s=1.0, calls=True)
    assert found.wrong == ()
    assert found.not_tried == ("own:hang(-1) not tried to its end: it took longer than 1 s.",)
    found = trial(own, "own:end", calls=True)
    assert found.wrong[0].startswith("own:end(-1) ended the process with exit code 4")


def test_functions_whose_servers_do_not_run_are_imported_and_called_later(own: Path) -> None:
    said: list[str] = []
    found = trial(own, "own:order", servers=("redis",), calls=True, said=said)
    assert (found.good, found.called, said) == (("own:order",), (), [])
    assert "own:order not called: redis does not run yet" in found.not_tried[0]


def test_a_function_with_a_data_file_gets_a_row_in_its_trial(own: Path) -> None:
    """Number -1 of two rows is the second one, as under load."""
    content = b"item\nbook\npen\n"
    (own / "orders.csv").write_bytes(content)
    (own / "rows.py").write_text("def order(number, row):\n    assert row == {'item': 'pen'}\n")
    digest = hashlib.sha256(content).hexdigest()
    workload = Workload("rows:order", "", data=str(own / "orders.csv"), data_sha256=digest)
    scenario = Scenario(
        "own", target="callable", workloads=(workload,), python_path=str(own), concurrency=(1,)
    )
    found = try_functions(scenario, {"callable": PYTHON}, calls=True)
    assert (found.wrong, len(found.called)) == ((), 1)
    (own / "orders.csv").write_bytes(b"item\npen\n")
    found = try_functions(scenario, {"callable": PYTHON}, calls=True)
    assert found.wrong[0].startswith("opening the functions raised ")
