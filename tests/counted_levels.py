"""Counts how often levels are measured, in every process that a test starts."""

from __future__ import annotations

import sysconfig
from collections import Counter
from typing import TYPE_CHECKING
from venv import EnvBuilder

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.sandbox import Sandbox

_CLI = "from perf_pipeline.cli import main; main()"
_PROGRAM = '''
"""Notes each measurement of a level in a file; started by Python itself in every process."""
try:
    from perf_pipeline.analysis import capacity_steps, measure
except ImportError:  # the environment of a target
    pass
else:
    def counted(folder, context, stored=None, measure_level=measure.measure_level):
        with open({log!r}, "a") as file:
            file.write(f"{{folder.parents[1].name}}/{{folder.name}}\\n")
        return measure_level(folder, context, stored)

    measure.measure_level = capacity_steps.measure_level = counted
'''


class CountedLevels:
    """Counts from its making on, in processes of a Python environment of its own.

    It has the packages of this one, and a start-up file that no isolated process leaves out.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        folder = sandbox.folder / "counting"
        EnvBuilder(symlinks=True).create(folder)
        self.python = folder / "bin/python"
        self._log: Path = folder / "measured"
        (packages,) = folder.glob("lib/python*/site-packages")
        ours = sysconfig.get_path("purelib")
        (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
        (packages / "sitecustomize.py").write_text(_PROGRAM.format(log=str(self._log)))

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``perf-pipeline`` to its end."""
        return self._sandbox.run(str(self.python), "-I", "-c", _CLI, *arguments)

    def of_run(self, run_id: str) -> dict[str, int]:
        """Return the levels of a run that were measured, each with how many times."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return dict(
            Counter(level for run, level in (line.split("/") for line in lines) if run == run_id)
        )
