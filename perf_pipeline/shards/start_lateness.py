"""How long after the plan the first workflow of a shard's workers started in a level.

In one clock, the difference of two shards is their start skew: what the barrier is there to keep
small. A ramp-up does not count, since it is in the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.run_folder import INTENDED

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import numpy.typing as npt

    from perf_pipeline.shards.level_part import LevelPart


def start_late_ns(part: LevelPart, go_ns: int) -> int | None:
    """Return the lateness of the first start in a part of a level; None if nothing started.

    Args:
        part: The part.
        go_ns: Of the level, in its clock.
    """
    late = [
        at
        for worker in part.workers
        if (at := _of_worker(part, part.folder / f"worker-{worker}.sqlite", go_ns)) is not None
    ]
    return min(late, default=None)


def _of_worker(part: LevelPart, journal: Path, go_ns: int) -> int | None:
    rows = np.frombuffer(read_journal(journal).payload, dtype=RECORD_DTYPE)
    rows = rows[rows["number"] >= 0]  # cold starts have negative ones
    if not len(rows):
        return None
    late = rows["start_ns"] + (part.offset_ns - go_ns) - _planned_ns(part, journal, rows)
    return int(late.min())


def _planned_ns(part: LevelPart, journal: Path, rows: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return when each workflow could start at the earliest, ns after the go."""
    is_open = part.log["plan"]["loop"] == "open"
    path, place = (part.folder / INTENDED, "number") if is_open else (_ramp_of(journal), "slot")
    planned_ns: npt.NDArray[np.int64] = np.fromfile(path, dtype="<i8")[rows[place]]
    return planned_ns


def _ramp_of(journal: Path) -> Path:
    return journal.with_suffix(".ramp")
