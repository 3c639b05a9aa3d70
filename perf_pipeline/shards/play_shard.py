"""Plays one shard: a run whose supervisor has a share of the workers, and meets the others."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.run import Run
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.shards.attendance import Attendance
from perf_pipeline.shards.barrier import ShardBarrier
from perf_pipeline.shards.clock import clock_id
from perf_pipeline.shards.shard_end import ShardEnd, write_shard_end
from perf_pipeline.shards.shard_order import read_order, shard_folder, shard_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.shards.shard_order import ShardOrder

_REDIS = "redis"
_SEEDED = "seeded"
"""Where shards meet before the first level."""


def play_shard(
    order_path: Path,
    index: int,
    settings: Settings,
    *,
    notify: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    wait_s: float = DEFAULT_WAIT_S,
) -> ShardEnd:
    """Play a shard to its end; its records are in a folder of its own below that of the run.

    Args:
        order_path: The order, in the folder of the run, which all hosts share.
        index: Which shard.
        settings: Where things are on this host.
        notify: Called with each line to show while it is active.
        on_progress: Called about once a second with the progress of its share.
        wait_s: How long to wait for another load run on this host to end.

    Raises:
        PerfPipelineError: It cannot be played here, or another shard did not arrive.
    """
    order, run = read_order(order_path), order_path.parents[1]
    _refuse_index(order, index)
    _refuse_second_time(run, order, index)
    own = replace(settings, results_dir=shard_results(run, index))
    barrier: ShardBarrier | None = None
    attendance: AbstractContextManager[object] = nullcontext()
    if order.count > 1:
        url = barrier_url(settings)
        barrier = ShardBarrier(
            url,
            order.run_id,
            index,
            order.hosts,
            arrive_within_s=order.arrive_within_s,
            gone_after_s=order.gone_after_s,
        )
        attendance = Attendance(url, order, index, notify=notify)

    def end(why: str = "") -> ShardEnd:
        levels = barrier.met if barrier else {}
        met = {name: levels[name] for name in order.plan_sha256 if name in levels}
        return ShardEnd(index, order.count, order.hosts[index], clock_id(), met, why)

    played = Run(
        order.scenario,
        own,
        run_id=order.run_id,
        notify=notify,
        wait_s=wait_s,
        share=Share(index, order.count, order.hosts[index]),
        meeting=barrier,
        without=order.left_out,
    )
    folder = shard_folder(run, index)
    try:
        with played, attendance:  # the others know of an error before its data are removed
            _refuse_another_plan(order)
            stores = bool(played.open_servers())
            played.seed_data()
            if barrier and stores:
                barrier.meet(_SEEDED)
            played.load(on_progress)
    except BaseException as error:
        if folder.exists():
            write_shard_end(folder, end(f"{type(error).__name__}: {error}"))
        raise
    write_shard_end(folder, end())
    return end()


def barrier_url(settings: Settings) -> str:
    """Return the Redis at which shards meet: as given, else the one of the settings, else started.

    Raises:
        ServiceUnavailableError: There is none.
    """
    if url := settings.shards_url or settings.urls.get(_REDIS):
        return url
    server, _ = running_server(settings, _REDIS)
    if server is None:
        raise ServiceUnavailableError(
            "shards meet at a Redis that all hosts reach, and there is none: set "
            "PERF_PIPELINE_SHARDS_URL, or start one here with `perf-pipeline start`"
        )
    return server.url


def _refuse_index(order: ShardOrder, index: int) -> None:
    """Refuse a shard that the run does not have.

    Raises:
        ScenarioError: It has fewer.
    """
    if not 0 <= index < order.count:
        raise ScenarioError([f"shard {index} is none of 0 to {order.count - 1}."])


def _refuse_second_time(run: Path, order: ShardOrder, index: int) -> None:
    """Refuse a shard that was begun before: a second one would end the first one's meetings.

    Raises:
        ScenarioError: It has a folder.
    """
    if shard_folder(run, index).exists():
        problem = (
            f"shard {index} of {order.run_id} was begun before, and a shard is played once: its "
            f"part of the time has gone. `perf-pipeline merge {order.run_id}` reports what is "
            "stored; for another run cut it anew."
        )
        raise ScenarioError([problem])


def _refuse_another_plan(order: ShardOrder) -> None:
    """Refuse a share of a plan that this host would not make.

    Raises:
        ScenarioError: With each level that differs.
    """
    plans = plan_levels(order.scenario, order.scenario.processes or 0, order.left_out)
    hashes = {plan.folder_name: plan.sha256() for plan in plans}
    if hashes != order.plan_sha256:
        differ = sorted(dict(hashes.items() ^ order.plan_sha256.items()))
        raise ScenarioError(
            [
                f"level {name}: the plan of this host differs from the order's: install the same "
                "version of perf_pipeline, and the same files, on every host."
                for name in differ
            ]
        )
