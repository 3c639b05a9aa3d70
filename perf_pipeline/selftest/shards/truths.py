"""The claims about shards: merge equality, start skew, and what a thousand shards cost."""

from __future__ import annotations

import logging
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.settings import current_settings
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.shards.equality import differences
from perf_pipeline.selftest.shards.meeting import clock_of, host_of, meet
from perf_pipeline.selftest.shards.played import HOSTS, play, scenario
from perf_pipeline.selftest.shards.simulated import SimulatedLoad
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.shards.barrier import Met
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import shard_folder, write_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.selftest.shards.meeting import Meeting
    from perf_pipeline.shards.shard_order import ShardOrder

LEVELS = {Size.CI: 3, Size.FULL: 21}
MAX_SKEW_MS = 50.0
WORKERS = 16
EQUAL = {
    Size.CI: ((2, 1), (WORKERS, WORKERS)),
    Size.FULL: ((2, 1), (4, 1), (WORKERS, 1), (4, 4), (WORKERS, WORKERS)),
}
"""Numbers of shards and of clocks for which the merge is compared to one host."""
SHARDS = {Size.CI: 100, Size.FULL: 1000}
RECORDS_A_SHARD = 1000
SLOTS_A_WORKER = 2
MAX_SECONDS, MAX_MB = 60.0, 2000.0
_GO_NS = 1_000_000_000_000
_DAY_NS = 86_400_000_000_000

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Play, merge and simulate.

    Args:
        size: 3 meetings of real shards and 100 simulated ones, or 21 and 1,000.
        seed: Source of plans, service times and clocks.
    """
    settings = replace(current_settings(), urls={})
    with (
        tempfile.TemporaryDirectory(prefix="perf-pipeline-shards-") as scratch,
        ServiceSession(settings, ["redis"]) as session,
    ):
        folder, url = Path(scratch), session.servers["redis"].url
        log.info("shards: %d levels of real shards", LEVELS[size])
        played = play(url, folder / "played" / "20260114_093012-0001", LEVELS[size], seed)
        figures = [
            Figure("real shards that did not end well", played.failed, "", 0),
            Figure("workflows that were not played once, by their shard", played.not_once(), "", 0),
            _skew(played.skews_ns()),
        ]
        template = RunFolder(shard_folder(played.run, 0))
        for count, clocks in EQUAL[size]:
            own = folder / f"{count}-{clocks}"
            figures.append(_equality(template, own, count, seed, clocks=clocks))
        return [*figures, *_thousand(template, folder / "many", url, SHARDS[size], seed)]


def _skew(skews_ns: list[int]) -> Figure:
    spread = f"{len(skews_ns)} starts, {min(skews_ns) / 1e6:.2f} to {max(skews_ns) / 1e6:.2f} ms"
    what = f"start skew of {len(HOSTS)} real shards, median"
    return Figure(what, median(skews_ns) / 1e6, "ms", MAX_SKEW_MS, note=spread)


def _order(results: Path, count: int, workers: int, seed: int) -> tuple[Path, ShardOrder]:
    """Cut a run of one level, and write its order."""
    one = replace(scenario(1, seed), concurrency=(SLOTS_A_WORKER * workers,), processes=workers)
    run = results / "20260114_093012-0002"
    settings = replace(current_settings(), urls={})
    order = cut(one, settings, [host_of(index) for index in range(count)], run_id=run.name)
    write_order(run, order)
    return run, order


def _equality(template: RunFolder, folder: Path, count: int, seed: int, *, clocks: int) -> Figure:
    """Compare a run that is merged from shards to one that is not."""
    run, order = _order(folder / "shards", count, WORKERS, seed)
    load = SimulatedLoad(template, order, RECORDS_A_SHARD, seed)
    whole = load.write_whole(folder / "whole", _GO_NS)
    rng = np.random.default_rng(seed)
    ahead_ns = [int(rng.integers(0, _DAY_NS)) if index % clocks else 0 for index in range(count)]
    met = [Met(_GO_NS + ahead, -ahead, 50_000, 0.0) for ahead in ahead_ns]
    load.write_shards(run, met, [clock_of(index % clocks) for index in range(count)])
    merged = merge_shards(run)
    found = differences((merged, measure(merged)), (whole, measure(whole)), one_machine=clocks == 1)
    where = "one clock" if clocks == 1 else "clocks days apart"
    what = f"{count} shards of {WORKERS} workers, {where}: files and figures that differ"
    return Figure(what, len(found), "", 0, note=", ".join(found))


def _thousand(
    template: RunFolder, folder: Path, url: str, count: int, seed: int
) -> Iterator[Figure]:
    """Take many simulated shards through plan, meeting and merge."""
    log.info("shards: %d simulated ones", count)
    began_s = time.monotonic()
    run, order = _order(folder / "shards", count, count, seed)
    planned_s = time.monotonic() - began_s
    load = SimulatedLoad(template, order, RECORDS_A_SHARD, seed)
    rng = np.random.default_rng(seed)
    meeting = meet(url, run.name, load.plan.folder_name, count, rng)
    yield from _meeting(count, meeting)
    if len(meeting.met) < count:
        return
    log.info("shards: writing their files")
    load.write_shards(run, meeting.met, [clock_of(index) for index in range(count)])
    stored = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    log.info("shards: merging them")
    began_s = time.monotonic()
    merged = merge_shards(run)
    merged_s = time.monotonic() - began_s
    metrics = measure(merged)
    measured_s = time.monotonic() - began_s - merged_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    log.info("shards: the same records of one host")
    whole = load.write_whole(folder / "whole", meeting.met[0].go_ns)
    found = differences((merged, metrics), (whole, measure(whole)), one_machine=False)
    records = sum(sum(level.outcomes.values()) for level in metrics.levels)
    at = f"{count} shards"
    yield Figure(f"{at}: records lost by the merge", count * RECORDS_A_SHARD - records, "", 0)
    note = ", ".join(found)
    yield Figure(
        f"{at}: files and figures that differ from one host's", len(found), "", 0, note=note
    )
    yield Figure(f"{at}: plan", planned_s, "s", None)
    yield Figure(f"{at}: meeting", meeting.seconds, "s", None)
    yield Figure(f"{at}: merge", merged_s, "s", None, note=f"{records} records")
    yield Figure(f"{at}: metrics", measured_s, "s", None)
    total_s = planned_s + meeting.seconds + merged_s + measured_s
    yield Figure(f"{at}: plan, meeting, merge and metrics", total_s, "s", MAX_SECONDS)
    yield Figure(f"{at}: maximum memory", peak_mb, "MB", MAX_MB)
    yield Figure(f"{at}: files of the shards, a shard", stored / count / 1e3, "kB", None)
    parquet = sum(one.stat().st_size for one in merged.records.iterdir()) / records
    yield Figure(f"{at}: records.parquet, a record", parquet, "bytes", None)


def _meeting(count: int, meeting: Meeting) -> Iterator[Figure]:
    at, note = f"{count} shards", "; ".join(meeting.problems[:1])
    yield Figure(f"{at}: that met", len(meeting.met), "", count, at_most=False, note=note)
    if meeting.met:
        yield Figure(f"{at}: skew of their agreed starts", meeting.skew_ns / 1e6, "ms", MAX_SKEW_MS)
        beyond_ns = meeting.beyond_errors_ns
        note = f"by {max(beyond_ns) / 1e3:.1f} us" if beyond_ns else ""
        what = f"{at}: starts beyond the stated errors of clocks"
        yield Figure(what, len(beyond_ns), "", 0, note=note)
        errors_ms = [one.error_ns / 1e6 for one in meeting.met]
        yield Figure(f"{at}: error of a clock, median", median(errors_ms), "ms", None)
