"""Small programs of a test, started as ``perf-pipeline`` is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUN = """
import sys
from perf_pipeline.program.program import run_program

def main(arguments):
{body}

run_program(main, only_prints=lambda arguments: "prints" in arguments)
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the body of a program's ``main`` from a shell."""

    def run(
        body: str, shell: str = "{}", *, isolated: bool = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        flag = " -I" if isolated else ""  # as `make` has it in the installed script
        script = tmp_path / "program.py"
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        script.write_text(RUN.format(body=lines), encoding="utf-8")
        return subprocess.run(
            ["/bin/bash", "-c", shell.format(f'"{sys.executable}"{flag} "{script}"')],
            cwd=tmp_path,
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
