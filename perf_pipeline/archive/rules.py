"""What may go into an archive of results, what it may declare, and how members may be called."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.config.names import name_problem
from perf_pipeline.host.load_lock import is_locked
from perf_pipeline.samples.campaign.campaign_folder import PLAYING, PREFIX
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import MAY_GO_ON, RUNNING
from perf_pipeline.samples.shards.shard_folders import unmerged_runs, unmerged_sentence

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "results"
MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
MAX_BYTES = 20_000_000_000
MAX_FILES = 100_000
MAX_DEPTH = 12
MAX_RATIO = 100
MIN_BOMB_BYTES = 50_000_000
"""Results shrink to a third or less, files of zeros to a thousandth: a small archive may."""
_SHOWN = 120
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@,~ -]{0,199}")


def refuse_what_may_grow(results: Path) -> None:
    """Refuse to export a part of a run, which nobody could tell from the whole of one.

    Raises:
        ArchiveError: With a sentence for each run that may go on, each whose shards nobody has
            merged, and each campaign of which an hour is played.
    """
    problems = []
    for one in read_runs(results).found:
        if one.record["status"] == RUNNING:
            problems.append(f"run {one.folder.run_id} goes on: export when it has ended")
        elif one.record["status"] in MAY_GO_ON:
            problems.append(
                f"run {one.folder.run_id} is not seen from here and may go on: export where it was "
                "started, or, if it has ended, move its folder out of the results"
            )
    problems += [f"{unmerged_sentence(run)}; export then" for run in unmerged_runs(results)]
    problems += [
        f"campaign {playing.parent.name} goes on: export when it has ended"
        for playing in sorted(results.glob(f"{PREFIX}*/{PLAYING}"))
        if is_locked(playing)
    ]
    if problems:
        raise ArchiveError("\n".join(problems))


def member_problem(name: str) -> str:
    """Return why a member may not have a name; empty if it may."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        return "would lie outside of the results"
    if parts[0] != FOLDER or len(parts) == 1 or "" in parts or "." in parts:
        return f"does not lie in {FOLDER}"
    if len(parts) > MAX_DEPTH or not all(map(_PART.fullmatch, parts)):
        return (
            f"has a name that no result has: at most {MAX_DEPTH} parts of A-Z, a-z, 0-9 and "
            "_.+=@,~- or spaces, none beginning with a dot or dash"
        )
    if len(parts) > 2 and (problem := name_problem("run id", parts[1])):  # noqa: PLR2004
        return f"lies in no run: {problem}"
    return ""


def refuse_bomb(total: int, compressed: int, staging: Path, written: int) -> None:
    """Refuse an archive that would fill the disk.

    Args:
        total: Bytes of its files, as its manifest declares them.
        compressed: Bytes of the archive.
        staging: Where it would be unpacked.
        written: Bytes of the files that would be.

    Raises:
        ArchiveError: Results never shrink as much, or the disk has no room.
    """
    if total > max(MIN_BOMB_BYTES, MAX_RATIO * compressed):
        raise ArchiveError(
            f"it has {compressed:,} bytes and declares {total:,}, more than {MAX_RATIO} times as "
            "many, which no results do"
        )
    free = shutil.disk_usage(staging).free
    if written > free:
        raise ArchiveError(f"it needs {written:,} bytes, and {free:,} are free in {staging.parent}")


def refused(name: str, why: str) -> ArchiveError:
    """Return the error that refuses a member."""
    return ArchiveError(f"member {shown_name(name)} of the archive {why}; nothing was imported")


def shown_name(name: str) -> str:
    """Return a name in quotes, short, with everything that a terminal would obey spelled out."""
    return ascii(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!a}..."
