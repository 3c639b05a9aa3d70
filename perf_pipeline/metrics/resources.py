"""Sums the resource monitor's samples up over a window."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.level import ConnectionUse, Resources

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = 1e6


def read_samples(path: Path, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
    """Read the monitor's lines of a window; a last line cut off by a kill is left out."""
    if not path.exists():
        return []
    samples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            sample = json.loads(line)
        except ValueError:
            continue
        if start_ns <= sample["at_ns"] <= end_ns:
            samples.append(sample)
    return samples


def resources_of(samples: list[dict[str, Any]]) -> Resources:
    """Sum up what workers, harness and servers used."""
    workers_cpu = _cpu_percents(samples, "workers")
    return Resources(
        workers_pss_peak_mb=_pss_peak_mb(samples, "workers"),
        workers_cpu_mean_percent=_mean(workers_cpu),
        workers_cpu_peak_percent=max(workers_cpu, default=None),
        harness_pss_peak_mb=_pss_peak_mb(samples, "harness"),
        harness_cpu_mean_percent=_mean(_cpu_percents(samples, "harness")),
        servers_pss_peak_mb=_pss_peak_mb(samples, "servers"),
        servers_cpu_mean_percent=_mean(_cpu_percents(samples, "servers")),
        disk_read_mb=_grown_mb(samples, "read_bytes"),
        disk_write_mb=_grown_mb(samples, "write_bytes"),
        samples=len(samples),
        failed_probes=sum(len(sample["problems"]) for sample in samples),
    )


def connections_of(
    samples: list[dict[str, Any]], limits: dict[str, int], pools: dict[str, str]
) -> tuple[ConnectionUse, ...]:
    """Sum up the connections to each server.

    Args:
        samples: The monitor's lines.
        limits: Server to the most connections that the pools of all workers allow.
        pools: Server to what bounds it, in words.
    """
    uses = []
    for server, limit in limits.items():
        counts = [s["connections"][server][0] for s in samples if server in s["connections"]]
        uses.append(
            ConnectionUse(
                server=server,
                limit=limit,
                peak=max(counts, default=None),
                mean=_mean(counts),
                pool=pools.get(server, ""),
                failed_probes=sum(f"connections {server}" in s["problems"] for s in samples),
            )
        )
    return tuple(uses)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _pss_peak_mb(samples: list[dict[str, Any]], role: str) -> float | None:
    whole = [s for s in samples if s[role] and not _has_gap(s, role)]
    sums = [sum(process["pss_bytes"] for process in sample[role]) for sample in whole]
    return max(sums) / MEGABYTE if sums else None


def _has_gap(sample: dict[str, Any], role: str) -> bool:
    """True when a process of the role could not be read: a sum over the rest is not the role's."""
    return any(probe.startswith(f"{role} ") for probe in sample["problems"])


def _cpu_percents(samples: list[dict[str, Any]], role: str) -> list[float]:
    """CPU of a role between each two samples, percent of one core; processes in both count."""
    percents = []
    for before, after in pairwise(samples):
        if _has_gap(before, role) or _has_gap(after, role):
            continue
        then = {p["pid"]: p["cpu_s"] for p in before[role]}
        used_s = [p["cpu_s"] - then[p["pid"]] for p in after[role] if p["pid"] in then]
        elapsed_s = (after["at_ns"] - before["at_ns"]) / 1e9
        if used_s and elapsed_s > 0:
            percents.append(100.0 * sum(used_s) / elapsed_s)
    return percents


def _grown_mb(samples: list[dict[str, Any]], what: str) -> float | None:
    """How much the workers' counter grew from the first sample to the last."""
    if not samples:
        return None
    first = {p["pid"]: p[what] for p in samples[0]["workers"]}
    last = {p["pid"]: p[what] for p in samples[-1]["workers"]}
    both = [pid for pid in last if first.get(pid) is not None and last[pid] is not None]
    return sum(last[pid] - first[pid] for pid in both) / MEGABYTE if both else None
