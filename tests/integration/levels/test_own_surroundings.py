"""A user's own functions find their files, modules and variables, from wherever they are run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import open_scenario, run_scenario
from perf_pipeline.cli.app import call
from perf_pipeline.config.settings import current_settings
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

TOKEN = "canary-t0ken-5f3a"
SHOP = """
import json, os, time
import queue, types                        # Python's own, though files of these names are here
import assets                              # the user's own, though ours has one of that name
from pathlib import Path

prices = json.load(open("prices.json"))    # at the import
queue.Queue, types.ModuleType

def order(number):
    time.sleep(0.01)
    assert json.load(open("prices.json")) == prices == [3]    # under load
    assert not Path("pyproject.toml").exists()
    assert (assets.MINE, os.environ["SHOP_API"]) == (1, "http://shop")
    print(os.environ["SHOP_TOKEN"])
    if number % 2:
        raise ValueError(f"token {os.environ['SHOP_TOKEN']} refused")
"""
SCENARIO = """
target = "callable"
python_path = "."
concurrency = [2]
processes = 1
max_error_ratio = 1

[[workload]]
function = "shop:order"

[environment]
SHOP_API = "http://shop"
SHOP_PASSWORD = "canary-wr1tten-77"
pass = ["SHOP_TOKEN"]

[phases]
steady_s = 0.5
ramp_up_s = 0.1
warm_up_s = 0.1
drain_s = 1
"""


def test_functions_find_files_modules_and_variables_and_no_value_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trial, cold start and load, started from another folder; the secrets are in no file."""
    own = tmp_path / "own"
    own.mkdir()
    for name, text in {
        "shop.py": SHOP,
        "shop.toml": SCENARIO,
        "prices.json": "[3]",
        "queue.py": "",
        "types.py": "",
        "assets.py": "MINE = 1",
    }.items():
        (own / name).write_text(text)
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    monkeypatch.chdir("/")
    settings = replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)

    assert call(["check", str(own / "shop.toml")]) == 0
    checked = " ".join(capsys.readouterr().out.split())
    assert "queue.py has the name of a module that comes first" in checked
    run = run_scenario(open_scenario(str(own / "shop.toml")), settings)

    (level,) = run.levels
    assert level.outcomes["ok"] > 0
    assert level.outcomes["error"] > 0
    assert set(level.error_classes) - {"none"}
    assert all(name != "wrong_result" or not n for name, n in level.error_classes.items())
    stored = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for secret in (TOKEN.encode(), b"canary-wr1tten-77"):
        found = [path.name for path, content in stored.items() if secret in content]
        assert found == (["shop.toml"] if b"wr1tten" in secret else [])
        assert secret.decode() not in checked
    assert run.metrics.manifest.variables.passed == ("SHOP_TOKEN",)
    assert run.metrics.manifest.variables.values == {
        "SHOP_API": "http://shop",
        "SHOP_PASSWORD": "(hidden)",
    }
    assert "SHOP_TOKEN" in run.report.html.read_text()


FROZEN = """
import sys, threading, time
time.monotonic_ns = time.monotonic = time.perf_counter = lambda: 7
time.sleep = lambda s: None
sys.setswitchinterval(0.001)

class Green:                               # what gevent puts there starts no thread
    def __init__(self, *args, **more): pass
    def start(self): pass

threading.Thread = Green
real = time.clock_gettime_ns

def order(number):
    until_ns = real(time.CLOCK_MONOTONIC) + 10_000_000
    while real(time.CLOCK_MONOTONIC) < until_ns:
        pass

async def order_later(number):
    order(number)
"""


@pytest.mark.parametrize(("target", "function"), [("", ""), ("_async", "_later")])
def test_a_module_that_replaces_clocks_sleep_and_threads_changes_no_figure_and_is_named(
    tmp_path: Path, target: str, function: str
) -> None:
    """The level ends in time, and its service times are those of the work, 10 ms of CPU."""
    (tmp_path / "shop.py").write_text(FROZEN)
    text = SCENARIO.replace('"callable"', f'"callable{target}"').replace(
        '"shop:order"', f'"shop:order{function}"'
    )
    text = text[: text.index("[environment]")] + text[text.index("[phases]") :]
    (tmp_path / "shop.toml").write_text(text)
    settings = replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)
    said: list[str] = []

    run = run_scenario(open_scenario(str(tmp_path / "shop.toml")), settings, notify=said.append)

    (level,) = run.levels
    assert level.outcomes["error"] == 0
    assert level.outcomes["ok"] >= 10
    p50_s = level.service_times.percentiles[0].value_s
    assert p50_s is not None
    assert 0.009 < p50_s < 1.0
    (end,) = level.workers
    assert end.reason == "done"
    clocks = "time.monotonic, time.monotonic_ns, time.perf_counter, time.sleep"
    assert f"{clocks}, threading.Thread replaced by shop" in end.replaced
    assert "switch interval of the interpreter lock, s: 0.001, was 0.005" in end.replaced
    assert any("threading.Thread replaced by shop" in line for line in said)
    assert "the target changed its process" in run.report.html.read_text()
