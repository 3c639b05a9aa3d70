"""One machine of several that played a level together."""

from dataclasses import dataclass

from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, HostCores
from perf_pipeline.metrics.types.noise import Noise


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
