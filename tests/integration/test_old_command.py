"""``python -m perf_pipeline`` from outside, on the real target."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import WAIT_S, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COMMAND = ("-m", "perf_pipeline", "--scenario", "baseline", "--concurrency", "4")


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


@pytest.mark.timeout(2 * WAIT_S + 60)
def test_a_run_can_be_compared_with_an_earlier_one(sandbox: Sandbox) -> None:
    """The files say what is compared; the verdict is the machine's to give.

    Two runs of more than a minute, each of which may first wait for another load run's lock.
    """
    first = sandbox.run(sys.executable, *COMMAND, "--accept-verdicts", "--verbose")
    assert first.returncode == 0, first.stderr
    (file,) = sandbox.results.glob("baseline_2*.json")
    assert f"written: {file}" in first.stdout
    compare = ("-m", "perf_pipeline", "--scenario", "regression", "--baseline", str(file))
    second = sandbox.run(sys.executable, *compare)
    assert second.returncode in {0, 1}, second.stderr
    (analysis,) = sandbox.results.glob("regression_analysis_*.json")
    (level,) = json.loads(analysis.read_text(encoding="utf-8"))
    assert level["concurrency"] == 4
    assert f"4 in flight: {level['verdict']}" in second.stdout
    assert second.returncode == (0 if level["verdict"] in {"no_change", "improvement"} else 1)
