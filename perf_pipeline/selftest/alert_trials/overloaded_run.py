"""A run that is overloaded, retries and fails; and then a copy of it with a damaged journal."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.exporter_process import exporter_process
from perf_pipeline.selftest.alert_trials.played_run import played_run
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SCENARIO = """
title = "a target that is too slow, and fails"
target = "callable"
processes = 1
slo = ["error_ratio < 1%"]
[[workload]]
function = "perf_pipeline.selftest.known.retrying:fail_half"
[phases]
warm_up_s = 1
drain_s = 1
[[arrivals]]
label = "overload"
schedule = "constant"
rate = 80
duration = "36s"
slots = 10
"""
"""Arrivals are four times what its slots serve, until its p99 is beyond 10 s for 15 s."""
_LIVE = (
    "GeneratorLagging",
    "GoodputDrop",
    "ErrorBudgetBurn",
    "RetryStorm",
    "LatencySLO",
    "ObjectiveMissed",
)


def _play(stage: Stage) -> Looks:
    folder = stage.folder / "overloaded"
    with played_run(_SCENARIO, folder, stage.scrape_dir) as run:
        yield from run.until(lambda: run.phase() != "")
        stage.begin(*_LIVE)
        while run.process.poll() is None:
            yield
        measured = run.folder()
        assert measured is not None
        stage.begin("ResultsDropped")
        copy = _damaged_copy(measured, folder / "copy")
        with exporter_process(copy, stage.scrape_dir, "damaged"):
            while True:
                yield


def _damaged_copy(run: RunFolder, folder: Path) -> Path:
    """Copy a run, not measured yet, and change a block of a journal on the disk."""
    copy = folder / run.root.name
    shutil.copytree(run.root, copy, ignore=shutil.ignore_patterns("metrics.json", "report*"))
    (journal, *_) = sorted(copy.glob("levels/*/worker-*.sqlite"))
    with closing(sqlite3.connect(journal)) as db, db:
        db.execute("update block set crc = crc + 1 where seq = (select min(seq) from block)")
    return copy


_LABELS = {"scenario": "overloaded"}
OVERLOADED_RUN = CauseGroup(
    (
        Cause("GeneratorLagging", "four times more arrivals than slots serve", _LABELS),
        Cause("GoodputDrop", "four times more arrivals than slots serve", _LABELS),
        Cause("ErrorBudgetBurn", "every second workflow fails", _LABELS),
        Cause("RetryStorm", "every workflow takes three attempts", _LABELS),
        Cause("LatencySLO", "workflows wait for a slot for over 10 s", _LABELS),
        Cause("ObjectiveMissed", "half of the workflows fail, 1 % may", _LABELS),
        Cause("ResultsDropped", "a block of a journal is damaged", {"scenario": "damaged"}),
    ),
    _play,
)
