"""What a setting of the target changes about a failure: the same load without it and with it."""

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.config.fault.fault_window import SettingValue
from perf_pipeline.metrics.types.fault.recovery import Estimate
from perf_pipeline.metrics.types.validity import Validity

ChangeVerdict = Literal["less", "same", "more", "unclear"]
ProtectionVerdict = Literal["protected", "no_effect", "mixed", "worse", "unclear", "no_data"]


@dataclass(frozen=True)
class Change:
    """A figure without a protection and with it; less is better.

    Attributes:
        off: Without it.
        on: With it.
        difference: ``on`` minus ``off``.
        matters: The smallest difference that counts.
        verdict: ``less`` or ``more``: by at least that, with an interval that excludes 0; ``same``:
            the whole interval is nearer to 0 than that; else ``unclear``.
    """

    off: float
    on: float
    difference: Estimate
    matters: float
    verdict: ChangeVerdict


@dataclass(frozen=True)
class ProtectionEffect:
    """Two open levels with the same arrivals and failures, whose target has other settings.

    Attributes:
        kind: The failure.
        server: The service; empty for a failure of the machine.
        at_s: Its planned begin, after the begin of the steady phase.
        duration_s: Its planned length.
        off: Name of the level without it: fewer of its settings are neither false nor 0.
        on: Name of the level with it.
        switched: Setting to its value in that level, where the two differ.
        target: The target of both.
        validity: The worse of the two levels'.
        verdict: ``no_effect`` where both levels agree; ``mixed`` where it costs one of the two
            figures what it saves of the other; ``no_data`` where a failure is ``invalid``.
        why: Why there is no data; else empty.
        failed_s: Share of the arrivals that failed, timed out or were dropped, from the injection
            until service was back, times that time.
        lost_service_s: Seconds without service that would have harmed as many.
        attempts_off: Attempts a workflow while the failure lasted; None where nobody counted them.
        attempts_on: The same with the protection.
    """

    kind: str
    server: str
    at_s: float
    duration_s: float
    off: str
    on: str
    switched: dict[str, SettingValue]
    target: str
    validity: Validity
    verdict: ProtectionVerdict
    why: str = ""
    failed_s: Change | None = None
    lost_service_s: Change | None = None
    attempts_off: float | None = None
    attempts_on: float | None = None
