"""Judges a campaign over all its hours so far, and writes ``verdicts.json``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.endurance.degradation import judge_degradation
from perf_pipeline.analysis.endurance.error_stability import judge_errors
from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.left_out import left_out
from perf_pipeline.analysis.endurance.run_leaks import RunLeaks, judge_run
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from perf_pipeline.samples.campaign.verdicts import SCHEMA_VERSION, Verdicts
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict
    from perf_pipeline.samples.campaign.signal_sample import SignalSample
    from perf_pipeline.samples.campaign.verdicts import LeftOut, TwinWord

TWIN = "twin."
"""Signals of the process that leaks on purpose begin with it."""

UNPROVEN = (
    "in scaled hours that nothing grows proves nothing, unless a process that leaks on purpose was "
    "caught beside the target"
)


@dataclass(frozen=True)
class JudgedSignals:
    """The signals of a campaign, judged.

    Attributes:
        leaks: A verdict a signal.
        left_out: Windows of time that were left out of all of them.
    """

    leaks: tuple[LeakVerdict, ...]
    left_out: tuple[LeftOut, ...]


def judge_campaign(folder: CampaignFolder) -> Verdicts:
    """Judge every signal of a campaign, over the longest life of its target, and store it.

    Args:
        folder: The campaign; it may go on.

    Raises:
        RunFolderError: A file of the campaign is damaged.
    """
    campaign = folder.campaign()
    signals = judge_signals(folder)
    of_twin = [one for one in signals.leaks if one.name.startswith(TWIN)]
    own = tuple(one for one in signals.leaks if not one.name.startswith(TWIN))
    hours = folder.hours()
    degradation, change_points = judge_degradation(hours, campaign.hour_seconds)
    of_run = judge_run(own)
    twin = _twin(of_twin)
    if of_run.verdict == "clean" and campaign.evidence != "real" and twin != "caught":
        of_run = RunLeaks("inconclusive", (UNPROVEN,))
    verdicts = Verdicts(
        leaks=signals.leaks,
        degradation=degradation,
        errors=judge_errors(hours),
        change_points=change_points,
        leak=of_run.verdict,
        leak_reasons=of_run.reasons,
        twin=twin,
        left_out=signals.left_out,
    )
    content = {"schema_version": SCHEMA_VERSION, **asdict(verdicts)}
    write_json(folder.verdicts_file, content)
    return verdicts


def judge_signals(folder: CampaignFolder) -> JudgedSignals:
    """Judge every signal of a campaign, over the longest life of its target; nothing is stored.

    Args:
        folder: The campaign; it may go on.

    Raises:
        RunFolderError: A file of the campaign is damaged.
    """
    campaign = folder.campaign()
    hours, samples = _longest_life(folder)
    windows = left_out(
        hours, samples, rate_per_s=campaign.rate_per_s, hour_seconds=campaign.hour_seconds
    )
    known = folder.limits(hours[0].boot_id) if hours else {}
    limits = {name: one.value for name, one in known.items()}
    found = _series([one for some in samples for one in some], windows, limits)
    return JudgedSignals(
        tuple(judge_leak(series, hour_seconds=campaign.hour_seconds) for series in found), windows
    )


def _longest_life(folder: CampaignFolder) -> tuple[list[Hour], list[list[SignalSample]]]:
    """Return the hours of the target's process that was sampled most, and their samples."""
    lives: dict[str, list[Hour]] = defaultdict(list)
    samples = {}
    for hour in folder.hours():
        lives[hour.boot_id].append(hour)
        samples[hour.hour] = folder.signals(hour.hour)
    longest = max(
        lives.values(), key=lambda life: sum(len(samples[one.hour]) for one in life), default=[]
    )
    return longest, [samples[one.hour] for one in longest]


def _series(
    samples: Sequence[SignalSample], windows: Sequence[LeftOut], limits: dict[str, float]
) -> list[SignalSeries]:
    names = dict.fromkeys(name for one in samples for name in one.values)
    excluded = tuple((one.begin_s, one.end_s) for one in windows)
    found = []
    for name in names:
        mine = [one for one in samples if name in one.values]
        found.append(
            SignalSeries(
                name,
                tuple(one.seconds for one in mine),
                tuple(one.values[name] for one in mine),
                tuple(float(one.workflows) for one in mine),
                limits.get(name),
                excluded,
            )
        )
    return found


def _twin(found: Sequence[LeakVerdict]) -> TwinWord:
    """Return whether the process that leaks on purpose was caught, judged as the target is."""
    if not found:
        return "none"
    as_target = [replace(one, name=f"target.{one.name.removeprefix(TWIN)}") for one in found]
    return "caught" if judge_run(as_target).verdict == "leak" else "missed"
