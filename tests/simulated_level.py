"""Levels that never ran: records with a known truth, and folders as workers leave them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.level_records import SCHEMA
from perf_pipeline.samples.record import RECORD, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.slots import (
    CLOSED,
    ENDED,
    NUMBER,
    PLAYING,
    START_NS,
    STARTED,
    STATE,
    SlotFile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SECOND = 1_000_000_000
GO_NS = 1_000 * SECOND
"""The clock of a level does not start at 0."""


class Row(NamedTuple):
    """One record, in the order of ``RECORD`` but for the intended start."""

    number: int
    start_ns: int
    end_ns: int
    slot: int = 0
    kind: int = 0
    outcome: int = Outcome.OK
    error_class: int = ErrorClass.NONE
    flags: int = 0

    def packed(self) -> bytes:
        """Return the record as a worker stores it."""
        number, start_ns, end_ns, *rest = self
        return RECORD.pack(number, start_ns, start_ns, end_ns, *rest)


def at_s(number: int, start_s: float, end_s: float, **more: int) -> Row:
    """Make a row from seconds after the go."""
    start_ns, end_ns = (GO_NS + round(t_s * SECOND) for t_s in (start_s, end_s))
    return Row(number, start_ns, end_ns, **more)


def frame_of(rows: Iterable[Row], worker: int = 0) -> pl.DataFrame:
    """Return rows as the reader returns records."""
    columns = [[0, worker, r.number, r.start_ns, *r[1:]] for r in rows]
    return pl.DataFrame(columns, schema=SCHEMA, orient="row")


def closed_loop(slots: int, service_s: Callable[[int], float], until_s: float) -> list[Row]:
    """Simulate slots that each start a workflow as soon as the last one has ended.

    Args:
        slots: Slots, all busy from the go on.
        service_s: Gives the next service time of a slot, seconds.
        until_s: When the load stops; what is in flight then is abandoned 10 s later.
    """
    rows: list[Row] = []
    for slot in range(slots):
        now_s = 0.0
        while now_s < until_s:
            start_s, now_s = now_s, now_s + service_s(slot)
            rows.append(at_s(len(rows), start_s, min(now_s, until_s + 10), slot=slot))
        if now_s > until_s + 10:
            rows[-1] = rows[-1]._replace(outcome=Outcome.ABANDONED)
    return rows


@dataclass
class SimulatedWorker:
    """What one worker leaves behind.

    Attributes:
        rows: Its records, one block.
        reason: How it ended.
        in_flight: (slot, number, start) of workflows that were started and have no record.
        lost: More starts without a record, by slot.
        closed: True when it committed its last record.
        blocks: Overrides ``rows``: records by (commit time, rows).
    """

    rows: Sequence[Row] = ()
    reason: str = "done"
    in_flight: Sequence[tuple[int, int, int]] = ()
    lost: dict[int, int] = field(default_factory=dict)
    closed: bool = True
    blocks: Sequence[tuple[int, Sequence[Row]]] = ()


def write_level(
    folder: Path,
    workers: Sequence[SimulatedWorker],
    *,
    slots: int,
    steady_s: tuple[float, float] | None = (2.0, 10.0),
    ended_because: str = "complete",
    supervisor_killed: bool = False,
    kinds: Sequence[int] = (0,),
) -> Path:
    """Write the files of a level.

    Args:
        folder: Made if need be.
        workers: What each left.
        slots: Slots a worker.
        steady_s: Steady phase, seconds after the go.
        ended_because: From the supervisor's log.
        supervisor_killed: The log holds no ends of workers, and the last phase has no end.
        kinds: The cycle of kinds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, worker in enumerate(workers):
        _write_worker(folder, index, worker, slots)
        (folder / f"worker-{index}.kinds").write_bytes(
            b"".join(kind.to_bytes(8, "little") for kind in kinds)
        )
    phases: dict[str, tuple[int, int | None]] = {"ramp_up": (GO_NS, GO_NS + SECOND)}
    if steady_s:
        start_ns, end_ns = (GO_NS + round(t_s * SECOND) for t_s in steady_s)
        phases["warm_up"] = (GO_NS + SECOND, start_ns)
        phases["steady"] = (start_ns, None if supervisor_killed else end_ns)
    log: dict[str, Any] = {
        "plan": {
            "index": 0,
            "label": str(slots * len(workers)),
            "role": "level",
            "repeat": 0,
            "target": "control",
            "nodes": "code",
            "concurrency": slots * len(workers),
            "processes": max(1, len(workers)),
            "title": "",
            "mode": "threads",
            "settings": {},
            "limits": {"memory_mb": None, "cpu_percent": None},
            "connections": {"max_db_connections": 50, "connection_timeout_s": 30.0},
            "loop": "closed",
            "arrivals": None,
        },
        "started_at": "2026-01-14T09:30:12+00:00",
        "ended_at": "" if supervisor_killed else "2026-01-14T09:31:12+00:00",
        "go_ns": GO_NS,
        "phases_ns": phases,
        "ended_because": "interrupted" if supervisor_killed else ended_because,
        "ended_detail": "",
        "limits": "none",
        "workers": []
        if supervisor_killed
        else [
            {"worker": index, "pid": 1000 + index, "reason": worker.reason}
            for index, worker in enumerate(workers)
        ],
    }
    write_json(folder / "level.json", log)
    return folder


def _write_worker(folder: Path, index: int, worker: SimulatedWorker, slots: int) -> None:
    stamps = SlotFile.create(folder / f"worker-{index}.slots", slots, 0)
    blocks = worker.blocks or ([(worker.rows[-1].end_ns, worker.rows)] if worker.rows else [])
    journal = JournalWriter(folder / f"worker-{index}.sqlite")
    for committed_ns, rows in blocks:
        journal.commit(b"".join(row.packed() for row in rows), len(rows), committed_ns)
        for row in rows:
            base = SlotFile.base(row.slot)
            stamps.words[base + STARTED] += 1
            stamps.words[base + ENDED] += row.outcome != Outcome.ABANDONED
            stamps.words[base + NUMBER] = row.number
            stamps.words[base + START_NS] = row.start_ns
    for slot, number, start_ns in worker.in_flight:
        base = SlotFile.base(slot)
        stamps.words[base + STARTED] += 1
        stamps.words[base + NUMBER] = number
        stamps.words[base + START_NS] = start_ns
    for slot, count in worker.lost.items():
        stamps.words[SlotFile.base(slot) + STARTED] += count
    stamps.words[STATE] = CLOSED if worker.closed else PLAYING
    stamps.close()
    journal.close()
