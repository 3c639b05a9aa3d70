"""What a level has stored, read once for all that is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.stages.stage_records import bounds_ns, home_of
from perf_pipeline.samples.steps.level_steps import LevelSteps, read_level_steps

if TYPE_CHECKING:
    from pathlib import Path


class StoredLevel(NamedTuple):
    """Records and steps of a level."""

    records: LevelRecords
    steps: LevelSteps


def read_stored_level(folder: Path, kinds: int) -> StoredLevel:
    """Read the level in ``folder``; ``kinds`` is how many kinds of workflow the run has.

    Raises:
        RunFolderError: A file of it cannot be read.
    """
    records = read_level(folder, kinds)
    home, bounds = home_of(folder, records.log), bounds_ns(records.log)
    return StoredLevel(records, read_level_steps(home, bounds))
