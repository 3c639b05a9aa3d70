"""Random choices depend on the seed and on what they are for, not on when they are made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perf_pipeline.faults.proxy.decisions import Decisions

if TYPE_CHECKING:
    from pathlib import Path


def drawn(decisions: Decisions, key: tuple[str | int, ...]) -> list[float]:
    rng = decisions.stream(*key)
    return [rng.random() for _ in range(5)]


def test_a_connection_has_its_own_choices_whatever_others_do() -> None:
    one, other = Decisions(7, None), Decisions(7, None)
    first, second = ("redis", 0, 0), ("redis", 0, 1)
    before = drawn(one, first), drawn(one, second)
    after = drawn(other, second), drawn(other, first)
    assert before == after[::-1]
    assert before[0] != before[1]


def test_another_seed_or_proxy_has_other_choices() -> None:
    key = ("redis", 0, 0)
    assert drawn(Decisions(7, None), key) != drawn(Decisions(8, None), key)
    assert drawn(Decisions(7, None), key) != drawn(Decisions(7, None), ("mysql", 0, 0))


def test_choices_are_appended_one_a_line_and_nothing_is_written_without_one(
    tmp_path: Path,
) -> None:
    file = tmp_path / "d.jsonl"
    decisions = Decisions(7, file)
    assert not file.exists()
    decisions.note("redis", 3, toxic="latency_downstream", delay_ms=41.2)
    decisions.note("redis", 4, reset=True)
    decisions.flush()
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == [
        {"proxy": "redis", "connection": 3, "toxic": "latency_downstream", "delay_ms": 41.2},
        {"proxy": "redis", "connection": 4, "reset": True},
    ]
