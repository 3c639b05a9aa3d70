"""Facts of the worker processes: once where all levels agree, else by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.records.worker_facts import worker_facts
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.run_folder import RunFolder, write_json

if TYPE_CHECKING:
    from pathlib import Path

SAID = {"python": "3.11.2", "modules": "abc json", "environment": "PATH", "remarks": ""}
OLD = {**SAID, "remarks": "validation is off, as later releases have it"}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def _level(folder: RunFolder, name: str, *workers: dict[str, str]) -> None:
    level = folder.root / "levels" / name
    level.mkdir(parents=True)
    write_json(level / "level.json", {})
    for index, facts in enumerate(workers):
        writer = JournalWriter(level / f"worker-{index}.sqlite")
        writer.facts(facts)
        writer.close()


def test_what_all_workers_say_is_told_once_and_long_lists_are_not(folder: RunFolder) -> None:
    _level(folder, "00-10", SAID, SAID)
    _level(folder, "01-20", SAID, SAID)

    assert worker_facts(folder) == {"python": "3.11.2", "remarks": ""}


def test_an_arm_of_an_older_release_has_its_remarks_told_beside_the_levels(
    folder: RunFolder,
) -> None:
    """The first worker of the run, which alone was asked before, has none."""
    _level(folder, "00-10", SAID, SAID)
    _level(folder, "01-20", SAID)
    _level(folder, "02-old", {**OLD, "python": "3.12.1"}, OLD)

    assert worker_facts(folder) == {
        "python": "3.11.2 (00-10, 01-20, 02-old); 3.12.1 (02-old)",
        "remarks": "none (00-10, 01-20); validation is off, as later releases have it (02-old)",
    }


def test_a_worker_that_died_before_it_said_anything_hides_no_other(folder: RunFolder) -> None:
    _level(folder, "00-10", SAID)
    (folder.root / "levels" / "00-10" / "worker-1.sqlite").touch()

    assert worker_facts(folder)["python"] == "3.11.2"
