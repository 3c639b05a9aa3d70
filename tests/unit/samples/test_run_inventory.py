"""What is stored of a run that failed is counted, with what cannot be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.run.inventory import inventory_commands, inventory_summary
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import committed_inventory_of, run_inventory_of
from perf_pipeline.samples.run_record import COMPLETE, INTERRUPTED
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, closed_loop
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path


def test_the_records_of_an_interrupted_run_are_counted_with_the_commands_that_read_them(
    tmp_path: Path,
) -> None:
    """100 ms in 10 slots for 10 s: 1000 records; the folder's name has a space."""
    rows = closed_loop(10, lambda _slot: 0.1, until_s=9.95)
    left = [SimulatedWorker(rows)]
    folder = write_run(tmp_path / "a b", "r-1", status=INTERRUPTED, workers=left, measured=False)
    inventory = run_inventory_of(folder)
    assert (inventory.status, inventory.levels, inventory.records) == ("interrupted", 1, 1000)
    assert inventory_commands(inventory)[0] == f"perf-pipeline records '{folder.root}'"
    assert "Run r-1 is interrupted. Kept: 1,000 records, levels begun: 1, in" in inventory_summary(
        inventory
    )


def test_workflows_of_which_only_the_start_is_known_are_counted_apart(tmp_path: Path) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, until_s=9.95)
    crashed = SimulatedWorker(
        rows, reason="killed by SIGKILL", closed=False, lost={3: 5}, in_flight=[(4, 5000, GO_NS)]
    )
    folder = write_run(tmp_path, "r-1", status=INTERRUPTED, workers=[crashed], measured=False)
    inventory = run_inventory_of(folder)
    assert (inventory.records, inventory.may_be_missing) == (1001, 5)
    assert "Of 5 more workflows only the start is known." in inventory_summary(inventory)
    assert rows[-1].end_ns > GO_NS + 9 * SECOND


def test_what_workers_committed_is_counted_without_reading_it(tmp_path: Path) -> None:
    """As of a complete run; of a crashed worker, what is recovered from its slots is not there."""
    workers = [SimulatedWorker(closed_loop(10, lambda _slot: 0.1, until_s=9.95)) for _ in "ab"]
    folder = write_run(tmp_path, "r-1", status=COMPLETE, workers=workers, measured=False)
    assert committed_inventory_of(folder) == run_inventory_of(folder)
    assert committed_inventory_of(folder).records == 2000
    (folder.root / "levels/00-10/worker-0.sqlite").write_text("no journal", encoding="utf-8")
    assert "file is not a database" in committed_inventory_of(folder).problem


def test_a_run_that_never_began_stored_nothing_and_names_no_command(tmp_path: Path) -> None:
    inventory = run_inventory_of(RunFolder(tmp_path / "r-1"))
    assert inventory_commands(inventory) == ()
    assert (
        inventory_summary(inventory)
        == "Nothing was measured: r-1 ended before its first level began."
    )


def test_a_damaged_level_hides_neither_its_problem_nor_what_else_is_stored(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", status=COMPLETE, measured=False)
    (folder.root / "levels/00-10/worker-0.sqlite").write_text("no journal", encoding="utf-8")
    inventory = run_inventory_of(folder)
    assert (inventory.levels, inventory.records) == (1, 0)
    assert "worker-0.sqlite is not a journal" in inventory_summary(inventory)
    assert inventory_summary(inventory).startswith("The load of run r-1 is complete.")
