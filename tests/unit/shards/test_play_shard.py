"""A shard plays its share of the order, in a folder of its own, and says how it ended."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.shards.barrier import Met
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.play_shard import barrier_url, play_shard
from perf_pipeline.shards.shard_end import read_shard_end
from perf_pipeline.shards.shard_order import shard_folder, shard_results, write_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.shards.shard_end import ShardEnd
    from perf_pipeline.shards.shard_order import ShardOrder

HOSTS = ("gen-a", "gen-b")
SCENARIO = Scenario(
    "shop",
    target="control",
    concurrency=(4,),
    processes=2,
    workloads=(Workload("analytics", "complex"),),
    missing_servers="leave_out",
)


class Played:
    """In place of the run, the barrier and the attendance: notes what is done, in its order."""

    def __init__(self, *, stores: bool = True, error: Exception | None = None) -> None:
        self.done: list[str] = []
        self.given: dict[str, Any] = {}
        self.met: dict[str, Any] = {}
        self._stores, self._error = stores, error

    def run(self, scenario: Scenario, settings: Settings, **given: Any) -> Played:
        self.given = {"scenario": scenario, "settings": settings, **given}
        (settings.results_dir / given["run_id"]).mkdir(parents=True)
        return self

    @contextmanager
    def attendance(self, *_arguments: Any, **_options: Any) -> Iterator[None]:
        self.done.append("announced")
        try:
            yield
        finally:
            self.done.append("signed off")

    def barrier(self, *_arguments: Any, **_options: Any) -> Played:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.done.append("removed")

    def open_servers(self) -> list[str]:
        return ["postgres"] if self._stores else []

    def seed_data(self) -> None:
        self.done.append("seeded")

    def meet(self, place: str) -> int:
        self.done.append(f"met: {place}")
        self.met[place] = Met(go_ns=5, offset_ns=6, error_ns=7, waited_s=8.0)
        return 5

    def load(self, _on_progress: object) -> None:
        self.meet("00-4")
        self.done.append("loaded")
        if self._error:
            raise self._error


@pytest.fixture
def order() -> ShardOrder:
    settings = replace(current_settings(), urls={})
    here = {"postgres", "redis"}
    return cut(SCENARIO, settings, HOSTS, run_id="shop-1", runs=lambda _, name: name in here)


def play(played: Played, order: ShardOrder, run: Path, monkeypatch: pytest.MonkeyPatch) -> ShardEnd:
    """Play the second of two shards."""
    module = "perf_pipeline.shards.play_shard"
    monkeypatch.setattr(f"{module}.Run", played.run)
    monkeypatch.setattr(f"{module}.ShardBarrier", played.barrier)
    monkeypatch.setattr(f"{module}.Attendance", played.attendance)
    settings = replace(current_settings(), shards_url="redis://given")
    path = write_order(run, order)
    return play_shard(path, 1, settings)


def test_a_shard_plays_its_share_once_all_data_are_there(
    order: ShardOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, played = tmp_path / "shop-1", Played()
    end = play(played, order, run, monkeypatch)
    assert played.done == [
        "announced",
        "seeded",
        "met: seeded",
        "met: 00-4",
        "loaded",
        "signed off",
        "removed",
    ]
    assert played.given["scenario"] == order.scenario
    assert played.given["settings"].results_dir == shard_results(run, 1)
    assert played.given["run_id"] == "shop-1"
    assert played.given["share"] == Share(1, 2, "gen-b")
    assert played.given["meeting"] is played
    assert played.given["without"] == order.left_out == ("mongodb",)
    assert (end.index, end.count, end.host, end.why) == (1, 2, "gen-b", "")
    assert end.met == {"00-4": played.met["00-4"]}
    assert read_shard_end(shard_folder(run, 1)) == end


def test_shards_that_store_nothing_meet_at_their_levels_alone(
    order: ShardOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(stores=False)
    play(played, order, tmp_path / "shop-1", monkeypatch)
    assert played.done[1:-2] == ["seeded", "met: 00-4", "loaded"]


def test_a_shard_is_not_played_twice_and_its_end_stays(
    order: ShardOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one was called a defect of ours, and wrote its own end over the first one's."""
    run, played = tmp_path / "shop-1", Played()
    end = play(played, order, run, monkeypatch)
    once = list(played.done)
    with pytest.raises(ScenarioError, match=r"shard 1 of shop-1 was begun before.*merge shop-1"):
        play_shard(run / "shards" / "order.json", 1, current_settings())
    assert played.done == once
    assert read_shard_end(shard_folder(run, 1)) == end


def test_a_shard_that_fails_leaves_why_and_whom_it_met(
    order: ShardOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others know of it before the data that they share are removed."""
    run, played = tmp_path / "shop-1", Played(error=OSError("as planted"))
    with pytest.raises(OSError, match="as planted"):
        play(played, order, run, monkeypatch)
    assert played.done[-2:] == ["signed off", "removed"]
    end = read_shard_end(shard_folder(run, 1))
    assert end is not None
    assert (end.host, end.why) == ("gen-b", "OSError: as planted")
    assert end.met.keys() == {"00-4"}


def test_a_host_that_would_play_another_plan_refuses(
    order: ShardOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The levels have the same names; the hash is of another schedule, version or function."""
    played = Played()
    other = replace(order, plan_sha256=dict.fromkeys(order.plan_sha256, "another"))
    with pytest.raises(ScenarioError, match="level 00-4: the plan of this host differs"):
        play(played, other, tmp_path / "shop-1", monkeypatch)
    assert "loaded" not in played.done


STARTED = SimpleNamespace(url="redis://started")


@pytest.mark.parametrize(
    ("given", "of_services", "url"),
    [
        ("redis://given", {"redis": "redis://service"}, "redis://given"),
        ("", {"redis": "redis://service"}, "redis://service"),
        ("", {}, "redis://started"),
    ],
)
def test_the_redis_of_the_shards_comes_before_that_of_workflows_and_a_started_one(
    monkeypatch: pytest.MonkeyPatch, given: str, of_services: dict[str, str], url: str
) -> None:
    running: list[SimpleNamespace | None] = [STARTED]

    def started(_settings: Settings, service: str) -> tuple[SimpleNamespace | None, str]:
        assert service == "redis"
        return running[0], ""

    monkeypatch.setattr("perf_pipeline.shards.play_shard.running_server", started)
    settings = replace(current_settings(), shards_url=given, urls=of_services)
    assert barrier_url(settings) == url
    running[0] = None
    if url == STARTED.url:
        with pytest.raises(ServiceUnavailableError, match="PERF_PIPELINE_SHARDS_URL"):
            barrier_url(settings)
