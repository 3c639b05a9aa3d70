"""Releases as partitions: filled from a real index on loopback, measured one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.partitions.part import PartitionedPart, partitioned_part
from assets.releases.measurement import release_measurement
from assets.releases.partitions import releases
from assets.releases.sensor import new_target_version, release_sensor
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.releases import Wanted, list_releases
from tests.package_index import FakeIndex, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAME = "target_release"
TWELVE = {f"2.{minor}.0": {} for minor in range(1, 13)}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


class Ticks:
    """The sensor of an index, tick after tick, as the daemon evaluates it."""

    def __init__(self, instance: dg.DagsterInstance, index: FakeIndex) -> None:
        self.instance = instance
        self.cursor: str | None = None
        index.package = "kailash"

        def listed() -> Sequence[str]:
            return list_releases("kailash", Wanted("3.11.7"), index.environ())

        self._sensor = release_sensor(listed)

    def tick(self) -> list[dg.RunRequest]:
        """Evaluate once, and do what was asked for."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        for request in result.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(NAME, list(request.partition_keys))
        self.cursor = result.cursor
        return list(result.run_requests or ())

    @property
    def partitions(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(NAME))


def test_the_first_tick_makes_the_newest_ten_partitions_and_measures_nothing(
    instance: dg.DagsterInstance,
) -> None:
    with serving(TWELVE) as index:
        ticks = Ticks(instance, index)
        assert ticks.tick() == []
        assert ticks.partitions == [f"2.{minor}.0" for minor in range(3, 13)]
        assert ticks.tick() == []


def test_no_release_between_two_ticks_is_skipped(instance: dg.DagsterInstance) -> None:
    """Two new ones, and a correction of an older one that came after a newer."""
    with serving(TWELVE) as index:
        ticks = Ticks(instance, index)
        ticks.tick()
        index.releases |= {"2.14.0": {}, "2.13.0": {}, "2.11.1": {}, "2.15.0rc1": {}}
        requests = ticks.tick()
        assert [one.partition_key for one in requests] == ["2.11.1", "2.13.0", "2.14.0"]
        assert [one.run_key for one in requests] == ["2.11.1", "2.13.0", "2.14.0"]
        assert ticks.partitions[-3:] == ["2.11.1", "2.13.0", "2.14.0"]
        assert ticks.tick() == []


def test_a_release_that_was_withdrawn_and_came_back_is_not_measured_again(
    instance: dg.DagsterInstance,
) -> None:
    with serving(TWELVE) as index:
        ticks = Ticks(instance, index)
        ticks.tick()
        index.releases["2.12.0"] = {"yanked": "by mistake"}
        assert ticks.tick() == []
        index.releases["2.12.0"] = {}
        assert ticks.tick() == []


def test_an_index_that_cannot_be_asked_fails_the_tick_and_forgets_nothing(
    instance: dg.DagsterInstance,
) -> None:
    with serving(TWELVE) as index:
        ticks = Ticks(instance, index)
        ticks.tick()
        known, index.package = ticks.cursor, "gone"
        with pytest.raises(TargetEnvironmentError, match="404"):
            ticks.tick()
        assert ticks.cursor == known
        index.package = "kailash"
        index.releases["2.13.0"] = {}
        assert [one.partition_key for one in ticks.tick()] == ["2.13.0"]


def test_partitions_of_the_command_are_not_added_again_by_the_first_tick(
    instance: dg.DagsterInstance,
) -> None:
    """What is newer than they are is added."""
    instance.add_dynamic_partitions(NAME, ["2.2.0", "2.11.0"])
    with serving(TWELVE) as index:
        ticks = Ticks(instance, index)
        assert ticks.tick() == []
        assert ticks.partitions == ["2.2.0", "2.11.0", "2.12.0"]


def fill(instance: dg.DagsterInstance, *wanted: str) -> list[str]:
    config = {"ops": {"add_releases": {"config": {"releases": list(wanted)}}}}
    assert releases.execute_in_process(run_config=config, instance=instance).success
    return list(instance.get_dynamic_partitions(NAME))


def test_the_job_keeps_partitions_in_the_order_of_the_versions(
    instance: dg.DagsterInstance,
) -> None:
    """The UI shows them in the order in which they were added; older ones come later here."""
    assert fill(instance, "2.9.0", "2.10.0") == ["2.9.0", "2.10.0"]
    assert fill(instance, "2.11.0") == ["2.9.0", "2.10.0", "2.11.0"]
    assert fill(instance, "2.8.0", "2.10.0") == ["2.8.0", "2.9.0", "2.10.0", "2.11.0"]


def test_a_partition_that_somebody_added_by_hand_stops_neither_the_job_nor_the_sensor(
    instance: dg.DagsterInstance,
) -> None:
    instance.add_dynamic_partitions(NAME, ["by hand", "2.12.0"])
    assert fill(instance, "2.11.0") == ["by hand", "2.11.0", "2.12.0"]
    with serving({**TWELVE, "2.13.0": {}}) as index:
        ticks = Ticks(instance, index)
        assert ticks.tick() == []
        assert ticks.partitions[-1] == "2.13.0"


def test_a_release_that_does_not_exist_fails_its_partition_in_a_sentence(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target is installed on demand: here from an index that does not have it."""
    for name, folder in {"XDG_CACHE_HOME": "cache", "TMPDIR": "tmp", "HOME": "home"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("PERF_PIPELINE_LOAD_LOCK", str(tmp_path / "lock"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    instance.add_dynamic_partitions(NAME, ["0.0.7"])
    with serving(TWELVE) as index:
        index.package = "kailash"
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        config = {"config": {"results_dir": str(tmp_path / "results")}}
        ended = dg.materialize(
            [release_measurement],
            partition_key="0.0.7",
            instance=instance,
            run_config={"ops": {"release_measurement": config}},
            raise_on_error=False,
        )
    assert not ended.success
    (failure,) = [event.step_failure_data for event in ended.all_events if event.is_step_failure]
    assert failure.error is not None
    assert failure.error.message.startswith("The environment of kailash==0.0.7 could not be made")
    run = instance.get_runs()[0]
    assert run.tags["target"] == "kailash==0.0.7"
    assert run.tags["scenario"] == "release"


def test_selecting_everything_without_a_partition_is_everything_that_has_none() -> None:
    """Dagster would refuse ``asset materialize --select '*'`` for one asset with partitions."""
    star = ["dagster", "asset", "materialize", "--select", "*"]
    assert partitioned_part(star) == PartitionedPart()
    for arguments in ([*star, "--partition", "2.65.0"], ["dagster", "dev"], ["dagster", "asset"]):
        part = partitioned_part(arguments)
        assert "assets.releases.measurement" in [one.__name__ for one in part.modules]
        assert part.jobs
        assert part.sensors == (new_target_version,)
