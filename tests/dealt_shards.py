"""Deals the files of a run's workers out into shards, as several hosts would have written them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.run_folder import CONTROL, RunFolder, read_json, write_json
from perf_pipeline.samples.slots import GO_NS, START_NS, STOP_NS, SlotFile
from perf_pipeline.samples.steps.level_steps import STEP_DTYPE
from perf_pipeline.shards.barrier import Met
from perf_pipeline.shards.shard_end import ShardEnd, write_shard_end
from perf_pipeline.shards.shard_order import ShardOrder, shard_folder, write_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BOOT = "00000000-0000-4000-8000-000000000000"
_SCENARIO = Scenario(
    "simulated", target="control", workloads=(Workload("transformation", "simple"),)
)


@dataclass(frozen=True)
class Host:
    """A host that plays a shard.

    Attributes:
        name: In the order.
        boot_id: Hosts of the same boot are one machine.
        ahead_ns: By how much its clock is ahead of that of the run that is dealt out.
    """

    name: str
    boot_id: str = BOOT
    ahead_ns: int = 0


def deal(run: RunFolder, results: Path, hosts: Sequence[Host]) -> Path:
    """Deal a run out to hosts; returns the folder of the run to be merged.

    Args:
        run: A run that one host has played to its end.
        results: Where the run in shards is made.
        hosts: One a shard.
    """
    root = results / run.run_id
    levels = {path.name: read_json(path / "level.json") for path in run.level_folders()}
    hashes = {name: str(log["plan"].get("sha256", name)) for name, log in levels.items()}
    order = ShardOrder(run.run_id, tuple(h.name for h in hosts), _SCENARIO, (), hashes, 1.0)
    write_order(root, order)
    for index, host in enumerate(hosts):
        share, folder = Share(index, len(hosts)), shard_folder(root, index)
        for name in levels:
            deal_level(run.root / "levels" / name, folder / "levels" / name, share, host.ahead_ns)
        for name in ("manifest.json", "plan.json"):
            if (run.root / name).exists():
                shutil.copy(run.root / name, folder / name)
        record = read_json(run.status_file)
        record["process"][2] = host.boot_id
        write_json(folder / "run.json", record)
        met = {
            name: Met(
                go_ns=log["go_ns"] + host.ahead_ns,
                offset_ns=-host.ahead_ns,
                error_ns=100_000,
                waited_s=0.0,
            )
            for name, log in levels.items()
        }
        write_shard_end(folder, ShardEnd(index, len(hosts), host.name, f"{host.boot_id}-0", met))
    return root


def deal_level(level: Path, to: Path, share: Share, ahead_ns: int) -> None:
    """Deal a share of a level's workers out."""
    to.mkdir(parents=True)
    log = read_json(level / "level.json")
    own = set(share.workers(log["plan"]["processes"]))
    pids = {one["pid"] for one in log["workers"] if one["worker"] in own}
    log["workers"] = [one for one in log["workers"] if one["worker"] in own]
    log["go_ns"] += ahead_ns
    log["phases_ns"] = {
        name: [None if at is None else at + ahead_ns for at in bounds]
        for name, bounds in log["phases_ns"].items()
    }
    write_json(to / "level.json", log)
    for worker in own:
        for path in level.glob(f"worker-{worker}.*"):
            shutil.copy(path, to / path.name)
        if ahead_ns:
            _advance(to, worker, ahead_ns)
    for name in ("canary.json", "state.json", "intended.int64", "streams.int64"):
        if (level / name).exists():
            shutil.copy(level / name, to / name)
    if (level / "resources.jsonl").exists():
        lines = (level / "resources.jsonl").read_text().splitlines()
        dealt = (_dealt_sample(json.loads(line), pids, share, ahead_ns) for line in lines)
        (to / "resources.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in dealt))
    if (level / CONTROL).exists():
        deal_level(level / CONTROL, to / CONTROL, share, ahead_ns)


def _dealt_sample(
    sample: dict[str, Any], pids: set[int], share: Share, ahead_ns: int
) -> dict[str, Any]:
    """Return the part of a sample that a host would have taken; the first one has the harness."""
    workers = [process for process in sample["workers"] if process["pid"] in pids]
    dealt = {**sample, "at_ns": sample["at_ns"] + ahead_ns, "workers": workers}
    return dealt if share.index == 0 else {**dealt, "harness": [], "cpu_ms": 0.0, "children": []}


def _advance(folder: Path, worker: int, ahead_ns: int) -> None:
    """Move every time in a worker's files."""
    with closing(sqlite3.connect(folder / f"worker-{worker}.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE wait SET at_ns = at_ns + ?", (ahead_ns,))
        times = (
            ("block", RECORD_DTYPE, RECORD_DTYPE.names[1:4]),
            ("step_block", STEP_DTYPE, ["start_ns"]),
        )
        for table, dtype, names in times:
            for seq, payload in db.execute(f"SELECT seq, payload FROM {table}").fetchall():
                rows = np.frombuffer(payload, dtype=dtype).copy()
                for name in names:
                    rows[name] += ahead_ns
                db.execute(
                    f"UPDATE {table} SET payload = ?, crc = ?, committed_ns = committed_ns + ? "
                    "WHERE seq = ?",
                    (rows.tobytes(), zlib.crc32(rows.tobytes()), ahead_ns, seq),
                )
    slots = SlotFile(folder / f"worker-{worker}.slots")
    for word in (GO_NS, STOP_NS, *(SlotFile.base(slot) + START_NS for slot in range(slots.slots))):
        if 0 < slots.words[word] < 2**62:
            slots.words[word] += ahead_ns
    slots.close()
