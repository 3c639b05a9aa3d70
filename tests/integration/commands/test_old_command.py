"""``python -m perf_pipeline`` from outside, on the real target."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COMMAND = ("-m", "perf_pipeline", "--scenario", "baseline", "--concurrency", "4")
RUN_S = 600.0
"""A run takes over a minute, and first waits for whoever has the host's lock."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    yield made
    made.close()


def test_ctrl_c_keeps_partial_results_and_exits_130(sandbox: Sandbox) -> None:
    log = sandbox.folder / "interrupted.out"
    process = sandbox.start(sys.executable, *COMMAND, log=log)
    folder = sandbox.wait_until_steady(process, 0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    partial = sandbox.results / f"partial_results_{folder.name[:15]}.json"
    (level,) = json.loads(partial.read_text(encoding="utf-8"))
    assert (level["concurrency"], level["validity"]) == (4, "incomplete")
    assert level["run_id"] == folder.name


def _ended(sandbox: Sandbox, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; returns its exit code, and all that it said."""
    log = sandbox.folder / "ended.out"
    code = sandbox.start(sys.executable, *arguments, log=log).wait(timeout=RUN_S)
    told = [path.read_text(encoding="utf-8") for path in (log, log.with_suffix(".err"))]
    return code, "".join(told)


@pytest.mark.timeout(2 * RUN_S + 60)
def test_a_run_can_be_compared_with_an_earlier_one(sandbox: Sandbox) -> None:
    """The files say what is compared; the verdict is the machine's to give."""
    code, told = _ended(sandbox, *COMMAND, "--accept-verdicts", "--verbose")
    assert code == 0, told
    (file,) = sandbox.results.glob("baseline_2*.json")
    assert f"written: {file}" in told
    compare = ("-m", "perf_pipeline", "--scenario", "regression", "--baseline", str(file))
    code, told = _ended(sandbox, *compare)
    assert code in {0, 1, 3}, told
    (analysis,) = sandbox.results.glob("regression_analysis_*.json")
    (level,) = json.loads(analysis.read_text(encoding="utf-8"))
    assert level["concurrency"] == 4
    assert f"4 in flight: {level['verdict']}" in told
    assert code == {"no_change": 0, "improvement": 0, "regression": 1}.get(level["verdict"], 3)
    (comparison,) = sandbox.results.glob("comparisons/*.json")
    assert json.loads(comparison.read_text(encoding="utf-8"))["verdict"] == level["verdict"]
