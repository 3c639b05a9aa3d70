"""What the manifest records of the hosts of a run that was played in shards.

Annotations are evaluated here, so that the manifest is read back into the same types.
"""

from dataclasses import dataclass, field

from perf_pipeline.samples.host_record import HostFacts, HostNoise


@dataclass(frozen=True)
class ShardRecord:
    """One shard: the share of the worker processes that one host supervised.

    Attributes:
        index: From 0: worker processes ``index``, ``index`` + number of shards, ... were its own.
        host: Name of its host.
        boot_id: Of its host's kernel: shards of the same boot ran on one machine.
        facts: The machine; None where it left no manifest.
        noise: Calibrations around its share of the run; None likewise.
        records: Records in the journals of its worker processes.
        clock_error_ns: Limit of the error of the offset between its clock and that of the first
            shard; 0 for the same clock, None where it was not measured.
        start_late_ns: Folder of a level to how long after the plan the first workflow of its
            workers started, in the clock of the first shard: lag and error of the clocks together.
        why: Why it did not end well; empty if it did.
    """

    index: int
    host: str
    boot_id: str
    facts: HostFacts | None
    noise: HostNoise | None
    records: int
    clock_error_ns: int | None
    start_late_ns: dict[str, int] = field(default_factory=dict)
    why: str = ""

    @property
    def name(self) -> str:
        """Its name in sentences: ``shard 1 (host gen-b)``."""
        return f"shard {self.index} (host {self.host})"


@dataclass(frozen=True)
class ShardedRun:
    """The shards of a run.

    Attributes:
        shards: In order; those that left nothing are among them.
        differences: Each difference between their programs, a sentence: such a run is compared
            with no other.
    """

    shards: tuple[ShardRecord, ...]
    differences: tuple[str, ...] = ()

    @property
    def machines(self) -> tuple[tuple[ShardRecord, ...], ...]:
        """The shards of each machine, in order of their first ones."""
        by_boot: dict[str, list[ShardRecord]] = {}
        for shard in self.shards:
            by_boot.setdefault(shard.boot_id or shard.host, []).append(shard)
        return tuple(tuple(shards) for shards in by_boot.values())

    def start_skew_ns(self, level: str) -> int | None:
        """Return the time between the first starts of the earliest and the latest shard of a level.

        Args:
            level: Name of the level's folder.

        Returns:
            None where fewer than two shards started anything.
        """
        late = [one.start_late_ns[level] for one in self.shards if level in one.start_late_ns]
        return max(late) - min(late) if len(late) > 1 else None


def machine_name(shards: tuple[ShardRecord, ...]) -> str:
    """Return the name of the machine of some shards: ``gen-a``, or of several names all."""
    return ", ".join(dict.fromkeys(shard.host for shard in shards))
