"""Whether other programs used the machine, or each of several, during a load level."""

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, HostCores

NoiseVerdict = Literal["quiet", "noisy", "unknown"]


@dataclass(frozen=True)
class NoiseFigure:
    """One figure that shows whether the machine was the run's own.

    Attributes:
        what: What was measured, as text.
        value: In ``unit``; None if it could not be measured.
        unit: ``%``, ``ms`` or ``times``.
        limit: What the value should not exceed; None for a figure that is only shown.
        above_limit: Whether it does; None without a value, and where there is no limit.
        note: Why there is no value, or what it means; may be empty.
        is_evidence: Whether a value above the limit is evidence of a neighbour during the level.
            False for the calibration around it, which warns and decides nothing.
    """

    what: str
    value: float | None
    unit: str
    limit: float | None
    above_limit: bool | None
    note: str = ""
    is_evidence: bool = True


@dataclass(frozen=True)
class Noise:
    """Whether the machine was the run's own while a level was measured.

    Attributes:
        verdict: ``noisy`` when a figure that is evidence of a neighbour exceeds its limit;
            ``unknown`` when none does, but one of them could not be measured; else ``quiet``.
        causes: A sentence for each such figure above its limit.
        judged: Whether ``noisy`` makes the level no measurement. On a machine that is known to be
            shared (``PERF_PIPELINE_NOISE=tell``) noise is shown and not judged.
        figures: Every figure that was examined.
        warnings: A sentence for each calibration figure above its limit: the machine may have
            changed, and nothing says that a neighbour did it.
    """

    verdict: NoiseVerdict
    causes: tuple[str, ...]
    judged: bool
    figures: tuple[NoiseFigure, ...]
    warnings: tuple[str, ...] = ()

    @property
    def not_measured(self) -> tuple[str, ...]:
        """Each figure that has a limit and could not be measured, with the reason."""
        lacking = [each for each in self.figures if each.limit is not None and each.value is None]
        return tuple(f"{each.what}: {each.note}" for each in lacking)


@dataclass(frozen=True)
class MachineUse:
    """What a machine did in the steady phase of a level that several machines played.

    Attributes:
        name: Of its host, or hosts.
        host: Its cores; None unless two samples have its counters.
        others: The cores that processes outside of the run used on it.
        noise: Whether other programs used it; None where that was not examined.
    """

    name: str
    host: HostCores | None
    others: CpuOfOthers
    noise: Noise | None
