"""A campaign is judged without what its interruptions do to the signals, and against its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.campaign import campaign_judging
from perf_pipeline.campaign.campaign_judging import judge_campaign
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.report.endurance.tables import leaks_table
from perf_pipeline.samples.campaign.signal_limits import (
    SignalLimit,
    SignalLimits,
    write_signal_limits,
)
from tests.sampled_campaign import BOOT_ID, RATE_PER_S, write_sampled_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

OUTAGE = (4.7, 6.0)
"""Hours in which a server does not answer, and memory waits."""


def quiet(hour: float) -> float:
    """Return a heap of 300,000 blocks with the sawtooth of a collector."""
    return 300_000.0 + 5000.0 * (7 * hour % 0.1)


def outage(hour: float) -> dict[str, float]:
    """Return a heap that fills by half while Redis does not answer."""
    begin, end = OUTAGE
    if not begin <= hour <= end:
        return {"target.heap_blocks": quiet(hour), "redis.sessions": 4.0}
    return {"target.heap_blocks": quiet(hour) + 150_000.0 * (hour - begin) / (end - begin)}


def heap(found: tuple[LeakVerdict, ...]) -> LeakVerdict:
    (one,) = [one for one in found if one.name == "target.heap_blocks"]
    return one


def test_what_waits_while_a_server_does_not_answer_is_no_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not from hour 4.7 of six to the end; judged with that time, it is not clean."""
    folder = write_sampled_campaign(tmp_path, outage)
    verdicts = judge_campaign(folder)
    assert heap(verdicts.leaks).verdict == "clean"
    (window,) = verdicts.left_out
    assert window.why == "redis did not answer"
    assert window.begin_s / 3600 == pytest.approx(OUTAGE[0], abs=0.02)
    assert window.end_s / 3600 == pytest.approx(OUTAGE[1], abs=0.02)
    note = leaks_table(stored_campaign(folder.root)).note
    assert "Left out of every signal: redis did not answer, from" in note
    monkeypatch.setattr(campaign_judging, "left_out", lambda *_, **__: ())
    assert heap(judge_campaign(folder).leaks).verdict != "clean"


def test_a_leak_is_found_through_a_gap_a_dropped_load_and_an_outage(tmp_path: Path) -> None:
    """10 % a day; 20 minutes without load before hour 2, and 10 at a tenth of it in hour 3."""

    def leaking(hour: float) -> dict[str, float]:
        found = {"target.heap_blocks": quiet(hour) + 1250.0 * hour}
        return found if 5.5 <= hour <= 5.7 else {**found, "redis.sessions": 4.0}

    folder = write_sampled_campaign(
        tmp_path,
        leaking,
        gaps_s={2: 1200.0},
        rate_of=lambda hour: RATE_PER_S / (10 if 4.0 <= hour <= 4.0 + 1 / 6 else 1),
    )
    verdicts = judge_campaign(folder)
    assert heap(verdicts.leaks).verdict == "leak"
    assert [one.why for one in verdicts.left_out] == [
        "a gap before hour 2",
        "the load fell",
        "redis did not answer",
    ]


def test_a_target_that_leaks_until_it_slows_down_is_judged_by_all_of_it(tmp_path: Path) -> None:
    """From hour 3 on a third of the load is reached: that is what the campaign is like."""
    folder = write_sampled_campaign(
        tmp_path,
        lambda hour: {"target.heap_blocks": quiet(hour) + 3000.0 * hour},
        rate_of=lambda hour: RATE_PER_S if hour < 3.0 else RATE_PER_S / 3.0,
    )
    verdicts = judge_campaign(folder)
    assert verdicts.left_out == ()
    assert heap(verdicts.leaks).verdict != "clean"


def test_a_growing_signal_says_when_it_reaches_its_limit_and_a_quiet_one_does_not(
    tmp_path: Path,
) -> None:
    """Descriptors grow by 40 an hour from 100: 1024 are reached after 23.1 hours, 17.1 from now."""
    folder = write_sampled_campaign(
        tmp_path,
        lambda hour: {
            "target.open_files": float(round(100.0 + 40.0 * hour)),
            "target.threads": 8.0 + (7 * hour % 1.0 > 0.9),
        },
    )
    limits = {
        "target.open_files": SignalLimit(1024.0, "ulimit -n, 1024 a process"),
        "target.threads": SignalLimit(4096.0, "pids.max"),
    }
    write_signal_limits(folder.limits_file(BOOT_ID), SignalLimits(limits))
    files, threads = judge_campaign(folder).leaks
    assert (files.verdict, files.limit, threads.limit) == ("leak", 1024.0, 4096.0)
    assert files.hours_to_limit == pytest.approx(17.1, rel=0.05)
    assert threads.hours_to_limit is None
    rows = leaks_table(stored_campaign(folder.root)).rows
    assert rows[0][-1].note == "1,024: ulimit -n, 1024 a process"
    assert rows[1][-1].text == "not approached"


@pytest.mark.parametrize(
    ("twin", "word"),
    [
        (lambda hour: {"twin.heap_blocks": quiet(hour) + 1250.0 * hour}, "caught"),
        (
            lambda hour: {
                "twin.heap_blocks": quiet(hour),
                "twin.rss_bytes": 1e8 + 1e6 * hour,
            },
            "missed",
        ),
        (lambda _hour: {}, "none"),
    ],
)
def test_a_process_that_leaks_on_purpose_is_caught_by_what_would_convict_the_target(
    twin: Callable[[float], dict[str, float]], word: str, tmp_path: Path
) -> None:
    """Resident memory alone, beside a heap that is clean, convicts no target."""
    folder = write_sampled_campaign(
        tmp_path, lambda hour: {"target.heap_blocks": quiet(hour), **twin(hour)}
    )
    assert judge_campaign(folder).twin == word
