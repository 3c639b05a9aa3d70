"""Brings the files that the workers of all shards wrote into one folder of a level."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.logs.log import FOLDER as LOGS
from perf_pipeline.logs.stored import log_files
from perf_pipeline.samples.run_folder import INTENDED, STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.shards.level_part import LevelPart
    from perf_pipeline.shards.shard_part import ShardPart

_WORKER = "worker-"


def bring_files(parts: Sequence[LevelPart], level: Path) -> None:
    """Link the files of workers, and the schedule of an open level, into the level's folder.

    Args:
        parts: Of the level.
        level: Its folder, which has no such files.

    Raises:
        RunFolderError: A shard has files of a worker that is another shard's.
    """
    for part in parts:
        for path in sorted(part.folder.glob(f"{_WORKER}*")):
            if path.is_file() and not path.is_symlink():
                _refuse_worker_of_another(part, path)
                _bring(path, level / path.name)
    for name in (INTENDED, STREAMS):
        found = next((part.folder / name for part in parts if (part.folder / name).exists()), None)
        if found is not None:
            _bring(found, level / name)


def bring_logs(shard: ShardPart, run: Path) -> None:
    """Link the logs of a shard into the folder of the logs of its run, by names with its number."""
    (run / LOGS).mkdir(exist_ok=True)
    for path in log_files(shard.folder.root / LOGS):
        to = run / LOGS / f"shard-{shard.share.index}-{path.name}"
        to.unlink(missing_ok=True)
        _bring(path, to)


def _refuse_worker_of_another(part: LevelPart, path: Path) -> None:
    worker = path.name.removeprefix(_WORKER).partition(".")[0]
    if not worker.isdecimal() or int(worker) not in part.workers:
        share, own = part.shard.share, ", ".join(map(str, part.workers))
        raise RunFolderError(
            f"{path} is not of {part.shard.name}: of {share.count} shards it supervises the "
            f"workers {own or 'none'}"
        )


def _bring(path: Path, to: Path) -> None:
    """Link a file; a journal that its writer has not closed is copied, for reading it changes it.

    Copied is also what another user wrote: a link to that is refused when it is read.
    """
    is_open = path.with_name(f"{path.name.partition('.sqlite')[0]}.sqlite-wal").exists()
    if path.stat().st_uid == os.getuid() and not (is_open and ".sqlite" in path.name):
        try:
            os.link(path, to)
        except OSError:  # of another file system, or of one without links
            shutil.copyfile(path, to)
        return
    shutil.copyfile(path, to)
