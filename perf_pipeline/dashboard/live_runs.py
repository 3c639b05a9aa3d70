"""The load runs that go on, each with its progress as its files tell it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError, RunFolderError
from perf_pipeline.monitoring.run_progress import REPORT, START, RunWatch
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact
from perf_pipeline.samples.run_file import is_linked_from_elsewhere
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import MAY_GO_ON, NOT_SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from perf_pipeline.monitoring.run_progress import RunProgress
    from perf_pipeline.report.text.table import Tone
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.samples.run_list import FoundRun

SILENT_S = 60.0
"""A run whose process is not seen from here goes on while its files are younger than this."""
_PROGRESS = "progress.jsonl"
_PHASES = {START: "starting", REPORT: "measuring and writing the report"}


@dataclass(frozen=True)
class LiveRun:
    """A run that goes on, as people see it; every text is inert.

    Attributes:
        run_id: Its id.
        scenario: Its name.
        started: When, UTC.
        stage: The level, and how many there are.
        facts: What happens now.
        concerns: What may make it no measurement, and what cannot be read.
    """

    run_id: str
    scenario: str
    started: str
    stage: str
    facts: tuple[Fact, ...]
    concerns: tuple[str, ...]


class LiveRuns:
    """Watches the runs of results folders that go on.

    A folder is only read as a whole when its list of entries has changed, so that looking every
    two seconds costs a load test beside it next to nothing.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Know no run yet.

        Args:
            now_s: Wall clock, seconds, as files are stamped.
        """
        self._now_s = now_s
        self._lock = threading.Lock()
        self._changed_ns: dict[Path, int] = {}
        self._going_on: dict[Path, list[FoundRun]] = {}
        self._watches: dict[Path, RunWatch] = {}

    def look(self, folders: Sequence[Path]) -> tuple[LiveRun, ...]:
        """Return the runs that go on, the newest first."""
        with self._lock:
            runs = [run for folder in folders for run in self._runs_of(folder)]
            watched = {run.folder.root for run in runs}
            self._watches = {at: one for at, one in self._watches.items() if at in watched}
            runs.sort(key=lambda run: str(run.record["started_at"]), reverse=True)
            return tuple(map(self._seen, runs))

    def _runs_of(self, results: Path) -> list[FoundRun]:
        try:
            changed_ns = results.stat().st_mtime_ns
        except OSError:
            return []
        if self._changed_ns.get(results) != changed_ns:
            with suppress(RunFolderError):  # the list of runs says why it cannot be read
                found = read_runs(results).found
                self._going_on[results] = [
                    one for one in found if one.record["status"] in MAY_GO_ON
                ]
                self._changed_ns[results] = changed_ns
        known = self._going_on.get(results, [])
        known[:] = [one for one in known if self._goes_on(one.folder)]
        return [one for one in known if not self._is_silent(one)]

    def _goes_on(self, folder: RunFolder) -> bool:
        try:
            return folder.read_status()["status"] in MAY_GO_ON
        except RunFolderError:
            return False

    def _is_silent(self, run: FoundRun) -> bool:
        if run.record["status"] != NOT_SEEN:
            return False
        root = run.folder.root
        stamps = []
        for path in (root / _PROGRESS, root / "run.json", root / "levels"):
            with suppress(OSError):
                stamps.append(path.lstat().st_mtime)
        return self._now_s() - max(stamps, default=0.0) > SILENT_S

    def _seen(self, run: FoundRun) -> LiveRun:
        concerns = [str(run.record["why"])] if run.record.get("why") else []
        progress = None
        try:
            progress = self._progress(run.folder)
        except (PerfPipelineError, OSError, ValueError, KeyError, TypeError) as error:
            self._watches.pop(run.folder.root, None)
            concerns.append(f"its progress cannot be read: {type(error).__name__}: {error}")
        if progress is not None:
            concerns += progress.concerns
        return LiveRun(
            run_id=escape.name(run.folder.run_id),
            scenario=escape.name(run.record["scenario"]),
            started=quantity.moment(run.record["started_at"]),
            stage=_stage(progress),
            facts=tuple(_facts(progress)) if progress else (),
            concerns=tuple(map(escape.visible, concerns)),
        )

    def _progress(self, folder: RunFolder) -> RunProgress | None:
        path = folder.root / _PROGRESS
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise RunFolderError(f"{path} is no regular file, as every file of a run is")
        if path.exists() and is_linked_from_elsewhere(path):
            raise RunFolderError(f"{path} is a hard link to a file of another user")
        watch = self._watches.setdefault(folder.root, RunWatch(folder))
        return watch.look()


def _stage(progress: RunProgress | None) -> str:
    if progress is None:
        return "before its first level"
    shown = escape.name(progress.shown)
    phase = _PHASES.get(progress.phase, progress.phase.replace("_", " "))
    return f"level {shown}, {progress.index + 1} of {progress.levels}: {escape.name(phase)}"


def _facts(progress: RunProgress) -> Iterator[Fact]:
    ended, failed = progress.ended, progress.failed
    wanted = f"{'at most' if progress.loop == 'open' else 'of'} {quantity.count(progress.wanted)}"
    yield _fact("In flight", quantity.count(progress.in_flight), wanted)
    if progress.offered_per_s is not None:
        yield _fact("Offered", quantity.rate(progress.offered_per_s), "last second")
    yield _fact(
        "Ended", quantity.rate(progress.rate_per_s), f"{quantity.count(ended)} at this level"
    )
    share = f"{quantity.percent(100 * failed / ended)} of those" if ended else "nothing has ended"
    yield _fact("Failed", quantity.count(failed), share, "warn" if failed else "plain")
    for name, mean_s in (
        ("Mean response time", progress.mean_response_s),
        ("Mean service time", progress.mean_service_s),
    ):
        if mean_s is not None:
            yield _fact(name, quantity.seconds(mean_s), "last 10 s")
    yield _fact("At this level for", f"{progress.elapsed_s:,.0f} s")
    if progress.left_s is not None:
        yield _fact("Left of the run", f"about {progress.left_s:,.0f} s", "an estimate")
    if progress.errors:
        kinds = sorted(progress.errors.items())
        named = (f"{escape.name(kind)} {quantity.count(count)}" for kind, count in kinds)
        yield _fact("Errors", ", ".join(named), tone="warn")


def _fact(term: str, text: str, note: str = "", tone: Tone = "plain") -> Fact:
    return Fact(term, Cell(text, tone, note))
