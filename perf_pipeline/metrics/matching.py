"""What must match between two levels of two runs before their figures compare.

Everything but the version under test: the load, the target and its settings, the other packages,
the machine and the servers. Each part has a name, which says what differs where one does.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import (
    in_effect,
    parse_target,
    target_facts,
    target_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.scenario.scenario import Workload
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.host_record import HostFacts
    from perf_pipeline.samples.manifest import ContainerRecord, Manifest

_DIGITS = 16


def level_matches(manifest: Manifest, level: LevelMetrics) -> dict[str, str]:
    """Return what must match before the figures of a level compare with those of another run.

    Returns:
        Name of the part to its value as text; empty text where it is unknown, which matches
        nothing.
    """
    again = f" repeat {level.repeat + 1}" if level.repeat else ""
    behind = manifest.proxy.services if manifest.proxy else ()
    return {
        "scenario": manifest.scenario,
        "level": f"{level.label}{again}",
        "target": without_version(level.target),
        "nodes": level.nodes,
        "mode": level.mode,
        "loop": level.loop,
        "load": _load(level),
        "workloads": _hash([_workload(one) for one in manifest.workloads]),
        "seed": str(manifest.seed),
        "phases": _hash({**asdict(manifest.phases), "cooldown_s": 0}),
        "processes": str(manifest.processes),
        "settings": _hash(in_effect(level.settings)),
        "limits": _hash(level.limits),
        "connections": _hash(
            (
                manifest.connections.max_db_connections,
                manifest.connections.connection_timeout_s,
                *filter(None, (manifest.connections.transaction_think_time_s,)),
            )
        ),
        "variables": _hash((manifest.variables.values, sorted(manifest.variables.passed))),
        "packages": _packages(manifest, level.target),
        "python": manifest.runtime.get("python", "not recorded"),
        "machine": machine_of(manifest),
        "servers": "; ".join(
            sorted(
                f"{one.service}: {one.product} {one.version}"
                + (" behind a proxy" if one.service in behind else "")
                + _inside(one.container)
                for one in manifest.servers
            )
        )
        or "none",
        "server_settings": _hash(
            {one.service: one.settings for one in manifest.servers if one.settings}
        ),
    }


def _workload(one: Workload) -> tuple[object, ...]:
    """Return what one workload is; that of a run before there were requests is as it was."""
    request = () if one.request is None else (asdict(one.request),)
    return (one.name, one.weight, one.data_sha256, *request)


def _inside(container: ContainerRecord | None) -> str:
    """Return what a server may use of the machine; its container's name and image do not matter."""
    if container is None:
        return ""
    return f" in a container of {container.cpus} CPUs and {container.memory_bytes} bytes of memory"


def _load(level: LevelMetrics) -> str:
    """Return the load in words: the hash of its plan is of the target's version as well."""
    if level.open_load is not None:
        load = level.open_load
        timeout = f"start timeout {load.start_timeout_s:g} s"
        return f"{load.offered}, {load.scheduled} arrivals, {load.slots} slots, {timeout}"
    pause = f", {level.thinking.planned}" if level.thinking else ""
    return f"{level.concurrency} in flight{pause}"


def comparable_key(matches: Mapping[str, str]) -> str:
    """Return a digest that is equal for levels whose figures compare; empty if a part is unknown.

    Args:
        matches: As ``level_matches`` returns them.
    """
    return _hash(dict(sorted(matches.items()))) if all(matches.values()) else ""


def without_version(target: str) -> str:
    """Return a target without its version: ``kailash+pandas`` of ``kailash==2.19.0+pandas``."""
    try:
        spec = parse_target(target)
    except ValueError:  # of another version of this program
        return target
    return target_text(spec.name, None, spec.packages)


def target_version(manifest: Manifest, target: str) -> str:
    """Return the version of a target's own package; empty where it has none."""
    return installed_packages(manifest, target).get(own_package(manifest, target), "")


def machine_of(manifest: Manifest) -> str:
    """Return the identity of the machine of a run, or of all its machines.

    It is unknown where the programs of the machines differ, so that nothing matches it.
    """
    sharded = manifest.sharded
    if sharded is None or len(sharded.shards) == 1:
        return machine_fingerprint(manifest.host)
    if sharded.differences or not all(shard.facts for shard in sharded.shards):
        return ""
    known = Counter(machine_fingerprint(one.facts) for one in sharded.shards if one.facts)
    return "; ".join(f"{count} shards on {machine}" for machine, count in sorted(known.items()))


def machine_fingerprint(host: HostFacts) -> str:
    """Return the identity of a machine for comparisons: processor, usable cores, memory.

    Memory is rounded: another kernel on the same machine reserves some megabytes more or less.
    """
    quota = host.cgroup_cpu_limit_cores
    cores = f"{host.cores_usable} cores" + ("" if quota is None else f" (quota {quota:.3g})")
    return f"{host.cpu_model}, {cores}, {host.memory_total_bytes / 1e9:.1f} GB"


def _packages(manifest: Manifest, target: str) -> str:
    """Return a digest of what is installed beside a target; empty where its lock is unknown."""
    if not manifest.lock_hashes.get(target):
        return ""
    own = own_package(manifest, target)
    beside = {name: v for name, v in installed_packages(manifest, target).items() if name != own}
    return _hash(dict(sorted(beside.items())))


def installed_packages(manifest: Manifest, target: str) -> Mapping[str, str]:
    """Return what is installed beside a target and its own package: package to version."""
    if target in manifest.environments:
        return manifest.environments[target].packages
    return manifest.target.packages


def own_package(manifest: Manifest, target: str) -> str:
    """Return the package whose version is the target's; empty where it has none."""
    if target == manifest.target.name:
        return manifest.target.package
    try:
        return target_facts(parse_target(target).name).package
    except (ValueError, OSError):  # of another version of this program
        return ""


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
