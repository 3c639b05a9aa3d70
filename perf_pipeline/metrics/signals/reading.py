"""The signals of one moment while they are read, and why others are missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOT_SHOWN = "the system does not show it"


@dataclass
class Reading:
    """What was measured at one moment.

    Attributes:
        values: Name of each signal to its value.
        gaps: Name of each signal that could not be measured to the reason.
    """

    values: dict[str, float] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)

    def add(self, who: str, found: dict[str, float | None], reason: str) -> None:
        """Add signals of ``who``; those that are None are missing for one reason."""
        for signal, value in found.items():
            if value is None:
                self.gaps[f"{who}.{signal}"] = reason
            else:
                self.values[f"{who}.{signal}"] = value

    def try_to_add(
        self, who: str, signals: Iterable[str], read: Callable[[], dict[str, float | None]]
    ) -> None:
        """Add what ``read`` returns; if the system refuses it, ``signals`` are missing."""
        try:
            self.add(who, read(), NOT_SHOWN)
        except OSError as error:
            self.add(who, dict.fromkeys(signals), error.strerror or str(error))
