"""What changed over the runs, where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer


def test_history_of_nothing_says_how_to_begin_and_makes_no_folder(
    command: Callable[..., Answer], here: Path
) -> None:
    answer = command("history", "--json")
    assert not (here / "results").exists()
    assert (answer.code, answer.reported["histories"]) == (0, [])
    assert "`perf-pipeline run baseline` makes one" in answer.err
