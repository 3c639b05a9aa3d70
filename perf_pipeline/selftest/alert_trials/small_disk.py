"""An exporter whose run never begins, on a small disk that it alone sees."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.exporter_process import exporter_process
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_MOUNT = 'mount -t tmpfs -o size=16m small "$1" && mkdir "$1/$2" && shift 2 && exec "$@"'


def _play(stage: Stage) -> Looks:
    disk = stage.folder / "disk"
    disk.mkdir()
    mounted = ("unshare", "-Urm", "sh", "-c", _MOUNT, "sh", str(disk), "small")
    stage.begin("NoData", "DiskLow")
    with exporter_process(disk / "small", stage.scrape_dir, "small", under=mounted):
        while True:
            yield


def _why_no_mount(_settings: Settings) -> str:
    """Return why this user may make no file system that only a process of it sees."""
    command = ["unshare", "-Urm", "true"]
    if shutil.which("unshare") is not None and not subprocess.call(
        command, stderr=subprocess.DEVNULL
    ):
        return ""
    return "this user may not mount a small disk (unshare -Urm is refused)"


_LABELS = {"scenario": "small"}
SMALL_DISK = CauseGroup(
    (
        Cause("NoData", "an exporter whose run never begins", _LABELS),
        Cause("DiskLow", "results on a disk of 16 MB", _LABELS),
    ),
    _play,
    is_quick=True,
    why_not_here=_why_no_mount,
)
