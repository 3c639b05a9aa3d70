"""Counts how often levels are measured, in every process that a test starts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

_PROGRAM = '''
"""Notes each measurement of a level in a file; started by Python itself in every process."""
try:
    from perf_pipeline.analysis import capacity_steps, measure
except ImportError:  # the environment of a target
    pass
else:
    def counted(folder, context, measure_level=measure.measure_level):
        with open({log!r}, "a") as file:
            file.write(f"{{folder.parents[1].name}}/{{folder.name}}\\n")
        return measure_level(folder, context)

    measure.measure_level = capacity_steps.measure_level = counted
'''


class CountedLevels:
    """Counts from its making on, in processes with the environment of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        folder = sandbox.folder / "counting"
        folder.mkdir()
        self._log: Path = folder / "measured"
        (folder / "sitecustomize.py").write_text(_PROGRAM.format(log=str(self._log)))
        sandbox.environ["PYTHONPATH"] = str(folder)

    def of_run(self, run_id: str) -> dict[str, int]:
        """Return the levels of a run that were measured, each with how many times."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return dict(
            Counter(level for run, level in (line.split("/") for line in lines) if run == run_id)
        )
