"""The job ``ab`` compares two arms and shows what it found."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.selftest.loads.slowed_revision import revisions
from tests.assets.conftest import latest

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

SCENARIO = f"""
target = "callable"
interpreter = "{sys.executable}"
python_path = "."
processes = 1
concurrency = [1]
[[workload]]
function = "work:work"
[phases]
ramp_up_s = 0
warm_up_s = 0.1
warm_up_min_s = 0.1
steady_s = 0.5
drain_s = 0.5
"""


@pytest.mark.alone
@pytest.mark.integration
@pytest.mark.slow
def test_the_job_shows_the_comparison_with_its_page_and_its_effects(sandbox: Sandbox) -> None:
    """Two pairs of the same revision decide nothing, so the run fails after it has reported."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is missing")
    code = sandbox.folder / "ab-code"
    first, _ = revisions(code, git)
    file = code / "mine.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    asked = {
        "scenario": str(file),
        "a": "callable",
        "b": "callable",
        "a_rev": first,
        "b_rev": "HEAD~1",
        "max_pairs": 2,
        "results_dir": str(sandbox.results),
    }
    config = sandbox.folder / "ab.json"
    config.write_text(json.dumps({"ops": {"ab_comparison": {"config": asked}}}), encoding="utf-8")

    ran = sandbox.dagster("job", "execute", "-j", "ab", "-c", str(config))

    run = latest(sandbox.dagster_home)
    shown = run.materialized["ab_comparison"]
    assert (ran.returncode == 0) == run.checks["verdict"], ran.stdout
    assert run.checks["verdict"] == (shown["verdict"] in {"no_change", "improvement"})
    assert Path(shown["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    stored = json.loads(Path(shown["comparison"]).read_text(encoding="utf-8"))
    assert (stored["verdict"], stored["paired"]) == (shown["verdict"], True)
    (effect,) = (
        one["effect"]
        for one in stored["changes"]
        if (one["metric"], one["family"]) == ("throughput_per_s", "")
    )
    assert shown["change (%): throughput at 1"] == pytest.approx(100 * (effect - 1), abs=0.1)
