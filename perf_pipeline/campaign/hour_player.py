"""Plays hours of a campaign one after the other, and turns what each has stored into an ``Hour``.

While an hour drains and its figures are computed, the next one is played already: its files are
made shortly before the end of the one before, and its load begins at the nanosecond where that of
the other ends.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.loadgen.endurance.attachment import attach, connect
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of, hour_plan
from perf_pipeline.loadgen.endurance.hour_recovery import recovered_log
from perf_pipeline.loadgen.endurance.played_hour import PlayedHour
from perf_pipeline.loadgen.endurance.soak import TWIN
from perf_pipeline.loadgen.endurance.time_scale import lead_s, sample_every_s
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.loadgen.supervise.started_worker import WorkerFiles
from perf_pipeline.metrics.endurance.hour_figures import NO_LOAD, RESOURCES, hour_figures
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.metrics.records.stored_level import read_stored_level
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.signals.known_limits import known_limits
from perf_pipeline.metrics.signals.signal_recorder import TARGET, Boot, SignalRecorder
from perf_pipeline.metrics.summary import summarise_level
from perf_pipeline.samples.campaign.begun_hour import BegunHour, read_begun_hour, write_begun_hour
from perf_pipeline.samples.campaign.campaign_clock import CampaignClock
from perf_pipeline.samples.campaign.campaign_folder import PERFORMANCE
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour, write_hour
from perf_pipeline.samples.campaign.signal_limits import write_signal_limits
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.endurance.attachment import Attachment
    from perf_pipeline.loadgen.supervise.level_log import LevelLog, Progress
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

KILLED = "its process was killed: its records were recovered from the journal"
NEVER_BEGAN = "its process was killed before its load began"
ASKED_TO_END = "it was asked to end (Ctrl-C, SIGTERM or Terminate)"

_RECOVERY_GRACE_S = 10.0


@dataclass(frozen=True)
class _Hour:
    """An hour that is being played, and what samples it."""

    load: PlayedHour
    begun: BegunHour
    sampling: ExitStack


class HourPlayer:
    """Plays hours of one campaign from this process."""

    def __init__(
        self,
        folder: CampaignFolder,
        settings: Settings,
        *,
        notify: Callable[[str], None],
        on_progress: Callable[[Progress], None],
        on_hour: Callable[[Hour], None],
        wait_s: float,
    ) -> None:
        """Read what is played.

        Args:
            folder: The campaign's.
            settings: Where things are.
            notify: Called with each line that people should see.
            on_progress: Called about once a second with the progress of the load.
            on_hour: Called with each hour when it has ended, also while the next one is played.
            wait_s: How long to wait for another load run on this host to end.

        Raises:
            RunFolderError: The campaign's files cannot be read.
        """
        self._folder = folder
        self._settings = settings
        self._notify = notify
        self._on_progress = on_progress
        self._on_hour = on_hour
        self._wait_s = wait_s
        self._campaign = folder.campaign()
        self._scenario = read_checked_run(folder.scenario_file).scenario
        self._soak = endurance_of(self._scenario)
        self._context = LevelContext(
            kinds=[(one.family, one.complexity) for one in self._scenario.workloads],
            servers=self._scenario.servers,
            pools={},
            max_error_ratio=self._scenario.max_error_ratio,
        )
        self._clock = CampaignClock.here(self._campaign)
        self._attachment: Attachment | None = None
        self._partition_of: Callable[[int], str] = lambda _hour: ""
        self._length_s: float | None = None
        self._left: list[int] = []
        self._current: _Hour | None = None
        self._following: _Hour | None = None
        self._closing: list[Future[Hour]] = []
        self._closer = ThreadPoolExecutor(1)

    def play(
        self,
        hours: Sequence[int],
        *,
        partition_of: Callable[[int], str] = lambda _hour: "",
        length_s: float | None = None,
    ) -> None:
        """Play hours one after the other; those that were killed are recovered first.

        Args:
            hours: Their numbers, ascending.
            partition_of: Gives the ``Hour.partition`` of an hour.
            length_s: Length of each at most; None for whole hours.

        Raises:
            RunFolderError: An hour was played already, or is none of the campaign's.
            PerfPipelineError: The target is unavailable.
        """
        for hour in hours:
            self._refuse(hour)
        self._partition_of, self._length_s = partition_of, length_s
        recovered = self._recover(before=max(hours) + 1)
        self._left = [hour for hour in hours if hour not in recovered]
        begin_ns = 0
        try:
            while self._left:
                begin_ns = self._play_next(begin_ns)
        finally:
            with self._closer:
                self._deliver(wait=True)
            self._detach()

    def _play_next(self, begin_ns: int) -> int:
        """Play the next hour; returns when it ended as planned."""
        current = self._following or self._begin(self._left[0])
        self._current, self._following = current, None
        del self._left[0]
        try:
            current.load.play_from(begin_ns)
        except BaseException:
            current.load.interrupt()
            self._discard_following()
            self._closing.append(self._closer.submit(self._end, current))
            raise
        self._closing.append(self._closer.submit(self._end, current))
        if current.load.lost:
            self._notify(f"hour {current.begun.hour}: the target ended: {current.load.lost}")
            self._discard_following()
            if self._attachment is not None:
                self._attachment.end()  # also where it hangs: the next hour has a new one
            self._detach()
        return current.load.stop_ns

    def _tick(self) -> None:
        """Hand on hours that have ended, and make ready the next one in good time."""
        self._deliver()
        current = self._current
        if current is None or current.load.lost or not self._left or not current.load.begun:
            return
        left_s = (current.load.stop_ns - time.monotonic_ns()) / 1e9
        if self._following is None:
            if left_s < lead_s(self._soak):
                self._following = self._begin(self._left[0])
        elif self._following.load.ready:
            self._following.load.set_go(current.load.stop_ns)

    def _deliver(self, *, wait: bool = False) -> None:
        while self._closing and (wait or self._closing[0].done()):
            self._on_hour(self._closing.pop(0).result())

    def _discard_following(self) -> None:
        if self._following is not None:
            self._following.sampling.close()
            self._following.load.discard()
            self._following = None

    def _begin(self, hour: int) -> _Hour:
        """Make an hour's files, and announce it to the target."""
        attachment = self._attached()
        folder = self._folder.hour_folder(hour)
        folder.mkdir()
        begun = BegunHour(
            hour=hour,
            partition=self._partition_of(hour),
            boot_id=attachment.boot_id,
            campaign_begun_ns=self._clock.begun_ns,
            begun_ns=time.monotonic_ns(),
        )
        write_begun_hour(folder, begun)
        plan = hour_plan(
            self._scenario, hour, len(attachment.pids), attachment.left_out, self._length_s
        )
        sampling = ExitStack()
        watched = {
            server.service: RunData(server, self._campaign.campaign_id).watched()
            for server in attachment.servers
        }
        resources = sampling.enter_context(  # the servers are asked for the signals
            ResourceSampler(folder / RESOURCES, {}, helpers=[attachment.keeper_pid])
        )
        boot = self._folder.boots / attachment.boot_id
        arms = {TARGET: _boot_of(boot, attachment.pids)}
        if attachment.twin_pids:
            arms[TWIN] = _boot_of(boot / TWIN, attachment.twin_pids)
        signals = sampling.enter_context(
            SignalRecorder(folder, self._clock, arms, watched, attachment.keeper_pid)
        )

        def sample(at_ns: int, pids: list[int]) -> None:
            resources.sample(at_ns, pids)
            signals.sample(at_ns)

        load = PlayedHour(
            plan,
            attachment,
            folder,
            on_sample=sample,
            on_tick=self._tick,
            on_progress=self._on_progress,
            sample_every_s=sample_every_s(self._scenario),
        )
        return _Hour(load, begun, sampling)

    def _attached(self) -> Attachment:
        if self._attachment is None:
            found = attach(self._folder, self._settings, notify=self._notify, wait_s=self._wait_s)
            self._attachment = found
            limits = self._folder.limits_file(found.boot_id)
            if not limits.exists():
                write_signal_limits(limits, known_limits(found.pids, found.servers))
        return self._attachment

    def _detach(self) -> None:
        if self._attachment is not None:
            self._attachment.close()
            self._attachment = None

    def _end(self, hour: _Hour) -> Hour:
        """Wait for an hour's last records, and write its ``hour.json``."""
        log = hour.load.end()
        hour.sampling.close()
        steady = log.phases_ns.get("steady")
        begin_ns = log.go_ns
        end_ns = steady[1] if steady else None
        return self._write(
            hour.begun,
            None if begin_ns is None or end_ns is None else (begin_ns, end_ns),
            _sentence(log),
        )

    def _write(self, begun: BegunHour, load_ns: tuple[int, int] | None, because: str) -> Hour:
        """Compute the figures of an hour that has ended, and write its ``hour.json``.

        Args:
            begun: The hour.
            load_ns: When its load began and ended, CLOCK_MONOTONIC; None where it never began.
            because: Why it ended.
        """
        clock = CampaignClock(begun.campaign_begun_ns)
        begin_ns, end_ns = load_ns or (begun.begun_ns, begun.begun_ns)
        figures = NO_LOAD
        if load_ns is not None:
            folder = self._folder.hour_folder(begun.hour)
            stored = read_stored_level(folder, len(self._scenario.workloads))
            figures = hour_figures(stored.records, folder / RESOURCES, begin_ns, end_ns)
            level = summarise_level(folder, self._context, stored).level
            entry = performance_metrics(level, self._campaign.campaign_id, self._scenario.name)
            write_json(folder / PERFORMANCE, entry.to_dict())
        begun_s = clock.seconds(begin_ns)
        earlier = [one.ended_s for one in self._folder.hours() if one.hour < begun.hour]
        hour = Hour(
            hour=begun.hour,
            partition=begun.partition,
            boot_id=begun.boot_id,
            begun_s=begun_s,
            ended_s=clock.seconds(end_ns),
            gap_before_s=max(0.0, begun_s - max(earlier, default=0.0)),
            ended_because=because,
            **asdict(figures),
        )
        write_hour(self._folder.hour_file(begun.hour), hour)
        return hour

    def _refuse(self, hour: int) -> None:
        if not 0 <= hour < self._campaign.hours:
            raise RunFolderError(
                f"hour {hour} is none of {self._folder.root}: it has the hours 0 to "
                f"{self._campaign.hours - 1}"
            )
        if self._folder.hour_file(hour).exists():
            raise RunFolderError(
                f"hour {hour} of {self._folder.root} was played already: its records stay as they "
                "are; begin another campaign to play it again"
            )

    def _recover(self, before: int) -> set[int]:
        """Write ``hour.json`` of earlier hours that were killed; returns their numbers."""
        recovered = set()
        for hour in self._folder.begun_hours():
            folder = self._folder.hour_folder(hour)
            if hour >= before or self._folder.hour_file(hour).exists():
                continue
            if not (folder / "begun.json").exists():  # killed while it made its first file
                folder.rmdir()
                continue
            begun = read_begun_hour(folder)
            wait_s = self._scenario.phases.drain_s + _RECOVERY_GRACE_S
            load_ns = recovered_log(folder, partial(self._lives, begun.boot_id), wait_s)
            self._on_hour(self._write(begun, load_ns, KILLED if load_ns else NEVER_BEGAN))
            self._notify(f"hour {hour}: {KILLED if load_ns else NEVER_BEGAN}")
            recovered.add(hour)
        return recovered

    def _lives(self, boot_id: str) -> bool:
        """Return whether a life of the target goes on."""
        living = connect(self._folder)
        if living is None:
            return False
        living.close()
        return living.boot_id == boot_id


def _boot_of(folder: Path, pids: Sequence[int]) -> Boot:
    """Return the worker processes of an arm, with their files."""
    files = [WorkerFiles.of(folder, worker) for worker in range(len(pids))]
    return Boot(pids, [one.slots for one in files], [one.home for one in files])


def _sentence(log: LevelLog) -> str:
    """Return why an hour ended, for ``hour.json``."""
    match log.ended_because:
        case EndedBecause.COMPLETE:
            return DEADLINE
        case EndedBecause.INTERRUPTED:
            return ASKED_TO_END
        case EndedBecause.WORKER_LOST:
            return f"the target ended: {log.ended_detail or 'a worker process was lost'}"
        case because:
            return f"{because}: {log.ended_detail}" if log.ended_detail else str(because)
