"""Runs that never ran: folders as a run leaves them, with levels of a known truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.measure import measure
from perf_pipeline.samples.manifest import write_manifest
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE
from tests.manifests import make_manifest
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 10


def write_run(
    results: Path,
    run_id: str,
    *,
    service_s: float = 0.1,
    until_s: float = 10.0,
    status: str | None = COMPLETE,
    why: str = "",
    measured: bool = True,
    workers: list[SimulatedWorker] | None = None,
    **manifest: Any,
) -> RunFolder:
    """Write a run of one level: 10 in flight on the control target, steady from 2 s on.

    Args:
        results: The results folder.
        run_id: The run.
        service_s: What each workflow takes.
        until_s: When its load ends, after its begin.
        status: How the run ended; None while this process still runs it.
        why: A sentence about it.
        measured: Whether ``metrics.json`` is written.
        workers: What the workers left, in place of ``service_s``.
        **manifest: What its manifest says otherwise.
    """
    folder = RunFolder(results / run_id)
    folder.begin("simulated")
    write_manifest(folder, make_manifest(run_id=run_id, **manifest))
    left = workers or [SimulatedWorker(closed_loop(SLOTS, lambda _slot: service_s, until_s))]
    write_level(folder.root / "levels" / "00-10", left, slots=SLOTS, steady_s=(2.0, until_s))
    if status is not None:
        folder.end(status, why)
    if measured:
        measure(folder)
    return folder


def committed_run(results: Path) -> RunFolder:
    """Write a run of 10 s: 5 in flight of 50 to 90 ms, committed every half second."""
    rows = closed_loop(5, lambda slot: 0.05 + slot / 100, 10.0)
    blocks = [
        (
            GO_NS + (half + 1) * SECOND // 2,
            [row for row in rows if half <= (row.end_ns - GO_NS) * 2 // SECOND < half + 1],
        )
        for half in range(22)
    ]
    folder = write_run(results, "r-1", workers=[SimulatedWorker(blocks=blocks)])
    path = folder.root / "levels" / "00-10" / "level.json"
    log = json.loads(path.read_text())
    log["plan"].update(workloads=["a"])
    path.write_text(json.dumps(log))
    return folder
