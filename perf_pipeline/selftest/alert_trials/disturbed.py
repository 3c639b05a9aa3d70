"""Real causes beside a run: a small disk, a damaged journal, a server that is not there."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.servers.server import Facts, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

_EXPORTER = "perf_pipeline.monitoring.exporter"
_MOUNT = 'mount -t tmpfs -o size=16m small "$1" && mkdir "$1/$2" && shift 2 && exec "$@"'


def can_mount() -> bool:
    """Return whether this user may make a file system that only a process of it sees."""
    command = ["unshare", "-Urm", "true"]
    return shutil.which("unshare") is not None and not subprocess.call(
        command, stderr=subprocess.DEVNULL
    )


@contextmanager
def exporter_on_small_disk(folder: Path, scrape_dir: Path, run_id: str) -> Iterator[None]:
    """Serve a run that has not begun, in a folder on a disk of 16 MB."""
    folder.mkdir()
    served = [str(folder / run_id), "--scrape-dir", str(scrape_dir), "--scenario", "small"]
    mounted = ["unshare", "-Urm", "sh", "-c", _MOUNT, "sh", str(folder), run_id]
    with _process([*mounted, sys.executable, "-I", "-m", _EXPORTER, *served]):
        yield


@contextmanager
def exporter_of_damaged(run: RunFolder, folder: Path, scrape_dir: Path) -> Iterator[None]:
    """Serve a copy of a run, not measured yet, with a block of a journal changed on the disk."""
    shutil.copytree(run.root, folder, ignore=shutil.ignore_patterns("metrics.json", "report*"))
    (journal, *_) = sorted(folder.glob("levels/*/worker-*.sqlite"))
    with closing(sqlite3.connect(journal)) as db, db:
        db.execute("update block set crc = crc + 1 where seq = (select min(seq) from block)")
    served = [str(folder), "--scrape-dir", str(scrape_dir), "--scenario", "damaged"]
    with _process([sys.executable, "-I", "-m", _EXPORTER, *served]):
        yield


def absent_redis() -> Server:
    """Return a Redis that nobody started: port 9 is that of discard."""
    return Server("redis", "redis://127.0.0.1:9/0", "settings", Facts("Redis", "", {}, None))


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
