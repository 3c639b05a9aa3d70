"""Where CLOCK_MONOTONIC of a run that has ended lies on the wall clock.

Times of records are CLOCK_MONOTONIC. Each level notes by the wall clock when it was begun, which
was before its first sample, and when it had ended, which was after its last phase. So the
difference of the clocks lies between two bounds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder


@dataclass(frozen=True)
class RunClock:
    """Converts CLOCK_MONOTONIC of a run to the wall clock.

    Attributes:
        offset_s: To add.
        begin_ns: When its first level began.
        end_ns: When its last phase ended.
        go_ns: When each level began.
    """

    offset_s: float
    begin_ns: int
    end_ns: int
    go_ns: tuple[int, ...]

    def wall_s(self, at_ns: int) -> float:
        """Return a moment as seconds of the epoch."""
        return self.offset_s + at_ns / 1e9

    def ns(self, wall_s: float) -> int:
        """Return a moment in seconds of the epoch as CLOCK_MONOTONIC."""
        return round((wall_s - self.offset_s) * 1e9)


def clock_of(folder: RunFolder) -> RunClock:
    """Return the clock of a run.

    Raises:
        RunFolderError: None of its levels had a load.
    """
    lower, upper, spans = [], [], []
    for path in folder.level_folders():
        log = read_json(path / "level.json")
        if (go_ns := log["go_ns"]) is None:
            continue
        stamps = [at for phase in log["phases_ns"].values() for at in phase if at is not None]
        first_ns = min([go_ns, *_first_sample_ns(path)])
        spans.append((go_ns, max([go_ns, *stamps])))
        lower.append(_epoch_s(log["started_at"]) - first_ns / 1e9)
        if log["ended_at"]:
            upper.append(_epoch_s(log["ended_at"]) - spans[-1][1] / 1e9)
    if not spans:
        raise RunFolderError(f"{folder.root} has no metrics: no load of it was begun")
    offset_s = min(upper) if upper else max(lower)
    return RunClock(
        offset_s=offset_s,
        begin_ns=min(begin for begin, _ in spans),
        end_ns=max(end for _, end in spans),
        go_ns=tuple(begin for begin, _ in spans),
    )


def _first_sample_ns(folder: Path) -> list[int]:
    path = folder / "resources.jsonl"
    if not path.exists():
        return []
    with path.open("rb") as file:
        line = file.readline()
    return [json.loads(line)["at_ns"]] if line.endswith(b"\n") else []


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
