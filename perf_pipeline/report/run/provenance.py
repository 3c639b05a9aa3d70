"""What really ran, where, and with which versions: the manifest as people read it.

The manifest of a killed run may lack anything. What it does not hold is shown as not recorded,
never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.level.limits import limit_facts
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.manifest_cells import MISSING, at, facts_of, plain, said
from perf_pipeline.report.text.table import Cell, Fact

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

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
        Fact("Seed", plain(manifest.get("seed"))),
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
        ("Host", facts_of(manifest.get("host"))),
        *_server_groups(manifest),
        ("Target", facts_of(manifest.get("target"), without=("packages",))),
        ("Packages of the target", facts_of(at(manifest, "target", "packages"))),
        *_environment_groups(manifest),
        ("Worker processes", facts_of(manifest.get("runtime"))),
        ("Connections", facts_of(manifest.get("connections"))),
        ("Plans (SHA-256)", facts_of(manifest.get("plan_hashes"))),
        ("Harness", facts_of(manifest.get("harness"), without=("packages",))),
        ("Packages of the harness", facts_of(at(manifest, "harness", "packages"))),
    ]
    shown = {"host", "servers", "target", "runtime", "connections", "plan_hashes", "harness"}
    shown |= {"workloads", "environments"}
    rest = {key: value for key, value in manifest.items() if key not in shown}
    groups.append(("Run", facts_of(rest)))
    return tuple(groups)


def title(metrics: RunMetrics) -> str:
    """Return what the report is called."""
    for key in ("title", "scenario"):
        if metrics.manifest.get(key):
            return escape.visible(metrics.manifest[key], length_max=120)
    return escape.name(metrics.run_id)


def product_and_version(server: Mapping[str, Any]) -> str:
    """Return what answered, and what it stands in for when that is another product."""
    product = escape.name(server.get("product") or f"unknown product ({quantity.NOT_RECORDED})")
    version = escape.name(server.get("version") or f"(version {quantity.NOT_RECORDED})")
    service = str(server.get("service") or "")
    expected = EXPECTED_PRODUCTS.get(service.casefold(), escape.name(service))
    if not expected or expected.casefold() == product.casefold():
        return f"{product} {version}"
    return f"{product} {version} in place of {expected}"


def _target(manifest: Mapping[str, Any]) -> Cell:
    target = manifest.get("target")
    if not isinstance(target, Mapping) or not target.get("name"):
        return MISSING
    name, title = str(target["name"]), target.get("title")
    packages = target.get("packages")
    package = target.get("package") or name
    version = packages.get(package) if isinstance(packages, Mapping) else None
    # A name such as "kailash==2.19.0+pandas" tells the version itself.
    first, is_runtime = escape.name(name), bool(version) and name.startswith(str(package))
    if is_runtime:
        first = first if "==" in name else f"{first} {escape.name(version)}"
    elif title:
        first = f"{first}: {escape.name(title)}"
    python = said(target.get("python"))
    lock = said(target.get("lock_hash"))[:16]
    held = f", {len(packages)} packages" if isinstance(packages, Mapping) else ""
    what = f"{escape.visible(title)}; " if title and is_runtime else ""
    note = f"{what}in its own environment: interpreter {python}, lock {lock}{held}"
    return Cell(first, note=note)


def _environment_groups(manifest: Mapping[str, Any]) -> list[tuple[str, tuple[Fact, ...]]]:
    """Return the packages of the arms' targets."""
    environments = manifest.get("environments")
    if not isinstance(environments, Mapping):
        return []
    return [
        (f"Packages of {escape.name(name)}", facts_of(at(environments, name, "packages")))
        for name in environments
    ]


def _servers(manifest: Mapping[str, Any]) -> tuple[Fact, ...]:
    servers = _server_list(manifest)
    if servers is None:
        return (Fact("Servers", MISSING),)
    if not servers:
        return (Fact("Servers", Cell("no server was needed")),)
    facts = []
    for server in servers:
        source, url = said(server.get("source")), said(server.get("url"))
        limit = said(server.get("max_connections"))
        note = f"{SOURCES.get(source, source)}; {url}; max_connections {limit}"
        facts.append(Fact("Server", Cell(product_and_version(server), note=note)))
    return tuple(facts)


def _left_out(manifest: Mapping[str, Any]) -> tuple[Fact, ...]:
    left_out = manifest.get("left_out")
    if not isinstance(left_out, list | tuple) or not left_out:
        return ()
    names = ", ".join(
        EXPECTED_PRODUCTS.get(str(name).casefold(), escape.name(str(name))) for name in left_out
    )
    note = "could not be had on this machine; workflows do not write there"
    return (Fact("Left out", Cell(names, "warn", note)),)


def _server_list(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    servers = manifest.get("servers")
    if not isinstance(servers, list | tuple):
        return None
    return [server for server in servers if isinstance(server, Mapping)]


def _server_groups(manifest: Mapping[str, Any]) -> list[tuple[str, tuple[Fact, ...]]]:
    servers = _server_list(manifest)
    if servers is None:
        return [("Servers", facts_of(None))]
    groups = []
    for server in servers:
        facts = facts_of(server, without=("settings",))
        settings = server.get("settings")
        more = facts_of(settings) if isinstance(settings, Mapping) else ()
        groups.append((product_and_version(server), (*facts, *more)))
    return groups


def _workloads(manifest: Mapping[str, Any]) -> Cell:
    workloads = manifest.get("workloads")
    if not isinstance(workloads, list | tuple) or not workloads:
        return MISSING
    kinds = []
    for work in workloads:
        if not isinstance(work, Mapping):
            kinds.append(escape.name(work))
            continue
        family, complexity = work.get("family"), work.get("complexity")
        # A user's own function has no complexity.
        kind = said(family) if complexity == "" else f"{said(family)} {said(complexity)}"
        weight = work.get("weight")
        kinds.append(kind if weight in (None, 1) else f"{kind} (weight {said(weight)})")
    return Cell(" + ".join(kinds))


def _machine(manifest: Mapping[str, Any]) -> Cell:
    host = manifest.get("host")
    if not isinstance(host, Mapping) or not host:
        return MISSING
    memory = host.get("memory_total_bytes")
    size = quantity.NOT_RECORDED
    if isinstance(memory, int | float):
        size = f"{quantity.significant(memory / 1e9)} GB"
    cores = said(host.get("cores_usable"))
    steal = host.get("steal_percent")
    lost = f", {quantity.percent(steal)} stolen" if isinstance(steal, int | float) else ""
    note = f"kernel {said(host.get('kernel'))}, container: {said(host.get('container'))}{lost}"
    return Cell(f"{said(host.get('cpu_model'))}, {cores} usable cores, {size}", note=note)


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
    processes = said(metrics.manifest.get("processes"))
    arms = len(metrics.levels) - len(levels)
    note = f"worker processes: {processes}; arms: {arms}"
    return Cell("; ".join(loads) or "no level was measured", note=note)


def _when(manifest: Mapping[str, Any]) -> Cell:
    started, ended = manifest.get("started_at"), manifest.get("ended_at")
    if not started:
        return MISSING
    begun = quantity.moment(said(started))
    note = f"until {quantity.moment(said(ended))}"
    try:
        lasted = datetime.fromisoformat(str(ended)) - datetime.fromisoformat(str(started))
    except (TypeError, ValueError):  # not a time, or only one of the two has a time zone
        return Cell(begun, note=note)
    return Cell(begun, note=f"{note}, {lasted.total_seconds():,.0f} s")


def _harness(manifest: Mapping[str, Any]) -> Cell:
    harness = manifest.get("harness")
    if not isinstance(harness, Mapping) or not harness:
        return MISSING
    commit = said(harness.get("git_commit"))[:12]
    changed = " with uncommitted changes" if harness.get("git_dirty") else ""
    python = said(harness.get("python"))
    first = f"perf_pipeline {said(harness.get('version'))}"
    return Cell(first, note=f"commit {commit}{changed}, Python {python}")
