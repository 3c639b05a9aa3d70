"""The progress of the levels of a run, of which each shard reported its own share.

``export-metrics`` reads it: what was started, and in flight, at any moment of the run.
"""

from __future__ import annotations

import heapq
import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from perf_pipeline.shards.shard_part import ShardPart

_FILE = "progress.jsonl"
Report = dict[str, Any]


def merge_progress(shards: Sequence[ShardPart], run: Path) -> None:
    """Write the progress of all shards together into the run's folder.

    Args:
        shards: All of the run.
        run: Its folder.
    """
    reports = [_read(shard.folder.root / _FILE) for shard in shards]
    labels = dict.fromkeys(report["label"] for one in reports for report in one)
    merged = (
        report
        for label in labels
        for report in _merged([[each for each in one if each["label"] == label] for one in reports])
    )
    lines = [json.dumps(report) + "\n" for report in merged]
    (run / _FILE).write_text("".join(lines), encoding="utf-8")


def _read(path: Path) -> list[Report]:
    """Read the whole lines; one that was killed may have left a part of one."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().rpartition(b"\n")[0].splitlines()]


def _merged(reports: Sequence[Sequence[Report]]) -> Iterator[Report]:
    """Yield, for each second since the go, the sum of the latest report of each shard.

    Each reports about once a second, so a sum is of counts that are up to a second old.
    """
    numbered = (
        [(one["elapsed_s"], place, one) for one in own] for place, own in enumerate(reports)
    )
    in_order = heapq.merge(*numbered, key=lambda each: each[:2])
    latest: dict[int, Report] = {}
    for _, second in groupby(in_order, key=lambda each: int(each[0])):
        for _, place, report in second:
            latest[place] = report
            last = report
        totals = [one["totals"] for one in latest.values()]
        yield {
            **last,
            "totals": {name: sum(one[name] for one in totals) for name in last["totals"]},
            "rate_per_s": sum(one["rate_per_s"] for one in latest.values()),
        }
