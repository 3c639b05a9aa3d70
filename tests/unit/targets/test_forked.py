"""A function that forks: its child never goes on as a second worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = """
import os, sys
from perf_pipeline.targets.callable.adapter import CallableTarget

def fork(number):
    pid = os.fork()
    if pid == 0:
        {child}
    else:
        print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

target = CallableTarget.__new__(CallableTarget)
target._names, target._functions = ["shop:fork"], [fork]
target.execute(0, 1)
print("goes on", flush=True)
"""


@pytest.mark.parametrize(
    ("child", "status"),
    [("return", 0), ("sys.exit(3)", 3), ("raise ValueError('of the child')", 1)],
)
def test_a_forked_child_ends_where_the_function_ends(child: str, status: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CODE.format(child=child)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )

    assert ended.stdout.splitlines() == [f"status {status}", "goes on"]
    assert ("of the child" in ended.stderr) == (status == 1)
