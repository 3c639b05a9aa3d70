"""The command export-metrics: campaigns are refused by name, and nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.exit_code import Exit
from tests.planted_campaign import CAMPAIGN_ID, write_planted_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer


def test_a_campaign_is_refused_with_where_its_metrics_are(
    command: Callable[..., Answer], here: Path
) -> None:
    write_planted_campaign(here / "results")
    for name in (CAMPAIGN_ID, f"endurance-{CAMPAIGN_ID}", f"results/endurance-{CAMPAIGN_ID}"):
        answer = command("export-metrics", name, "--openmetrics", "m.om")
        assert answer.code == Exit.BAD_INPUT
        assert "is an endurance campaign" in answer.err
        assert "perf-pipeline start --monitoring" in answer.err
    assert not (here / "m.om").exists()
