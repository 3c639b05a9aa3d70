"""The verdicts on a campaign: ``verdicts.json``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1

LossWord = Literal["proven_absent", "degraded", "inconclusive"]
ErrorsWord = Literal["stable", "unstable", "inconclusive"]
TwinWord = Literal["caught", "missed", "none"]


@dataclass(frozen=True)
class DegradationVerdict:
    """How much of a metric is lost over 24 hours.

    Attributes:
        metric: Of an hour.
        loss: Share that is lost, 0.1 for 10 %.
        interval: Of the loss.
        limit: The greatest loss that is accepted.
        verdict: One of the closed list.
    """

    metric: str
    loss: float | None
    interval: tuple[float, float] | None
    limit: float
    verdict: LossWord


@dataclass(frozen=True)
class ErrorsVerdict:
    """Whether the error ratio stayed as it was.

    Attributes:
        verdict: One of the closed list.
        ratio: Of the last part over the first.
        interval: Of the ratio.
    """

    verdict: ErrorsWord
    ratio: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class ChangePoint:
    """A step of a metric or a signal inside the campaign.

    Attributes:
        metric: What changed.
        hour: The first hour of the new level.
        effect: New level over old level.
    """

    metric: str
    hour: int
    effect: float | None


@dataclass(frozen=True)
class LeftOut:
    """A window of time that was left out of the signals before they were judged.

    Attributes:
        begin_s: Its begin, seconds since the campaign began.
        end_s: Its end, likewise.
        why: What happened in it, such as ``a gap before hour 3``.
    """

    begin_s: float
    end_s: float
    why: str


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on a campaign.

    Attributes:
        leaks: One a signal.
        degradation: One a metric.
        errors: On the error ratio.
        change_points: In order of time.
        leak: Of the run.
        leak_reasons: A sentence for each signal that decides it and is not clean.
        twin: Whether a process that leaks on purpose was caught.
        left_out: Windows that were left out of all signals, in order of time.
    """

    leaks: tuple[LeakVerdict, ...]
    degradation: tuple[DegradationVerdict, ...]
    errors: ErrorsVerdict
    change_points: tuple[ChangePoint, ...]
    leak: LeakWord
    leak_reasons: tuple[str, ...]
    twin: TwinWord
    left_out: tuple[LeftOut, ...] = ()


def read_verdicts(path: Path) -> Verdicts:
    """Read ``verdicts.json``.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(path, Verdicts, SCHEMA_VERSION)
