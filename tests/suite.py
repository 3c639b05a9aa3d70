"""What ``make test`` and ``make test-long`` run: its stages, then one line that can be quoted.

Tests that compute or wait run side by side, and the checks of style, types and layers beside them.
Tests marked ``alone`` put load on the machine and judge what they measured: they follow, one after
the other, with nothing beside them.

Between the two stands what a level on a noisy host is judged by: neighbours can only slow a test
down, so what it passed beside others stands, and what it failed there is unclear. Up to
``MAX_UNCLEAR`` such tests are played once more with nothing beside them, and that decides. How many
they were is in the last line and their failures are printed: each is a test, or code, to be mended.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    "integration",
    "assets",
    "ui",
    "performance",
    "known_truth",
    "unit",
)
"""In the order in which they start: the files that take longest first, so that none is last."""

ALONE_IN = ("integration", "assets", "performance")
"""Folders that hold tests marked ``alone``; to collect the others takes time."""

MAX_UNCLEAR = 5
"""More failures than this have another cause than neighbours, and none is tried again."""

PYTEST = (sys.executable, "-m", "pytest", "--durations=25")
CHECK = ("make", "--no-print-directory", "check")
BESIDE_OTHERS = {"OPENBLAS_NUM_THREADS": "1"}
"""Threads of numpy's would wait for cores that the tests beside them use."""


@dataclass(frozen=True)
class Stage:
    """What one run of pytest ended with.

    Attributes:
        exit_code: Of pytest: 0 when every test passed or was skipped.
        tests: How many were run or skipped.
        failed: How many failed, or could not be set up or taken down.
        skipped: How many were skipped.
        unclear: How many failed beside others and passed alone.
    """

    exit_code: int
    tests: int = 0
    failed: int = 0
    skipped: int = 0
    unclear: int = 0


def decided_alone(beside_others: Stage, alone: Stage) -> Stage:
    """Return what a stage ended with once its failed tests were played with nothing beside."""
    unclear = beside_others.failed - alone.failed
    return replace(beside_others, exit_code=alone.exit_code, failed=alone.failed, unclear=unclear)


def workers_for(cores: int) -> int:
    """Return how many tests run side by side: two a core, since most of them wait."""
    return max(4, 2 * cores)


def stage_of(exit_code: int, report: Path) -> Stage:
    """Read the JUnit report of one run of pytest; a run that crashed has written none."""
    if not report.exists():
        return Stage(exit_code or 1)
    (suite,) = ET.parse(report).getroot()  # noqa: S314 - pytest has just written it
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    skipped = int(suite.attrib["skipped"])
    return Stage(exit_code, int(suite.attrib["tests"]), failed, skipped)


def summary(
    name: str,
    stages: Sequence[Stage],
    *,
    check_failed: bool,
    seconds: float,
    cpu_s: float,
    cores: int,
) -> str:
    """Return the line to quote: what passed, how long it took and how busy the cores were."""
    tests, failed, skipped, unclear = (
        sum(getattr(stage, key) for stage in stages)
        for key in ("tests", "failed", "skipped", "unclear")
    )
    alone = f" ({unclear} of them failed beside others and passed alone)" if unclear else ""
    checks = "FAILED" if check_failed else "passed"
    minutes, rest_s = divmod(round(seconds), 60)
    return (
        f"{name}: {tests - failed - skipped} passed{alone}, {failed} failed, {skipped} skipped; "
        f"make check {checks}; {minutes} min {rest_s} s, "
        f"{100 * cpu_s / (seconds * cores):.0f} % of {cores} cores"
    )


def main() -> int:
    """Run every stage, whatever the one before ended with; returns 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.suite", description=__doc__)
    parser.add_argument("--long", action="store_true", help="the slow tests as well")
    is_long: bool = parser.parse_args().long
    cores = len(os.sched_getaffinity(0))
    chosen = "" if is_long else " and not slow"
    side_by_side = ("-n", str(workers_for(cores)), "--dist", "loadfile", "--no-loadscope-reorder")
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="perf_pipeline-suite-") as kept:
        reports = [Path(kept, "side_by_side.xml"), Path(kept, "alone.xml")]
        with Path(kept, "check.log").open("w+", encoding="utf-8") as log:
            check = subprocess.Popen(CHECK, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
            kept_failures = ("-o", f"cache_dir={kept}/cache")
            together = (*side_by_side, *kept_failures)
            first = _pytest(FOLDERS, f"not alone{chosen}", reports[0], together)
            check_failed = check.wait() != 0
            log.seek(0)
            sys.stdout.write(log.read())
            sys.stdout.flush()
        if first.exit_code == pytest.ExitCode.TESTS_FAILED and first.failed <= MAX_UNCLEAR:
            failed = ("--last-failed", *kept_failures)
            again = _pytest(FOLDERS, f"not alone{chosen}", Path(kept, "again.xml"), failed)
            first = decided_alone(first, again)
        stages = [first, _pytest(ALONE_IN, f"alone{chosen}", reports[1])]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = summary(
        "make test-long" if is_long else "make test",
        stages,
        check_failed=check_failed,
        seconds=time.monotonic() - began_s,
        cpu_s=used.ru_utime + used.ru_stime,
        cores=cores,
    )
    sys.stdout.write(f"{line}\n")
    return int(check_failed or any(stage.exit_code for stage in stages))


def _pytest(
    folders: Sequence[str], chosen: str, report: Path, options: Sequence[str] = ()
) -> Stage:
    command = [*PYTEST, "-m", chosen, f"--junitxml={report}", *options]
    where = [str(ROOT / "tests" / folder) for folder in folders]
    environ = {**os.environ, **(BESIDE_OTHERS if "-n" in options else {})}
    ended = subprocess.run([*command, *where], cwd=ROOT, check=False, env=environ)
    return stage_of(ended.returncode, report)


if __name__ == "__main__":
    sys.exit(main())
