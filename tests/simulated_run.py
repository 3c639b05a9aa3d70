"""Runs that never ran: folders as a run leaves them, with levels of a known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.measure import measure
from perf_pipeline.samples.run_folder import COMPLETE, RunFolder, write_json
from tests.simulated_level import SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 10
HOST = {"cpu_model": "a processor", "cores_usable": 2, "memory_total_bytes": 8_000_000_000}


def write_run(
    results: Path,
    run_id: str,
    *,
    service_s: float = 0.1,
    status: str | None = COMPLETE,
    why: str = "",
    measured: bool = True,
    workers: list[SimulatedWorker] | None = None,
    **manifest: Any,
) -> RunFolder:
    """Write a run of one level: 10 in flight on the control target, steady from 2 to 10 s.

    Args:
        results: The results folder.
        run_id: The run.
        service_s: What each workflow takes.
        status: How the run ended; None while this process still runs it.
        why: A sentence about it.
        measured: Whether ``metrics.json`` is written.
        workers: What the workers left, in place of ``service_s``.
        **manifest: What its manifest says otherwise.
    """
    folder = RunFolder(results / run_id)
    folder.begin("simulated")
    values = {
        "scenario": "simulated",
        "connections": {"max_db_connections": 50, "pools": {}},
        "workloads": [{"family": "transformation", "complexity": "simple"}],
        "servers": [],
        "plan_hashes": {"00-10": "plan a"},
        "lock_hashes": {"control": "lock a"},
        "host": HOST,
        **manifest,
    }
    write_json(folder.manifest, values)
    left = workers or [SimulatedWorker(closed_loop(SLOTS, lambda _slot: service_s, until_s=10))]
    write_level(folder.root / "levels" / "00-10", left, slots=SLOTS)
    if status is not None:
        folder.end(status, why)
    if measured:
        measure(folder)
    return folder
