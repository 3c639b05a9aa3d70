"""The trend of a campaign that leaks: a second arm names the places that grew, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.campaign import trend
from perf_pipeline.campaign.trend import STILL_LIVES, arm_of, judge_trend
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import GaveUpWaitingError
from perf_pipeline.metrics.allocations.growth_file import read_growth_places
from perf_pipeline.report.endurance.answers import LEAK, answers
from perf_pipeline.report.endurance.checks import findings
from perf_pipeline.report.endurance.files import write_campaign_report
from perf_pipeline.report.endurance.growth import growth_lines
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from tests.sampled_campaign import CAMPAIGN_ID, write_sampled_campaign
from tests.simulated_trace import LEAK as PLACE
from tests.simulated_trace import judged, trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

FOUND = judged(trace(PLACE))
NAMED = "shop.py:3 (order) grew to the end"


def leaking(hour: float) -> dict[str, float]:
    """Return a heap that grows by 10 % a day, with a sawtooth of the collector."""
    return {"target.heap_blocks": 300_000.0 + 1250.0 * hour + 500.0 * (7 * hour % 0.1)}


@pytest.fixture
def leaky(tmp_path: Path) -> CampaignFolder:
    return write_sampled_campaign(tmp_path, leaking)


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """A function that lets the second arm find this, or raise it; returns what it was asked."""

    def plant(*found: GrowthPlaces | Exception) -> list[Any]:
        left, asked = list(found), []

        def trace_growth(scenario: object, _settings: object, **given: Any) -> GrowthPlaces:
            asked.append((scenario, given["trace"]))
            one = left.pop(0)
            if isinstance(one, Exception):
                raise one
            return one

        monkeypatch.setattr(trend, "trace_growth", trace_growth)
        return asked

    return plant


def test_a_campaign_that_leaks_is_traced_once_and_what_grew_is_read_back_and_shown(
    leaky: CampaignFolder, arm: Callable[..., list[Any]]
) -> None:
    asked = arm(FOUND)
    for _ in range(2):
        assert judge_trend(leaky, current_settings()).leak == "leak"
    assert [(scenario.name, given.limit_s) for scenario, given in asked] == [("soaked", 900.0)]
    assert read_growth_places(leaky.growth_file) == FOUND
    stored = stored_campaign(leaky.root)
    (answer,) = [one for one in answers(stored) if one.question == LEAK]
    assert any(sentence.startswith(NAMED) for sentence in answer.sentences)
    assert any(NAMED in sentence for sentence in findings(stored)["no_leak"].sentences)
    page = write_campaign_report(leaky.root)
    assert '<section id="growth">' in page.read_text(encoding="utf-8")
    assert "shop.py:3 (order) grew" in page.with_suffix(".md").read_text(encoding="utf-8")


def test_what_prevents_the_second_arm_is_stored_and_it_is_tried_again(
    leaky: CampaignFolder, arm: Callable[..., list[Any]]
) -> None:
    asked = arm(GaveUpWaitingError("another run goes on"), FOUND)
    notes: list[str] = []
    judge_trend(leaky, current_settings(), notify=notes.append)
    assert notes == ["allocations: not traced: another run goes on"]
    stored = stored_campaign(leaky.root)
    assert growth_lines(stored)[0] == "No place can be named: another run goes on."
    judge_trend(leaky, current_settings())
    assert len(asked) == 2
    assert read_growth_places(leaky.growth_file) == FOUND


def test_beside_a_target_that_still_lives_nothing_is_traced(
    leaky: CampaignFolder, arm: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Living:
        def close(self) -> None:
            """End nothing."""

    asked = arm()
    monkeypatch.setattr(trend, "connect", lambda _folder: Living())
    judge_trend(leaky, current_settings())
    assert asked == []
    assert read_growth_places(leaky.growth_file).problem == STILL_LIVES


def test_a_campaign_that_does_not_leak_is_not_traced(
    tmp_path: Path, arm: Callable[..., list[Any]]
) -> None:
    asked = arm()
    folder = write_sampled_campaign(
        tmp_path, lambda hour: {"target.heap_blocks": 300_000.0 + 500.0 * (7 * hour % 0.1)}
    )
    assert judge_trend(folder, current_settings()).leak == "clean"
    assert asked == []
    assert growth_lines(stored_campaign(folder.root)) == ()


def test_a_leak_whose_places_were_not_looked_for_says_what_does_so(
    leaky: CampaignFolder, arm: Callable[..., list[Any]]
) -> None:
    arm(replace(FOUND, places=()))
    judge_trend(leaky, current_settings())
    leaky.growth_file.unlink()
    (line,) = growth_lines(stored_campaign(leaky.root))
    assert f"perf-pipeline allocations endurance-{CAMPAIGN_ID}" in line


@pytest.mark.parametrize(
    ("hours", "hour_seconds", "limit_s"), [(24, 3600.0, 900.0), (24, 25.0, 150.0), (4, 10.0, 120.0)]
)
def test_the_second_arm_is_short_beside_the_hours(
    hours: int, hour_seconds: float, limit_s: float, leaky: CampaignFolder
) -> None:
    """A quarter of them, but 2 minutes at least and 15 at most."""
    campaign = replace(leaky.campaign(), hours=hours, hour_seconds=hour_seconds)
    assert arm_of(campaign).limit_s == limit_s
