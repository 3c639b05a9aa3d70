"""What a run will play, for the display of its progress: its levels, and schedules of open ones."""

from array import array
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from perf_pipeline.config.names import check_names
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.samples.run_folder import INTENDED, RunFolder, write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class PlannedLevel:
    """A level that will be played.

    Attributes:
        label: ``100``, or an arm's name.
        title: Shown beside the label; may be empty.
        concurrency: Workflows in flight; of an open level at most.
        loop: ``closed`` or ``open``.
        phases: Lengths of its phases.
        think_time_s: Mean think time of its users; 0 where slots do not think.
        home: Of a stage, the name of the folder that has the workers' files of all stages.
    """

    label: str
    title: str
    concurrency: int
    loop: Literal["closed", "open"]
    phases: Phases
    think_time_s: float = 0.0
    home: str = ""

    @property
    def shown(self) -> str:
        """Shown name of the level: ``1000 (medium stress)``."""
        return f"{self.label} ({self.title})" if self.title else self.label


@dataclass(frozen=True)
class _PlanFile:
    levels: tuple[PlannedLevel, ...]


def write_planned_levels(folder: RunFolder, levels: tuple[PlannedLevel, ...]) -> None:
    """Write ``plan.json`` into a run's folder, whole or not at all."""
    write_json(_path(folder), {"schema_version": SCHEMA_VERSION, **asdict(_PlanFile(levels))})


def read_planned_levels(folder: RunFolder) -> tuple[PlannedLevel, ...]:
    """Read the levels that a run will play; none before it has planned them.

    Raises:
        RunFolderError: The file is not what this version writes.
    """
    path = _path(folder)
    if not path.exists():
        return ()
    levels = read_typed(path, _PlanFile, SCHEMA_VERSION).levels
    names = (*(level.label for level in levels), *(level.home for level in levels if level.home))
    check_names(path, (("level name", name) for name in names))
    return levels


def _path(folder: RunFolder) -> Path:
    return folder.root / "plan.json"


def read_schedule(folder: Path) -> "array[int]":
    """Return the intended starts of the open level in ``folder``, ns after the go, in order.

    Empty for a level that was cut short before they were written.
    """
    words, path = array("q"), folder / INTENDED
    if path.exists():
        words.frombytes(path.read_bytes())
    return words
