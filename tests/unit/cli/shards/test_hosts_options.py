"""Which hosts play the shards of a run."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from perf_pipeline.cli.app import spread_levels
from perf_pipeline.cli.shards.hosts_options import shard_hosts
from perf_pipeline.errors import ScenarioError


def test_without_either_option_a_run_is_not_cut() -> None:
    assert shard_hosts(None, None) == ()


def test_each_shard_of_this_machine_has_a_name_of_its_own() -> None:
    names = shard_hosts(3, None)
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("shards", "hosts", "problem"),
    [
        (2, ["gen-a"], "give one of them"),
        (0, None, "--shards is 0; it must be at least 1"),
        (-2, None, "--shards is -2"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shards: int | None, hosts: list[str] | None, problem: str
) -> None:
    with pytest.raises(ScenarioError, match=problem):
        shard_hosts(shards, hosts)


@pytest.mark.skipif(find_spec("dagster_celery") is not None, reason="its packages are installed")
def test_hosts_without_celery_say_how_to_get_it() -> None:
    with pytest.raises(ScenarioError, match="make host-setup"):
        shard_hosts(None, ["gen-a", "gen-b"])


@pytest.mark.parametrize(
    "arguments", ["run x.toml --hosts a b --json", "run --hosts a b", "cut x.toml --hosts a b"]
)
def test_every_name_after_hosts_is_a_host(arguments: str) -> None:
    spread = " ".join(spread_levels(arguments.split()))
    assert "--hosts a --hosts b" in spread
