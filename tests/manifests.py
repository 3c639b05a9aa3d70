"""Manifests of runs that never ran."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from perf_pipeline.samples.manifest import SCHEMA_VERSION, Manifest

_READER = TypeAdapter(Manifest)
_EVERYTHING: dict[str, Any] = {
    "run_id": "20260114_093012-4f2c",
    "scenario": "simulated",
    "title": "",
    "seed": 1,
    "repeats": 1,
    "order": "as_written",
    "started_at": "2026-01-14T09:30:12+00:00",
    "processes": 1,
    "plan_hashes": {"00-10": "plan a"},
    "workloads": [{"family": "transformation", "complexity": "simple"}],
    "left_out": [],
    "phases": {},
    "connections": {"max_db_connections": 50, "connection_timeout_s": 30.0, "pools": {}},
    "limits": {},
    "stop": {},
    "slos": [],
    "arms": [],
    "level_titles": {},
    "host": {
        "cpu_model": "a processor",
        "cores_online": 2,
        "cores_usable": 2,
        "memory_total_bytes": 8_000_000_000,
        "cgroup_memory_limit_bytes": None,
        "cgroup_cpu_limit_cores": None,
        "container": "none",
        "kernel": "6.1.0",
        "system": "a system",
        "libc": "glibc 2.36",
        "python": "3.11.7",
        "temp_file_system": "ext4",
    },
    "servers": [],
    "target": {
        "name": "control",
        "title": "",
        "package": "",
        "settings": {},
        "python": "/usr/bin/python",
        "lock_hash": "lock a",
        "packages": {},
    },
    "lock_hashes": {"control": "lock a"},
    "environments": {},
    "harness": {
        "version": "0.1.0",
        "python": "3.11.7",
        "packages": {},
        "git_commit": None,
        "git_dirty": None,
        "git_problem": "no git",
    },
    "noise": {"handling": "judge"},
}
_SERVER: dict[str, Any] = {
    "service": "postgres",
    "product": "PostgreSQL",
    "version": "18.1",
    "source": "bundle",
    "url": "postgresql://127.0.0.1:20331/perf",
    "max_connections": 200,
    "settings": {},
    "stand_in": False,
    "notes": [],
}


def make_manifest(**changes: Any) -> Manifest:
    """Return a manifest of a run of one level on the control target, with changes.

    Args:
        **changes: Field to its value, as in ``manifest.json``; of a mapping that has fields, only
            those that differ, and of a server likewise.
    """
    values = {key: _merged(_EVERYTHING.get(key), value) for key, value in changes.items()}
    if "servers" in changes:
        values["servers"] = [{**_SERVER, **server} for server in changes["servers"]]
    return _READER.validate_python({**_EVERYTHING, **values})


def changed(manifest: Manifest, **changes: Any) -> Manifest:
    """Return a manifest with changes, as ``make_manifest`` takes them."""
    values = asdict(manifest)
    return make_manifest(
        **{**values, **{key: _merged(values[key], value) for key, value in changes.items()}}
    )


def stored_manifest(**changes: Any) -> dict[str, Any]:
    """Return the same as it is stored."""
    return {"schema_version": SCHEMA_VERSION, **asdict(make_manifest(**changes))}


def _merged(before: Any, value: Any) -> Any:
    has_fields = isinstance(before, dict) and isinstance(value, dict)
    return {**before, **value} if has_fields and before.keys() & value.keys() else value
