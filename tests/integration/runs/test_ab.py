"""Interleaved comparisons of two revisions of a user's own code, with real git and workers."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from perf_pipeline.ab_run import compare_interleaved
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.metrics.comparison_file import read_comparison
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.selftest.loads.slowed_revision import revisions
from tests.sandbox import WAIT_S, Sandbox, last_object

SHORT = Phases(ramp_up_s=0.0, warm_up_s=0.1, warm_up_min_s=0.1, steady_s=0.5, drain_s=0.5)
FILE = f"""
target = "callable"
interpreter = "{sys.executable}"
python_path = "."
processes = 1
concurrency = [1]
[[workload]]
function = "work:work"
[phases]
ramp_up_s = 0
warm_up_s = 0.3
steady_s = 2
drain_s = 0.5
"""
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is missing"),
]


def git() -> str:
    found = shutil.which("git")
    assert found is not None
    return found


def code_in(folder: Path) -> Scenario:
    return Scenario(
        "mine",
        target="callable",
        concurrency=(1,),
        processes=1,
        workloads=(Workload("work:work", ""),),
        phases=SHORT,
        interpreter=sys.executable,
        folder=str(folder),
        python_path=str(folder),
    )


@pytest.mark.timeout(WAIT_S)
def test_both_revisions_take_turns_and_every_pair_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pairs: A B, then B A. Each arm executes the code of its commit."""
    monkeypatch.setenv("PERF_PIPELINE_LOAD_LOCK", str(tmp_path / "load.lock"))
    monkeypatch.setenv("PERF_PIPELINE_NOISE", "tell")
    first, second = revisions(tmp_path / "code", git())
    settings = replace(current_settings(), results_dir=tmp_path / "results")
    question = AbQuestion(
        AbArm("a", "callable", revision=first[:9]),
        AbArm("b", "callable", revision="HEAD"),
        max_pairs=2,
    )
    lines: list[str] = []
    comparison = compare_interleaved(
        code_in(tmp_path / "code"), question, settings, run_id="ab-1", notify=lines.append
    )

    folder = RunFolder(settings.results_dir / "ab-1")
    names = [path.name for path in folder.level_folders()]
    assert names == ["00-1-a", "01-1-b", "02-1-b", "03-1-a"]
    manifest = read_json(folder.manifest)
    assert [manifest["ab"][arm]["commit"] for arm in "ab"] == [first, second]
    assert list(manifest["plan_hashes"]) == names
    assert comparison.paired
    (cpu,) = (
        one for one in comparison.changes if one.metric == "throughput_per_s" and not one.family
    )
    assert len(cpu.baseline) == len(cpu.candidate) == 2
    stored = settings.results_dir / "comparisons" / "ab-1.json"
    assert read_comparison(stored) == comparison
    assert stored.with_suffix(".html").read_text(encoding="utf-8").startswith("<!doctype html>")
    (code,) = (one for one in comparison.differences if one.what == "code")
    assert first[:7] in code.baseline
    assert second[:7] in code.candidate
    assert any("pair 1:" in line and "interval" in line for line in lines)
    assert not list((tmp_path / "code" / ".git").glob("worktrees/*"))


def test_a_revision_whose_function_fails_ends_the_run_before_its_first_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERF_PIPELINE_LOAD_LOCK", str(tmp_path / "load.lock"))
    first, second = revisions(tmp_path / "code", git())
    settings = replace(current_settings(), results_dir=tmp_path / "results")
    question = AbQuestion(
        AbArm("a", "callable", revision=first), AbArm("b", "callable", revision=second)
    )
    scenario = replace(code_in(tmp_path / "code"), workloads=(Workload("work:lost", ""),))
    with pytest.raises(ScenarioError, match="lost"):
        compare_interleaved(scenario, question, settings, run_id="ab-2")
    assert not (settings.results_dir / "ab-2").exists()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(WAIT_S + 10)
def test_the_command_finds_a_revision_that_uses_10_percent_more_cpu_time(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "ab")
    try:
        code = sandbox.folder / "code"
        revisions(code, git())
        file = code / "mine.toml"
        file.write_text(FILE, encoding="utf-8")
        arms = ("--a-rev", "HEAD~1", "--b-rev", "HEAD")

        ended = sandbox.cli("ab", str(file), *arms, "--pairs", "12", "--no-explain", "--json")

        told = last_object(ended.stdout)
        assert ended.returncode == 1, ended.stderr
        assert (told["verdict"], told["paired"]) == ("regression", True)
        (cpu,) = (one for one in told["changes"] if one["metric"] == "cpu_per_workflow_s")
        assert cpu["effect"] == pytest.approx(1.1, abs=0.03)
        assert cpu["verdict"] == "regression"
        assert 6 <= told["pairs"] <= 12
        assert Path(told["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
        assert "arm A: callable, code at HEAD~1" in ended.stderr
    finally:
        sandbox.close()
