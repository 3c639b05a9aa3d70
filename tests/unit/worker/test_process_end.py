"""How a worker process ends when its work is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
END = "; from perf_pipeline.worker.process_end import end_process; end_process(7, limit_s=0.5)"


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("import atexit; atexit.register(print, 'closed')", "closed\n"),
        (
            "import threading; threading.Thread(target=lambda: print('joined')).start()",
            "joined\n",
        ),
        ("import atexit, time; atexit.register(time.sleep, 60)", "abandoned"),
        (
            "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()",
            "0.25 s",
        ),
        (
            (
                "import atexit, threading, time; atexit.register(print, 'closed');"
                "threading.Thread(target=time.sleep, args=(60,)).start()"
            ),
            "closed\n",
        ),
        (
            (
                "import atexit, time; from concurrent.futures import ThreadPoolExecutor;"
                "atexit.register(print, 'closed'); ThreadPoolExecutor(1).submit(time.sleep, 60)"
            ),
            "closed\n",
        ),
        ("import atexit; atexit.register(lambda: 1 / 0)", "ZeroDivisionError"),
        ("import atexit, sys; atexit.register(sys.exit, 3)", ""),
    ],
)
def test_exit_handlers_run_for_a_bounded_time_and_the_exit_code_stays(
    script: str, printed: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", script + END],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 7
    assert printed in ended.stdout
