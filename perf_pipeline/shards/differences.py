"""Programs that differ between the hosts of a run, which keeps it from being compared with others.

Machines may differ: which ones there were is what another run must match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.samples.manifest import Manifest
    from perf_pipeline.shards.shard_part import ShardPart


def differences_of(shards: Sequence[ShardPart]) -> tuple[str, ...]:
    """Return each difference between shards, as a sentence; empty for none.

    Args:
        shards: Those with a manifest count.
    """
    known = [(shard, shard.manifest) for shard in shards if shard.manifest is not None]
    names = {shard.name: dict(_facts(manifest)) for shard, manifest in known}
    differing = []
    for fact in dict.fromkeys(name for facts in names.values() for name in facts):
        values = {name: facts.get(fact, "not there") for name, facts in names.items()}
        if len(set(values.values())) > 1:
            differing.append(f"{fact}: {_grouped(values)}")
    return tuple(differing)


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    harness, target = manifest.harness, manifest.target
    yield "perf_pipeline", harness.version
    yield "commit of perf_pipeline", str(harness.git_commit or harness.git_problem)
    yield "Python of perf_pipeline", harness.python
    yield "Python", manifest.host.python
    for name, version in harness.packages.items():
        yield f"{name} beside perf_pipeline", version
    yield "locked packages of the target", target.lock_hash
    for name, version in target.packages.items():
        yield f"{name} beside the target", version
    if manifest.user_code is not None:
        code = manifest.user_code
        yield "commit of the functions", f"{code.git_commit} {code.changes_sha256}".strip()


def _grouped(values: Mapping[str, str]) -> str:
    by_value: dict[str, list[str]] = {}
    for name, value in values.items():
        by_value.setdefault(value, []).append(name)
    return "; ".join(f"{value} on {', '.join(names)}" for value, names in by_value.items())
