"""The exit code of a run, and the lines on its objectives and on noise."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from perf_pipeline.cli.outcome import exit_code, noise_lines, slo_entry, slo_lines
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.types.noise import Noise
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from tests.planted_recovery import fault, recovery

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def _verdict(verdict: Any) -> SloVerdict:
    slo = parse_slo("p99_s < 0.5")
    return SloVerdict(
        *(slo, "100", 0, "", "P99 latency", 0.7, 0.6, 0.8),
        at_least=False,
        samples=9,
        validity="valid",
        at_s=None,
        verdict=verdict,
        why=f"because {verdict}",
    )


@pytest.mark.parametrize(
    ("verdicts", "validity", "accept", "code"),
    [
        ([], "valid", False, 0),
        (["met", "met"], "valid", False, 0),
        (["met", "missed", "no_data"], "valid", False, 1),
        (["missed"], "valid", True, 1),
        (["missed"], "not_steady", False, 1),
        (["missed"], "incomplete", False, 3),
        (["met", "unclear"], "valid", False, 3),
        (["no_data"], "valid", False, 3),
        (["no_data", "unclear"], "valid", True, 0),
        (["met"], "not_steady", False, 3),
        ([], "target_failed", False, 1),
        (["met"], "target_failed", True, 1),
    ],
)
def test_missed_is_1_and_undecided_is_3_and_neither_is_taken_for_the_other(
    verdicts: list[Any],
    validity: str,
    accept: bool,  # noqa: FBT001
    code: int,
) -> None:
    run = cast("RunMetrics", SimpleNamespace(status="complete", validity=validity, levels=()))

    assert exit_code(run, [], verdicts, accept_verdicts=accept, interrupted=False) == code
    assert exit_code(run, [], verdicts, accept_verdicts=accept, interrupted=True) == 130


@pytest.mark.parametrize(
    ("validity", "missed", "code"),
    [
        ("not_steady", True, 1),
        ("not_steady", False, 3),
        ("incomplete", True, 3),
        ("valid", False, 1),
    ],
)
def test_a_gate_that_is_surely_missed_fails_also_where_the_level_is_not_valid(
    validity: str, *, missed: bool, code: int
) -> None:
    run = cast("RunMetrics", SimpleNamespace(status="complete", validity=validity, levels=()))
    found = exit_code(
        run, ["a target"], gate_missed=missed, accept_verdicts=False, interrupted=False
    )
    assert found == code


def test_what_is_missed_is_reported_first_with_its_validity() -> None:
    lines = slo_lines([_verdict("met"), _verdict("no_data"), _verdict("missed")])

    assert lines[0] == "SLO missed at 100 (valid): p99_s <= 0.5: because missed"
    assert [line.split(" at ")[0] for line in lines[1:]] == ["SLO no data", "SLO met"]


def test_a_program_gets_the_objective_as_text_and_in_parts() -> None:
    entry = json.loads(json.dumps(slo_entry(_verdict("missed"))))

    assert (entry["slo"], entry["objective"]["limit"]) == ("p99_s <= 0.5", 0.5)
    assert (entry["verdict"], entry["low"], entry["high"]) == ("missed", 0.6, 0.8)


NOISY = Noise("noisy", ("steal: 9 %, limit 2 %",), judged=False, figures=())


@dataclass
class Level:
    """The part of a level that is looked at."""

    noise: Noise | None
    label: str = "100"
    shown: str = "100"
    role: str = "level"
    title: str = ""
    repeat: int = 1


@dataclass
class Levels:
    """The part of a run that is looked at."""

    levels: tuple[Level, ...]


def lines(*noises: Noise | None) -> list[str]:
    """Return the lines of a run of such levels."""
    return noise_lines(cast("RunMetrics", Levels(tuple(map(Level, noises)))))


def test_noise_that_is_not_judged_is_shown_with_the_reason() -> None:
    assert lines(None, NOISY, replace(NOISY, verdict="quiet", causes=())) == [
        (
            "level 100, repeat 2: steal: 9 %, limit 2 %; shown and not judged "
            "(PERF_PIPELINE_NOISE=tell)"
        )
    ]


def test_noise_that_is_judged_is_among_the_reasons_alone() -> None:
    assert lines(replace(NOISY, judged=True)) == []


@pytest.mark.parametrize(
    ("verdicts", "validity", "accept", "code"),
    [
        (["recovered"], "valid", False, 0),
        (["recovered", "metastable", "invalid"], "valid", False, 1),
        (["metastable"], "not_steady", True, 1),
        (["metastable"], "incomplete", False, 3),
        (["recovered", "invalid"], "valid", False, 3),
        (["invalid"], "valid", True, 0),
        (["recovered", "not_possible"], "valid", False, 0),
        (["invalid", "not_possible"], "valid", False, 3),
        (["not_possible"], "valid", False, 3),
    ],
)
def test_what_does_not_come_back_is_1_and_an_unproven_failure_is_3(
    verdicts: list[Any],
    validity: str,
    accept: bool,  # noqa: FBT001
    code: int,
) -> None:
    faults = tuple(fault(verdict=verdict) for verdict in verdicts)
    level = SimpleNamespace(recovery=recovery(*faults))
    run = cast("RunMetrics", SimpleNamespace(status="complete", validity=validity, levels=(level,)))

    assert exit_code(run, [], accept_verdicts=accept, interrupted=False) == code


def test_a_control_without_a_failure_decides_no_exit_code() -> None:
    level = SimpleNamespace(recovery=recovery(fault(verdict="metastable"), is_control=True))
    run = cast("RunMetrics", SimpleNamespace(status="complete", validity="valid", levels=(level,)))

    assert exit_code(run, [], accept_verdicts=False, interrupted=False) == 0
