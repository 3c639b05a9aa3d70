"""What commands say of a run in shards that nobody has merged: what it is and what merges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.run_record import RUNNING
from perf_pipeline.shards.shard_order import shard_folder
from tests.dealt_shards import Host, deal
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer


@pytest.fixture
def run(here: Path) -> Path:
    """A run of three shards: one has ended, one goes on, one has not begun."""
    played = write_run(here / "played", "r-1")
    made = deal(played, here / "results", [Host("gen-a"), Host("gen-b"), Host("gen-c")])
    goes_on = RunFolder(shard_folder(made, 1)).status_file
    stamp = list(own_stamp())
    write_json(goes_on, {**read_json(goes_on), "status": RUNNING, "process": stamp})
    RunFolder(shard_folder(made, 2)).status_file.unlink()
    return made


def test_status_shows_how_far_each_shard_is(command: Callable[..., Answer], run: Path) -> None:
    found = command("status")
    assert f"run {run.name}, in shards: 0 complete, 1 running, 2 not begun" in found.out
    assert "no run goes on" not in found.out
    assert command("status", "--json").reported["shards"] == {
        run.name: ["complete", "running", "not begun"]
    }


@pytest.mark.parametrize(
    "arguments",
    [("records", "r-1"), ("report", "r-1"), ("logs", "r-1"), ("catalogue", "add", "results/r-1")],
)
def test_what_reads_a_run_says_that_its_shards_are_to_be_merged(
    command: Callable[..., Answer], run: Path, arguments: tuple[str, ...]
) -> None:
    found = command(*arguments)
    assert found.code == 2
    assert f"{run.name} is played in shards, which are not merged yet" in found.err
    assert "`perf-pipeline merge r-1`" in found.err
