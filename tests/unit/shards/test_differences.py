"""What runs on the hosts of a run has to be the same; what they are need not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.shards.differences import differences_of
from perf_pipeline.shards.shard_part import ShardPart
from tests.manifests import make_manifest

USER_CODE = {"folder": "/shop", "git_commit": "abc", "git_branch": "main", "git_dirty": True}


def differences(*manifests: dict[str, Any] | None) -> tuple[str, ...]:
    return differences_of(
        [
            ShardPart(
                Share(index, len(manifests)),
                f"gen-{index}",
                RunFolder(Path("none")),
                None,
                None if changes is None else make_manifest(**changes),
                None,
            )
            for index, changes in enumerate(manifests)
        ]
    )


@pytest.mark.parametrize(
    ("part", "one", "other", "fact"),
    [
        ("harness", {"version": "1"}, {"version": "2"}, "perf_pipeline"),
        ("harness", {"git_commit": "abc"}, {"git_commit": "def"}, "commit of perf_pipeline"),
        ("harness", {"git_commit": "abc"}, {"git_problem": "no git"}, "commit of perf_pipeline"),
        ("harness", {"python": "3.11"}, {"python": "3.12"}, "Python of perf_pipeline"),
        ("harness", {"packages": {"polars": "1"}}, {"packages": {}}, "polars beside perf_pipeline"),
        ("host", {"python": "3.11"}, {"python": "3.12"}, "Python"),
        ("target", {"lock_hash": "a"}, {"lock_hash": "b"}, "locked packages of the target"),
        ("target", {"packages": {"pandas": "2"}}, {"packages": {}}, "pandas beside the target"),
        ("user_code", USER_CODE, USER_CODE | {"git_commit": "def"}, "commit of the functions"),
        ("user_code", USER_CODE, USER_CODE | {"changes_sha256": "c"}, "commit of the functions"),
    ],
)
def test_a_program_that_differs_is_named_with_its_hosts(
    part: str, one: dict[str, Any], other: dict[str, Any], fact: str
) -> None:
    """The third host is as the first; a fourth one left no manifest."""
    first, second = {part: one}, {part: other}
    (found,) = differences(first, second, first, None)
    assert found.startswith(f"{fact}: ")
    assert found.split("; ")[0].endswith(" on shard 0 (host gen-0), shard 2 (host gen-2)")
    assert found.endswith(" on shard 1 (host gen-1)")


def test_machines_may_differ() -> None:
    one, other = {"host": {"cores_usable": 2}}, {"host": {"cores_usable": 64, "kernel": "6.12"}}
    assert differences(one, other) == ()
