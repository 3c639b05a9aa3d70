"""A campaign whose workflows write down that they were executed, by which process, as which one."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload

if TYPE_CHECKING:
    from pathlib import Path

RATE_PER_S = 40.0

_MODULE = """
import os

seen = 0

def note(number):
    global seen
    if number < 0:
        return
    seen += 1
    with open("executed.txt", "a") as file:
        file.write(f"{number} {seen} {os.getpid()}\\n")

async def note_async(number):
    note(number)
"""


@dataclass(frozen=True)
class Executed:
    """One executed workflow: its number, how many its process had executed, and the process."""

    number: int
    seen: int
    pid: int


def soaked_scenario(folder: Path, *, is_async: bool = False, **changes: object) -> Scenario:
    """Return a scenario of hours of 1.5 s on one process of a user's own function."""
    folder.mkdir(exist_ok=True)
    (folder / "noting.py").write_text(_MODULE)
    values = {"rate_per_s": RATE_PER_S, "hours": 3, "hour_seconds": 1.5, "slots": 4, **changes}
    return Scenario(
        name="soaked",
        target="callable_async" if is_async else "callable",
        interpreter=sys.executable,
        workloads=(Workload("noting:note_async" if is_async else "noting:note", ""),),
        concurrency=(),
        processes=1,
        trial_call=False,
        phases=Phases(drain_s=2.0),
        folder=str(folder),
        python_path=str(folder),
        endurance=Endurance(**values),  # type: ignore[arg-type]
    )


def executed(folder: Path) -> list[Executed]:
    """Return what was executed so far, in its order."""
    path = folder / "executed.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Executed(*map(int, line.split())) for line in lines]
