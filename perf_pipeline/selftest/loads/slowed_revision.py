"""Real interleaved comparisons of two revisions of a target whose difference is known.

A workflow uses 5 ms of CPU time, counted by the kernel, in a thread; in the slowed revision 5.5 ms.
Both are commits of a repository that is made for it, and played as ``perf-pipeline ab --a-rev
--b-rev`` plays them, in short levels: once the same code twice, once the slowed one as arm B.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.ab_run import compare_interleaved
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.selftest.figure import Figure

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.comparison import Change, Comparison

CPU_MS = 5.0
SLOWED = 1.10
STEADY_S = 2.5
MAX_PAIRS = 15
NEAR_PERCENT = 3.0
"""How far the effect found may be off: beside its CPU time, a workflow costs some of ours."""

_TARGET = "callable"
_CODE = '''import time

CPU_S = {cpu_s}


def work(_number):
    """Use CPU_S of CPU time."""
    until_s = time.thread_time() + CPU_S
    while time.thread_time() < until_s:
        pass
'''
_NAMES = {"throughput_per_s": 1 / SLOWED, "cpu_per_workflow_s": SLOWED}
"""Metric to the true ratio of the slowed arm."""

_log = logging.getLogger(__name__)


def slowed_figures(seed: int) -> list[Figure]:
    """Compare the same code twice, and the slowed code with it."""
    git = shutil.which("git")
    if git is None:
        why = "git is not installed"
        return [Figure("real engine: two revisions compared", None, "", 1.0, note=why)]
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        commits = revisions(folder / "code", git)
        settings = replace(current_settings(), results_dir=folder / "results", noise="tell")
        same, slowed = (
            compare(folder / "code", commits[0], commit, settings, seed, MAX_PAIRS)
            for commit in commits
        )
    return [
        *(_equal(change) for change in _deciding(same)),
        *(figure for change in _deciding(slowed) for figure in _slower(change)),
    ]


def revisions(folder: Path, git: str) -> tuple[str, str]:
    """Make a repository with two commits, the second one slowed; return them.

    Args:
        folder: Of the repository; must not exist.
        git: The program.
    """
    folder.mkdir()
    author = ("-c", "user.name=selftest", "-c", "user.email=selftest@localhost")

    def call(*arguments: str) -> str:
        command = [git, "-C", str(folder), *author, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    call("init", "--quiet")
    commits = []
    for times in (1.0, SLOWED):
        code = _CODE.format(cpu_s=times * CPU_MS / 1000)
        (folder / "work.py").write_text(code, encoding="utf-8")
        call("add", "work.py")
        call("commit", "--quiet", "--message", f"{times:g} times as slow")
        commits.append(call("rev-parse", "HEAD"))
    first, second = commits
    return first, second


def compare(folder: Path, a: str, b: str, settings: Settings, seed: int, pairs: int) -> Comparison:
    """Compare two revisions of the code in ``folder``."""
    scenario = Scenario(
        "selftest-regression",
        seed=seed,
        target=_TARGET,
        concurrency=(1,),
        processes=1,
        workloads=(Workload("work:work", ""),),
        phases=Phases(ramp_up_s=0.0, warm_up_s=0.3, steady_s=STEADY_S, drain_s=1.0),
        interpreter=sys.executable,
        folder=str(folder),
        python_path=str(folder),
    )
    question = AbQuestion(
        AbArm("a", _TARGET, revision=a), AbArm("b", _TARGET, revision=b), max_pairs=pairs
    )
    return compare_interleaved(scenario, question, settings, notify=_log.info)


def _deciding(comparison: Comparison) -> list[Change]:
    return [one for one in comparison.changes if one.metric in _NAMES and not one.family]


def _equal(change: Change) -> Figure:
    is_moved = change.verdict in ("regression", "improvement")
    return Figure(
        f"real engine, the same code twice: {change.metric} called changed",
        None if change.effect is None else float(is_moved),
        "",
        0.0,
        note=change.why,
    )


def _slower(change: Change) -> list[Figure]:
    about = f"real engine, {100 * (SLOWED - 1):.0f} % slower: {change.metric}"
    truth = _NAMES[change.metric]
    off = None if change.effect is None else 100 * abs(change.effect / truth - 1)
    pairs = len(change.baseline)
    return [
        Figure(
            f"{about} called a regression",
            None if change.effect is None else float(change.verdict == "regression"),
            "",
            1.0,
            at_most=False,
            note=f"{pairs} pairs; {change.why}",
        ),
        Figure(f"{about}: effect off the true ratio {truth:.3f} by", off, "%", NEAR_PERCENT),
    ]
