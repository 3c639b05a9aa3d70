"""Programs wait for their order, and are found by their mark."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.faults.stress import burn
from perf_pipeline.faults.stress.programs import Programs
from perf_pipeline.faults.stress.rates import totals
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_S = 5.0


def test_programs_that_are_ready_use_nothing_until_they_begin(tmp_path: Path) -> None:
    """The start of an interpreter would pass for a core that is used."""
    programs = Programs(tmp_path)
    try:
        programs.prepare(burn, 1.0)
        programs.wait_until_ready()
        (pid,) = programs.own()
        ready_s = totals([pid], 0.0).cpu_s
        time.sleep(0.4)
        assert totals([pid], 0.0).cpu_s - ready_s < 0.02
        assert (programs.running(), programs.at_work()) == ([pid], 0)
        programs.begin()
        assert until(lambda: totals([pid], 0.0).cpu_s - ready_s > 0.03, _WAIT_S)
        assert programs.at_work() == 1
    finally:
        programs.end()
    assert (programs.own(), programs.running()) == ([], [])
