"""Judges a campaign over all its hours so far, and writes ``verdicts.json``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.analysis.endurance.degradation import judge_degradation
from perf_pipeline.analysis.endurance.error_stability import judge_errors
from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.run_leaks import RunLeaks, judge_run
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from perf_pipeline.samples.campaign.verdicts import SCHEMA_VERSION, Verdicts
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict
    from perf_pipeline.samples.campaign.signal_sample import SignalSample
    from perf_pipeline.samples.campaign.verdicts import TwinWord

UNPROVEN = (
    "in scaled hours that nothing grows proves nothing, unless a process that leaks on purpose was "
    "caught beside the target"
)


def judge_campaign(folder: CampaignFolder) -> Verdicts:
    """Judge every signal of a campaign, over the longest life of its target, and store it.

    Args:
        folder: The campaign; it may go on.

    Raises:
        RunFolderError: A file of the campaign is damaged.
    """
    campaign = folder.campaign()
    found = tuple(
        judge_leak(series, hour_seconds=campaign.hour_seconds)
        for series in _series(_longest_life(folder))
    )
    of_twin = [one for one in found if one.name.startswith("twin.")]
    own = tuple(one for one in found if not one.name.startswith("twin."))
    hours = folder.hours()
    degradation, change_points = judge_degradation(hours, campaign.hour_seconds)
    of_run = judge_run(own)
    twin = _twin(of_twin)
    if of_run.verdict == "clean" and campaign.evidence != "real" and twin != "caught":
        of_run = RunLeaks("inconclusive", (UNPROVEN,))
    verdicts = Verdicts(
        leaks=found,
        degradation=degradation,
        errors=judge_errors(hours),
        change_points=change_points,
        leak=of_run.verdict,
        leak_reasons=of_run.reasons,
        twin=twin,
    )
    content = {"schema_version": SCHEMA_VERSION, **asdict(verdicts)}
    write_json(folder.root / "verdicts.json", content)
    return verdicts


def _longest_life(folder: CampaignFolder) -> list[SignalSample]:
    """Return the samples of the target's process that was sampled most."""
    lives: dict[str, list[SignalSample]] = defaultdict(list)
    for hour in folder.hours():
        lives[hour.boot_id] += folder.signals(hour.hour)
    return max(lives.values(), key=len, default=[])


def _series(samples: Sequence[SignalSample]) -> list[SignalSeries]:
    names = dict.fromkeys(name for one in samples for name in one.values)
    found = []
    for name in names:
        mine = [one for one in samples if name in one.values]
        found.append(
            SignalSeries(
                name,
                tuple(one.seconds for one in mine),
                tuple(one.values[name] for one in mine),
                tuple(float(one.workflows) for one in mine),
            )
        )
    return found


def _twin(found: Sequence[LeakVerdict]) -> TwinWord:
    if not found:
        return "none"
    return "caught" if any(one.verdict == "leak" for one in found) else "missed"
