"""What a run's record, manifest and reports of progress say."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.run_record import COMPLETE, MAY_GO_ON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perf_pipeline.monitoring.level_reading import LevelReading
    from perf_pipeline.samples.manifest import Manifest
    from perf_pipeline.samples.run_record import RunRecord


def run_facts(
    record: RunRecord, manifest: Manifest | None, *, is_shard: bool = False
) -> Iterator[Sample]:
    """Return when a run began, whether it goes on, and what it runs.

    Args:
        record: The content of ``run.json``.
        manifest: None before it is written.
        is_shard: They are of a shard, whose end is no success of the run yet.
    """
    status = record["status"]
    begun_s = datetime.fromisoformat(record["started_at"]).timestamp()
    yield Sample("loadtest_run_started_timestamp_seconds", (), begun_s)
    yield Sample("loadtest_run_status", (status,), 1)
    yield Sample("loadtest_run_process_up", (), float(status in MAY_GO_ON))
    if status == COMPLETE and not is_shard and (ended := record.get("ended_at")):
        ended_s = datetime.fromisoformat(ended).timestamp()
        yield Sample("loadtest_last_success_timestamp_seconds", (), ended_s)
    if manifest is not None:
        products = ", ".join(f"{one.product} {one.version}" for one in manifest.servers)
        revision = (manifest.harness.git_commit or "")[:12]
        facts = (manifest.target.name, revision, products)
        yield Sample("loadtest_run_info", facts, 1)


def is_of(progress: Mapping[str, Any], level: LevelReading) -> bool:
    """Return whether a line of ``progress.jsonl`` is of a level."""
    shown = f"{level.plan.get('label')} ({level.plan.get('title')})"
    return progress["label"] in (level.plan.get("label"), shown)


def progress_values(
    progress: Mapping[str, Any], level: LevelReading, heard_s: float
) -> Iterator[Sample]:
    """Return what a level's latest report of progress says.

    Args:
        progress: A line of ``progress.jsonl``.
        level: The level.
        heard_s: When it was written, seconds of the epoch.
    """
    totals = progress["totals"]
    yield Sample("loadtest_workflows_started_total", (level.name,), totals["started"])
    if level.phase not in ("start", "ended"):
        in_flight = totals["started"] - totals["ended"]
        yield Sample("loadtest_workflows_in_flight", (level.name,), in_flight)
        yield Sample("loadtest_heartbeat_timestamp_seconds", (), heard_s)


def connection_limits(manifest: Manifest | None, level: LevelReading) -> dict[str, int]:
    """Return the connections that the target may open to each server in a level."""
    if manifest is None or not level.plan:
        return {}
    servers = [one.service for one in manifest.servers]
    context = LevelContext(manifest.kinds, servers, manifest.connections.pools)
    return context.connection_limits(level.plan)
