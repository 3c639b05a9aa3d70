"""The command shard refuses what is no order, and a shard that is none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.exit_code import Exit
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.shard_order import write_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.unit.cli.conftest import Answer

SCENARIO = Scenario(
    "two",
    target="control",
    nodes="lean",
    concurrency=(4,),
    workloads=(Workload("transformation", "simple"),),
)


def test_the_index_comes_from_an_indexed_job(
    command: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = cut(SCENARIO, current_settings(), ("a", "b"), run_id="two-1")
    path = write_order(tmp_path / "two-1", order)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "2")
    answer = command("shard", str(path))
    assert answer.code == Exit.BAD_INPUT
    assert "shard 2 is none of 0 to 1" in answer.err


def test_without_an_index_it_is_a_usage_error(
    command: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOB_COMPLETION_INDEX", raising=False)
    answer = command("shard", str(tmp_path / "order.json"))
    assert answer.code == Exit.BAD_INPUT
    assert "--index" in answer.err


def test_a_missing_order_is_named(command: Callable[..., Answer], tmp_path: Path) -> None:
    answer = command("shard", str(tmp_path / "order.json"), "--index", "0")
    assert answer.code == Exit.BAD_INPUT
    assert str(tmp_path / "order.json") in answer.err
