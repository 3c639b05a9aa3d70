"""Every rule that makes a level no measurement, one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import pytest

from perf_pipeline.metrics.target_failure import TargetFailure
from perf_pipeline.metrics.types.noise import Noise
from perf_pipeline.metrics.types.records import WorkerEnd, Writes
from perf_pipeline.metrics.types.service_times import ServiceTimes
from perf_pipeline.metrics.types.validity import Validity
from perf_pipeline.metrics.validity import WORST_FIRST, judge_level, judge_neighbours, worst
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Mapping

DONE = WorkerEnd(0, "done", 0.6, 0)
ALL_WRITTEN = Writes("postgres", 500, 503, 0, 3)


def _judge(**changes: object) -> tuple[Validity, tuple[str, ...]]:
    samples = changes.pop("samples", 500)
    facts: dict[str, Any] = {
        "ended_because": EndedBecause.COMPLETE,
        "ended_detail": "",
        "workers": (DONE, DONE),
        "damaged_blocks": 0,
        "duplicates": 0,
        "writes": (ALL_WRITTEN,),
        "times": ServiceTimes(samples, 100, 1.0, 0.5, 2.0, ()),  # type: ignore[arg-type]
        "concurrency": 100,
        "in_flight_median": 100.0,
    }
    noise: Any = changes.pop("noise", None)
    failure: Any = changes.get("failure")
    return judge_neighbours(*judge_level(**(facts | changes)), noise, failure)


def test_a_machine_that_others_used_makes_a_level_noisy_unless_it_is_only_told() -> None:
    """What is unknown is no verdict."""
    causes = ("cores that others used: 31 %, limit 5 %",)
    noisy = Noise("noisy", causes, judged=True, figures=())

    assert _judge(noise=noisy) == (
        "noisy_host",
        ("something else used the machine: cores that others used: 31 %, limit 5 %",),
    )
    assert _judge(noise=replace(noisy, judged=False)) == ("valid", ())
    assert _judge(noise=Noise("unknown", (), judged=True, figures=())) == ("valid", ())


def test_a_level_without_fault_is_valid_and_needs_no_reason() -> None:
    assert _judge() == ("valid", ())
    assert _judge(ended_because=EndedBecause.STEADY_MAX) == ("valid", ())
    assert _judge(samples=300, in_flight_median=95.0) == ("valid", ())
    assert _judge(writes=()) == ("valid", ())


@pytest.mark.parametrize(
    ("changes", "validity", "reason"),
    [
        (
            {"ended_because": EndedBecause.INTERRUPTED},
            "incomplete",
            "did not run to its end: interrupted",
        ),
        ({"ended_because": EndedBecause.WORKER_LOST}, "incomplete", "worker lost"),
        ({"ended_because": EndedBecause.START_FAILED}, "incomplete", "start failed"),
        (
            {"workers": (DONE, WorkerEnd(1, "killed by SIGKILL", 0.6, 0))},
            "incomplete",
            "worker 1: killed by SIGKILL",
        ),
        (
            {"workers": (WorkerEnd(3, "done", 0.6, 17),)},
            "incomplete",
            "worker 3: 17 started workflows have no record",
        ),
        ({"damaged_blocks": 2}, "incomplete", "2 blocks of records are damaged"),
        ({"duplicates": 4}, "incomplete", "4 workflow numbers were recorded twice"),
        (
            {"writes": (Writes("redis", 500, 497, 3, 0),)},
            "incomplete",
            "3 of 500 ok workflows have no write on redis",
        ),
        (
            {"writes": (Writes("postgres", 500, None, None, None, "refused"),)},
            "incomplete",
            "writes on postgres could not be counted: refused",
        ),
        ({"samples": 299}, "not_steady", "2.99 turnovers"),
        ({"in_flight_median": 94.9}, "not_steady", "the median in flight was 95 of 100"),
        (
            {"samples": 19, "concurrency": 1, "in_flight_median": 1.0},
            "too_few_samples",
            "19 workflows ended",
        ),
    ],
)
def test_a_fault_alone_decides_the_verdict_and_is_the_only_reason(
    changes: Mapping[str, object], validity: str, reason: str
) -> None:
    found, reasons = _judge(**changes)

    assert found == validity
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_of_several_faults_the_worst_is_the_verdict_and_all_are_told() -> None:
    found, reasons = _judge(samples=10, damaged_blocks=1)

    assert found == "incomplete"
    assert len(reasons) == 3


NOTHING = TargetFailure("none of the 500 workflows succeeded", True, False)
MOSTLY = TargetFailure("400 of 500 workflows failed", False, False)
LATE = TargetFailure("400 of 500 workflows failed by timeouts", False, True)
NOISY = Noise("noisy", ("steal: 9 %, limit 2 %",), judged=True, figures=())


def test_a_target_that_failed_is_the_verdict_and_its_reason_comes_first() -> None:
    for failure in (NOTHING, MOSTLY, LATE):
        validity, reasons = _judge(failure=failure, samples=10, in_flight_median=3.0)
        assert validity == "target_failed"
        assert reasons[0] == failure.reason


@pytest.mark.parametrize(
    ("reason", "nothing", "mostly"),
    [
        ("killed by SIGSEGV: Segmentation fault", "target_failed", "incomplete"),
        ("exit code 7", "target_failed", "incomplete"),
        ("killed by SIGKILL", "incomplete", "incomplete"),
        ("not ready after 120 s", "incomplete", "incomplete"),
    ],
)
def test_a_process_that_the_target_ended_failed_with_it_and_one_killed_from_outside_did_not(
    reason: str, nothing: str, mostly: str
) -> None:
    """Unless no workflow ever succeeded, records that are missing come first."""
    lost = {
        "workers": (DONE, WorkerEnd(1, reason, 0.6, 0)),
        "ended_because": EndedBecause.WORKER_LOST,
    }
    assert _judge(**lost, failure=NOTHING)[0] == nothing
    assert _judge(**lost, failure=MOSTLY)[0] == mostly


def test_a_level_that_was_interrupted_says_nothing_of_its_target() -> None:
    cut = {"ended_because": EndedBecause.INTERRUPTED, "failure": NOTHING}
    assert _judge(**cut)[0] == "incomplete"


def test_a_neighbour_explains_timeouts_and_nothing_else() -> None:
    assert _judge(noise=NOISY, failure=NOTHING)[0] == "target_failed"
    assert _judge(noise=NOISY, failure=MOSTLY)[0] == "target_failed"
    validity, reasons = _judge(noise=NOISY, failure=LATE)
    assert validity == "noisy_host"
    assert reasons[0] == LATE.reason
    assert "steal" in reasons[1]


def test_the_order_of_verdicts_is_the_closed_list() -> None:
    assert sorted(WORST_FIRST) == sorted(get_args(Validity))
    assert worst(["valid", "too_few_samples", "not_steady"]) == "not_steady"
    assert worst(["valid", "valid"]) == "valid"
    assert worst([]) == "incomplete"


def test_writes_that_a_crashed_server_forgot_are_what_the_failure_did_and_no_defect() -> None:
    lost = Writes("redis", 500, 440, 60, 0, lost_by="server_crash")
    assert _judge(writes=(lost,)) == ("valid", ())
