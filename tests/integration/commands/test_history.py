"""What changed over the runs, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf_pipeline.cli.app import call
from perf_pipeline.exit_code import Exit
from tests.sandbox import Sandbox, last_object
from tests.simulated_run import write_run

pytestmark = pytest.mark.integration

RUNS = 16
FIRST_BAD = 8


def test_history_names_the_first_run_of_a_new_level_and_writes_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workflows take 30 % longer from run 9 on, with noise of 1 %."""
    sandbox = Sandbox(tmp_path)
    for number in range(RUNS):
        noise = 1 + 0.005 * ((7 * number) % 5 - 2)
        service_s = (0.1 if number < FIRST_BAD else 0.13) * noise
        write_run(sandbox.results, f"r-{number:02}", service_s=service_s)
    answer = sandbox.cli("history", "--json")
    assert answer.returncode == 0, answer.stderr
    (found,) = last_object(answer.stdout)["histories"]
    assert (found["scenario"], found["target"]) == ("simulated", "control")
    assert found["runs"] == [f"r-{number:02}" for number in range(RUNS)]
    throughput = [one for one in found["change_points"] if one["metric"] == "throughput_per_s"]
    assert [
        (one["run"], one["tier"], one["is_worse"]) for one in throughput if not one["family"]
    ] == [(f"r-{FIRST_BAD:02}", "confirmed", True)]
    assert found["drifts"] == []  # fewer runs than a drift takes
    assert Path(found["page"]).is_file()
    sandbox.enter(monkeypatch)
    assert call(["history", "--explain"]) == Exit.COMPLETE
    told = capsys.readouterr().out
    assert f"page: {found['page']}" in told
    assert "worse, confirmed" in told
    assert max(map(len, told.splitlines())) <= max(100, len(f"page: {found['page']}"))
