"""A calibration beside a real program that takes its core."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.alone]

HOG = "import os\nos.sched_setaffinity(0, {int(os.sys.argv[1])})\nprint(flush=True)\n"
HOG += "import time\nend = time.monotonic() + 5\nwhile time.monotonic() < end: pass"


def test_a_program_on_the_same_core_makes_the_calibration_wait(tmp_path: Path) -> None:
    """A hog of five seconds at most, bound to the core that the calibration is bound to."""
    program = "import os, sys\nfrom pathlib import Path\n"
    program += "from perf_pipeline.host.calibration import calibrate\n"
    program += "core = min(os.sched_getaffinity(0))\nos.sched_setaffinity(0, {core})\n"
    program += "import subprocess\nfolder = Path(sys.argv[1])\n"
    program += "alone = min(calibrate(folder).waited_ratio for _ in range(8))\n"
    program += f"hog = subprocess.Popen([sys.executable, '-c', {HOG!r}, str(core)],"
    program += " stdout=subprocess.PIPE)\nhog.stdout.readline()\n"
    program += "beside = max(calibrate(folder).waited_ratio for _ in range(5))\n"
    program += "hog.kill()\nhog.wait()\nprint(alone, beside)\n"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    alone, beside = map(float, done.stdout.split())

    assert beside > 0.2
    assert beside > alone
