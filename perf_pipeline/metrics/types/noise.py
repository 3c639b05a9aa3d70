"""Whether other programs used the machine during a load level."""

from dataclasses import dataclass
from typing import Literal


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


NoiseVerdict = Literal["quiet", "noisy", "unknown"]


@dataclass(frozen=True)
class Noise:
    """Whether the machine was the run's own while a level was measured.

    Attributes:
        verdict: ``noisy`` when a figure is above its limit; ``unknown`` when none is, but one that
            has a limit could not be measured; else ``quiet``.
        causes: A sentence for each figure above its limit.
        judged: Whether ``noisy`` makes the level no measurement; a machine that is known to be
            shared (``PERF_PIPELINE_NOISE=tell``) is told of and not judged.
        figures: Everything that was looked at.
    """

    verdict: NoiseVerdict
    causes: tuple[str, ...]
    judged: bool
    figures: tuple[NoiseFigure, ...]

    @property
    def not_measured(self) -> tuple[str, ...]:
        """What has a limit and could not be measured, each with its reason."""
        lacking = [each for each in self.figures if each.limit is not None and each.noisy is None]
        return tuple(f"{each.what}: {each.note}" for each in lacking)
