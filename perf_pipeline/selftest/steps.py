"""Timing kailash's nodes in every 20th workflow costs less than 1 % of its throughput.

One thread executes workflows in turns of some milliseconds: with timed nodes in each workflow, with
sampling that never comes to its turn, and without. Steps are committed to a journal. CPU time of
the process is compared, which on a busy core is throughput: the cost of timing in each workflow is
measured, where it is large enough to be seen, and a 20th of it is what sampling costs, beside what
each workflow pays for the question whether it is sampled. What is proven is the upper end of a 95 %
interval. Beside it: what one ``with step`` costs, and what it costs outside of a worker.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.worker import start

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

TURNS = {Size.CI: (40, 40), Size.FULL: (400, 100)}
"""Turns of each way, and workflows a turn."""

MAX_COST_PERCENT = {Size.CI: 5.0, Size.FULL: 1.0}
MAX_STEP_US = {Size.CI: 10.0, Size.FULL: 2.0}
_LIMIT_S = 300.0


def run(size: Size, seed: int) -> list[Figure]:
    """Measure the cost of sampled nodes, and that of one step."""
    del seed  # nothing is drawn
    settings = current_settings()
    python = make_environment(
        parse_target("kailash"),
        cache_dir=settings.cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    ).python
    turns, workflows = TURNS[size]
    found = _measured(python, turns, workflows)
    every = int(with_defaults("kailash", {})["sample_nodes_every"])
    took = np.array(found["turns"], dtype=np.float64)
    cost, low, high = sampled_cost_percent(took, every)
    timed = 100 * (float(np.median(took[:, 0] / took[:, 2])) - 1)
    each_us = float(np.median(took[:, 2])) / workflows / 1e3
    note = f"{cost:.2f} % [{low:.2f}, {high:.2f}]; timing each workflow: {timed:.1f} %"
    return [
        Figure(
            f"cost of timing the nodes of every {every}th workflow, upper end of the interval",
            high, "%", MAX_COST_PERCENT[size], note=f"{note}; a workflow takes {each_us:.0f} µs",
        ),
        Figure("one `with step` in a worker", found["step_ns"] / 1e3, "µs", MAX_STEP_US[size]),
        Figure("outside of a worker", found["outside_ns"] / 1e3, "µs", MAX_STEP_US[size]),
    ]  # fmt: skip


def sampled_cost_percent(
    took_ns: npt.NDArray[np.float64], every: int
) -> tuple[float, float, float]:
    """Return the cost of sampling every so many-th workflow, and its 95 % interval, in percent.

    Args:
        took_ns: float64[turns, 3], CPU time of a turn with timed nodes in each workflow, with
            sampling that never samples, and without sampling.
        every: The nodes of every so many-th workflow are timed.
    """
    timed, asked, plain = took_ns.T
    ratios = 100 * ((timed - asked) / every + asked - plain) / float(plain.mean())
    # A turn that was interrupted for longer than its own length says nothing about either way.
    middle = float(np.median(ratios))
    spread = 1.4826 * float(np.median(np.abs(ratios - middle))) or 1.0
    ratios = np.clip(ratios, middle - 4 * spread, middle + 4 * spread)
    mean, count = float(ratios.mean()), len(ratios)
    half = t_quantile(0.975, count - 1) * float(ratios.std(ddof=1)) / math.sqrt(count)
    return mean, mean - half, mean + half


def _measured(python: Path, turns: int, workflows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as folder:
        wish = {
            "folder": folder,
            "settings": with_defaults("kailash", {}),
            "turns": turns,
            "workflows": workflows,
        }
        module = "perf_pipeline.selftest.loads.step_worker"
        ended = subprocess.run(
            [python, "-P", start.__file__, module, "", json.dumps(wish)],
            capture_output=True, text=True, timeout=_LIMIT_S, check=False, cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "HOME": folder},
        )  # fmt: skip
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        raise PerfPipelineError(f"the worker of the selftest failed: {ended.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found
