"""``perf-pipeline capacity`` finds the number in flight at which a known target reaches a limit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from perf_pipeline.metrics.capacity_steps import measure_capacity
from perf_pipeline.samples.run_folder import RunFolder, read_json

COMMAND = Path(sys.executable).with_name("perf-pipeline")
SCENARIO = f"""
target = "callable"
interpreter = "{sys.executable}"
processes = 1
concurrency = [4]
[[workload]]
function = "perf_pipeline.selftest.known.slots:hold"
[phases]
ramp_up_s = 0
warm_up_s = 0.2
steady_s = 0.6
drain_s = 0.5
"""


@pytest.mark.integration
def test_four_slots_of_20_ms_hold_what_little_says(tmp_path: Path) -> None:
    """With N in flight one takes N x 5 ms or somewhat more: a mean of 30 ms is 6 at most."""
    file = tmp_path / "slots.toml"
    file.write_text(SCENARIO, encoding="utf-8")

    ended = subprocess.run(
        [COMMAND, "capacity", file, "--slo", "avg_s < 0.0475", "--max", "16", "--json",
         "--results", tmp_path / "results"],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    told = json.loads(ended.stdout.splitlines()[-1])
    assert ended.returncode == 0, ended.stderr
    assert told["verdict"] == "found"
    assert 4 <= told["capacity"] <= 9
    assert told["capacity"] < told["below"] <= 16
    assert told["points"][0]["load"] == 4
    assert all(abs(p["little_ratio"] - 1) <= 0.05 for p in told["points"] if p["shows"] == "met")
    folder = RunFolder(Path(told["folder"]))
    again = measure_capacity(folder)
    assert (again.value, again.below) == (told["capacity"], told["below"])
    manifest = read_json(folder.manifest)
    assert list(manifest["plan_hashes"]) == [path.name for path in folder.level_folders()]
    assert read_json(folder.root / "capacity.json")["verdict"] == "found"
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert f"{told['capacity']:g} in flight keeps avg_s" in page
