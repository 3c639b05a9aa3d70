"""``perf-pipeline capacity`` finds the number in flight at which a known target reaches a limit."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.capacity_steps import measure_capacity
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.run_folder import RunFolder, read_json
from tests.sandbox import SLOTS_SCENARIO, WAIT_S, Sandbox, last_object, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path / "capacity")
    yield made
    made.close()


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(WAIT_S + 10)
def test_four_slots_of_20_ms_hold_what_little_says(sandbox: Sandbox) -> None:
    """With N in flight one takes N x 5 ms or somewhat more: a mean of 37.5 ms is 7 at most.

    In ``make test`` the selftest ``capacity`` proves the search.
    """
    file = sandbox.folder / "slots.toml"
    file.write_text(SLOTS_SCENARIO, encoding="utf-8")

    ended = sandbox.cli("capacity", str(file), "--slo", "avg_s < 0.0375", "--max", "8", "--json")

    told = json.loads(ended.stdout.splitlines()[-1])
    assert ended.returncode == 0, ended.stderr
    assert told["verdict"] == "found"
    assert 4 <= told["capacity"] <= 7
    assert told["capacity"] < told["below"] <= 8
    assert told["points"][0]["load"] == 4
    assert all(abs(p["little_ratio"] - 1) <= 0.05 for p in told["points"] if p["shows"] == "met")
    folder = RunFolder(Path(told["folder"]))
    again = measure_capacity(folder, read_metrics(folder).levels)
    assert (again.value, again.below) == (told["capacity"], told["below"])
    manifest = read_json(folder.manifest)
    assert list(manifest["plan_hashes"]) == [path.name for path in folder.level_folders()]
    assert read_json(folder.root / "capacity.json")["verdict"] == "found"
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert f"{told['capacity']:g} in flight meets avg_s" in page


@pytest.mark.integration
@pytest.mark.timeout(WAIT_S + 10)
def test_ctrl_c_keeps_the_steps_that_were_measured_and_exits_130(sandbox: Sandbox) -> None:
    """The search is far from its end: objectives that hold at any load, and growing steps."""
    file = sandbox.folder / "slots.toml"
    file.write_text(SLOTS_SCENARIO, encoding="utf-8")
    asked = ("capacity", str(file), "--slo", "avg_s < 60", "--max", "512", "--json")
    out = sandbox.folder / "capacity.out"

    search = sandbox.start("perf-pipeline", *asked, log=out)
    told = out.with_suffix(".err")
    assert until(lambda: "step 2: " in told.read_text(encoding="utf-8"), WAIT_S)
    search.send_signal(signal.SIGINT)

    assert search.wait(timeout=30) == 130
    answer = last_object(out.read_text(encoding="utf-8"))
    assert answer["error"] == "interrupted"
    loads = [point["load"] for point in answer["points"]]
    assert loads[:2] == sorted(loads)[:2]
    assert answer["capacity"] >= loads[1] > loads[0] == 4
    assert RunFolder(Path(answer["folder"])).read_status()["status"] == "interrupted"
    assert Path(answer["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "Traceback" not in told.read_text(encoding="utf-8")
    assert until(lambda: not sandbox.processes(), 10), sandbox.processes()
