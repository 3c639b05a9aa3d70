"""A run says what a killed one left in effect, and plays the failures of its own scenario."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.config.settings import current_settings
from perf_pipeline.faults.fault_journal import journal_folder, new_path, write_fault
from perf_pipeline.lifeline import stamp
from perf_pipeline.run import Run
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.servers.mongodb import ferretdb
from tests.integration.faults.playing import assert_acted
from tests.integration.levels.loads import QUICK
from tests.unit.faults.test_fault_journal import opened

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

FAULTED = replace(
    QUICK,
    phases=Phases(
        ramp_up_s=0.1, warm_up_s=0.3, steady_s=3.0, steady_max_s=3.0, drain_s=5.0, deadline_s=20.0
    ),
    faults=(
        FaultWindow("server_freeze", "redis", 0.5, 1.0),
        FaultWindow("server_freeze", "mongodb", 0.5, 1.0),
    ),
)


def test_a_run_freezes_its_redis_in_the_steady_phase_and_refuses_what_it_has_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its window begins half a second into the phase; the run says which failure is missing.

    Before it starts anything it says what a run before it, which was killed, had left.
    """
    monkeypatch.setattr(ferretdb, "installed", lambda _settings: None)
    told: list[str] = []
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as killed:
        dead = stamp(killed.pid)
    assert dead is not None
    left = opened(owner=dead, injector=dead, entry={})
    write_fault(new_path(journal_folder(settings.state_dir)), left)
    settings = replace(settings, cache_dir=current_settings().cache_dir, mongodb_stand_in=None)
    with Run(FAULTED, settings, notify=told.append) as run:
        folder = run.load()
    assert "in effect when /results/run/levels/00-10 was cut short" in told[0]
    level = folder.root / "levels/00-4"
    frozen, missing = read_faults(level)
    begin_ns, _ = read_json(level / "level.json")["phases_ns"]["steady"]
    assert_acted(frozen)
    assert frozen.injecting_ns is not None
    assert 0.5 <= (frozen.injecting_ns - begin_ns) / 1e9 < 1.0
    assert "no mongodb server" in missing.reason
    assert [line for line in told if "server_freeze on mongodb: this run has no mongodb" in line]
    assert not [line for line in told[1:] if "server_freeze on redis" in line]
