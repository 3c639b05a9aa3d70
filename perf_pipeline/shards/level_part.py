"""A shard's part of a level: its folder, its log, and where its clock is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.shards.shard_part import ShardPart


@dataclass(frozen=True)
class LevelPart:
    """A shard's part of a level.

    Attributes:
        shard: The shard.
        folder: Its folder of the level.
        log: Its ``level.json``.
        offset_ns: What has to be added to its times to have those of the first shard that loaded.
        clock_error_ns: Limit of the error of that; None where it was not measured.
    """

    shard: ShardPart
    folder: Path
    log: dict[str, Any]
    offset_ns: int = 0
    clock_error_ns: int | None = 0

    @property
    def workers(self) -> range:
        """The workers of the level that are this shard's."""
        return self.shard.share.workers(self.log["plan"]["processes"])

    @property
    def has_ended(self) -> bool:
        """Whether its supervisor lived to see the end of the level."""
        return bool(self.log["ended_at"])

    def at_ns(self, own_ns: int) -> int:
        """Return a time of this shard in the clock of the level."""
        return own_ns + self.offset_ns


def level_parts(shards: Sequence[ShardPart], level: str) -> tuple[LevelPart, ...]:
    """Return the parts of a level that shards left, in one clock.

    Args:
        shards: All of the run.
        level: Name of the level's folder.

    Raises:
        RunFolderError: The parts are not of one plan, or a log is damaged.
    """
    folders = ((shard, shard.folder.root / "levels" / level) for shard in shards)
    parts = tuple(
        LevelPart(shard, folder, read_json(folder / "level.json"))
        for shard, folder in folders
        if (folder / "level.json").exists()
    )
    _refuse_other_plans(parts)
    loaded = [part for part in parts if part.log["go_ns"] is not None]
    return tuple(_in_clock_of(loaded[0], part, level) for part in parts) if loaded else parts


def with_own_go(parts: Sequence[LevelPart], go_ns: int) -> tuple[LevelPart, ...]:
    """Return parts of which each began by itself as if all had begun at ``go_ns``.

    It is for control runs, in which a worker's lateness counts and nothing else.
    """
    return tuple(
        part if part.log["go_ns"] is None else replace(part, offset_ns=go_ns - part.log["go_ns"])
        for part in parts
    )


def _refuse_other_plans(parts: Sequence[LevelPart]) -> None:
    for part in parts[1:]:
        first = parts[0]
        if part.log["plan"] != first.log["plan"]:
            one, other = (each.log["plan"].get("sha256", "none") for each in (first, part))
            raise RunFolderError(
                f"{part.folder} is not a part of the same level as {first.folder}: "
                f"{part.shard.name} played the plan {other}, {first.shard.name} {one}; shards of "
                "one run play one plan"
            )


def _in_clock_of(first: LevelPart, part: LevelPart, level: str) -> LevelPart:
    """Return a part with the offset of its clock to that of the first one.

    Of shards with clocks of their own each knows its offset to the clock of the server at which
    they met. One that was killed left none; its go is the agreed moment.
    """
    if part.shard.has_clock_of(first.shard):
        return part
    own, other = (each.shard.end and each.shard.end.met.get(level) for each in (part, first))
    if own and other:
        error_ns = own.error_ns + other.error_ns
        return replace(part, offset_ns=own.offset_ns - other.offset_ns, clock_error_ns=error_ns)
    go_ns = part.log["go_ns"]
    offset_ns = 0 if go_ns is None else first.log["go_ns"] - go_ns
    return replace(part, offset_ns=offset_ns, clock_error_ns=None)
