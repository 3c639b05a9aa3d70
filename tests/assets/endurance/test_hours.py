"""Hours as partitions: a real target lives across them; what is missing, past or to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.endurance.campaigns import campaign_to_join
from assets.endurance.hours import endurance_hour, soak_target
from assets.endurance.trend import endurance_checks, endurance_report, endurance_trend
from assets.shown.end_summary import end_summary
from perf_pipeline.endurance_run import end_target
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.samples.campaign.first_partition import partition_at
from tests.assets.endurance.soak_scenario import soak_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.sandbox import Sandbox

pytestmark = pytest.mark.integration

HOURS, HOUR_S = 5, 2.0
NOW = datetime.now(UTC)
PARTITIONS = [partition_at(NOW - timedelta(hours=HOURS - 1 - hour)) for hour in range(HOURS)]
MISSING = 2
PLAYED = (0, 1, 3)
ASSETS = [soak_target, endurance_hour, endurance_trend, endurance_report, endurance_checks]


class Played:
    """A campaign of which three hours were materialized, in one instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def materialize(
        self, *names: str, partition: str | None = None, **config: Any
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets as a backfill or the UI does; a failure is returned."""
        return dg.materialize(
            ASSETS,
            selection=list(names),
            partition_key=partition,
            instance=self.instance,
            resources={"end_summary": end_summary},
            run_config={"ops": {names[0]: {"config": config}}} if config else None,
            raise_on_error=False,
        )

    def metadata_of(self, hour: int) -> Mapping[str, Any]:
        """Return the metadata of the newest materialization of an hour."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey("endurance_hour"), asset_partitions=[PARTITIONS[hour]]
            ),
            limit=1,
        ).records
        found = records[0].asset_materialization
        assert found is not None
        return {name: value.value for name, value in found.metadata.items()}

    @property
    def root(self) -> Path:
        """The folder of the campaign."""
        return campaign_to_join(self.instance).root


@pytest.fixture(scope="module")
def played(sandbox: Sandbox) -> Iterator[Played]:
    """Hours 0, 1 and 3 of five; the target is ended afterwards."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        sandbox.enter(patch)
        made = Played(instance)
        scenario = soak_scenario(sandbox, HOURS, HOUR_S)
        config = {"scenario": str(scenario), "results_dir": str(sandbox.results)}
        assert made.materialize("soak_target", **config).success
        try:
            for hour in PLAYED:
                assert made.materialize("endurance_hour", partition=PARTITIONS[hour]).success
            yield made
        finally:
            end_target(campaign_to_join(instance))


def refusal(result: dg.ExecuteInProcessResult) -> str:
    """Return what a failed step says, the whole of it."""
    assert not result.success
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.error is not None
    return failure.error.message


def test_three_hours_are_played_on_one_process_of_the_target(played: Played) -> None:
    found = [played.metadata_of(hour) for hour in PLAYED]
    assert [one["hour"] for one in found] == list(PLAYED)
    assert len({one["boot_id"] for one in found}) == 1
    assert [one["ended"] for one in found] == ["deadline"] * 3
    for one in found:
        assert one["scheduled"] == 80
        assert one["ok"] + one["errors"] + one["timeouts"] + one["dropped"] + one["abandoned"] == 80
        assert one["ended_s"] - one["begun_s"] == pytest.approx(HOUR_S, abs=1e-3)
        assert one["evidence"] == "scaled"


def test_a_missing_hour_is_a_recorded_gap(played: Played) -> None:
    stored = stored_campaign(played.root)
    assert stored.missing == (MISSING,)
    assert 3 in [one.hour for one in stored.gaps]
    ended, begun = (next(one for one in stored.hours if one.hour == hour) for hour in (1, 3))
    assert begun.gap_before_s == pytest.approx(begun.begun_s - ended.ended_s, abs=1e-3)
    assert begun.gap_before_s > 0


def test_a_missing_hour_cannot_be_put_in_after_a_later_one(played: Played) -> None:
    said = refusal(played.materialize("endurance_hour", partition=PARTITIONS[MISSING]))
    assert said.startswith(f"Partition {PARTITIONS[MISSING]} (hour 2) was not measured when")
    assert "hour 3 of campaign" in said


def test_an_hour_that_was_measured_is_recorded_again_and_not_played(played: Played) -> None:
    before = played.metadata_of(1)
    files = sorted(played.root.glob("hours/*/hour.json"))
    assert played.materialize("endurance_hour", partition=PARTITIONS[1]).success
    assert played.metadata_of(1) == before
    assert sorted(played.root.glob("hours/*/hour.json")) == files


def test_an_hour_before_the_first_one_is_refused_in_a_sentence(played: Played) -> None:
    early = partition_at(NOW - timedelta(hours=HOURS + 1))
    said = refusal(played.materialize("endurance_hour", partition=early))
    assert said.startswith(f"Partition {early} is not an hour of campaign")
    assert f"which began with {PARTITIONS[0]}" in said


def test_a_campaign_with_hours_to_come_goes_on(played: Played) -> None:
    before = played.root
    assert played.materialize("soak_target").success
    assert played.root == before


def test_trend_checks_and_report_are_of_the_hours_so_far(played: Played) -> None:
    names = ("endurance_trend", "endurance_report")
    result = played.materialize(*names)
    assert result.success
    checks = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert checks == {"no_leak": False, "no_degradation": False, "errors_stable": False}
    page = (played.root / "report.html").read_text(encoding="utf-8")
    assert "3 of 5 hours" in page


def test_without_a_campaign_an_hour_says_what_to_do_first() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        said = refusal(Played(instance).materialize("endurance_hour", partition=PARTITIONS[0]))
    assert said.startswith(
        "There is no campaign that this hour could join: materialize soak_target"
    )


def test_an_hour_to_come_is_no_partition() -> None:
    later = partition_at(NOW + timedelta(hours=2))
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(dg.DagsterUnknownPartitionError, match=later),
    ):
        Played(instance).materialize("endurance_hour", partition=later)
