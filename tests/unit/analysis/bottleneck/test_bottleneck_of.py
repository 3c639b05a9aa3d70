"""From a level's folder to its bottleneck: what the plan and the workers' journals add."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.bottleneck.verdict import bottleneck_of
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.resources.resource_summary import resources_of
from perf_pipeline.metrics.types.bottleneck import Bottleneck
from perf_pipeline.metrics.types.records import InFlight
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from pathlib import Path

STEADY = (GO_NS + 2 * SECOND, GO_NS + 10 * SECOND)


def _samples(worker_cores: float) -> list[dict[str, Any]]:
    idle = {"busy_s": 0, "iowait_s": 0, "steal_s": 0, "idle_s": 0, "cores_usable": 4}
    return [
        {
            "at_ns": STEADY[0] + at_s * SECOND,
            "workers": [{"pid": pid, "cpu_s": worker_cores * at_s} for pid in (11, 12)],
            "harness": [{"pid": 1, "cpu_s": 0.0}],
            "servers": [],
            "host": idle | {"idle_s": 4 * at_s},
            "connections": {},
            "problems": {},
        }
        for at_s in (0, 1, 2)
    ]


def _judge(folder: Path, waits: dict[str, float], worker_cores: float = 0.24) -> Bottleneck:
    records = read_level(folder, 1)
    return bottleneck_of(
        _samples(worker_cores),
        records,
        InFlightCurve.of(records.frame),
        InFlight(20, 20.0, 20, waits, 100),
        STEADY,
        resources=resources_of(_samples(worker_cores)),
        connection_limits={},
    )


def _folder(folder: Path) -> Path:
    """Two workers of ten slots each."""
    rows = [closed_loop(10, lambda _slot: 0.5, until_s=10) for _ in range(2)]
    return write_level(folder, [SimulatedWorker(each) for each in rows], slots=10)


def test_the_limit_on_cpu_that_the_plan_holds_is_looked_at(tmp_path: Path) -> None:
    """Both workers together use 0.48 cores of the 50 % of one that they may."""
    folder = _folder(tmp_path)
    assert _judge(folder, {"runtime": 1.0}).verdict == "unclear"
    log = json.loads((folder / "level.json").read_text())
    log["plan"]["limits"] = {"memory_mb": None, "cpu_percent": 50.0}
    write_json(folder / "level.json", log)

    found = _judge(folder, {"runtime": 1.0})

    assert found.verdict == "cpu"
    assert "0.48 of the 0.5 cores" in found.why


def test_an_open_level_is_judged_by_its_slots_and_not_by_gaps_between_workflows(
    tmp_path: Path,
) -> None:
    """Its 20 slots are all in use; the 40 that are wanted here would be half of them idle."""
    folder = _folder(tmp_path)
    log = json.loads((folder / "level.json").read_text())
    log["plan"] |= {"loop": "open", "concurrency": 20}
    write_json(folder / "level.json", log)

    found = _judge(folder, {"runtime": 1.0})

    assert "20 of 20 slots were in use" in found.why
    assert not any("between two workflows" in each.what for each in found.evidence)


def test_what_each_worker_executes_at_once_is_added_up(tmp_path: Path) -> None:
    """Two at once in each of two workers: 4 of the 20 in flight."""
    folder = _folder(tmp_path)
    for worker in range(2):
        with sqlite3.connect(folder / f"worker-{worker}.sqlite") as journal:
            journal.execute("INSERT INTO fact VALUES ('executes_at_once', '2')")
        journal.close()

    found = _judge(folder, {"queued": 0.8, "runtime": 0.2})

    assert found.verdict == "runtime_queue"
    assert "of 4 at most" in found.why


def test_a_level_without_a_steady_phase_has_no_bottleneck_that_anybody_saw(tmp_path: Path) -> None:
    records = read_level(_folder(tmp_path), 1)
    nothing = InFlight(20, None, None, {}, 0)
    curve = InFlightCurve.of(records.frame)

    found = bottleneck_of(
        [], records, curve, nothing, (5, 5), resources=resources_of([]), connection_limits={}
    )

    assert found == Bottleneck("unclear", "There was no steady phase to look at.", ())
