"""A run of many workers that was never played: as one host would leave it, and as shards would.

The service times of a worker are drawn from the seed and its index, so the same records are
written for one host and, in another clock, for a shard. What is no record (manifest, samples of
resources) is that of a shard that was played.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.journal import read_facts
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.selftest.loads.worker_files import busy_rows, write_worker
from perf_pipeline.shards.shard_end import ShardEnd, write_shard_end
from perf_pipeline.shards.shard_order import shard_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.shards.barrier import Met
    from perf_pipeline.shards.shard_order import ShardOrder

LENGTH_S = 5
_SECOND_NS = 1_000_000_000
_WRITERS = 8
"""Files that are written at a time: most of that is waiting for the disk."""
_COPIED = ("run.json", "manifest.json", "plan.json")


@dataclass(frozen=True)
class SimulatedLoad:
    """The load of a run of one level.

    Attributes:
        template: Folder of a shard that was played.
        order: Of the run.
        records: Of each worker, about.
        seed: Source of the service times.
    """

    template: RunFolder
    order: ShardOrder
    records: int
    seed: int

    @property
    def plan(self) -> LevelPlan:
        """Its only level."""
        (plan,) = plan_levels(self.order.scenario, self.order.scenario.processes or 1)
        return plan

    def write_whole(self, results: Path, go_ns: int) -> RunFolder:
        """Write what one host leaves that plays all workers; returns its folder.

        Args:
            results: Folder of runs.
            go_ns: Start of the level.
        """
        root = results / self.order.run_id
        plan = self.plan
        self._write(root, plan, range(plan.processes), go_ns)
        return RunFolder(root)

    def write_shards(self, run: Path, met: Sequence[Met], clocks: Sequence[str]) -> None:
        """Write what every shard leaves.

        Args:
            run: The run's folder.
            met: What each shard knows of the meeting before the level.
            clocks: Id of the clock of each.
        """
        plan, count = self.plan, self.order.count

        def write(index: int) -> None:
            folder, own = shard_folder(run, index), Share(index, count).workers(plan.processes)
            self._write(folder, plan, own, met[index].go_ns)
            levels = {plan.folder_name: met[index]}
            end = ShardEnd(index, count, self.order.hosts[index], clocks[index], levels)
            write_shard_end(folder, end)

        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(write, range(count)))

    def _write(self, root: Path, plan: LevelPlan, workers: Iterable[int], go_ns: int) -> None:
        level = root / "levels" / plan.folder_name
        level.mkdir(parents=True)
        for name in _COPIED:
            shutil.copy(self.template.root / name, root / name)
        source = self.template.level_folders()[0]
        facts = read_facts(source / "worker-0.sqlite")
        indices = list(workers)

        def write(worker: int) -> None:
            slots = plan.slots_of(worker)
            rng = np.random.default_rng([self.seed, worker])
            rows = busy_rows(self.records, len(slots), go_ns, LENGTH_S, rng)
            rows["number"] = rows["number"] * plan.processes + worker
            write_worker(level, worker, rows, len(slots), go_ns, facts)
            shutil.copy(source / "worker-0.kinds", level / f"worker-{worker}.kinds")
            (level / f"worker-{worker}.ramp").write_bytes(slots.tobytes())

        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(write, indices))
        played = read_json(source / "level.json")
        write_json(level / "level.json", _log(played, plan, indices, go_ns))
        samples = _samples(source / "resources.jsonl", go_ns - played["go_ns"], indices)
        (level / "resources.jsonl").write_text(samples)


def _log(
    played: dict[str, Any], plan: LevelPlan, workers: Sequence[int], go_ns: int
) -> dict[str, Any]:
    end_ns = go_ns + LENGTH_S * _SECOND_NS
    worker = played["workers"][0]
    return {
        **played,
        "plan": {**plan.head(), "sha256": plan.sha256()},
        "go_ns": go_ns,
        "phases_ns": {"steady": [go_ns, end_ns], "drain": [end_ns, end_ns + 1]},
        "workers": [{**worker, "worker": index, "pid": index + 1} for index in workers],
    }


def _samples(source: Path, later_ns: int, workers: Sequence[int]) -> str:
    """Return the samples of the shard that was played, at other times and of other workers.

    All workers use what the one that was played did; who has the first one has the supervisor.
    """
    lines = []
    for sample in map(json.loads, source.read_text().splitlines()):
        if sample["problems"]:
            continue  # each shard would have them, and one host once
        played = sample["workers"]  # one, or none before its start and after its end
        moved = {
            **sample,
            "at_ns": sample["at_ns"] + later_ns,
            "workers": [{**one, "pid": index + 1} for one in played for index in workers],
        }
        lines.append(moved if 0 in workers else {**moved, "harness": [], "cpu_ms": 0.0})
    return "".join(f"{json.dumps(line)}\n" for line in lines)
