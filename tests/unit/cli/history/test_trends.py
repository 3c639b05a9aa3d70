"""What changed over the runs, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Answer

RUNS = 18
FIRST_BAD = 9


def test_history_names_the_first_run_of_a_new_level_and_writes_its_page(
    command: Callable[..., Answer], here: Path
) -> None:
    """Workflows take 30 % longer from run 10 on, with noise of 1 %."""
    for number in range(RUNS):
        noise = 1 + 0.005 * ((7 * number) % 5 - 2)
        service_s = (0.1 if number < FIRST_BAD else 0.13) * noise
        write_run(here / "results", f"r-{number:02}", service_s=service_s)
    answer = command("history", "--json")
    assert answer.code == 0
    (found,) = answer.reported["histories"]
    assert (found["scenario"], found["target"]) == ("simulated", "control")
    assert found["runs"] == [f"r-{number:02}" for number in range(RUNS)]
    throughput = [one for one in found["change_points"] if one["metric"] == "throughput_per_s"]
    assert [
        (one["run"], one["tier"], one["is_worse"]) for one in throughput if not one["family"]
    ] == [(f"r-{FIRST_BAD:02}", "confirmed", True)]
    assert found["drifts"] == []  # fewer runs than a drift takes
    assert Path(found["page"]).is_file()
    told = command("history", "--explain")
    assert f"page: {found['page']}" in told.out
    assert "worse, confirmed" in told.out
    assert max(map(len, told.out.splitlines())) <= max(100, len(f"page: {found['page']}"))


def test_history_of_nothing_says_how_to_begin_and_makes_no_folder(
    command: Callable[..., Answer], here: Path
) -> None:
    answer = command("history", "--json")
    assert not (here / "results").exists()
    assert (answer.code, answer.reported["histories"]) == (0, [])
    assert "`perf-pipeline run baseline` makes one" in answer.err
