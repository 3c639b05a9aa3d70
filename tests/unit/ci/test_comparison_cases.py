"""A comparison is test cases with effect, interval and limit, and doubt passes none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from perf_pipeline.ci.ci_files import with_ci_files
from perf_pipeline.ci.comparison_cases import OUTCOMES, comparison_cases, note_comparison
from tests.planted_comparison import change, comparison

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import ComparisonVerdict

VERDICTS: tuple[ComparisonVerdict, ...] = (
    "regression",
    "unstable",
    "improvement",
    "no_change",
    "no_data",
)


def test_every_metric_is_a_case_and_doubt_is_skipped_with_its_reason(tmp_path: Path) -> None:
    changes = [
        change(verdict, None if verdict == "no_data" else 1.2, family=f"family/{verdict}")
        for verdict in VERDICTS
    ]
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"

    def run() -> int:
        note_comparison(comparison(1, 10, *changes), Path("comparisons/x.html"))
        return 1

    arguments = ["--junit", str(junit), "--summary", str(summary)]
    assert with_ci_files("perf-pipeline compare", arguments, run, lambda _: 2, {}) == 1
    root = ET.parse(junit).getroot()  # noqa: S314
    found = {
        str(case.get("name")): (case[0].tag, case[0].get("message") or case[0].text or "")
        for case in root.iter("testcase")
    }
    assert {name: tag for name, (tag, _) in found.items()} == {
        "latest against pinned:1.0": "failure",
        "100: family/regression: p99_s": "failure",
        "100: family/unstable: p99_s": "skipped",
        "100: family/improvement: p99_s": "system-out",
        "100: family/no_change: p99_s": "system-out",
        "100: family/no_data: p99_s": "skipped",
    }
    for name in ("regression", "unstable", "improvement", "no_change"):
        text = found[f"100: family/{name}: p99_s"][1]
        assert "+20.0 % (+17.6 to +22.4 %)" in text
        assert "limit: up to 1.0 % is no change, 10.0 % must not be missed" in text
    assert found["100: family/unstable: p99_s"][1].endswith("because.")
    counts = [root.get(key) for key in ("tests", "failures", "errors", "skipped")]
    assert counts == ["6", "2", "0", "2"]
    text = summary.read_text(encoding="utf-8")
    assert "comparison 20260114" in text.replace("\\", "")
    assert "**undecided** 100: family/unstable" in text.replace("\\", "")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_on_the_whole_is_a_case(verdict: ComparisonVerdict) -> None:
    case, *_ = comparison_cases(comparison(1, 10, change(verdict), verdict=verdict))
    assert case.outcome == OUTCOMES[verdict]
    assert (case.text == "") == (case.outcome == "passed")


def test_the_limit_is_the_one_that_was_asked_for() -> None:
    one = comparison(1, 10, change("regression", 1.4))
    assert "30.0 % must not be missed" in comparison_cases(replace(one, matters=0.3))[1].detail
    assert "10.0 % must not be missed" in comparison_cases(replace(one, matters=0.05))[1].detail


def test_a_metric_without_a_limit_says_so() -> None:
    unknown = change("no_change", metric="pages_per_s")
    assert "no limit is known" in comparison_cases(comparison(1, 2, unknown))[1].detail
