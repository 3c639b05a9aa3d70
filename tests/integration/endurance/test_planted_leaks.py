"""Leaks planted beside work on kailash are found within ten minutes; without them it is clean.

Two campaigns of 24 hours of 15 s on the real runtime, at 50 workflows a second: one whose function
leaks everything, and one whose function leaks nothing, beside a twin that leaks on purpose. The
bounded lists of the runtimes of ten threads are full after some 5000 workflows; a leak is a leak
among all signals of a run only if it goes on for long after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.endurance.run_leaks import judge_run
from perf_pipeline.campaign.campaign_judging import judge_campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict
    from perf_pipeline.samples.campaign.verdicts import Verdicts

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

HOURS, HOUR_SECONDS, RATE = 24, 15.0, 50.0

PLANTED = {
    "target.heap_blocks": 1000.0 * 2,
    "target.malloc_bytes": 1000.0 * 528,
    "target.open_files": 11.0,
    "target.threads": 1.0,
    "postgres.sessions": 1.0,
}
"""Growth in 1000 workflows: objects, each with a buffer of 513 bytes, which is another block and
528 bytes of malloc (a connection takes some 50 kB more); files, of which one is a connection's;
threads; connections."""


@pytest.fixture(scope="module")
def leaking(soaked: Callable[..., CampaignFolder]) -> Verdicts:
    """The verdicts of the campaign that leaks everything."""
    return _judged(soaked, "keeps_everything", twin=False)


@pytest.fixture(scope="module")
def clean(soaked: Callable[..., CampaignFolder]) -> Verdicts:
    """The verdicts of the campaign that leaks nothing."""
    return _judged(soaked, "clean", twin=True)


def _judged(soaked: Callable[..., CampaignFolder], function: str, *, twin: bool) -> Verdicts:
    folder = soaked(
        function,
        hours=HOURS,
        hour_seconds=HOUR_SECONDS,
        rate=RATE,
        planted_on="kailash",
        twin=twin,
    )
    hours = folder.hours()
    assert sum(one.ok for one in hours) == HOURS * HOUR_SECONDS * RATE
    return judge_campaign(folder)


def _by_name(verdicts: Verdicts) -> dict[str, LeakVerdict]:
    return {one.name: one for one in verdicts.leaks if not one.name.startswith("twin.")}


def test_nothing_is_called_a_leak_where_nothing_leaks_and_the_twin_is_caught(
    clean: Verdicts,
) -> None:
    """The run is clean: growth of 2 % in 24 hours is excluded for whatever decides."""
    found = {one.name: (one.verdict, one.reason) for one in clean.leaks}
    assert clean.leak == "clean", (clean.leak_reasons, found)
    assert clean.twin == "caught"


@pytest.mark.parametrize("name", PLANTED)
def test_each_planted_leak_is_found_and_its_size_is_known(name: str, leaking: Verdicts) -> None:
    """The truth is in its interval, or within a tenth of it: samples are half a second old."""
    found = _by_name(leaking)[name]
    assert found.verdict == "leak", found
    assert found.interval_per_1000_workflows is not None
    low, high = found.interval_per_1000_workflows
    assert 0.9 * low <= PLANTED[name] <= 1.1 * high


@pytest.mark.parametrize("name", PLANTED)
def test_a_run_leaks_if_only_one_of_its_signals_does(
    name: str, leaking: Verdicts, clean: Verdicts
) -> None:
    """All signals of the clean campaign but for the one."""
    signals = {**_by_name(clean), name: _by_name(leaking)[name]}
    run = judge_run(list(signals.values()))
    assert run.verdict == "leak"
    assert [reason.split()[0] for reason in run.reasons] == [name]
