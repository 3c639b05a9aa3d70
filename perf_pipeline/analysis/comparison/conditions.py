"""Under which conditions a run was measured: what must match before two runs compare.

The names are those of ``metrics/matching.py``, which the catalogue compares by digests; here each
has its parts in plain text, so that a refusal can say what differs (of requests, where they go and
what they are are two: ``addresses`` and ``requests``). Only what is under test may
differ: ``version``, and ``code``, the commit of a user's own functions.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import in_effect, parse_target, target_text
from perf_pipeline.metrics.matching import installed_packages, level_matches, own_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perf_pipeline.analysis.comparison.side import Conditions
    from perf_pipeline.config.http.http_request import HttpRequest
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.manifest import Manifest

UNDER_TEST = "version"
CODE = "code"
LOAD = "load"
"""The load of each level, by label. Levels that one side lacks are no difference of conditions."""


def conditions_of(manifest: Manifest, levels: Sequence[LevelMetrics]) -> Conditions:
    """Return the conditions of a run.

    Args:
        manifest: Of the run.
        levels: Its levels, arms left out; not empty.
    """
    first = levels[0]
    matches = level_matches(manifest, first)
    own = _under_test(manifest, first.target)
    installed = installed_packages(manifest, first.target)
    target = matches["target"]
    return {
        **{name: {"": value} for name, value in matches.items() if name != "level"},
        "target": {"": target if own_package(manifest, first.target) else _unversioned(target)},
        "workloads": {
            one.name: f"weight {one.weight:g}" + (f", data {one.data_sha256[:12]}" * bool(one.data))
            for one in manifest.workloads
        },
        **_requests(manifest),
        "settings": _texts(in_effect(first.settings)),
        "limits": _texts(first.limits),
        "packages": {name: text for name, text in installed.items() if name not in own},
        UNDER_TEST: {name: text for name, text in installed.items() if name in own},
        **_code(manifest),
        "phases": _texts({**asdict(manifest.phases), "cooldown_s": 0}),
        "connections": _texts(
            {
                "max_db_connections": manifest.connections.max_db_connections,
                "connection_timeout_s": manifest.connections.connection_timeout_s,
                "transaction_think_time_s": manifest.connections.transaction_think_time_s,
            }
        ),
        "kernel": {"": _kernels(manifest)},
        "servers": _servers(manifest),
        "server_settings": {
            f"{one.service}.{name}": value
            for one in manifest.servers
            for name, value in one.settings.items()
        },
        "variables": {**manifest.variables.values, **dict.fromkeys(manifest.variables.passed, "*")},
        "harness": {"perf_pipeline": manifest.harness.version, **_differing_hosts(manifest)},
        LOAD: {level.label: level_matches(manifest, level)[LOAD] for level in levels},
    }


def _requests(manifest: Manifest) -> dict[str, dict[str, str]]:
    """Return where requests go and what they are; nothing of a run without requests."""
    sent = {one.family: one.request for one in manifest.workloads if one.request is not None}
    if not sent:
        return {}
    return {
        "addresses": {name: request.origin for name, request in sent.items()},
        "requests": {name: _text_of(request) for name, request in sent.items()},
    }


def _text_of(request: HttpRequest) -> str:
    """Return method, path and everything else that is not as it is by default."""
    path = request.url.removeprefix(request.origin) or "/"
    rest = {
        field.name: getattr(request, field.name)
        for field in fields(request)
        if field.name not in ("url", "method", "is_own_host")
        and getattr(request, field.name) != field.default
    }
    return " ".join([request.method, path, *(f"{name}={value!r}" for name, value in rest.items())])


def _under_test(manifest: Manifest, target: str) -> set[str]:
    """Return the packages whose versions are under test.

    The target's own one; of a user's own functions, which have none, those that the target names.
    """
    if own := own_package(manifest, target):
        return {own}
    try:
        named = parse_target(target).packages
    except ValueError:  # of another version of this program
        return set()
    return set(_names(named))


def _code(manifest: Manifest) -> Conditions:
    """Return the commit of a user's own functions; without it where they are in no repository."""
    code = manifest.user_code
    if code is None:
        return {}
    changes = f" with changes {code.changes_sha256[:8]}".rstrip() if code.git_dirty else ""
    return {CODE: {"": f"{code.git_commit[:12]}{changes}"}}


def _kernels(manifest: Manifest) -> str:
    """Return the kernel of the machine, or those of all machines that played the run."""
    shards = manifest.sharded.shards if manifest.sharded else ()
    found = {shard.facts.kernel for shard in shards if shard.facts} or {manifest.host.kernel}
    return ", ".join(sorted(found))


def _differing_hosts(manifest: Manifest) -> dict[str, str]:
    """Return what differs between the programs of a run's hosts: it matches no other run."""
    if manifest.sharded is None or not manifest.sharded.differences:
        return {}
    return {f"hosts of {manifest.run_id}": "; ".join(manifest.sharded.differences)}


def _unversioned(target: str) -> str:
    """Return a target with its packages and without their versions, which are under test."""
    try:
        spec = parse_target(target)
    except ValueError:
        return target
    return target_text(spec.name, None, list(_names(spec.packages)))


def _names(packages: Iterable[str]) -> Iterable[str]:
    for text in packages:
        name = text
        for end in "[=~<>":
            name = name.partition(end)[0]
        yield name.lower().replace("_", "-")


def _servers(manifest: Manifest) -> dict[str, str]:
    """Return each server with its version and, of one of the user's, where it is."""
    behind = manifest.proxy.services if manifest.proxy else ()
    found = {
        one.service: f"{one.product} {one.version}"
        + (f" at {one.url}" if one.source == "settings" else "")
        + (" behind a proxy" if one.service in behind else "")
        for one in manifest.servers
    }
    return {**found, **dict.fromkeys(manifest.left_out, "left out")}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
