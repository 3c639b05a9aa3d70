"""What one shard of a run left, whether or not it ended well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError, ShardMissingError
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.ended_because import OF_A_SHARD
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED, KILLED, RUNNING
from perf_pipeline.shards.shard_end import read_shard_end
from perf_pipeline.shards.shard_order import shard_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.samples.manifest import Manifest
    from perf_pipeline.samples.run_record import RunRecord
    from perf_pipeline.shards.shard_end import ShardEnd

_ENDED = {KILLED: "was killed", INTERRUPTED: "was interrupted", FAILED: "failed"}
"""What became of a shard that is not complete, by its status."""


@dataclass(frozen=True)
class ShardPart:
    """One shard.

    Attributes:
        share: Its share of the workers.
        host: Name of its host.
        folder: Its own folder, which may not exist.
        record: How it ended; None where it never began.
        manifest: None where it was ended before it wrote one.
        end: What it wrote at its end; None where it was killed.
    """

    share: Share
    host: str
    folder: RunFolder
    record: RunRecord | None
    manifest: Manifest | None
    end: ShardEnd | None

    @property
    def name(self) -> str:
        """Its name in sentences, with which the reasons of its workers' ends begin."""
        return f"{OF_A_SHARD}{self.share.index} (host {self.host})"

    @property
    def boot_id(self) -> str:
        """The boot of its host's kernel; empty where it never began."""
        return ProcessStamp.from_json(self.record["process"]).boot_id if self.record else ""

    def has_clock_of(self, other: ShardPart) -> bool:
        """Return whether its times and those of another are of one clock."""
        if self.end is not None and other.end is not None:
            return self.end.clock_id == other.end.clock_id
        return self.boot_id == other.boot_id

    @property
    def why(self) -> str:
        """A sentence on what is missing of it; empty where it ended well."""
        why = self.end.why if self.end else ""
        if self.record is None:
            because = f": {why}" if why else f": nothing of it is in {self.folder.root}"
            return f"{self.name} did not begin{because}"
        status, recorded = self.record["status"], self.record.get("why", "")
        if status == COMPLETE:
            return ""
        # What an orchestrator calls an interruption is no reason.
        why = recorded or why if status == INTERRUPTED else why or recorded
        how = _ENDED.get(status, f"did not end well, it is {status}")
        return f"{self.name} {how}: {why}".rstrip(": ")

    @property
    def missed_another(self) -> bool:
        """True where it ended because another shard did not come, or had gone."""
        return self.end is not None and self.end.why.startswith(ShardMissingError.__name__)


def read_parts(run: Path, hosts: Sequence[str]) -> tuple[ShardPart, ...]:
    """Read what every shard of a run left, in order.

    Args:
        run: The run's folder.
        hosts: Name of the host of each shard.

    Raises:
        RunFolderError: A shard still runs, or a file of one is damaged.
    """
    return tuple(
        _read_part(run, Share(index, len(hosts)), hosts[index]) for index in range(len(hosts))
    )


def _read_part(run: Path, share: Share, host: str) -> ShardPart:
    folder = RunFolder(shard_folder(run, share.index))
    record = folder.read_status() if folder.status_file.exists() else None
    if record is not None and record["status"] == RUNNING:
        raise RunFolderError(
            f"shard {share.index} (host {host}) still runs in {folder.root}: merge the shards when "
            "all have ended"
        )
    return ShardPart(
        share=share,
        host=host,
        folder=folder,
        record=record,
        manifest=read_manifest(folder) if folder.manifest.exists() else None,
        end=read_shard_end(folder.root),
    )
