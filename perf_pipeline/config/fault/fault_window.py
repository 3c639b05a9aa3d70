"""A failure that a scenario asks for: which, where, when, how hard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SettingValue = bool | int | float | str


@dataclass(frozen=True)
class FaultWindow:
    """A time in which one failure is to be in effect.

    Attributes:
        kind: A row of ``fault_kinds.FAULT_KINDS``.
        server: The service that it is done to; empty for a failure of the machine.
        at_s: Its begin, after the begin of the steady phase.
        duration_s: Its length; > 0.
        settings: As the row names them; what is not named has the row's default.
        level: Label of the load level that it belongs to; empty for every closed and open level.
    """

    kind: str
    server: str
    at_s: float
    duration_s: float
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    level: str = ""

    @property
    def name(self) -> str:
        """``kind`` or ``kind on server``, as reports say it."""
        return f"{self.kind} on {self.server}" if self.server else self.kind

    @property
    def end_s(self) -> float:
        """Its end, after the begin of the steady phase."""
        return self.at_s + self.duration_s


def windows_of(windows: Iterable[FaultWindow], level: str) -> tuple[FaultWindow, ...]:
    """Return the windows that a load level plays, in their order.

    Args:
        windows: Of a scenario.
        level: The label of the load level.
    """
    return tuple(one for one in windows if one.level in ("", level))
