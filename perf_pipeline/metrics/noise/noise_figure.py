"""One thing that tells whether others used the machine while a level was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NoiseFigure:
    """One thing that was looked at.

    Attributes:
        what: In words.
        value: In ``unit``; None if it could not be measured.
        unit: ``%``, ``ms`` or ``times``.
        limit: Above it the machine is noisy; None for what is shown and decides nothing.
        noisy: Whether it is above; None without a value, and where there is no limit.
        note: Why there is no value, or what it means; may be empty.
    """

    what: str
    value: float | None
    unit: str
    limit: float | None
    noisy: bool | None
    note: str = ""


def judged_figure(what: str, value: float, unit: str, limit: float, note: str = "") -> NoiseFigure:
    """Hold a value against its limit."""
    return NoiseFigure(what, value, unit, limit, value > limit, note)


def unknown_figure(what: str, unit: str, limit: float, why: str) -> NoiseFigure:
    """Say why a value that has a limit could not be measured."""
    return NoiseFigure(what, None, unit, limit, None, why)
