"""The hosts of a run that was played in shards: what each was, did, and how well they met."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number
from perf_pipeline.samples.shards.sharded_run import machine_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.noise import Noise
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.shards.sharded_run import ShardedRun, ShardRecord

TITLE = "Hosts"
_COLUMNS = (
    "Host",
    "Shards",
    "Workers",
    "CPU",
    "Clock error",
    "Start skew",
    "Share of workflows",
    "Machine",
)
NOTE = (
    "Clock error: limit of the error of the offset between the host's clock and that of the first "
    "shard. Start skew: how much later than the earliest host the first workflow of this one "
    "started, at the level where that was most; the ramp-up and the schedule do not count. Share: "
    "of the stored records of workflows."
)
_MAX_WORKERS = 8
_NOISE = {"quiet": ("quiet", "good"), "noisy": ("noisy", "warn"), "unknown": ("not known", "quiet")}
_WORST_FIRST = ("noisy", "unknown", "quiet")


def hosts_table(metrics: RunMetrics) -> Table:
    """Return one row for each host; no row for a run that one host played."""
    sharded = metrics.manifest.sharded
    if sharded is None:
        return Table(TITLE, _COLUMNS, ())
    by_host: dict[str, list[ShardRecord]] = {}
    for shard in sharded.shards:
        by_host.setdefault(shard.host, []).append(shard)
    rows = tuple(_row(metrics, sharded, shards) for shards in by_host.values())
    return Table(TITLE, _COLUMNS, rows, note=NOTE)


def host_sentences(metrics: RunMetrics) -> tuple[str, ...]:
    """Return how well the hosts met, and what differs between them or is missing of one."""
    sharded = metrics.manifest.sharded
    if sharded is None:
        return ()
    differences = [f"Hosts differ. {escape.visible(one)}." for one in sharded.differences]
    if differences:
        differences.append("Runs whose hosts differ are compared with no other run.")
    missing = [f"{escape.visible(shard.why)}." for shard in sharded.shards if shard.why]
    return (*missing, *_skew(sharded), *differences)


def _skew(sharded: ShardedRun) -> Sequence[str]:
    levels = dict.fromkeys(level for shard in sharded.shards for level in shard.start_late_ns)
    found = [skew / 1e9 for one in levels if (skew := sharded.start_skew_ns(one)) is not None]
    if not found:
        return ()
    many = quantity.counted(len(found), "level")
    middle, worst = (quantity.seconds(one) for one in (median(found), max(found)))
    return (f"Start skew over {many}: median {middle}, maximum {worst}.",)


def _row(
    metrics: RunMetrics, sharded: ShardedRun, shards: Sequence[ShardRecord]
) -> tuple[Cell, ...]:
    count, processes = len(sharded.shards), metrics.manifest.processes
    workers = sorted(w for shard in shards for w in range(shard.index, processes, count))
    records = sum(shard.records for shard in shards)
    everything = sum(shard.records for shard in sharded.shards)
    errors = [shard.clock_error_ns for shard in shards]
    known = [error for error in errors if error is not None]
    late = [_late_s(sharded, shard) for shard in shards]
    skews = [one for one in late if one is not None]
    why = next((shard.why for shard in shards if shard.why), "")
    missing = Cell(escape.name(shards[0].host), "bad", escape.visible(why))
    return (
        missing if why else Cell(escape.name(shards[0].host)),
        number(", ".join(str(shard.index) for shard in shards)),
        number(str(len(workers)), _shown(workers)),
        _cpu(shards),
        measured(
            max(known) / 1e9 if known and len(known) == len(errors) else None,
            quantity.seconds,
            "it left no offset of its clock",
        ),
        measured(max(skews, default=None), quantity.seconds, "it started no workflow"),
        measured(
            100 * records / everything if everything else None,
            quantity.percent,
            "no workflow was recorded",
        ),
        _machine(metrics, sharded, shards[0]),
    )


def _shown(workers: Sequence[int]) -> str:
    """Return the numbers of workers; of many the first few."""
    shown = ", ".join(map(str, workers[:_MAX_WORKERS]))
    return f"{shown}, ..." if len(workers) > _MAX_WORKERS else shown


def _late_s(sharded: ShardedRun, shard: ShardRecord) -> float | None:
    """Return by how much a shard was later than the earliest one, at the level where most."""
    late = [
        at - min(one.start_late_ns[level] for one in sharded.shards if level in one.start_late_ns)
        for level, at in shard.start_late_ns.items()
    ]
    return max(late) / 1e9 if late else None


def _cpu(shards: Sequence[ShardRecord]) -> Cell:
    facts = next((shard.facts for shard in shards if shard.facts), None)
    if facts is None:
        return Cell(quantity.NOT_MEASURED, "quiet", "it left no manifest")
    text = f"{escape.visible(facts.cpu_model)}, {facts.cores_usable} usable cores"
    return Cell(text, note=f"kernel {escape.visible(facts.kernel)}")


def _machine(metrics: RunMetrics, sharded: ShardedRun, shard: ShardRecord) -> Cell:
    """Return the worst noise of the machine of a shard at any level."""
    names = [machine_name(shards) for shards in sharded.machines if shard in shards]
    found: list[tuple[str, Noise]] = []
    for level in metrics.levels:
        own = [one.noise for one in level.machines if one.name in names]
        noise = own[0] if own else level.noise if not level.machines else None
        if noise is not None:
            found.append((level.shown_apart, noise))
    if not found:
        return Cell(quantity.NOT_MEASURED, "quiet", "it was not examined")
    level_name, worst = min(found, key=lambda one: _WORST_FIRST.index(one[1].verdict))
    text, tone = _NOISE[worst.verdict]
    causes = "; ".join(escape.visible(cause) for cause in worst.causes)
    note = f"at level {escape.name(level_name)}: {causes}" if causes else ""
    return Cell(text, tone, note)  # type: ignore[arg-type] # of _NOISE
